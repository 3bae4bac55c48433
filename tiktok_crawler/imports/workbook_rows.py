"""Reads the rows of workbooks (XLSX), sheet by sheet."""

from __future__ import annotations

import re
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

from tiktok_crawler.exceptions import ConfigurationError, ImportFileError
from tiktok_crawler.imports.rows import Row
from tiktok_crawler.spelling import named, shortened

_ESCAPED = re.compile("_x([0-9A-Fa-f]{4})_")

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def check_installed() -> None:
    """Refuse workbooks where nothing can read them.

    Raises:
        ConfigurationError: with the ways out.
    """
    if find_spec("openpyxl") is None:
        raise ConfigurationError(
            "workbooks (XLSX) need what is not installed: pip install openpyxl; or save each sheet "
            "as CSV in UTF-8"
        )


def sheet_names(path: Path) -> list[str]:
    """Return the names of the sheets.

    Raises:
        ImportFileError: it is no workbook.
    """
    book = _opened(path)
    names = [str(sheet.title) for sheet in book.worksheets]
    book.close()
    return names


def workbook_rows(path: Path, sheet: str) -> Iterator[Row | str]:
    """Yield the rows of a sheet by the columns that its first row names."""
    book = _opened(path)
    try:
        rows = book[sheet].iter_rows(values_only=True)
        columns = [str(each) if each is not None else "" for each in next(rows, ())]
        for number, cells in enumerate(rows, start=2):
            if any(cell is not None for cell in cells):
                where = f"{shortened(sheet)}, row {number}"
                yield Row(where, dict(zip(columns, map(_unescaped, cells), strict=False)))
    finally:
        book.close()


def _unescaped(cell: Any) -> Any:
    """A cell, with the characters that XML cannot hold: `_x000D_` is a carriage return."""
    if not isinstance(cell, str):
        return cell
    return _ESCAPED.sub(lambda escaped: chr(int(escaped[1], 16)), cell)


def _opened(path: Path) -> Any:
    check_installed()
    from openpyxl import load_workbook  # noqa: PLC0415 - it is not always there

    try:
        return load_workbook(path, read_only=True, data_only=True)
    except (BadZipFile, KeyError, ValueError, OSError) as exc:
        raise ImportFileError(f"{named(path)} cannot be read as a workbook: {exc}") from None
