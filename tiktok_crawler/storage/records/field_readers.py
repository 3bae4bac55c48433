"""Reads single values of the API's records; None if one does not fit. Pure."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

MAX_INT64 = 2**63 - 1
MAX_INT64_DIGITS = 19
MAX_TIME = 2**32 - 1
"""The upper half of a video's id is its time (api_facts.md 3.7), so no time is larger than that."""

MAX_NAME_BYTES = 2000
"""Names are in an index, and PostgreSQL's takes no entry above 2,704 bytes."""

MAX_CHARACTER_BYTES = 4
"""In UTF-8."""

MILLISECONDS = 1000


def is_name(value: Any) -> bool:
    return isinstance(value, str) and (
        len(value) <= MAX_NAME_BYTES // MAX_CHARACTER_BYTES or len(value.encode()) <= MAX_NAME_BYTES
    )


def integer(value: Any) -> int | None:
    # A boolean is an int to isinstance.
    return value if type(value) is int and -MAX_INT64 <= value <= MAX_INT64 else None


def id_number(value: Any) -> int | None:
    """Ids may be digits in text."""
    if isinstance(value, str) and value.isascii() and value.isdigit():
        return integer(int(value)) if len(value) <= MAX_INT64_DIGITS else None
    return integer(value)


def time(value: Any) -> datetime | None:
    seconds = integer(value)
    if seconds is None or not 0 < seconds <= MAX_TIME:
        return None
    return datetime.fromtimestamp(seconds, UTC)


def text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def region(value: Any) -> str | None:
    """Regions are sometimes in lower case (api_facts.md 3.3)."""
    return value.upper() if isinstance(value, str) else None


def boolean(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def structure(value: Any) -> list[Any] | dict[str, Any] | None:
    return value if isinstance(value, list | dict) else None


def positive_id(value: Any) -> int | None:
    number = id_number(value)
    return number if number is not None and number > 0 else None


def id_text(value: Any) -> str | None:
    """An id that is text, though it may come as a number (api_facts.md 10.2)."""
    if integer(value) is not None:
        return str(value)
    return value if value and is_name(value) else None


def long_time(value: Any) -> datetime | None:
    """A time in seconds or in milliseconds, as its size tells (api_facts.md 10.2)."""
    number = integer(value)
    if number is None or number <= MAX_TIME:
        return time(value)
    seconds = time(number // MILLISECONDS)
    return seconds and seconds.replace(microsecond=number % MILLISECONDS * MILLISECONDS)


def words(value: Any) -> str | None:
    """Text that may come as a number, such as a rating."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return json.dumps(value) if is_number else text(value)


def nothing(_value: Any) -> None:
    """Of fields that have no column in the table of their record."""
