"""`scrapy import FILE`: what others have collected, with where it comes from.

The name of the module is that of the command, and nothing imports it by that.
"""

from __future__ import annotations

from os import EX_SOFTWARE
from typing import TYPE_CHECKING

from scrapy.commands import ScrapyCommand
from sqlalchemy.exc import DBAPIError

from tiktok_crawler.commands import Project, url_or_file
from tiktok_crawler.config import Config
from tiktok_crawler.exceptions import UsageError
from tiktok_crawler.output import end_on_sigterm, fail

if TYPE_CHECKING:
    import argparse

GOES_ON = "what was stored stays, and the same command goes on with the rest"


class Command(Project, ScrapyCommand):
    """Reads the file and writes to the database; sends nothing."""

    usage = "[options] <file, URL of a database, or @file with the URL>"
    about = "Bring in videos, comments and profiles that other tools have collected"
    interrupted = f"interrupted; {GOES_ON}"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        add = parser.add_argument
        add("--dry-run", action="store_true", help="tell what would come, and write nothing")
        add(
            "--collected-at",
            metavar="TIME",
            help="2024-05-31, or 2024-05-31T14:00 (UTC), for records that do not say when they "
            "were collected",
        )
        add(
            "--tag",
            metavar="TAG",
            action="append",
            default=[],
            help="give all videos this tag; more than once for several",
        )

    def act(self, args: list[str], opts: argparse.Namespace) -> None:
        from tiktok_crawler.acts.importing import import_  # noqa: PLC0415 - slow to load

        assert self.settings
        end_on_sigterm()
        if len(args) != 1:
            raise UsageError(
                "name what is to be imported, such as: scrapy import old.db; for a PostgreSQL "
                "database its URL, or @FILE, a file that has the URL"
            )
        try:
            import_(Config.of(self.settings), url_or_file(args[0]), opts)
        except DBAPIError as exc:
            fail(EX_SOFTWARE, f"the database failed: {exc.orig}; {GOES_ON}")
