"""Refreshing a year of a query, spread over the nights: requests against the least possible.

The planner plans each night, with its real windows, what a query that was collected in one night
needs to be kept fresh. The least possible are the requests that the days which were due in a night
take in as few windows as they can be searched in. Nothing is sent.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from math import ceil
from random import Random

from measured import machine, print_table

from tiktok_crawler.date_range import DAY, DateRange, midnight
from tiktok_crawler.planning.coverage import Covered, Freshness, windows
from tiktok_crawler.planning.plan import Known, Wanted, make_plan
from tiktok_crawler.planning.window_days import DayCount
from tiktok_crawler.research_api.endpoints import VIDEO_QUERY
from tiktok_crawler.research_api.query import Condition, Operation, Query

QUERY = Query((Condition("hashtag_name", Operation.IN, ("butter",)),))
YEAR = DateRange(date(2024, 1, 1), date(2024, 12, 30))
FIRST_NIGHT, NIGHTS = date(2025, 1, 3), 90
MOST = 1.02

CASES = (
    ("1,000 a day, every 15 days", 1000, 15, ()),
    ("1,000 a day, every 30 days", 1000, 30, ()),
    ("1,000 a day, every 15 days, and at 3 and 11 days", 1000, 15, (3, 11)),
    ("150 a day, every 15 days, and at 3 and 11 days", 150, 15, (3, 11)),
    ("5 a day, every 15 days, and at 3 and 11 days", 5, 15, (3, 11)),
)


class Nights:
    """A query of a year, each of whose days goes on to have as many videos; and the days after."""

    def __init__(self, per_day: int, freshness: Freshness) -> None:
        self._freshness, self._per_day = freshness, per_day
        self._random = Random(1)
        self._videos: dict[date, int] = {}
        self._known: list[Covered] = []
        self.oldest = timedelta(0)
        self.loads: list[int] = []
        self.spent = self.least = 0
        for days in windows(YEAR):
            self._collect(days, midnight(FIRST_NIGHT - DAY) + timedelta(hours=4))

    def crawl(self, night: date) -> None:
        """Search what is planned, at some hour of the night."""
        now = midnight(night) + timedelta(hours=self._random.uniform(1, 9))
        last = {day: each.searched_at for each in self._known for day in each.days}
        self.oldest = max(self.oldest, now - min(last.values()))
        wanted = Wanted(QUERY, DateRange(YEAR.start, night - 3 * DAY), ("id",), self._freshness)
        plan = make_plan(wanted, Known(coverage=tuple(self._known)), now)
        searched = (*plan.new_windows, *plan.refreshed_windows)
        due = [day for days in searched for day in days]
        requests = sum(map(self._requests, searched))
        self.spent += requests
        self.least += sum(map(self._requests, windows(sorted(due))))
        self.loads.append(requests)
        for days in searched:
            self._collect(days, now)

    def _collect(self, days: DateRange, now: datetime) -> None:
        counts = {day: DayCount(self._of(day)) for day in days}
        self._known.append(Covered(days, now, sum(map(self._of, days)), counts))

    def _of(self, day: date) -> int:
        weekly = 1 + 0.3 * ((day.weekday() >= 5) - 0.3)
        chance = self._random.uniform(0.7, 1.3)
        return self._videos.setdefault(day, round(self._per_day * weekly * chance))

    def _requests(self, days: DateRange) -> int:
        return max(1, ceil(sum(map(self._of, days)) / VIDEO_QUERY.max_count))


def main() -> None:
    print(f"{machine()}\n")
    head = [
        "a year's query, 90 nights",
        "spent",
        "least possible",
        "ratio",
        "a night",
        "oldest",
        "met",
    ]
    print_table(head, *(measured(*case) for case in CASES))


def measured(name: str, per_day: int, every: int, ages: tuple[int, ...]) -> list[str]:
    revisit = tuple(age * DAY for age in ages)
    freshness = Freshness(timedelta(days=2), revisit=revisit, again_within=every * DAY)
    nights = Nights(per_day, freshness)
    for number in range(NIGHTS):
        nights.crawl(FIRST_NIGHT + number * DAY)
    ratio = nights.spent / nights.least
    is_met = ratio <= MOST and nights.oldest <= every * DAY
    loads = f"{min(nights.loads):,} to {max(nights.loads):,}"
    oldest = f"{nights.oldest / DAY:.1f} days"
    spent, least = f"{nights.spent:,}", f"{nights.least:,}"
    return [name, spent, least, f"{ratio:.3f}", loads, oldest, "yes" if is_met else "NO"]


if __name__ == "__main__":
    main()
