"""XLSX: one workbook, with a sheet for each table that has rows."""

from __future__ import annotations

from contextlib import suppress
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import xlsxwriter
from xlsxwriter.exceptions import XlsxWriterException

from tiktok_crawler.dataset.columns import Kind
from tiktok_crawler.dataset.text_values import columns_of_text
from tiktok_crawler.exceptions import ExportError
from tiktok_crawler.export.options import WORKBOOK
from tiktok_crawler.export.text_files import text_columns
from tiktok_crawler.export.written import File

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

    from tiktok_crawler.dataset.columns import Column
    from tiktok_crawler.dataset.reading import Part
    from tiktok_crawler.dataset.tables import DataTable

MOST_ROWS = 1_048_576
MOST_CHARACTERS = 32_767
MOST_EXACT = 2**53
"""Numbers in a workbook are floating point."""

TIMES = {Kind.TIME: datetime.fromisoformat, Kind.DATE: date.fromisoformat}
"""Kinds that Excel has numbers for, with what reads them of the database's text."""

FORMATS = {datetime: "yyyy-mm-dd hh:mm:ss", date: "yyyy-mm-dd"}
FIRST_YEAR = 1900
"""Excel knows no time before."""

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
        self._formats: dict[type, Format] = {
            kind: self._book.add_format({"num_format": format_})
            for kind, format_ in FORMATS.items()
        }
        self._tables = {table.name: table for table in tables}
        self._sheets: dict[str, Worksheet] = {}
        self._rows: dict[str, int] = {}

    def write(self, part: Part) -> None:
        name, columns = part.table.name, text_columns(part.table)
        values = [
            _times(column, part.block[column.name]) if column.kind in TIMES else each
            for column, each in zip(columns, columns_of_text(columns, part.block), strict=True)
        ]
        if not values[0]:
            return
        sheet = self._sheets.get(name) or self._new_sheet(name)
        if self._rows[name] + len(values[0]) > MOST_ROWS:
            raise ExportError(
                f"the table {name} has more rows than a sheet of XLSX holds ({MOST_ROWS - 1:,}). "
                f"{OTHER_FORMAT}"
            )
        for place, each in enumerate(values):
            _check_length(name, columns[place].name, each)
        for row in zip(*values, strict=True):
            for place, value in enumerate(row):
                _write(sheet, (self._rows[name], place), value, self._formats)
            self._rows[name] += 1

    def close(self) -> Iterator[File]:
        if not self._sheets:
            self._new_sheet(next(iter(self._tables)))
        self._put_in_order()
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

    def _new_sheet(self, name: str) -> Worksheet:
        sheet = self._sheets[name] = self._book.add_worksheet(name)
        self._rows[name] = 1
        sheet.freeze_panes(1, 0)
        for place, column in enumerate(text_columns(self._tables[name])):
            sheet.write_string(0, place, column.name)
        return sheet

    def _put_in_order(self) -> None:
        """Put the sheets, which are in the order of their first rows, in that of the tables."""
        order = list(self._tables)
        self._book.worksheets_objs.sort(key=lambda sheet: order.index(sheet.name))
        for place, sheet in enumerate(self._book.worksheets_objs):
            sheet.index = place


def _times(column: Column, texts: list[str | None]) -> list[datetime | date | None]:
    read = TIMES[column.kind]
    return [None if text is None else read(text) for text in texts]


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


def _write(
    sheet: Worksheet, cell: tuple[int, int], value: Any, formats: Mapping[type, Format]
) -> None:
    if isinstance(value, bool):
        sheet.write_boolean(*cell, value)
    elif isinstance(value, int) and abs(value) <= MOST_EXACT:
        sheet.write_number(*cell, value)
    elif isinstance(value, date) and value.year >= FIRST_YEAR:
        sheet.write_datetime(*cell, value, formats[type(value)])
    elif value is not None:
        sheet.write_string(*cell, str(value))
