"""Finds the missing days, and the windows to search them in. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING

from tiktok_crawler.date_range import DAY, DateRange, contiguous, midnight
from tiktok_crawler.planning.spreading import Due, last_night, share_of
from tiktok_crawler.planning.window_days import UNKNOWN
from tiktok_crawler.research_api.endpoints import LONGEST_WINDOW_DAYS, VIDEO_QUERY

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping
    from datetime import date, datetime, timedelta

    from tiktok_crawler.planning.window_days import DayCount
    from tiktok_crawler.query_file.refreshing import Refreshing


@dataclass(frozen=True, slots=True)
class Covered:
    """Days that one search collected completely, and when its first page was asked for.

    `matches` is what the API counted; None if the days were kept of a search that was lost.
    `counts` say what came of each day. A `suspicious` search never said that there is no more.
    """

    days: DateRange
    searched_at: datetime
    matches: int | None = None
    counts: Mapping[date, DayCount] = field(default_factory=dict)
    suspicious: bool = False

    def videos_on(self, day: date) -> int | None:
        """Return how many videos came of a day; None if that is not known."""
        return self.counts.get(day, UNKNOWN).videos

    def cost_of(self, day: date, width: int) -> float:
        """Return the requests that a day takes in a window of so many days, 1 if nothing is known.

        A request brings 100 matches, and a window takes one at least.
        """
        count = self.counts.get(day, UNKNOWN)
        if count.videos is None:
            return 1.0
        return max(count.matches / VIDEO_QUERY.max_count, 1 / width)


@dataclass(frozen=True, slots=True)
class Freshness:
    """The rules for searching a covered day once more.

    A day is final when it was searched `settle` after its end or later: videos take up to 48 hours
    to appear (api_facts.md 14). It is searched again as soon as it is as old as each age of
    `revisit`, likewise from its end on. With `refresh_after`, days whose last search is older are
    searched again; with `again_within`, they are before that, each night a share of them.
    """

    settle: timedelta
    refresh_after: timedelta | None = None
    revisit: tuple[timedelta, ...] = ()
    again_within: timedelta | None = None

    def with_keys(self, keys: Refreshing) -> Freshness:
        """The same with what a query file says."""
        return Freshness(self.settle, keys.refresh_after, keys.revisit, keys.again_within)

    @property
    def ages(self) -> tuple[timedelta, ...]:
        """The ages of a day, from its end on, at which it is searched again."""
        return (self.settle, *self.revisit)

    def final_from(self, day: date) -> datetime:
        """From when on a search of the day finds all of it."""
        return midnight(day + DAY) + self.settle

    def is_settled(self, day: date, searched_at: datetime) -> bool:
        return searched_at >= self.final_from(day)

    def is_due(self, day: date, searched_at: datetime, now: datetime) -> bool:
        """Tell whether a day that was searched has to be searched again by now."""
        if self.has_come_of_age(day, self.ages, searched_at, now):
            return True
        return self.refresh_after is not None and now - searched_at > self.refresh_after

    @staticmethod
    def has_come_of_age(
        day: date, ages: Iterable[timedelta], searched_at: datetime, now: datetime
    ) -> bool:
        """Tell whether a day has reached one of some ages since it was searched."""
        end = midnight(day + DAY)
        return any(searched_at < end + age <= now for age in ages)

    @property
    def searches_again(self) -> bool:
        """Tell whether final days are ever searched again."""
        return bool(self.refresh_after is not None or self.revisit or self.again_within)

    def last_night(self, searched_at: datetime) -> date:
        """The last night, a day in UTC, in which a search comes in time at whatever hour.

        A day is not searched twice in a night for this.
        """
        assert self.again_within
        return last_night(searched_at, self.again_within)


def last_coverage(coverage: Iterable[Covered]) -> dict[date, Covered]:
    """The covered days, each with the last search that covered it."""
    last: dict[date, Covered] = {}
    for covered in sorted(coverage, key=lambda covered: covered.searched_at):
        last.update(dict.fromkeys(covered.days, covered))
    return last


def costs(last: Mapping[date, Covered], width: int) -> dict[date, float]:
    """The requests that days take in windows of so many days, by their last searches."""
    return {day: covered.cost_of(day, width) for day, covered in last.items()}


def last_searches(coverage: Iterable[Covered]) -> dict[date, datetime]:
    """The covered days, each with the start of the last search that covered it."""
    return {day: covered.searched_at for day, covered in last_coverage(coverage).items()}


def missing_days(
    wanted: DateRange,
    searched: Mapping[date, datetime],
    freshness: Freshness,
    now: datetime,
    share: Container[date] = (),
) -> list[date]:
    """The wanted days that were never covered or have to be searched again by now.

    So have those of the night's `share`, but for those that were searched in it.
    """
    night = midnight(now.date())

    def is_missing(day: date) -> bool:
        searched_at = searched.get(day)
        if searched_at is None or freshness.is_due(day, searched_at, now):
            return True
        return searched_at < night and day in share

    return [day for day in wanted if is_missing(day)]


def share_of_night(
    wanted: DateRange,
    searched: Mapping[date, datetime],
    costs: Mapping[date, float],
    freshness: Freshness,
    night: date,
) -> frozenset[date]:
    """The wanted days that are searched again in a night, so that no later night has more to do.

    They are those whose last search, of all before midnight, is the oldest.
    """
    if freshness.again_within is None:
        return frozenset()
    days = (day for day in wanted if day in searched)
    due = (Due(day, freshness.last_night(searched[day]), costs[day]) for day in days)
    return frozenset(share_of(night, due))


def unsettled_days(
    wanted: DateRange, searched: Mapping[date, datetime], freshness: Freshness
) -> list[date]:
    """The wanted days that are covered, but were searched before they could be complete."""
    return [
        day for day in wanted if day in searched and not freshness.is_settled(day, searched[day])
    ]


def windows(days: Iterable[date], width: int = LONGEST_WINDOW_DAYS) -> list[DateRange]:
    """The fewest windows of at most `width` days that hold exactly these days, oldest first."""
    return list(chain.from_iterable(_split(days_, width) for days_ in contiguous(days)))


def _split(days: DateRange, width: int) -> Iterable[DateRange]:
    for offset in range(0, len(days), width):
        start = days.start + offset * DAY
        yield DateRange(start, min(start + (width - 1) * DAY, days.end))
