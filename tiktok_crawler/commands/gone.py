"""`scrapy gone`: say whether so much is gone at once as checks of existence found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scrapy.commands import ScrapyCommand

from tiktok_crawler.clock import utc_now
from tiktok_crawler.commands import Project
from tiktok_crawler.config import Config
from tiktok_crawler.exceptions import UsageError
from tiktok_crawler.output import show
from tiktok_crawler.reports.checks_report import existence_lines, held_lines
from tiktok_crawler.spelling import number_of
from tiktok_crawler.storage.engine import database
from tiktok_crawler.storage.engine.statements import statements_for
from tiktok_crawler.storage.engine.transactions import reading, transaction
from tiktok_crawler.storage.ledger.checks import CheckRows
from tiktok_crawler.storage.ledger.existence import existence_of, held_checks

if TYPE_CHECKING:
    import argparse
    from collections.abc import Collection, Iterator, Sequence

    from sqlalchemy import Connection, Engine


class Command(Project, ScrapyCommand):
    """Shows what is held, and takes a person's word on it; nothing is deleted here."""

    usage = "[options]"
    about = "Show what no longer exists, and say whether what checks found is true"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        for option, words in (
            ("--confirm", "it is true what these checks found: their records are gone"),
            (
                "--reject",
                "it is not: their records stay, and are asked about again when due",
            ),
        ):
            parser.add_argument(
                option, metavar="CHECK", nargs="+", type=int, default=[], help=words
            )

    def act(self, args: list[str], opts: argparse.Namespace) -> None:
        assert self.settings
        config = Config.of(self.settings)
        if args:
            raise UsageError("name checks behind --confirm or --reject: scrapy gone --confirm 4")
        with database.opened(config.database_url) as engine:
            if not database.has_data(engine, config.origin):
                show(f"{database.describe(engine.url)}: no crawl has used it yet")
                return
            if opts.confirm or opts.reject:
                lines = list(transaction(engine, lambda on: list(_decide(on, opts))))
            else:
                lines = _shown(engine)
        show("\n".join(lines))


def _shown(engine: Engine) -> list[str]:
    with reading(engine) as connection:
        found = existence_of(connection)
    lines = [f"{label:10} {text}" for label, text in (*existence_lines(found), *held_lines(found))]
    return lines or ["nothing is missing, gone or under way: scrapy crawl compliance checks that"]


def _decide(connection: Connection, opts: argparse.Namespace) -> Iterator[str]:
    held = {check.id: check for check in held_checks(connection)}
    _require(held, (*opts.confirm, *opts.reject))
    if both := set(opts.confirm).intersection(opts.reject):
        raise UsageError(f"check {min(both)} stands behind --confirm and --reject: choose one")
    rows, now = CheckRows(connection, statements_for(connection.dialect)), utc_now()
    for number in dict.fromkeys(opts.confirm):
        gone = rows.confirm(number, now)
        yield f"check {number}: {number_of(gone, f'{held[number].kind}s')} marked as gone"
    for number in dict.fromkeys(opts.reject):
        rows.reject(number, now)
        yield f"check {number}: nothing is gone; it is asked about again when that is due"


def _require(held: Collection[int], numbers: Sequence[int]) -> None:
    for number in numbers:
        if number not in held:
            waiting = ", ".join(map(str, held)) or "none"
            raise UsageError(f"check {number} waits for no word of a person; waiting: {waiting}")
