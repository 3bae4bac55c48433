"""`scrapy copy DATABASE_URL`: everything from SQLite into an empty PostgreSQL database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scrapy.commands import ScrapyCommand

from tiktok_crawler.commands import Project, url_or_file
from tiktok_crawler.config import Config
from tiktok_crawler.config.paths import database_in_project
from tiktok_crawler.exceptions import UsageError
from tiktok_crawler.output import NowAndThen, show
from tiktok_crawler.storage.engine import database, lock

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from sqlalchemy import Engine


class Command(Project, ScrapyCommand):
    """Reads one database and fills another one, in one transaction."""

    usage = "[options] <URL of a PostgreSQL database, or @file with it>"
    about = "Copy the SQLite database into an empty PostgreSQL database"
    interrupted = "interrupted; nothing was copied"

    def act(self, args: list[str], opts: argparse.Namespace) -> None:  # noqa: ARG002 - Scrapy's
        assert self.settings
        url = database.database_url(database_in_project(_target(args)))
        with (
            database.opened_to_read(Config.of(self.settings).database_url) as source,
            database.opened(url.render_as_string(hide_password=False)) as target,
        ):
            for line in _copy(source, target):
                show(line)


def _target(args: list[str]) -> str:
    if len(args) != 1:
        raise UsageError(
            "name the database to copy to, such as: scrapy copy postgresql://user@host/database, "
            "with the password in ~/.pgpass; or @FILE, a file that has the URL"
        )
    return url_or_file(args[0])


def _copy(source: Engine, target: Engine) -> Iterator[str]:
    from tiktok_crawler.storage.engine import transfer  # noqa: PLC0415 - slow to load

    yield f"{database.describe(source.url)} to {database.describe(target.url)}"
    lock.refuse_crawls(source, "what it stores from now on would be missing")
    copied = transfer.transfer(source, target, NowAndThen().tell)
    for content in copied:
        if content.rows:
            yield f"  {content.table.name:22} {content.rows:14,} row{'s' * (content.rows != 1)}"
    if others := transfer.left_out(source):
        yield f"Left out, as they are not of this program: {', '.join(others)}"
    yield (
        "Copied and compared: both have the same rows. From now on name the new database in "
        "TIKTOK_DATABASE_URL, and keep the file as a copy"
    )
