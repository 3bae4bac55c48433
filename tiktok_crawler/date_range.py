"""Ranges of whole UTC days, both ends inclusive."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

DAY = timedelta(days=1)


@dataclass(frozen=True, order=True, slots=True)
class DateRange:
    """The days from `start` to `end`, both included; `end` is never before `start`."""

    start: date
    end: date

    def __post_init__(self) -> None:
        if self.end < self.start:
            raise ValueError(f"the range ends before it starts: {self}")

    def __str__(self) -> str:
        return f"{self.start}..{self.end}" if self.start != self.end else str(self.start)

    def __len__(self) -> int:
        return (self.end - self.start).days + 1

    def __iter__(self) -> Iterator[date]:
        return (self.start + n * DAY for n in range(len(self)))

    def __contains__(self, day: date) -> bool:
        return self.start <= day <= self.end

    def is_in(self, other: DateRange) -> bool:
        """Tell whether the other range has all of these days."""
        return other.start <= self.start and self.end <= other.end

    def overlaps(self, other: DateRange) -> bool:
        return self.start <= other.end and other.start <= self.end


def contiguous(days: Iterable[date]) -> list[DateRange]:
    """Join days, in any order and with repeats, to the fewest ranges, oldest first."""
    ranges: list[DateRange] = []
    for day in sorted(set(days)):
        if ranges and day - ranges[-1].end == DAY:
            ranges[-1] = DateRange(ranges[-1].start, day)
        else:
            ranges.append(DateRange(day, day))
    return ranges


def midnight(day: date) -> datetime:
    """00:00 UTC at the start of the day."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
