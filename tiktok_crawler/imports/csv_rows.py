"""Reads the rows of CSV and TSV, as spreadsheets, pandas, R and we write them."""

from __future__ import annotations

import csv
from codecs import BOM_UTF8
from typing import TYPE_CHECKING

from tiktok_crawler.exceptions import ImportFileError
from tiktok_crawler.imports.rows import Row
from tiktok_crawler.spelling import named, quoted, unguarded

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DELIMITERS = ",;\t"
LONGEST_CELL = 64 * 1024 * 1024


def csv_rows(path: Path) -> Iterator[Row | str]:
    """Yield the rows by their columns; in place of a row that is not whole, what is wrong with it.

    A file that was made for Excel, with a byte order mark, may have formulas guarded.

    Raises:
        ImportFileError: it is no such table, or not in UTF-8.
    """
    csv.field_size_limit(LONGEST_CELL)
    with path.open("rb") as begin:
        is_for_excel = begin.read(len(BOM_UTF8)) == BOM_UTF8
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, delimiter=_delimiter(path))
        try:
            columns = next(reader, [])
            _check_header(path, columns)
            for cells in reader:
                where = f"line {reader.line_num}"
                if len(cells) > len(columns):
                    yield f"{where}: has more cells than the first line has columns"
                elif cells:
                    whole = map(unguarded, cells) if is_for_excel else cells
                    yield Row(where, dict(zip(columns, whole, strict=False)))
        except UnicodeDecodeError:
            raise ImportFileError(
                f"{named(path)} is not UTF-8 text behind line {reader.line_num}: save it as UTF-8"
            ) from None
        except csv.Error as exc:
            raise ImportFileError(
                f"{named(path)}, line {reader.line_num}: cannot be read as a table: {exc}"
            ) from None


def _delimiter(path: Path) -> str:
    """Return what stands most often in the first line."""
    with path.open(encoding="utf-8", errors="replace") as file:
        return max(DELIMITERS, key=file.readline().count)


def _check_header(path: Path, columns: list[str]) -> None:
    twice = next((each for each in columns if each and columns.count(each) > 1), None)
    if twice:
        raise ImportFileError(
            f"{named(path)}: several columns are called {quoted(twice)}; rename all but one"
        )
