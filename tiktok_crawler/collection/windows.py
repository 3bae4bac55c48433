"""Which days are missing, and the windows that they are searched in. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain, pairwise
from typing import TYPE_CHECKING

from tiktok_crawler.collection.date_range import DAY, DateRange, contiguous, midnight

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date, timedelta

LONGEST_WINDOW_DAYS = 31
"""The API takes at most 30 days between first and last day, both inclusive (API.md 3.2)."""


@dataclass(frozen=True, slots=True)
class Covered:
    """Days that one search collected completely, and when its first page was asked for.

    `matches` is what the API counted and `videos` what it delivered; None if the days were kept of
    a search that was lost. `window_id` is the row in `crawl_window`.
    """

    days: DateRange
    searched_at: datetime
    matches: int | None = None
    videos: int | None = None
    suspicious: bool = False
    window_id: int | None = None


@dataclass(frozen=True, slots=True)
class Freshness:
    """When a covered day has to be searched once more.

    A day is final when it was searched `settle` after its end or later: videos take up to 48 hours
    to appear (API.md 14). With `refresh_after`, days whose last search is older are searched again.
    """

    settle: timedelta
    refresh_after: timedelta | None = None

    def final_from(self, day: date) -> datetime:
        """From when on a search of the day finds all of it."""
        return midnight(day + DAY) + self.settle

    def is_settled(self, day: date, searched_at: datetime) -> bool:
        return searched_at >= self.final_from(day)

    def is_due(self, day: date, searched_at: datetime, now: datetime) -> bool:
        """Whether a day that was searched has to be searched again by now."""
        if not self.is_settled(day, searched_at) and now >= self.final_from(day):
            return True
        return self.refresh_after is not None and now - searched_at > self.refresh_after


def last_coverage(coverage: Iterable[Covered]) -> dict[date, Covered]:
    """The covered days, each with the last search that covered it."""
    last: dict[date, Covered] = {}
    for covered in sorted(coverage, key=lambda covered: covered.searched_at):
        last.update(dict.fromkeys(covered.days, covered))
    return last


def last_searches(coverage: Iterable[Covered]) -> dict[date, datetime]:
    """The covered days, each with the start of the last search that covered it."""
    return {day: covered.searched_at for day, covered in last_coverage(coverage).items()}


def missing_days(
    wanted: DateRange, searched: Mapping[date, datetime], freshness: Freshness, now: datetime
) -> list[date]:
    """The wanted days that were never covered or have to be searched again by now."""
    return [
        day for day in wanted if day not in searched or freshness.is_due(day, searched[day], now)
    ]


def unsettled_days(
    wanted: DateRange, searched: Mapping[date, datetime], freshness: Freshness
) -> list[date]:
    """The wanted days that are covered, but were searched before they could be complete."""
    return [
        day for day in wanted if day in searched and not freshness.is_settled(day, searched[day])
    ]


@dataclass(frozen=True, slots=True)
class PageSpan:
    """The newest and the oldest id of a page; `id >> 32` is a Unix time (API.md 3.7)."""

    newest_id: int
    oldest_id: int


def ids_tell_times(window: DateRange, pages: Sequence[PageSpan], skew: timedelta) -> bool:
    """Whether the pages of a search bear out what `passed_days` rests on.

    Their ids come in strictly descending order, and their times lie in the window.

    Args:
        window: the days that are searched.
        pages: what the pages of the search brought, in their order; empty ones are left out.
        skew: how far apart an id's time and `create_time` may lie.
    """
    if not pages:
        return True
    newest, oldest = _time_of(pages[0].newest_id), _time_of(pages[-1].oldest_id)
    return (
        all(later.newest_id < page.oldest_id for page, later in pairwise(pages))
        and oldest >= midnight(window.start) - skew
        and newest <= midnight(window.end + DAY)
    )


def passed_days(window: DateRange, pages: Sequence[PageSpan], skew: timedelta) -> DateRange | None:
    """The newest days of a window that an unfinished search has delivered completely.

    Pages come in strictly descending id, and ids are made at most `skew` before `create_time`. A
    day is passed when the oldest id lies at least `skew` before its start. The first day of the
    window never is: what the search has not said to be its end is not.

    Returns:
        None if there is no such day, or if the ids do not bear this out.
    """
    if not pages or not ids_tell_times(window, pages, skew):
        return None
    oldest = _time_of(pages[-1].oldest_id)
    passed = [day for day in window if midnight(day) - skew >= oldest and day > window.start]
    return DateRange(passed[0], passed[-1]) if passed else None


def _time_of(video_id: int) -> datetime:
    return datetime.fromtimestamp(video_id >> 32, UTC)


def windows(days: Iterable[date], width: int = LONGEST_WINDOW_DAYS) -> list[DateRange]:
    """The fewest windows of at most `width` days that hold exactly these days, oldest first."""
    return list(chain.from_iterable(_split(days_, width) for days_ in contiguous(days)))


def _split(days: DateRange, width: int) -> Iterable[DateRange]:
    for offset in range(0, len(days), width):
        start = days.start + offset * DAY
        yield DateRange(start, min(start + (width - 1) * DAY, days.end))
