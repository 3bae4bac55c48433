"""Nights of a query that is kept fresh: each searches what is planned, and brings what there is."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from math import ceil
from typing import TYPE_CHECKING

from tiktok_crawler.date_range import DAY, DateRange, midnight
from tiktok_crawler.planning.coverage import Covered, Freshness, windows
from tiktok_crawler.planning.plan import Known, Wanted, make_plan
from tiktok_crawler.planning.window_days import DayCount
from tiktok_crawler.research_api.endpoints import VIDEO_QUERY
from tiktok_crawler.research_api.query import Condition, Operation, Query

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tiktok_crawler.planning.plan import Plan

QUERY = Query((Condition("hashtag_name", Operation.IN, ("butter",)),))
SETTLE = timedelta(days=2)


@dataclass
class Nights:
    """What was searched so far of the days from the first one to the day before yesterday.

    `videos` says how many there are of a day.
    """

    first: date
    freshness: Freshness
    videos: Callable[[date], int]
    coverage: list[Covered] = field(default_factory=list)
    last: dict[date, datetime] = field(default_factory=dict)

    def plan(self, now: datetime, end: date | None = None) -> Plan:
        days = DateRange(self.first, end or now.date() - 3 * DAY)
        wanted = Wanted(QUERY, days, ("id",), self.freshness)
        return make_plan(wanted, Known(coverage=tuple(self.coverage)), now)

    def crawl(self, now: datetime) -> tuple[DateRange, ...]:
        """Search what is planned at a time: the windows."""
        plan = self.plan(now)
        searched = (*plan.new_windows, *plan.refreshed_windows)
        for days in searched:
            self.collect(days, now)
        return searched

    def collect(self, days: DateRange, now: datetime) -> None:
        counts = {day: DayCount(self.videos(day)) for day in days}
        matches = sum(count.matches for count in counts.values())
        self.coverage.append(Covered(days, now, matches, counts))
        self.last |= dict.fromkeys(days, now)

    def requests(self, found: Iterable[DateRange]) -> int:
        """The requests that windows take: one for each 100 videos, one at least."""
        sums = (sum(map(self.videos, days)) for days in found)
        return sum(max(1, ceil(each / VIDEO_QUERY.max_count)) for each in sums)

    def least_requests(self, found: Iterable[DateRange]) -> int:
        """The requests that the same days take at least."""
        return self.requests(windows(sorted(day for days in found for day in days)))

    def oldest(self, now: datetime) -> timedelta:
        """How long ago the last search of any day was at this time."""
        return now - min(self.last.values())


def hours_of(night: date, hour: float) -> datetime:
    return midnight(night) + timedelta(hours=hour)
