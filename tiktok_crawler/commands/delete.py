"""`scrapy delete`: what persons ask to delete, what is gone, what is too old; wherever it is."""

from __future__ import annotations

from os import EX_SOFTWARE
from typing import TYPE_CHECKING

from scrapy.commands import ScrapyCommand
from sqlalchemy.exc import DBAPIError

from tiktok_crawler.commands import Project
from tiktok_crawler.config import Config
from tiktok_crawler.output import end_on_sigterm, fail

if TYPE_CHECKING:
    import argparse

AGAIN = "what was deleted stays so, and the same command goes on with the rest"


class Command(Project, ScrapyCommand):
    """Writes to the database and the archive; sends nothing."""

    usage = "[options]"
    about = "Delete records from the database, the archive and the next exports"
    interrupted = f"interrupted; {AGAIN}"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        what = parser.add_argument_group("What to delete")
        add = what.add_argument
        add(
            "--usernames",
            metavar="NAMES",
            help="persons with all that is theirs; names with commas in between, or @FILE",
        )
        add("--video-ids", metavar="IDS", help="videos with the comments under them; or @FILE")
        add("--comment-ids", metavar="IDS", help="comments with the replies to them; or @FILE")
        add("--query", metavar="FILE", help="what only this query has; or its number in status")
        add("--tag", metavar="TAG", help="the videos that have this tag alone")
        add("--older-than", metavar="AGE", help="what was first collected so long ago: 2 years")
        add("--gone", action="store_true", help="what TikTok has no longer, as checks have found")
        how = parser.add_argument_group("How")
        add = how.add_argument
        add("--dry-run", action="store_true", help="tell what would go, and delete nothing")
        add("--yes", action="store_true", help="do not ask, as for cron")
        add("--vacuum", action="store_true", help="write the SQLite file anew, without any remains")
        add(
            "--archive",
            metavar="FOLDER",
            action="append",
            default=[],
            help="a folder of archives beside TIKTOK_ARCHIVE; more than once for several",
        )

    def act(self, args: list[str], opts: argparse.Namespace) -> None:
        from tiktok_crawler.acts.deleting import delete  # noqa: PLC0415 - slow to load

        assert self.settings
        end_on_sigterm()
        try:
            self.exitcode = delete(Config.of(self.settings), args, opts)
        except DBAPIError as exc:
            fail(EX_SOFTWARE, f"the database failed: {exc.orig}; {AGAIN}")
