"""Reads the objects of JSON and JSON lines, one after another, however large the file is."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tiktok_crawler.exceptions import ImportFileError
from tiktok_crawler.imports.layouts import kind_of
from tiktok_crawler.imports.rows import Row
from tiktok_crawler.spelling import named

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import TextIO

CHUNK = 1024 * 1024
LONGEST_VALUE = 256 * 1024 * 1024

_DECODER = json.JSONDecoder()
_BLANKS = " \t\r\n"


def json_rows(path: Path) -> Iterator[Row | str]:
    """Yield the objects of a file: lines, a list, or answers of the API as they came.

    In place of a line that is no object, what is wrong with it.

    Raises:
        ImportFileError: it is no JSON, or not to its end.
    """
    with path.open(encoding="utf-8-sig") as file:
        try:
            yield from _lines(file) if _is_lines(file) else _values(file, path)
        except UnicodeDecodeError:
            raise ImportFileError(f"{named(path)} is not UTF-8 text: save it as UTF-8") from None


def _is_lines(file: TextIO) -> bool:
    """Tell whether the first line is an object of its own."""
    while (sign := file.read(1)) in _BLANKS and sign:
        continue
    file.seek(0)
    if sign != "{":
        # The first line of a list can be all of the file.
        return False
    first = next(line for line in file if line.strip())
    file.seek(0)
    try:
        return isinstance(json.loads(first), dict)
    except ValueError:
        return False


def _lines(file: TextIO) -> Iterator[Row | str]:
    for number, line in enumerate(file, start=1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            yield f"line {number}: is not JSON, or was cut off"
            continue
        yield from _rows_of(value, f"line {number}")


def _values(file: TextIO, path: Path) -> Iterator[Row | str]:
    text = _Text(file)
    is_list = text.peek() == "["
    if is_list:
        text.skip()
    number = 0
    while (sign := text.peek()) and sign != "]":
        if sign == ",":
            text.skip()
            continue
        number += 1
        try:
            value = text.value()
        except (ValueError, RecursionError):
            raise ImportFileError(
                f"{named(path)}: what follows record {number - 1:,} is no JSON, or was cut off"
            ) from None
        yield from _rows_of(value, f"record {number}")
    if is_list and not sign:
        raise ImportFileError(f"{named(path)}: the list is cut off behind record {number:,}")


class _Text:
    """The text of a file, of which no more is held than the value that comes next."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._text = ""
        self._at = 0

    def peek(self) -> str:
        """Return the next character that is no blank; empty at the end."""
        while True:
            while self._at < len(self._text) and self._text[self._at] in _BLANKS:
                self._at += 1
            if self._at < len(self._text) or not self._read():
                return self._text[self._at : self._at + 1]

    def skip(self) -> None:
        self._at += 1

    def value(self) -> Any:
        """Return the next value.

        Raises:
            ValueError: there is none, or it is too long.
        """
        while True:
            try:
                value, end = _DECODER.raw_decode(self._text, self._at)
            except ValueError:
                if not self._read():
                    raise
                continue
            # A number may go on behind what was read so far.
            if end < len(self._text) or not self._read():
                self._at = end
                return value

    def _read(self) -> bool:
        """Read on, twice as much each time; tell whether there was more."""
        rest = self._text[self._at :]
        if len(rest) > LONGEST_VALUE:
            raise ValueError("too long")
        more = self._file.read(max(CHUNK, len(rest)))
        self._text, self._at = rest + more, 0
        return bool(more)


def _rows_of(value: Any, where: str) -> Iterator[Row | str]:
    """Yield the records in a value: itself, or those in the lists of an answer of the API."""
    if isinstance(value, list):
        for number, each in enumerate(value, start=1):
            yield from _rows_of(each, f"{where}, {number}")
    elif not isinstance(value, dict):
        yield f"{where}: is no object"
    elif columns := _columns(value):
        yield from columns
    elif kind_of(value) is None and (lists := _inner(value)):
        for key, inner in lists.items():
            yield from _rows_of(inner, f"{where}, {key}")
    else:
        yield Row(where, value, is_table=False)


def _inner(value: dict[str, Any]) -> dict[str, Any]:
    """What of an answer has records, or the object that has them."""
    if isinstance(value.get("data"), dict):
        return {"data": value["data"]}
    return {
        key: each
        for key, each in value.items()
        if isinstance(each, list) and any(isinstance(one, dict) for one in each)
    }


def _columns(value: dict[str, Any]) -> Iterator[Row | str] | None:
    """Turn columns by row, as pandas writes them when it is not told otherwise, into rows."""
    columns = [each for each in value.values() if isinstance(each, dict)]
    if not columns or len(columns) < len(value) or not {"id", "video_id", "username"} & set(value):
        return None
    return (
        Row(f"row {row}", {name: cells.get(row) for name, cells in value.items()}, is_table=False)
        for row in columns[0]
    )
