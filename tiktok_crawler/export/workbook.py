"""XLSX: one workbook, with a sheet a table."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import xlsxwriter
from xlsxwriter.exceptions import XlsxWriterException

from tiktok_crawler.dataset.text_values import columns_of_text
from tiktok_crawler.exceptions import ExportError
from tiktok_crawler.export.options import WORKBOOK
from tiktok_crawler.export.text_files import text_columns
from tiktok_crawler.export.written import File

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from xlsxwriter.worksheet import Worksheet

    from tiktok_crawler.dataset.reading import Part
    from tiktok_crawler.dataset.tables import DataTable

MOST_ROWS = 1_048_576
MOST_CHARACTERS = 32_767
MOST_EXACT = 2**53
"""Numbers in a workbook are floating point."""

OTHER_FORMAT = "Choose fewer rows, such as by --since, --tag or --sample, or --format csv"


class Workbook:
    """Writes sheets row by row: what is written is on the disk, not in memory."""

    def __init__(self, folder: Path, tables: Iterable[DataTable]) -> None:
        self._folder = folder
        self._book = xlsxwriter.Workbook(
            str(folder / WORKBOOK),
            {
                "constant_memory": True,
                "tmpdir": str(folder),
                "strings_to_formulas": False,
                "strings_to_numbers": False,
                "strings_to_urls": False,
            },
        )
        # A sheet may have more than 4 GB before it is packed.
        self._book.use_zip64()
        self._sheets: dict[str, Worksheet] = {}
        self._rows: dict[str, int] = {}
        for table in tables:
            sheet = self._sheets[table.name] = self._book.add_worksheet(table.name)
            self._rows[table.name] = 1
            sheet.freeze_panes(1, 0)
            for place, column in enumerate(text_columns(table)):
                sheet.write_string(0, place, column.name)

    def write(self, part: Part) -> None:
        name, columns = part.table.name, text_columns(part.table)
        sheet, values = self._sheets[name], columns_of_text(columns, part.block)
        if self._rows[name] + len(values[0]) > MOST_ROWS:
            raise ExportError(
                f"the table {name} has more rows than a sheet of XLSX holds ({MOST_ROWS - 1:,}). "
                f"{OTHER_FORMAT}"
            )
        for place, each in enumerate(values):
            _check_length(name, columns[place].name, each)
        for row in zip(*values, strict=True):
            for place, value in enumerate(row):
                _write(sheet, self._rows[name], place, value)
            self._rows[name] += 1

    def close(self) -> Iterator[File]:
        try:
            self._book.close()
        except XlsxWriterException as exc:
            cause = exc.args[0] if exc.args else exc
            raise cause if isinstance(cause, OSError) else ExportError(str(exc)) from None
        rows = sum(self._rows.values()) - len(self._rows)
        yield File.of(self._folder, WORKBOOK, rows=rows)

    def discard(self) -> None:
        for sheet in self._sheets.values():
            with suppress(OSError):
                sheet.row_data_fh.close()


def _check_length(table: str, column: str, values: list[Any]) -> None:
    longest = max((_length(value) for value in values if isinstance(value, str)), default=0)
    if longest > MOST_CHARACTERS:
        raise ExportError(
            f"{column} of the table {table} has a text of {longest:,} characters, and a cell of "
            f"XLSX holds {MOST_CHARACTERS:,}. {OTHER_FORMAT}"
        )


def _length(text: str) -> int:
    """Count characters as Excel does, for which an emoji is two."""
    if len(text) <= MOST_CHARACTERS // 2:
        return len(text)
    return len(text.encode("utf-16-le")) // 2


def _write(sheet: Worksheet, row: int, place: int, value: Any) -> None:
    if isinstance(value, bool):
        sheet.write_boolean(row, place, value)
    elif isinstance(value, int) and abs(value) <= MOST_EXACT:
        sheet.write_number(row, place, value)
    elif value is not None:
        sheet.write_string(row, place, str(value))
