"""`scrapy export FOLDER`: what the database holds, for those who analyse it."""

from __future__ import annotations

import gc
import os
import sqlite3
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from scrapy.commands import ScrapyCommand
from sqlalchemy.exc import DBAPIError

from tiktok_crawler.clock import utc_now
from tiktok_crawler.commands import (
    Mistakes,
    Project,
    add_pseudonym_options,
    check_key_file,
    pseudonyms_of,
)
from tiktok_crawler.config import Config
from tiktok_crawler.exceptions import ConfigurationError, ExportError, UsageError
from tiktok_crawler.installed import require_installed
from tiktok_crawler.output import end_on_sigterm, show, tell
from tiktok_crawler.query_file.known_query import query_ids
from tiktok_crawler.query_file.written_dates import parse_date
from tiktok_crawler.spelling import listed, named, number_of, quoted, shortened, visible
from tiktok_crawler.storage.engine import database
from tiktok_crawler.storage.engine.outage import explain, is_outage
from tiktok_crawler.storage.engine.statements import statements_for
from tiktok_crawler.storage.engine.transactions import reading
from tiktok_crawler.storage.ledger.queries import stored_queries
from tiktok_crawler.storage.ledger.value_batches import queries_of

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator
    from datetime import date

    from sqlalchemy import Engine

    from tiktok_crawler.dataset.protection import Protection
    from tiktok_crawler.dataset.selection import Selection
    from tiktok_crawler.export.export import Exported
    from tiktok_crawler.export.options import Options

FORMATS = ("parquet", "csv", "jsonl", "xlsx")
DELIMITERS = ",;\t|:^~!#$%&*/ "
"""Characters that are in no number and no word that is written without quotes."""

TAB = ("tab", "\\t")
"""How a tab is written on a command line, where it can hardly be typed."""
MEGABYTE = 1_000_000


class Command(Project, ScrapyCommand):
    """Reads the database, and writes a folder, which is there as a whole or not at all."""

    usage = "[options] <folder>"
    about = "Export the data as Parquet, CSV, JSON lines or XLSX, with what tells of them"
    interrupted = "interrupted; an earlier export in the folder is as it was"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        group = parser.add_argument_group("Export")
        add = group.add_argument
        add("--format", choices=FORMATS, default=FORMATS[0], help="default: parquet")
        add("--tables", metavar="NAMES", help="such as video,comment; default: all")
        add("--columns", metavar="NAMES", help="such as id,view_count,comment.text; default: all")
        add(
            "--query",
            action="append",
            metavar="FILE",
            help="videos that this query has found: its file, or its number in `scrapy status`",
        )
        add("--tag", action="append", metavar="TAG", help="videos that were collected with it")
        add("--since", metavar="DAY", help="videos published on this day (UTC) or later")
        add("--until", metavar="DAY", help="videos published on this day (UTC) or before")
        add(
            "--where",
            action="append",
            metavar="COMPARISON",
            help="videos for which it is true, such as 'view_count >= 1000'",
        )
        add("--sample", type=int, metavar="N", help="so many of these videos, at random")
        add("--seed", type=int, metavar="N", help="of the sample: the same gives the same videos")
        add("--by", choices=("month", "day"), default="month", help="how Parquet is divided")
        add(
            "--delimiter",
            metavar="CHARACTER",
            default=",",
            help="of CSV: one of , ; | or tab, or another sign; ; opens in German Excel",
        )
        add(
            "--excel",
            action="store_true",
            help="CSV that Excel opens: UTF-8 by its mark, no formula",
        )
        add_pseudonym_options(group)
        add("--hide-ids", action="store_true", help="other numbers for ids of videos and comments")
        add("--no-text", action="store_true", help="without what persons wrote or said")
        add("--ids-only", action="store_true", help="nothing but ids, for others with access")
        add(
            "--verify", action="store_true", help="check an export that is there, and write nothing"
        )

    def act(self, args: list[str], opts: argparse.Namespace) -> None:
        assert self.settings
        if len(args) != 1:
            raise UsageError("name one folder, such as: scrapy export dataset")
        folder = _folder(args[0])
        libraries = ("pyarrow", "xlsxwriter") if opts.format == "xlsx" else ("pyarrow",)
        require_installed("an export", "export", libraries)
        if opts.verify:
            _verify(folder, Config.of(self.settings))
            return
        end_on_sigterm()
        config = Config.of(self.settings)
        with database.opened_to_read(config.database_url) as engine, _written(folder):
            _export(engine, folder, opts, config)


def _folder(written: str) -> Path:
    try:
        folder = Path(written).expanduser().absolute()
    except RuntimeError as exc:
        raise UsageError(f"{shortened(written)}: {exc}") from None
    if not written or folder == folder.parent:
        raise UsageError("name one folder, such as: scrapy export dataset")
    return folder


def _export(engine: Engine, folder: Path, opts: argparse.Namespace, config: Config) -> None:
    from tiktok_crawler.export.arrow_alone import leave_out_pandas  # noqa: PLC0415 - slow to load
    from tiktok_crawler.export.export import export  # noqa: PLC0415 - slow to load

    leave_out_pandas()
    # Millions of values that refer to nothing: to look for circles among them takes a tenth.
    gc.disable()
    if database.stored_origin(engine) is None:
        raise ConfigurationError(
            f"{database.describe(engine.url)} has nothing to export yet{config.sandbox_hint}"
        )
    options = _options(engine, opts)
    with _read(engine, folder):
        exported = export(engine, folder, options, config.terms, utc_now())
    for line in _lines(exported, options):
        show(line)
    if options.selection and exported.rows.get("video") == 0:
        tell("WARNING: there is no such video, so that the tables of videos are empty")
    for line in _lacking(exported):
        tell(line)


@contextmanager
def _written(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as exc:
        # Arrow's own errors tell their number, and far more than the reason.
        reason = os.strerror(exc.errno) if exc.errno else exc
        raise ExportError(
            f"{named(folder)} could not be written: {reason}. An earlier export there is as it was"
        ) from None


@contextmanager
def _read(engine: Engine, folder: Path) -> Iterator[None]:
    """Tell of a database that goes away, or turns out to be damaged."""
    try:
        yield
    except DBAPIError as exc:
        if not (is_outage(exc) or isinstance(exc.orig, sqlite3.DatabaseError)):
            raise
        raise ExportError(
            f"{database.describe(engine.url)} could not be read to the end: "
            f"{explain(exc, engine.url)}. An earlier export in {named(folder)} is as it was"
        ) from None


def _options(engine: Engine, opts: argparse.Namespace) -> Options:
    from tiktok_crawler.export.options import (  # noqa: PLC0415 - slow to load
        UNITS,
        Format,
        Options,
        wanted_tables,
    )

    mistakes = Mistakes()
    with mistakes.noted():
        delimiter = _delimiter(opts)
    selection = _selection(engine, opts, mistakes)
    with mistakes.noted():
        tables = wanted_tables(_names(opts.tables), _names(opts.columns), selection)
    with mistakes.noted():
        check_key_file(opts)
    mistakes.check()
    return Options(
        tables,
        Format(opts.format),
        UNITS[opts.by],
        delimiter,
        opts.excel,
        selection,
        _protection(opts),
    )


def _delimiter(opts: argparse.Namespace) -> str:
    written: str = opts.delimiter
    if opts.format != "csv" and (opts.excel or written != ","):
        raise UsageError("--excel and --delimiter go with --format csv")
    delimiter = "\t" if written.casefold() in TAB else written
    if len(delimiter) != 1 or delimiter not in DELIMITERS:
        signs = " ".join(DELIMITERS.replace("\t", "").strip())
        raise UsageError(
            f"--delimiter {quoted(written)} cannot be used: give tab, a blank, or one of {signs}"
        )
    return delimiter


def _protection(opts: argparse.Namespace) -> Protection:
    from tiktok_crawler.dataset.protection import Protection  # noqa: PLC0415 - slow to load

    return Protection(
        pseudonyms_of(opts),
        hide_ids=opts.hide_ids,
        no_text=opts.no_text,
        ids_only=opts.ids_only,
    )


def _names(written: str | None) -> list[str]:
    return [name.strip() for name in (written or "").split(",") if name.strip()]


def _selection(engine: Engine, opts: argparse.Namespace, mistakes: Mistakes) -> Selection:
    """Read which videos are wanted; what is wrong is left out, and noted."""
    from tiktok_crawler.dataset.selection import Sample, Selection, comparison  # noqa: PLC0415

    days: dict[str, date | None] = {}
    statements = statements_for(engine.dialect)
    queries, comparisons = list[int](), list[str]()
    with mistakes.noted():
        if opts.seed is not None and opts.sample is None:
            raise UsageError("--seed goes with --sample")
    with mistakes.noted():
        if opts.sample is not None and opts.sample < 1:
            raise UsageError("--sample: give the number of videos that are wanted, 1 or more")
    for option in ("since", "until"):
        with mistakes.noted():
            days[option] = _day(f"--{option}", getattr(opts, option))
    since, until = days.get("since"), days.get("until")
    with mistakes.noted():
        if since and until and since > until:
            raise UsageError(f"--since {since} is after --until {until}")
    for written in opts.where or ():
        with mistakes.noted():
            comparison(written)
            comparisons.append(written)
    for written in opts.query or ():
        with mistakes.noted(), reading(engine) as connection:
            batches = partial(queries_of, connection, statements)
            queries += query_ids(written, stored_queries(connection), batches, "--query ")
    return Selection(
        query_ids=tuple(queries),
        tags=tuple(opts.tag or ()),
        since=since,
        until=until,
        comparisons=tuple(comparisons),
        sample=None if opts.sample is None else Sample(opts.sample, opts.seed or 0),
    )


def _day(option: str, written: str | None) -> date | None:
    try:
        return None if written is None else parse_date(written, today=utc_now().date())
    except ValueError as exc:
        raise UsageError(f"{option} {quoted(written or '')} {exc}") from None


def _lines(exported: Exported, options: Options) -> Iterator[str]:
    from tiktok_crawler.export.options import WORKBOOK  # noqa: PLC0415 - slow to load

    location = exported.facts.status.location
    again = ", in the place of the export that was there" if exported.replaces else ""
    yield f"{location}, data from {visible(exported.facts.status.origin or '')}"
    size = f"{options.format}, {exported.size / MEGABYTE:,.1f} MB"
    yield f"Exported to {exported.folder} ({size}){again}:"
    if options.format == "xlsx":
        yield f"  {WORKBOOK}, with a sheet for each table that has rows"
    for table in options.tables:
        if rows := exported.rows[table.name]:
            yield f"  {table.name:18} {rows:12,} row{'s' * (rows != 1)}"
    empty = [table.name for table in options.tables if not exported.rows[table.name]]
    if empty:
        yield f"  without rows: {listed(empty, conjunction='and')}"
    if exported.kept:
        yield f"Files that were still true: {exported.kept:,} of {exported.files:,}"
    yield "DICTIONARY.md says what each column means, PROVENANCE.md where the data come from"
    yield from options.protection.told()
    if options.for_excel:
        yield (
            "Excel rounds ids of more than 15 digits when it opens a CSV: import these columns as "
            "text, or use --format xlsx"
        )


def _is_stale(folder: Path, config: Config) -> bool:
    """Tell whether something was deleted since, if the database that it was made of is here."""
    from tiktok_crawler.export.verify import is_stale  # noqa: PLC0415 - slow to load

    try:
        with database.opened_to_read(config.database_url) as engine:
            if database.stored_origin(engine) is None:
                return False
            with reading(engine) as connection:
                return is_stale(connection, folder)
    except ConfigurationError:
        return False


def _lacking(exported: Exported) -> Iterator[str]:
    from tiktok_crawler.reports.provenance_report import lacking  # noqa: PLC0415 - slow to load

    if sentences := lacking(exported.facts):
        yield f"WARNING: the collection is incomplete: {' '.join(sentences)}"


def _verify(folder: Path, config: Config) -> None:
    from tiktok_crawler.export.verify import verify  # noqa: PLC0415 - slow to load

    files, others = verify(folder)
    if _is_stale(folder, config):
        raise ExportError(
            f"{named(folder)} is stale: records were deleted from the database since, and it may "
            "have them. Export it once more, which removes them, and see to copies of it"
        )
    show(f"{named(folder)}: all of {number_of(files, 'files')} are as they were written")
    if others:
        tell(
            f"WARNING: {listed(others[:10], conjunction='and')} "
            f"{'is' if len(others) == 1 else 'are'} no part of the export"
        )
