"""`scrapy replay FOLDER...`: a database from archives, without a request."""

from __future__ import annotations

from os import EX_SOFTWARE
from typing import TYPE_CHECKING

from scrapy.commands import ScrapyCommand
from sqlalchemy.exc import DBAPIError

from tiktok_crawler.commands import Project, url_or_file
from tiktok_crawler.output import fail

if TYPE_CHECKING:
    import argparse

AGAIN = "what was made of the database is not complete: remove it, and replay again"


class Command(Project, ScrapyCommand):
    """Needs neither credentials nor the API, but a database without data."""

    usage = "[options] <folder> ..."
    about = "Build a database from the archives that crawls have written"
    uses_database = False

    interrupted = f"interrupted; {AGAIN}"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        parser.add_argument(
            "--deleted-from",
            metavar="DATABASE",
            help="URL of a database, or @FILE with it: what persons asked to delete from that is "
            "kept out of the new one, too",
        )

    def act(self, args: list[str], opts: argparse.Namespace) -> None:
        from tiktok_crawler.acts.replaying import replay  # noqa: PLC0415 - slow to load

        assert self.settings
        deleted_from = getattr(opts, "deleted_from", None)
        try:
            self.exitcode = replay(args, self.settings, deleted_from and url_or_file(deleted_from))
        except DBAPIError as exc:
            fail(EX_SOFTWARE, f"the database failed: {exc.orig}; {AGAIN}")
