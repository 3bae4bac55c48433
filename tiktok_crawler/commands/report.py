"""`scrapy report`: one HTML file about what a database has; or a methods section for a paper."""

from __future__ import annotations

from argparse import ArgumentTypeError
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from scrapy.commands import ScrapyCommand

from tiktok_crawler.clock import utc_now
from tiktok_crawler.commands import (
    Mistakes,
    Project,
    add_pseudonym_options,
    check_key_file,
    pseudonyms_of,
)
from tiktok_crawler.config import Config
from tiktok_crawler.exceptions import ConfigurationError, UsageError
from tiktok_crawler.installed import require_installed
from tiktok_crawler.output import end_on_sigterm, show
from tiktok_crawler.spelling import number_of
from tiktok_crawler.storage.engine import database
from tiktok_crawler.storage.engine.transactions import reading

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from sqlalchemy import Connection

    from tiktok_crawler.dataset.pseudonyms import Pseudonyms
    from tiktok_crawler.reports.naming import Naming
    from tiktok_crawler.storage.ledger.provenance import Provenance

REFRESH_DAYS = 15
"""Data that was refreshed since is fresh by any version of TikTok's terms (api_facts.md 15)."""

MOST_REFRESH_DAYS = 3650

EXTRA = ("altair", "jinja2", "vl_convert")


class Command(Project, ScrapyCommand):
    """Reads the database at one moment; sends nothing, and writes the one file that is named."""

    usage = "-o <file> | --methods"
    about = "Make an HTML report of what the database has, or a methods section for a paper"
    interrupted = "interrupted; no report was written"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        parser.add_argument("-o", dest="file", metavar="FILE", help="the HTML file to write")
        parser.add_argument(
            "--methods", action="store_true", help="print a methods section as text instead"
        )
        add_pseudonym_options(parser)
        parser.add_argument(
            "--refresh-after",
            type=_days,
            default=REFRESH_DAYS,
            metavar="DAYS",
            help=f"what was collected longer ago is due for a refresh (default: {REFRESH_DAYS})",
        )

    def act(self, args: list[str], opts: argparse.Namespace) -> None:
        assert self.settings
        mistakes = Mistakes()
        with mistakes.noted():
            if args or bool(opts.file) == opts.methods:
                raise UsageError(
                    "say where the report shall be, as in `scrapy report -o report.html`, or print "
                    "the methods section alone with `scrapy report --methods`"
                )
        with mistakes.noted():
            check_key_file(opts)
        mistakes.check()
        config = Config.of(self.settings)
        if opts.methods:
            _print_methods(config, pseudonyms_of(opts))
        else:
            _check_extra()
            end_on_sigterm()
            _write_report(config, opts)


def _days(written: str) -> int:
    if not written.isdecimal() or not 0 < int(written) <= MOST_REFRESH_DAYS:
        raise ArgumentTypeError(f"expected a number of days from 1 to {MOST_REFRESH_DAYS}")
    return int(written)


def _check_extra() -> None:
    """Refuse to begin without what draws and writes the page."""
    require_installed("a report", "report", EXTRA)


def _print_methods(config: Config, pseudonyms: Pseudonyms | None) -> None:
    from tiktok_crawler.reports.provenance_report import methods_text  # noqa: PLC0415 - slow to load

    with _facts(config) as (connection, facts), _naming(connection, pseudonyms) as naming:
        show(methods_text(facts, naming).rstrip("\n"))


def _write_report(config: Config, opts: argparse.Namespace) -> None:
    from tiktok_crawler.html_report import page, report_file  # noqa: PLC0415 - an extra
    from tiktok_crawler.storage.overview import read_overview  # noqa: PLC0415 - slow to load

    target = report_file.check_target(Path(opts.file).expanduser().absolute())
    pseudonyms, refresh_after = pseudonyms_of(opts), timedelta(days=opts.refresh_after)
    with _facts(config) as (connection, facts), _naming(connection, pseudonyms) as naming:
        overview = read_overview(connection, facts.status.at - refresh_after)
        content = page.page(facts, overview, naming, refresh_after=refresh_after)
    report_file.write_report(target, page.html(content))
    for sentence in content.lacking:
        show(f"Incomplete: {sentence}")
    show(f"Report of {number_of(facts.rows['video'], 'videos')} written to {target}")


@contextmanager
def _naming(connection: Connection, pseudonyms: Pseudonyms | None) -> Iterator[Naming]:
    """Tell by which words persons go."""
    from tiktok_crawler.reports.naming import AS_THEY_ARE, Naming  # noqa: PLC0415 - slow to load

    if pseudonyms is None:
        yield AS_THEY_ARE
        return
    from tiktok_crawler.dataset.protection import Protection  # noqa: PLC0415 - not always needed
    from tiktok_crawler.dataset.protector import Protector  # noqa: PLC0415 - likewise

    with Protector(connection, Protection(pseudonyms, hide_ids=True)) as protector:
        yield Naming.of(protector)


@contextmanager
def _facts(config: Config) -> Iterator[tuple[Connection, Provenance]]:
    """Read the facts of the database, with the connection that sees the same moment."""
    from tiktok_crawler.storage.ledger.provenance import read_provenance  # noqa: PLC0415 - slow

    with database.opened_to_read(config.database_url) as engine:
        if database.stored_origin(engine) is None:
            raise ConfigurationError(
                f"{database.describe(engine.url)}: there is nothing to report, as no crawl has "
                f"used it yet{config.sandbox_hint}"
            )
        with reading(engine) as connection:
            yield connection, read_provenance(connection, config.terms, utc_now())
