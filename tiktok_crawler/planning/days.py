"""Tells of each wanted day of a query how it stands, and what has come of it. Pure.

Whoever speaks of days speaks of these: status, summary and plan.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from tiktok_crawler.planning.window_days import DayCount, known_sum

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date, datetime


class DayState(StrEnum):
    """The standing of a wanted day."""

    COVERED = "covered"
    """It needs nothing now."""
    SAMPLED = "sampled"
    """Some of its videos were drawn, as they were to be: it is not covered."""
    DUE = "due"
    """It was covered, and has to be searched once more by now."""
    OPEN = "open"
    """A window that has it is being searched."""
    PARKED = "parked"
    """A window that has it was postponed."""
    GAP = "gap"
    """Nothing has searched it yet."""


DONE = (DayState.COVERED, DayState.SAMPLED)


@dataclass(frozen=True, slots=True)
class Day:
    """A wanted day; `count` is what its last search has brought of it so far, None if nothing.

    That search, if it came to its end, was begun at `searched_at`.
    """

    state: DayState
    count: DayCount | None = None
    searched_at: datetime | None = None

    @property
    def counted(self) -> DayCount | None:
        """The count of a day of which the API counts the matches: of a sample it counts none."""
        return None if self.state is DayState.SAMPLED else self.count


@dataclass(frozen=True, slots=True)
class Days:
    """The wanted days of a query.

    `unsettled` ones are covered, and were searched before all their videos can have appeared.
    `doubts` has the suspicious ones: from when on each is searched once more, None if it was and
    brought no more.
    """

    by_day: Mapping[date, Day]
    unsettled: tuple[date, ...]
    doubts: Mapping[date, datetime | None]

    @classmethod
    def joined(cls, parts: Iterable[Days]) -> Days:
        """Join the days of several ranges."""
        parts = tuple(parts)
        return cls(
            {day: standing for part in parts for day, standing in part.by_day.items()},
            tuple(day for part in parts for day in part.unsettled),
            {day: again_at for part in parts for day, again_at in part.doubts.items()},
        )

    def in_state(self, *states: DayState) -> tuple[date, ...]:
        """The days that stand so, in their order."""
        return tuple(day for day, standing in self.by_day.items() if standing.state in states)

    @property
    def covered(self) -> tuple[date, ...]:
        return self.in_state(DayState.COVERED)

    @property
    def done(self) -> tuple[date, ...]:
        """The days that need nothing now: they are covered, or sampled."""
        return self.in_state(*DONE)

    @property
    def missing(self) -> tuple[date, ...]:
        return self.in_state(*(state for state in DayState if state not in DONE))

    @property
    def percent(self) -> float:
        """The share of days that is covered, rounded down: 100 means all of them."""
        return len(self.covered) * 1000 // max(len(self.by_day), 1) / 10

    @property
    def has_nothing_missing(self) -> bool:
        """Tell whether each day is covered, for good, and none is hard to believe."""
        return not (self.missing or self.unsettled or self.doubts)

    @property
    def found(self) -> DayCount:
        """All that came of these days, by their last searches, as far as it is known."""
        counts = (standing.count for standing in self.by_day.values())
        return known_sum(count for count in counts if count)

    @property
    def counted(self) -> DayCount:
        """What came of the days of which the API counts the matches."""
        counts = (standing.counted for standing in self.by_day.values())
        return known_sum(count for count in counts if count)

    @property
    def uncounted(self) -> tuple[date, ...]:
        """The days that were searched before it was kept what came of a day."""
        return tuple(
            day
            for day, standing in self.by_day.items()
            if standing.count and standing.count.videos is None
        )
