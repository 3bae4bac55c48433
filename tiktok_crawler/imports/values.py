"""Makes of cells, and of values that went through other programs, what the API delivered. Pure.

What cannot be made one stays as it is: storage keeps it aside, in `extra_data`.
"""

from __future__ import annotations

import ast
import csv
import json
import re
from datetime import UTC, datetime
from math import isfinite
from typing import TYPE_CHECKING, Any

from tiktok_crawler.storage.records import field_readers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

MOST_EXACT = 2**53
"""Above it floating point has no longer all whole numbers."""

EXACT_DIGITS = 15
"""Of a number in a spreadsheet."""

MILLISECONDS = 1000
LAST_SECOND = 2**32

LONGEST_LITERAL = 1_000_000

NO_VALUES = frozenset({"", "na", "nan", "n/a", "none", "null", "<na>", "nat"})
"""What stands in a cell for a number, a time, a list or an object that is missing."""

_FLOAT = re.compile(r"[+-]?\d+(\.\d*)?([eE][+-]?\d+)?", re.ASCII)
_R_VECTOR = re.compile(r"(?:c|list|character)\((.*)\)", re.DOTALL)
_R_TEXT = re.compile(r'"((?:[^"\\]|\\.)*)"')
_PASTED = "|;,"
"""What stands between names that were pasted together."""


class LostDigitsError(ValueError):
    """Raised for a whole number that went through floating point, which has rounded it."""


def whole(value: Any) -> Any:
    """A whole number that may have become floating point, or text.

    Raises:
        LostDigitsError: it is larger than floating point can hold exactly.
    """
    if isinstance(value, str):
        text = value.strip()
        if re.fullmatch(r"[+-]?\d+", text, re.ASCII):
            return int(text) if len(text) <= field_readers.MAX_INT64_DIGITS + 1 else value
        if not _FLOAT.fullmatch(text):
            return None if text.lower() in NO_VALUES else value
        value = float(text)
    if not isinstance(value, float) or not isfinite(value):
        return None if isinstance(value, float) else value
    if not value.is_integer():
        return value
    if abs(value) > MOST_EXACT:
        raise LostDigitsError(value)
    return int(value)


def is_rounded(number: int) -> bool:
    """Tell whether a long number has no more digits than a spreadsheet keeps."""
    digits = str(abs(number))
    return len(digits) > EXACT_DIGITS + 2 and not digits[EXACT_DIGITS:].strip("0")


def time(value: Any) -> Any:
    """Seconds, or a time without a time zone; pandas writes milliseconds.

    Raises:
        LostDigitsError: it is no time, but an id.
    """
    number = whole(value)
    if isinstance(number, str):
        try:
            number = datetime.fromisoformat(_without_zone(number))
        except ValueError:
            return value
    if isinstance(number, datetime):
        return int(number.timestamp()) if number.tzinfo else number.replace(microsecond=0)
    is_milliseconds = type(number) is int and LAST_SECOND < number < LAST_SECOND * MILLISECONDS
    return number // MILLISECONDS if is_milliseconds else number


def collected(value: Any) -> datetime | None:
    """The time of a column that says when something was collected; UTC where it does not say."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(_without_zone(value))
        except ValueError:
            return None
    if not isinstance(value, datetime):
        return None
    return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)


def boolean(value: Any) -> Any:
    text = str(value).strip().lower()
    if text in NO_VALUES:
        return None
    return {"true": True, "false": False, "1": True, "0": False, "t": True, "f": False}.get(
        text, value
    )


def structure(value: Any) -> Any:
    """A list or an object that was written as JSON, or as Python shows it."""
    if not isinstance(value, str):
        return value
    text = value.strip()
    if text.lower() in NO_VALUES:
        return None
    if text[:1] not in ("[", "{") or len(text) > LONGEST_LITERAL:
        return value
    for read in (json.loads, ast.literal_eval):
        try:
            return read(text)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            continue
    return value


def names(value: Any) -> Any:
    """A list of names, however it was written: as a list, as R shows one, or pasted together."""
    found = structure(value)
    if isinstance(found, str):
        vector = _vector(found.strip())
        found = _pasted(found) if vector is None else vector
    if found == {}:
        return []
    if isinstance(found, list):
        return [_name(each) for each in found]
    return [str(found)] if type(found) is int else found


def text(value: Any) -> Any:
    """Text; a spreadsheet may have made a number of it."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value) if type(value) is int else value


def _without_zone(written: str) -> str:
    """R and pandas may write UTC behind a time."""
    text = written.strip()
    return f"{text.removesuffix('UTC').rstrip()}+00:00" if text.endswith("UTC") else text


def _vector(written: str) -> list[str] | None:
    vector = _R_VECTOR.fullmatch(written)
    return [json.loads(f'"{each}"') for each in _R_TEXT.findall(vector[1])] if vector else None


def _pasted(written: str) -> list[str]:
    separator = next((each for each in _PASTED if each in written), ",")
    parts = next(csv.reader([written.replace("\n", " ")], delimiter=separator))
    return [name for part in parts if (name := part.strip())]


def _name(value: Any) -> Any:
    """A name that R may have put into a list of its own."""
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    return str(value) if type(value) is int else value


CELLS: Mapping[Callable[[Any], Any], Callable[[Any], Any]] = {
    field_readers.integer: whole,
    field_readers.id_number: whole,
    field_readers.time: time,
    field_readers.boolean: boolean,
    field_readers.structure: structure,
    field_readers.text: text,
    field_readers.region: text,
}
"""How a cell of a table is read, by how the API's value is."""

VALUES: Mapping[Callable[[Any], Any], Callable[[Any], Any]] = {
    field_readers.integer: lambda value: whole(value) if isinstance(value, float) else value,
    field_readers.id_number: lambda value: whole(value) if isinstance(value, float) else value,
    field_readers.time: time,
}
"""How a value is read that already has a type, as in JSON."""
