"""Exports what a database holds at one moment into a folder."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from tiktok_crawler.dataset.coverage import coverage_blocks
from tiktok_crawler.dataset.protector import Protector
from tiktok_crawler.dataset.reading import UNDATED, Part, Reader
from tiktok_crawler.dataset.tables import COVERAGE, VIDEOS
from tiktok_crawler.exceptions import ExportError, UsageError
from tiktok_crawler.export.changes import Basis, changes_since, is_with_video
from tiktok_crawler.export.description import (
    DESCRIPTION,
    DICTIONARY,
    PROVENANCE,
    Manifest,
    dictionary,
    read_manifest,
    this_export,
    write_description,
)
from tiktok_crawler.export.folder import Staging, files_in
from tiktok_crawler.export.options import Format
from tiktok_crawler.export.written import File
from tiktok_crawler.reports.naming import Naming
from tiktok_crawler.reports.provenance_report import provenance_text
from tiktok_crawler.spelling import named
from tiktok_crawler.storage.engine.transactions import reading
from tiktok_crawler.storage.ledger.provenance import read_provenance
from tiktok_crawler.storage.ledger.status import query_days

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from datetime import datetime
    from pathlib import Path

    from sqlalchemy import Connection, Engine

    from tiktok_crawler.dataset.tables import DataTable
    from tiktok_crawler.export.changes import Changes
    from tiktok_crawler.export.options import Options
    from tiktok_crawler.export.written import Files
    from tiktok_crawler.storage.ledger.provenance import Provenance
    from tiktok_crawler.storage.ledger.status import QueryDays, Terms


WORKED_ON = (".csv", ".jsonl", ".xlsx")


@dataclass(frozen=True, slots=True)
class Exported:
    """An export that is in its place: the rows of its tables, and the facts of what it is of.

    `kept` files are as they were in the export before, which it `replaces`.
    """

    folder: Path
    rows: Mapping[str, int]
    files: int
    kept: int
    replaces: bool
    size: int
    facts: Provenance


def export(engine: Engine, target: Path, options: Options, terms: Terms, now: datetime) -> Exported:
    """Export tables into a folder, in the place of an earlier export of the program's.

    Raises:
        UsageError: the folder holds something else, or the options cannot be met.
        ExportError: the files cannot be written; what was in the folder is as it was.
    """
    with (
        Staging(target) as staging,
        reading(engine) as connection,
        Protector(connection, options.protection) as protector,
    ):
        earlier = _earlier(staging.target)
        if earlier:
            _check_unchanged(staging.target, earlier)
        facts = read_provenance(connection, terms, now)
        work = _Work(connection, staging, options, facts, protector)
        work.days = partial(query_days, connection, terms, now)
        files = work.files(earlier)
        documents = _documents(options, facts, protector, work.rows)
        written = [*files, *_written_texts(staging.folder, documents)]
        manifest = Manifest(work.basis, tuple(written), work.rows)
        write_description(staging.folder, options, manifest, facts.version, now)
        staging.commit(replaced=earlier.file_names() if earlier else frozenset())
    return Exported(
        staging.target,
        work.rows,
        len(files),
        work.kept,
        earlier is not None,
        sum(file.size for file in written),
        facts,
    )


class _Work:
    """The tables of an export, as they are written or taken over.

    `days` reads how the days of each query stand, those for some values of a list among them.
    """

    days: Callable[[], Iterable[QueryDays]]

    def __init__(
        self,
        connection: Connection,
        staging: Staging,
        options: Options,
        facts: Provenance,
        protector: Protector,
    ) -> None:
        self._connection = connection
        self._staging = staging
        self._options = options
        self._facts = facts
        self._protector = protector
        self._protected = {table.name: table for table in options.tables}
        digest = options.digest(protector.names_digest())
        unit = options.unit if options.is_in_parts else 0
        self.basis = Basis.of(connection, digest, facts.version, unit=unit, label=protector.label)
        drawn = options.selection.drawn(connection)
        self._reader = Reader(connection, drawn, unit=unit, as_text=options.kinds_of_text)
        self.kept = 0
        self.rows = Counter[str]()

    def files(self, earlier: Manifest | None) -> list[File]:
        """Write all tables, but for what an earlier export has as it would be written now."""
        basis = earlier and earlier.basis
        if earlier and basis and self._can_go_on(basis):
            changes = changes_since(self._connection, basis, self.basis, self._options.unit)
            changes = changes.also(self._touched(earlier, changes))
            kept = list(self._unchanged(earlier, changes))
            written = list(self._written(changes, kept))
            if self._has_all([*kept, *written]):
                self._staging.keep([file.name for file in kept])
                self.kept = len(kept)
                return [*kept, *written]
            self._staging.empty()
        return list(self._written(None, []))

    def _can_go_on(self, earlier: Basis) -> bool:
        return (
            self._options.is_in_parts
            and not self._options.selection.sample
            # Tags come without a page: that is seen where videos are counted.
            and not (self._options.selection.tags and VIDEOS.name not in self._protected)
            and earlier.is_followed_by(self.basis, self._connection)
        )

    def _goes_on(self, table: DataTable) -> bool:
        """Tell whether the pages stored since say what has changed of a table.

        Of a selection, a page can decide that a video belongs to it, and with it rows of other
        tables, whenever these came.
        """
        return table.is_dated and (is_with_video(table) or not self._options.selection)

    def _unchanged(self, earlier: Manifest, changes: Changes) -> Iterator[File]:
        """Return the files of months or days that have not changed."""
        going_on = {table.name: table for table in self._options.tables if self._goes_on(table)}
        for file in earlier.files:
            table = going_on.get(file.table)
            if table and file.rows and file.partition not in changes.of(table):
                yield file

    def _touched(self, earlier: Manifest, changes: Changes) -> Iterator[tuple[DataTable, str]]:
        """Return the months or days of which a file is no longer as it was written."""
        tables = {table.name: table for table in self._options.tables}
        for file in self._unchanged(earlier, changes):
            if not file.is_in(self._staging.target):
                yield tables[file.table], file.partition

    def _has_all(self, files: list[File]) -> bool:
        """Tell whether no table lacks a row, or has one twice, for whatever reason."""
        rows = _rows(files)
        return all(
            rows[table.name] == self._reader.count(table)
            for table in self._options.tables
            if table.is_dated and not table.lists
        )

    def _written(self, changes: Changes | None, kept: list[File]) -> Iterator[File]:
        there = {file.table for file in kept}
        self.rows = Counter(dict.fromkeys((table.name for table in self._options.tables), 0))
        self.rows.update(_rows(kept))
        files = _files(self._staging.folder, self._options, there)
        with _discarded(files), ThreadPoolExecutor(max_workers=1) as writer:
            # What was read is written while what comes next is read.
            writing = writer.submit(lambda: None)
            for part in self._parts(changes):
                protected = self._protect(part)
                self.rows[part.table.name] += protected.rows
                writing.result()
                writing = writer.submit(files.write, protected)
            writing.result()
        with _discarded(files):
            yield from files.close()

    def _protect(self, part: Part) -> Part:
        block = self._protector.block(part.table, part.block)
        return Part(self._protected[part.table.name], part.partition, block)

    def _parts(self, changes: Changes | None) -> Iterator[Part]:
        """Read what is wanted and not left out to protect persons."""
        tables = [table for table in self._options.wanted if table.name in self._protected]
        with_videos = list(filter(is_with_video, tables))
        if with_videos:
            only = changes.of(with_videos[0]) if changes else None
            yield from self._reader.videos(with_videos, only=only)
        for table in tables:
            if table in with_videos:
                continue
            if table.name == COVERAGE.name:
                for block in coverage_blocks(self.days()):
                    yield Part(table, UNDATED, {name: block[name] for name in table.by_name})
                continue
            only = changes.of(table) if changes and self._goes_on(table) else None
            yield from self._reader.rows(table, only=only)


def _earlier(target: Path) -> Manifest | None:
    """Return what an export in the folder says of itself.

    Raises:
        UsageError: the folder has something else in it, which must not be replaced.
    """
    if not target.exists():
        return None
    if not target.is_dir():
        raise UsageError(
            f"{named(target)} is no folder: name one that is new, or has an export in it"
        )
    manifest = read_manifest(target)
    if manifest is None and next(files_in(target), None):
        raise UsageError(
            f"{named(target)} has files in it, and no export (there is no {DESCRIPTION} of this "
            "program's in it): name a new folder"
        )
    return manifest


def _check_unchanged(target: Path, earlier: Manifest) -> None:
    """Refuse to replace a table that somebody has worked on: in these formats, people code by hand.

    Raises:
        ExportError: one is no longer as it was written.
    """
    for file in earlier.files:
        path = target / file.name
        if path.suffix in WORKED_ON and path.exists() and not file.is_in(target):
            raise ExportError(
                f"{path} has changed since it was exported, and would be replaced: move it away, "
                "or name another folder"
            )


def _files(folder: Path, options: Options, there: set[str]) -> Files:
    tables = options.tables
    if options.format is Format.PARQUET:
        from tiktok_crawler.export.parquet_files import ParquetFiles  # noqa: PLC0415 - an extra

        missing = [table for table in tables if table.name not in there]
        return ParquetFiles(folder, missing, options.unit)
    if options.format is Format.XLSX:
        from tiktok_crawler.export.workbook import Workbook  # noqa: PLC0415 - an extra

        return Workbook(folder, tables)
    from tiktok_crawler.export.text_files import CsvFiles, JsonlFiles  # noqa: PLC0415 - an extra

    if options.format is Format.JSONL:
        return JsonlFiles(folder, tables)
    return CsvFiles(folder, tables, delimiter=options.delimiter, for_excel=options.for_excel)


@contextmanager
def _discarded(files: Files) -> Iterator[None]:
    """Let go of files if not all can be written."""
    try:
        yield
    except BaseException:
        files.discard()
        raise


def _rows(files: Iterable[File]) -> Counter[str]:
    """Count the rows of each table."""
    rows = Counter[str]()
    for file in files:
        rows[file.table] += file.rows
    return rows


def _documents(
    options: Options, facts: Provenance, protector: Protector, rows: Mapping[str, int]
) -> Mapping[str, str]:
    """Return the texts beside the data, by the names of their files."""
    naming = Naming.of(protector)
    provenance = f"{provenance_text(facts, naming)}\n{this_export(options, rows)}"
    return {DICTIONARY: dictionary(options, rows), PROVENANCE: provenance}


def _written_texts(folder: Path, texts: Mapping[str, str]) -> Iterator[File]:
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
        yield File.of(folder, name)
