"""Emptiness that is hard to believe: the API has been empty for days without an error. Pure."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from statistics import fmean
from typing import TYPE_CHECKING

from tiktok_crawler.collection.date_range import DAY, DateRange, contiguous
from tiktok_crawler.collection.windows import last_coverage

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date, datetime

    from tiktok_crawler.collection.windows import Covered, Freshness

EXPECTED_VIDEOS = 10
"""Days without any video are hard to believe if, going by the days before, they should have so
many."""

LOOKS_BACK = timedelta(days=31)
"""How far before a silence its query's past is looked at."""

SECOND_SEARCH_AFTER = timedelta(days=3)
"""How long after a suspicious search its days are searched once more."""


def sudden_silences(coverage: Iterable[Covered], freshness: Freshness) -> list[Covered]:
    """The searches that brought nothing, right after days that brought many.

    Days that were searched before they could be complete are searched again anyhow, and days kept
    of a lost search had videos.
    """
    last = last_coverage(coverage)
    silent_days = (
        day
        for day, search in last.items()
        if search.videos == 0 and freshness.is_settled(day, search.searched_at)
    )
    found = [
        last[day]
        for days in contiguous(silent_days)
        if _daily_videos(last, days.start) * len(days) >= EXPECTED_VIDEOS
        for day in days
    ]
    return list(dict.fromkeys(found))


def second_searches(coverage: Iterable[Covered], now: datetime) -> list[date]:
    """The days of suspicious searches that have to be searched once more by now, and only once."""
    searches = list(coverage)
    last = last_coverage(searches)
    suspected = Counter(day for search in searches if search.suspicious for day in search.days)
    return [
        day
        for day, search in last.items()
        if search.suspicious
        and suspected[day] == 1
        and now >= search.searched_at + SECOND_SEARCH_AFTER
    ]


def _daily_videos(last: dict[date, Covered], before: date) -> float:
    """The videos a day that the days before a day brought."""
    past = DateRange(before - LOOKS_BACK, before - DAY)
    searches = (last[day] for day in past if day in last)
    return fmean(
        [search.videos / len(search.days) for search in searches if search.videos is not None]
        or [0]
    )
