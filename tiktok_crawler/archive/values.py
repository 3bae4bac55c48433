"""Reads the values of a line: each is of a kind that a session writes, or the line is refused.

An archive can be damaged, or somebody else's: what no database holds, and what a later crawl would
stumble over, gets no further than here.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from tiktok_crawler.date_range import DateRange
from tiktok_crawler.query_file.options import parse_tag
from tiktok_crawler.spelling import listed, quoted, shortened
from tiktok_crawler.storage.engine.text import clean_text
from tiktok_crawler.storage.records.field_readers import MAX_INT64

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from enum import StrEnum

    E = TypeVar("E", bound=StrEnum)

T = TypeVar("T")

YEARS = range(1970, 3000)
"""The clock of a crawl shows one of these; times in them can be reckoned with."""

YEARS_OF_DAYS = range(1000, 3000)
"""A query file takes days of these."""

LONGEST_NAME_BYTES = 2_600
"""PostgreSQL has no room for longer ones in an index."""

LONGEST_WORDS = 10_000


class LineError(ValueError):
    """A line that cannot be used; the message says why, after `it`."""


@dataclass(frozen=True, slots=True)
class TextKind:
    """A kind of text in words, and what tells it from others."""

    words: str
    accepts: Callable[[str], bool]


def _is_stored_form(text: str) -> bool:
    return clean_text(text) == text


def _is_name(text: str) -> bool:
    return bool(text) and _is_stored_form(text) and len(text.encode()) <= LONGEST_NAME_BYTES


def _is_tag(text: str) -> bool:
    try:
        return parse_tag(text) == text
    except ValueError:
        return False


def _is_id(text: str) -> bool:
    return _ID.fullmatch(text) is not None and int(text) <= MAX_INT64


_ID = re.compile(r"0|[1-9][0-9]{0,18}")
_FIELD = re.compile(r"[a-z][a-z0-9_]{0,99}")
_ORIGIN = re.compile(r"sandbox|https?://[!-~]{1,2000}")

API_TEXT = TextKind("text", lambda _: True)
"""Whatever the API has sent; the database cleans it."""

WORDS = TextKind("text of a readable length", lambda text: len(text) <= LONGEST_WORDS)
NAME = TextKind("a name that can be stored", _is_name)
TAG = TextKind("a tag", _is_tag)
ID = TextKind("an id in digits", _is_id)
FIELD = TextKind("the name of a field", lambda text: _FIELD.fullmatch(text) is not None)
ORIGIN = TextKind("sandbox, or a URL", lambda text: _ORIGIN.fullmatch(text) is not None)


@dataclass(frozen=True, slots=True)
class Values:
    """An object of a line, and the keys that lead to it.

    Raises LineError where a value is missing, or is not of the kind that is asked for.
    """

    content: Mapping[str, Any]
    path: str = ""

    def __contains__(self, key: str) -> bool:
        return key in self.content

    def whole(self, key: str, *, least: int = 0, most: int = MAX_INT64) -> int:
        """Return a whole number, both bounds included."""
        value = self._value(key)
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise self.wrong(key, f"a whole number from {least} to {most}")
        return value

    def integer(self, key: str) -> int:
        """Return a whole number of whatever sign and size: servers send what they like."""
        value = self._value(key)
        if isinstance(value, bool) or not isinstance(value, int):
            raise self.wrong(key, "a whole number")
        return value

    def whole_or_none(self, key: str, *, least: int = 0) -> int | None:
        return None if self._value(key) is None else self.whole(key, least=least)

    def flag(self, key: str) -> bool:
        value = self._value(key)
        if not isinstance(value, bool):
            raise self.wrong(key, "true or false")
        return value

    def text(self, key: str, kind: TextKind) -> str:
        value = self._value(key)
        if not isinstance(value, str) or not kind.accepts(value):
            raise self.wrong(key, kind.words)
        return value

    def text_or_none(self, key: str, kind: TextKind) -> str | None:
        return None if self._value(key) is None else self.text(key, kind)

    def texts(self, key: str, kind: TextKind) -> tuple[str, ...]:
        """Return the texts of a list."""
        members = self._members(key)
        return tuple(members.text(index, kind) for index in members.content)

    def texts_by_name(self, key: str) -> dict[str, str]:
        """Return an object of texts."""
        members = self.object(key)
        return {name: members.text(name, API_TEXT) for name in members.content}

    def wholes_by_name(self, key: str) -> dict[str, int]:
        """Return an object of whole numbers, by names."""
        members = self.object(key)
        if not all(map(_is_name, members.content)):
            raise self.wrong(key, "names with their numbers")
        return {name: members.whole(name) for name in members.content}

    def one_of(self, key: str, choices: Iterable[E]) -> E:
        """Return the choice that a text names."""
        value, by_text = self._value(key), {each.value: each for each in choices}
        if not isinstance(value, str) or value not in by_text:
            raise self.wrong(key, listed(list(by_text)))
        return by_text[value]

    def time(self, key: str) -> datetime:
        """Return a time with its offset in UTC."""
        found = self._parsed(key, datetime.fromisoformat, "a time")
        if found.tzinfo is None or found.year not in YEARS:
            raise self.wrong(key, "a time")
        return found.astimezone(UTC)

    def days(self) -> DateRange:
        """Return the days from `start_date` to `end_date`."""
        start, end = (self._day(key) for key in ("start_date", "end_date"))
        if end < start:
            raise self.wrong("end_date", f"a day from {start} on")
        return DateRange(start, end)

    def object(self, key: str) -> Values:
        value = self._value(key)
        if not isinstance(value, dict):
            raise self.wrong(key, "an object")
        return Values(value, self._named(key))

    def objects(self, key: str) -> Iterator[Values]:
        """Return the objects of a list."""
        members = self._members(key)
        return (members.object(index) for index in members.content)

    def refuse_other_keys(self, written: Mapping[str, Any]) -> None:
        """Refuse keys, also of what is inside, that are not in the object as it is written."""
        for key, value in self.content.items():
            if key not in written:
                raise LineError(f"has {shortened(self._named(key))}, which is not written there")
            if isinstance(value, dict):
                self.object(key).refuse_other_keys(written[key])
            elif isinstance(value, list):
                self._members(key).refuse_other_keys(_by_place(written[key]))

    def wrong(self, key: str, expected: str) -> LineError:
        """Return the error that names a value, and what should stand in its place."""
        shown = _shown(self.content[key])
        return LineError(f"has {shortened(self._named(key))} {shown}, in place of {expected}")

    def _day(self, key: str) -> date:
        found = self._parsed(key, date.fromisoformat, "a day")
        if found.year not in YEARS_OF_DAYS:
            raise self.wrong(key, "a day")
        return found

    def _parsed(self, key: str, parse: Callable[[str], T], expected: str) -> T:
        text = self.text(key, API_TEXT)
        try:
            return parse(text)
        except ValueError:
            raise self.wrong(key, expected) from None

    def _members(self, key: str) -> Values:
        """Return a list as an object whose keys are the places in it."""
        value = self._value(key)
        if not isinstance(value, list):
            raise self.wrong(key, "a list")
        return Values(_by_place(value), self._named(key))

    def _value(self, key: str) -> Any:
        if key not in self.content:
            raise LineError(f"lacks {shortened(self._named(key))}, which it must have")
        return self.content[key]

    def _named(self, key: str) -> str:
        return f"{self.path}.{key}" if self.path else key


def parse_object(text: bytes) -> Values:
    """Return the object that a line is.

    Raises:
        LineError: it is none, or has what JSON does not know.
    """
    try:
        content = json.loads(text, parse_constant=_refuse, object_pairs_hook=_without_repeats)
    except LineError:
        raise
    except (ValueError, RecursionError) as exc:
        raise LineError("is no line of an archive, or too long") from exc
    if not isinstance(content, dict):
        raise LineError("is no line of an archive")
    return Values(content)


def _by_place(members: Iterable[Any]) -> dict[str, Any]:
    return {str(place): member for place, member in enumerate(members)}


def _refuse(constant: str) -> None:
    raise LineError(f"has {constant}, which JSON does not know")


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise LineError("has a key twice")
    return found


def _shown(value: object) -> str:
    match value:
        case str():
            return quoted(value)
        case list():
            return "a list"
        case dict():
            return "an object"
    return shortened(json.dumps(value))
