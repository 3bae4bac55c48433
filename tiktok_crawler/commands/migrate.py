"""`scrapy migrate`: bring the tables of a database up to date."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scrapy.commands import ScrapyCommand

from tiktok_crawler.commands import Project
from tiktok_crawler.config import Config
from tiktok_crawler.exceptions import UsageError
from tiktok_crawler.output import show
from tiktok_crawler.spelling import quoted
from tiktok_crawler.storage.engine import database, lock

if TYPE_CHECKING:
    import argparse


class Command(Project, ScrapyCommand):
    """Works from the wheel too; two of them at once migrate once."""

    about = "Bring the tables of the database up to date"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        parser.add_argument(
            "--stamp",
            action="store_true",
            help="only write down that the tables are up to date: for tables without a revision",
        )

    def act(self, args: list[str], opts: argparse.Namespace) -> None:
        assert self.settings
        if args:
            raise UsageError(
                f"{quoted(args[0])} stands alone: the database is that of TIKTOK_DATABASE_URL; "
                "name another one by -s TIKTOK_DATABASE_URL=sqlite:///other.db"
            )
        with database.opened(Config.of(self.settings).database_url) as engine:
            if engine.dialect.name == "sqlite" and database.is_outdated(engine):
                lock.refuse_crawls(engine, "it knows the old tables alone")
            show(database.migrate(engine, stamp=opts.stamp))
