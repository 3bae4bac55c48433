"""Parquet: a file a table, or one a month or day of it, in folders that readers of Hive know."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from tiktok_crawler.dataset.arrow import record_batch, schema
from tiktok_crawler.dataset.reading import UNDATED
from tiktok_crawler.export.options import UNITS
from tiktok_crawler.export.written import File

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path
    from typing import BinaryIO

    from tiktok_crawler.dataset.reading import Part
    from tiktok_crawler.dataset.tables import DataTable

ROWS_OF_GROUP = 100_000
"""In a file; and so many rows of a table are held in memory for all its open files."""

MOST_BYTES = 50_000_000
"""Of rows of a table that are held: fewer rows are a group where they have long texts."""

MOST_OPEN = 24
"""Files that are open at once: rows come nearly in the order of their time."""

WITHOUT_TIME = "undated"
"""The month or day of rows whose time is missing. Hive has a name of its own for that, which pandas
and Arrow refuse in a folder that has no other, and pandas beside any other."""

WORDS = {length: word for word, length in UNITS.items()}


def partition_folder(table: DataTable, partition: str, unit: int) -> str:
    """Return the name of a folder with the rows of a month or day: `create_month=2024-01`."""
    return f"{table.dated_word}_{WORDS[unit]}={partition or WITHOUT_TIME}"


@dataclass(slots=True)
class _Open:
    """A file that is being written, with the rows that wait for their group to be full.

    Arrow itself opens no file whose path is not UTF-8.
    """

    name: str
    table: DataTable
    partition: str
    file: BinaryIO
    writer: pq.ParquetWriter
    waiting: list[pa.RecordBatch] = field(default_factory=list)
    held: int = 0
    held_bytes: int = 0
    rows: int = 0

    def add(self, batch: pa.RecordBatch) -> None:
        self.waiting.append(batch)
        self.held += batch.num_rows
        self.held_bytes += batch.nbytes
        self.rows += batch.num_rows

    def write(self) -> None:
        if self.waiting:
            group = pa.Table.from_batches(self.waiting)
            self.writer.write_table(group, row_group_size=max(ROWS_OF_GROUP, self.held))
            self.waiting, self.held, self.held_bytes = [], 0, 0

    def close(self) -> None:
        with self.file:
            self.writer.close()


class ParquetFiles:
    """Writes tables as they come; of those in parts, a few parts are open at once."""

    def __init__(self, folder: Path, tables: Iterable[DataTable], unit: int) -> None:
        # Arrow's own allocators keep much of what they have once had.
        pa.set_memory_pool(pa.system_memory_pool())
        self._folder = folder
        self._unit = unit
        self._missing = {table.name: table for table in tables}
        self._open: dict[tuple[str, str], _Open] = {}
        self._ended: list[File] = []
        self._numbers: dict[str, int] = {}

    def write(self, part: Part) -> None:
        batch = record_batch(part.table.columns, part.block)
        if not batch.num_rows:
            return
        file = self._file(part.table, part.partition)
        file.add(batch)
        of_table = [other for other in self._open.values() if other.table is part.table]
        held = sum(other.held for other in of_table)
        if held >= ROWS_OF_GROUP or sum(other.held_bytes for other in of_table) >= MOST_BYTES:
            max(of_table, key=lambda other: other.held_bytes).write()

    def close(self) -> Iterator[File]:
        for key in list(self._open):
            self._end(key)
        for table in list(self._missing.values()):
            self._file(table, UNDATED)
            self._end((table.name, UNDATED))
        yield from self._ended

    def discard(self) -> None:
        for file in self._open.values():
            with suppress(OSError):
                file.close()

    def _file(self, table: DataTable, partition: str) -> _Open:
        """Return the file of a part, as the one that was used last."""
        key = (table.name, partition)
        file = self._open.pop(key, None) or self._new(table, partition)
        self._open[key] = file
        self._missing.pop(table.name, None)
        if len(self._open) > MOST_OPEN:
            self._end(next(iter(self._open)))
        return file

    def _new(self, table: DataTable, partition: str) -> _Open:
        name = f"{table.name}.parquet"
        if table.is_dated:
            name = f"{table.name}/{partition_folder(table, partition, self._unit)}"
            number = self._numbers[name] = self._numbers.get(name, -1) + 1
            name = f"{name}/part-{number}.parquet"
        path = self._folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("xb")
        writer = pq.ParquetWriter(file, schema(table.columns), compression="zstd")
        return _Open(name, table, partition, file, writer)

    def _end(self, key: tuple[str, str]) -> None:
        file = self._open.pop(key)
        file.write()
        file.close()
        self._ended.append(
            File.of(
                self._folder,
                file.name,
                table=file.table.name,
                partition=file.partition,
                rows=file.rows,
            )
        )
