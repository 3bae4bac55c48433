"""Sets of days as whole numbers, a bit a day: those of 100,000 values take little. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING

from tiktok_crawler.date_range import DAY, DateRange

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date, datetime, timedelta

    from tiktok_crawler.planning.coverage import Freshness


def union(bits: Iterable[int]) -> int:
    """The bits of all days that are in any of some sets."""
    return reduce(or_, bits, 0)


@dataclass(frozen=True, slots=True)
class DayBits:
    """The days of a range as bits, the first one lowest; other days have none."""

    days: DateRange
    _of_ranges: dict[DateRange, int] = field(default_factory=dict, compare=False)
    _ranges: dict[int, tuple[DateRange, ...]] = field(default_factory=dict, compare=False)

    @property
    def all(self) -> int:
        return (1 << len(self.days)) - 1

    def of(self, days: DateRange) -> int:
        """The bits of those of some days that are in the range."""
        if days not in self._of_ranges:
            self._of_ranges[days] = self.up_to(days.end) & ~self.up_to(days.start - DAY)
        return self._of_ranges[days]

    def up_to(self, day: date) -> int:
        """The bits from the first day of the range to this one."""
        count = (day - self.days.start).days + 1
        return (1 << min(max(count, 0), len(self.days))) - 1

    def ranges(self, bits: int) -> tuple[DateRange, ...]:
        """The days that bits stand for, joined to the fewest ranges, oldest first."""
        if bits not in self._ranges:
            self._ranges[bits] = tuple(self._runs(bits))
        return self._ranges[bits]

    def _runs(self, bits: int) -> list[DateRange]:
        found, place = [], 0
        while left := bits >> place:
            begin = place + (left & -left).bit_length() - 1
            run = bits >> begin
            length = (run ^ (run + 1)).bit_length() - 1
            start = self.days.start + begin * DAY
            found.append(DateRange(start, start + (length - 1) * DAY))
            place = begin + length
        return found


@dataclass(frozen=True, slots=True)
class FreshDays:
    """Tells of which days a search need not be repeated by now: `Freshness.is_due`, for ranges."""

    bits: DayBits
    freshness: Freshness
    now: datetime
    _younger: dict[timedelta, int] = field(init=False)
    """The bits of the days that are younger by now than each age."""

    def __post_init__(self) -> None:
        ages = self.freshness.ages
        younger = {age: self.bits.all & ~self._as_old(age, self.now) for age in ages}
        object.__setattr__(self, "_younger", younger)

    @property
    def not_yet_final(self) -> int:
        """The bits of the days that no search can find all of by now."""
        return self._younger[self.freshness.settle]

    def of(self, days: DateRange, searched_at: datetime) -> int:
        """The bits of those of the days that a search at this time has brought for now."""
        refresh_after = self.freshness.refresh_after
        if refresh_after is not None and self.now - searched_at > refresh_after:
            return 0
        found = self.bits.of(days)
        for age, younger in self._younger.items():
            found &= self._as_old(age, searched_at) | younger
        return found

    def _as_old(self, age: timedelta, at: datetime) -> int:
        """The bits of the days that are this old, from their end on, at a time."""
        return self.bits.up_to((at - age).date() - DAY)
