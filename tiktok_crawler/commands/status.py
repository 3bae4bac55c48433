"""`scrapy status`: how far every query of the database has come."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scrapy.commands import ScrapyCommand

from tiktok_crawler.attention.disks import disks_of
from tiktok_crawler.attention.needs import needs_a_person
from tiktok_crawler.clock import utc_now
from tiktok_crawler.commands import Project
from tiktok_crawler.config import Config
from tiktok_crawler.exceptions import UsageError
from tiktok_crawler.output import show
from tiktok_crawler.query_file.several_files import read_collections
from tiktok_crawler.reports import status_report
from tiktok_crawler.spelling import json_text
from tiktok_crawler.storage.asked_for import without_deleted
from tiktok_crawler.storage.ledger.status import QueryFile, read_status

if TYPE_CHECKING:
    import argparse

    from scrapy.settings import BaseSettings

    from tiktok_crawler.attention.needs import Need
    from tiktok_crawler.query_file.collection import Collection
    from tiktok_crawler.storage.ledger.status import Status

NEEDS_A_PERSON = 1


class Command(Project, ScrapyCommand):
    """Reads the database; writes, creates and sends nothing.

    With query files, as a crawl takes them, it is about their queries alone.
    """

    usage = "[options] [query file or folder]"
    about = "Show how far every query of the database has come, and what is spent today"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        parser.add_argument("--json", action="store_true", help="as JSON, for programs")
        parser.add_argument(
            "--check",
            action="store_true",
            help="print only what needs a person, a line each; exit status 1 if something does",
        )

    def act(self, args: list[str], opts: argparse.Namespace) -> None:
        assert self.settings
        if len(args) > 1:
            raise UsageError("name one query file, or a folder, a pattern or a list of them: a,b")
        if opts.check and opts.json:
            raise UsageError("--check prints lines for people: leave out --json")
        if not opts.check:
            show(_report(self.settings, *args, as_json=opts.json))
        elif needs := _check(self.settings, *args):
            show("\n".join(need.text for need in needs))
            self.exitcode = NEEDS_A_PERSON


def _check(settings: BaseSettings, files: str | None = None) -> tuple[Need, ...]:
    config = Config.of(settings)
    return needs_a_person(_read(config, files), disks_of(config.database_url, config.archive))


def _report(settings: BaseSettings, files: str | None = None, *, as_json: bool) -> str:
    config = Config.of(settings)
    status = _read(config, files)
    if not as_json:
        hint = config.sandbox_hint if status.origin is None else ""
        return f"{status_report.text(status, config.daily_budget)}{hint}"
    return json_text(status_report.as_json(status, config.daily_budget))


def _read(config: Config, files: str | None) -> Status:
    now = utc_now()
    collections: tuple[Collection, ...] = ()
    if files:
        collections = tuple(read_collections(files, today=now.date()))
        collections = without_deleted(config.database_url, None, collections)
    return read_status(config.database_url, config.terms, now, tuple(map(_file_of, collections)))


def _file_of(collection: Collection) -> QueryFile:
    values = collection.each.values if collection.each else ()
    return QueryFile(collection.name, collection.fingerprint, collection.dates, values)
