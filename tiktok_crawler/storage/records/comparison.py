"""Compares what is stored of a record with what an answer says of it. Pure.

New values win, what is absent keeps the old one, and an answer that came before the one that last
changed the record only fills gaps. Values are as both databases take them: times as SQLite writes
them, which sort as text, and JSON as text. None is what was not delivered.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from tiktok_crawler.storage.models.column_types import dump_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    Same = Callable[[Any, Any], bool]


class State(NamedTuple):
    """A record as it is stored, or as one answer has it: then `first_at` is when that came.

    `links` are the sorted ids of names, by their kind. One that `is_missing` is stored, and did not
    come when it was asked for last.
    """

    key: Any
    first_at: str
    updated_at: str | None
    extra_data: str | None
    values: tuple[Any, ...]
    crawl_id: int | None = None
    links: tuple[tuple[int, ...] | None, ...] = ()
    is_missing: bool = False

    @property
    def changed_at(self) -> str:
        """The time when the answer came that last changed it."""
        return self.updated_at or self.first_at


class Change(NamedTuple):
    """A record before an answer, None of a new one, what the answer says of it, and the result.

    Of an update, values or links of a record that was there become others.
    """

    before: State | None
    seen: State
    after: State
    is_update: bool = False

    @property
    def is_late(self) -> bool:
        """True if the answer came before the one that last changed the record."""
        return self.before is not None and is_late(self.before, self.seen)

    def links(self, place: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """The ids of one kind before and after."""
        before = self.before.links[place] if self.before else None
        return before or (), self.after.links[place] or ()


@dataclass(frozen=True, slots=True)
class Comparison:
    """The rules for comparing two states, value by value.

    `same` compares values, by their places, that are not simply equal or not. With
    `marks_sightings`, `updated_at` is when the record was seen last, changed or not.
    """

    same: Mapping[int, Same]
    marks_sightings: bool = False

    def repeats(self, stored: State, seen: State) -> bool:
        """Tell whether an answer says again what is stored, so that there is nothing to write."""
        return (
            not self.marks_sightings
            and not stored.is_missing
            and not is_late(stored, seen)
            and _says_nothing_else(stored.values, seen.values)
            and _says_nothing_else(stored.links, seen.links)
            and seen.extra_data in (None, stored.extra_data)
        )

    def changed(self, stored: State, seen: State) -> Change:
        """Return the change that an answer makes to a stored record."""
        if is_late(stored, seen):
            after = self._preceded(stored, seen)
            return Change(stored, seen, after, self.differ(stored, after))
        after = self._followed(stored, seen)
        is_update = self.differ(stored, after)
        if is_update or self.marks_sightings:
            after = after._replace(updated_at=seen.first_at)
        if is_update:
            after = after._replace(crawl_id=seen.crawl_id or stored.crawl_id)
        return Change(stored, seen, after, is_update)

    def differ(self, one: State, other: State) -> bool:
        """Tell whether two states of a record say different things about it."""
        return (
            one.extra_data != other.extra_data
            or one.links != other.links
            or (one.values != other.values and any(True for _ in self._differences(one, other)))
        )

    def replaced(self, change: Change) -> Iterator[tuple[int, Any]]:
        """The places of the values that were replaced by other ones, and these values."""
        if change.before:
            for place, old in self._differences(change.before, change.after):
                if old is not None:
                    yield place, old

    def _differences(self, one: State, other: State) -> Iterator[tuple[int, Any]]:
        for place, (old, new) in enumerate(zip(one.values, other.values, strict=True)):
            if old != new and not self._agree(place, old, new):
                yield place, old

    def _agree(self, place: int, old: Any, new: Any) -> bool:
        same = self.same.get(place)
        return same is not None and old is not None and new is not None and same(old, new)

    def _preceded(self, stored: State, seen: State) -> State:
        """As if the late answer had come first.

        Where there are no links, none may have been delivered.
        """
        first = seen._replace(links=tuple([ids or () for ids in seen.links]))
        second = stored._replace(links=tuple([ids or None for ids in stored.links]))
        after = self._followed(first, second)
        return after._replace(
            first_at=min(stored.first_at, seen.first_at),
            updated_at=stored.updated_at
            or (stored.first_at if self.differ(first, after) else None),
            crawl_id=stored.crawl_id or seen.crawl_id,
        )

    def _followed(self, stored: State, seen: State) -> State:
        values = list(latest(stored.values, seen.values))
        for place, same in self.same.items():
            old, new = stored.values[place], values[place]
            if same is same_document and old != new and self._agree(place, old, new):
                values[place] = old
        return stored._replace(
            values=tuple(values),
            extra_data=joined(stored.extra_data, seen.extra_data),
            links=latest(stored.links, seen.links),
        )


class Reading(NamedTuple):
    """The counters of a record from some time on, and the page that brought them."""

    observed_at: str
    crawl_id: int | None
    counters: tuple[int | None, ...]


def with_reading(series: list[Reading], late: Reading) -> list[Reading]:
    """A series of readings with another one at its place.

    What a reading does not know it takes from the one before, and only one that changes something
    stays. At the same time, the one that was there already counts.
    """
    result: list[Reading] = []
    known: tuple[int | None, ...] = (None,) * len(late.counters)
    for reading in sorted([late, *series], key=lambda reading: reading.observed_at):
        counters = latest(known, reading.counters)
        if counters != known:
            if result and result[-1].observed_at == reading.observed_at:
                result.pop()
            result.append(reading._replace(counters=counters))
        known = counters
    return result


def is_late(stored: State, seen: State) -> bool:
    """Tell whether an answer came before the one that last changed the record."""
    return seen.first_at < stored.changed_at


def latest(old: tuple[Any, ...], new: tuple[Any, ...]) -> tuple[Any, ...]:
    """New values, and the old ones where there are none."""
    return tuple([o if n is None else n for o, n in zip(old, new, strict=True)])


def same_document(old: str, new: str) -> bool:
    """Tell whether two texts are one JSON value."""
    return is_same(json.loads(old), json.loads(new))


def same_address(old: str, new: str) -> bool:
    """Tell whether only query strings differ: signatures expire (api_facts.md 5)."""
    return old.partition("?")[0] == new.partition("?")[0]


def replaced_keys(before: State, after: State) -> Iterator[tuple[str, Any]]:
    """The keys of `extra_data` whose values were replaced, and these values."""
    if before.extra_data == after.extra_data:
        return
    new = json.loads(after.extra_data or "{}")
    for key, old in json.loads(before.extra_data or "{}").items():
        if not is_same(old, new[key]):
            yield key, old


def joined(old: str | None, new: str | None) -> str | None:
    """Two objects as one: all keys, and new values win."""
    if new is None or old is None or old == new:
        return old if new is None else new
    values = json.loads(old)
    changes = {
        key: value
        for key, value in json.loads(new).items()
        if key not in values or not is_same(values[key], value)
    }
    return dump_json(values | changes) if changes else old


def is_same(one: Any, other: Any) -> bool:
    """Tell whether JSON values are equal. PostgreSQL writes numbers in its own way: 1e2 as 100."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(is_same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(is_same, one, other))
    if isinstance(one, float) or isinstance(other, float):
        return _is_same_number(one, other)
    return bool(one == other)


def _is_same_number(one: Any, other: Any) -> bool:
    """Tell whether two values are one number to Python, for which 1e300 is not 10 ** 300."""
    numbers = isinstance(one, int | float) and isinstance(other, int | float)
    return numbers and float(str(one)) == float(str(other))


def _says_nothing_else(old: tuple[Any, ...], new: tuple[Any, ...]) -> bool:
    return old == new or all(n is None or n == o for o, n in zip(old, new, strict=True))
