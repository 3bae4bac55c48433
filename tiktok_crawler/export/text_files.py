"""CSV and JSON lines: a file a table."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import orjson
import pyarrow as pa
import pyarrow.csv as arrow_csv

from tiktok_crawler.dataset.columns import Kind
from tiktok_crawler.dataset.tables import MISFIT_DATA
from tiktok_crawler.dataset.text_values import columns_of_text
from tiktok_crawler.export.written import File
from tiktok_crawler.spelling import guarded

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path
    from typing import BinaryIO

    from tiktok_crawler.dataset.columns import Column
    from tiktok_crawler.dataset.reading import Part
    from tiktok_crawler.dataset.tables import DataTable

BYTE_ORDER_MARK = "\ufeff".encode()
"""By which Excel knows UTF-8."""

BUFFER_BYTES = 128 * 1024

DOCUMENTS = (Kind.JSON, Kind.NESTED)

CSV_TYPES = {Kind.INTEGER: pa.int64(), Kind.BOOLEAN: pa.bool_()}
"""Of all else it is text, which is in quotes; what is missing is not."""


class TextFiles:
    """Writes a file a table, `ending` with its format."""

    ending: str

    def __init__(self, folder: Path, tables: Iterable[DataTable]) -> None:
        self._folder = folder
        self._rows: dict[str, int] = {}
        self._files = {table.name: self._opened(table) for table in tables}

    def write(self, part: Part) -> None:
        columns = text_columns(part.table)
        values = columns_of_text(columns, part.block)
        self._rows[part.table.name] += len(values[0])
        self._write(part.table.name, columns, values)

    def close(self) -> Iterator[File]:
        for name, file in self._files.items():
            self._close(name)
            file.close()
            yield File.of(self._folder, self._name(name), table=name, rows=self._rows[name])

    def discard(self) -> None:
        for file in self._files.values():
            with suppress(OSError):
                file.close()

    def _opened(self, table: DataTable) -> BinaryIO:
        self._rows[table.name] = 0
        return (self._folder / self._name(table.name)).open("xb", buffering=BUFFER_BYTES)

    def _name(self, table: str) -> str:
        return f"{table}.{self.ending}"

    def _write(self, table: str, columns: Sequence[Column], values: list[list[Any]]) -> None:
        raise NotImplementedError

    def _close(self, table: str) -> None:
        """End what is written of a table."""


class JsonlFiles(TextFiles):
    """An object a line; lists and objects are JSON as they came."""

    ending = "jsonl"

    def _write(self, table: str, columns: Sequence[Column], values: list[list[Any]]) -> None:
        names = [column.name for column in columns]
        for place, column in enumerate(columns):
            if column.kind in DOCUMENTS:
                values[place] = [text and orjson.Fragment(text) for text in values[place]]
        option = orjson.OPT_APPEND_NEWLINE
        self._files[table].writelines(
            orjson.dumps(dict(zip(names, row, strict=True)), option=option)
            for row in zip(*values, strict=True)
        )


class CsvFiles(TextFiles):
    """RFC 4180; text is in quotes, so that empty text is another thing than none."""

    ending = "csv"

    def __init__(
        self, folder: Path, tables: Iterable[DataTable], *, delimiter: str, for_excel: bool
    ) -> None:
        self._options = arrow_csv.WriteOptions(delimiter=delimiter, eol="\r\n")
        self._for_excel = for_excel
        self._writers: dict[str, arrow_csv.CSVWriter] = {}
        super().__init__(folder, tables)

    def _opened(self, table: DataTable) -> BinaryIO:
        file = super()._opened(table)
        if self._for_excel:
            file.write(BYTE_ORDER_MARK)
        types = [(c.name, CSV_TYPES.get(c.kind, pa.string())) for c in text_columns(table)]
        self._writers[table.name] = arrow_csv.CSVWriter(
            file, pa.schema(types), write_options=self._options
        )
        return file

    def _write(self, table: str, columns: Sequence[Column], values: list[list[Any]]) -> None:
        arrays = [
            pa.array(
                list(map(guarded, each)) if self._for_excel and column.kind is Kind.TEXT else each,
                CSV_TYPES.get(column.kind, pa.string()),
            )
            for column, each in zip(columns, values, strict=True)
        ]
        names = [column.name for column in columns]
        self._writers[table].write_batch(pa.RecordBatch.from_arrays(arrays, names))

    def _close(self, table: str) -> None:
        self._writers[table].close()


def text_columns(table: DataTable) -> list[Column]:
    """Return the columns of a table in text: everything fits there."""
    return [column for column in table.columns if column.name != MISFIT_DATA.name]
