"""Finds out what a time without a time zone means, by the id of its record. Pure.

`id >> 32` is a time in UTC shortly before the record was created (api_facts.md 3.7, 4). Clients
that wrote local time have written it some whole quarters of an hour away from that.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

QUARTER = 15 * 60
HOUR = 4 * QUARTER

OFFSETS = frozenset(
    chain(
        (hours * HOUR for hours in range(-12, 15)),
        (round(hours * HOUR) for hours in (-9.5, -3.5, -2.5, 3.5, 4.5, 5.5, 5.75, 6.5)),
        (round(hours * HOUR) for hours in (8.75, 9.5, 10.5, 12.75, 13.75)),
    )
)
"""How far clocks are ahead of UTC somewhere in the world, in seconds."""

EARLIEST_SECONDS, LATEST_SECONDS = -60, 300
"""When a record can have been created, as seconds after the time of its id."""

FIRST_ID_TIME = datetime(2014, 1, 1, tzinfo=UTC).timestamp()
"""Before TikTok: lower ids tell no time."""

RARE = 100
"""An offset that one in more than so many records has is chance: videos can be published late."""


def seconds_of(naive: datetime) -> int:
    """A time without a time zone in seconds, as if it were in UTC."""
    return int(naive.replace(tzinfo=UTC).timestamp())


def offset_of(record_id: int, naive: datetime) -> int | None:
    """How far a clock was ahead of UTC by which a record was created then; None: it is not told."""
    made_at = record_id >> 32
    if made_at < FIRST_ID_TIME:
        return None
    ahead = seconds_of(naive) - made_at
    offset = (ahead - EARLIEST_SECONDS) // QUARTER * QUARTER
    is_near = ahead - offset <= LATEST_SECONDS
    return offset if is_near and offset in OFFSETS else None


@dataclass(slots=True)
class Clocks:
    """The offsets of the clocks by which a database was written, by the records that tell them.

    A clock that is put forward in summer has two. A record that does not tell is read by the only
    offset there is, if its time lies among the times of those that tell it.
    """

    offsets: frozenset[int] = frozenset()
    _first: int = 0
    _last: int = 0

    @classmethod
    def of(cls, records: Iterable[tuple[int, datetime]]) -> Clocks:
        """Read ids and times, however many there are."""
        counts, first, last = Counter[int](), 0, 0
        for record_id, naive in records:
            offset = offset_of(record_id, naive)
            if offset is not None:
                counts[offset] += 1
                at = seconds_of(naive)
                first, last = min(first or at, at), max(last, at)
        few = counts.total() / RARE
        return cls(frozenset(each for each, count in counts.items() if count >= few), first, last)

    def utc_seconds(self, record_id: int, naive: datetime) -> int | None:
        """The time in UTC that a record was created at; None: it cannot be told."""
        at, offset = seconds_of(naive), offset_of(record_id, naive)
        if offset in self.offsets:
            return at - offset
        is_among = len(self.offsets) == 1 and self._first <= at <= self._last
        return at - next(iter(self.offsets)) if is_among else None
