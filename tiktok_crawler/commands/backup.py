"""`scrapy backup FILE`: a whole copy of the database, also while crawls go on."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from scrapy.commands import ScrapyCommand

from tiktok_crawler.commands import Project
from tiktok_crawler.config import Config
from tiktok_crawler.exceptions import UsageError
from tiktok_crawler.output import end_on_sigterm, show, tell
from tiktok_crawler.spelling import named
from tiktok_crawler.storage.engine import database
from tiktok_crawler.storage.engine.backup import back_up

if TYPE_CHECKING:
    import argparse

MEGABYTE = 1_000_000


class Command(Project, ScrapyCommand):
    """Reads the database, and writes one file, which is there as a whole or not at all."""

    usage = "[options] <file>"
    about = "Copy the database into a file, also while crawls go on"
    interrupted = "interrupted; nothing is left of the copy"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        parser.add_argument(
            "--overwrite", action="store_true", help="replace the file if it is there already"
        )

    def act(self, args: list[str], opts: argparse.Namespace) -> None:
        assert self.settings
        if len(args) != 1:
            raise UsageError("name one file to write, such as: scrapy backup tiktok-backup.db")
        end_on_sigterm()
        target = Path(args[0]).expanduser().absolute()
        with database.opened_to_read(Config.of(self.settings).database_url) as engine:
            show(database.describe(engine.url))
            backup = back_up(engine, target, overwrite=opts.overwrite, progress=_tell)
        if backup.broken_tables:
            tell(
                "WARNING: the database has rows that refer to rows which are gone, and so has "
                f"the copy, in: {', '.join(backup.broken_tables)}"
            )
        show(f"Copied to {named(target)} ({backup.size_bytes / MEGABYTE:,.1f} MB), and checked")


def _tell(copied: int, pages: int) -> None:
    if sys.stderr.isatty():
        print(f"\rcopied {copied / max(pages, 1):.0%}", end="\r", file=sys.stderr, flush=True)  # noqa: T201 - this is the command line
