"""Compares what is stored of a comment, a user, a shop with what an answer says of it. Pure.

The rules are those of videos (`changes.py`): new values win, what is absent keeps the old one, and
an answer that came before the one that last changed the record only fills gaps.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from tiktok_crawler.storage.models.column_types import dump_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Same = Callable[[Any, Any], bool]


class State(NamedTuple):
    """A record as it is stored, or as one answer has it: then `first_at` is when that came.

    Values are as both databases take them, as in `changes.py`.
    """

    key: Any
    first_at: str
    updated_at: str | None
    crawl_id: int | None
    extra_data: str | None
    values: tuple[Any, ...]

    @property
    def changed_at(self) -> str:
        """When the answer came that last changed it."""
        return self.updated_at or self.first_at


class Comparison(NamedTuple):
    """How two states are compared: value by value.

    With `marks_sightings`, `updated_at` is when the record was seen last, changed or not.
    """

    same: tuple[Same, ...]
    marks_sightings: bool = False

    def merged(self, stored: State, seen: State) -> State:
        """What becomes of a stored record by an answer."""
        if seen.first_at < stored.changed_at:
            return self._preceded(stored, seen)
        after = _followed(stored, seen)
        differs = self.differ(stored, after)
        return after._replace(
            updated_at=seen.first_at if differs or self.marks_sightings else stored.updated_at,
            crawl_id=(differs and seen.crawl_id) or stored.crawl_id,
        )

    def differ(self, one: State, other: State) -> bool:
        """Whether two states of a record say different things of it."""
        pairs = zip(self.same, one.values, other.values, strict=True)
        return one.extra_data != other.extra_data or any(
            not _agree(same, a, b) for same, a, b in pairs
        )

    def replaced(self, before: State, after: State) -> Iterator[tuple[int, Any]]:
        """The places of the values that were replaced by other ones, and these values."""
        pairs = zip(self.same, before.values, after.values, strict=True)
        for place, (same, old, new) in enumerate(pairs):
            if old is not None and not _agree(same, old, new):
                yield place, old

    def _preceded(self, stored: State, seen: State) -> State:
        """As if the late answer had come first."""
        after = _followed(seen, stored)
        updated_at = stored.updated_at
        if updated_at is None and self.differ(seen, after):
            updated_at = stored.first_at
        return stored._replace(
            first_at=min(stored.first_at, seen.first_at),
            updated_at=updated_at,
            crawl_id=stored.crawl_id or seen.crawl_id,
            extra_data=after.extra_data,
            values=after.values,
        )


def equal(old: Any, new: Any) -> bool:
    return bool(old == new)


def same_document(old: str, new: str) -> bool:
    """Whether two texts are one JSON value."""
    return is_same(json.loads(old), json.loads(new))


def same_address(old: str, new: str) -> bool:
    """Whether addresses differ in the query string at most: signatures expire (api_facts.md 5)."""
    return old.partition("?")[0] == new.partition("?")[0]


def replaced_keys(before: State, after: State) -> Iterator[tuple[str, Any]]:
    """The keys of `extra_data` whose values were replaced, and these values."""
    new = json.loads(after.extra_data or "{}")
    for key, old in json.loads(before.extra_data or "{}").items():
        if not is_same(old, new[key]):
            yield key, old


def _followed(stored: State, seen: State) -> State:
    pairs = zip(stored.values, seen.values, strict=True)
    return stored._replace(
        values=tuple([old if new is None else new for old, new in pairs]),
        extra_data=joined(stored.extra_data, seen.extra_data),
    )


def _agree(same: Same, old: Any, new: Any) -> bool:
    if old is None or new is None:
        return old is new
    return old == new or same(old, new)


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
    """Whether two JSON values are equal. PostgreSQL writes numbers in its own way: 1e2 as 100."""
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
    """Whether two values are one number to Python, for which 1e300 is not 10 ** 300."""
    numbers = isinstance(one, int | float) and isinstance(other, int | float)
    return numbers and float(str(one)) == float(str(other))
