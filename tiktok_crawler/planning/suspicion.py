"""Emptiness that is hard to believe: the API has been empty for days without an error. Pure."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from itertools import dropwhile, takewhile
from statistics import fmean
from typing import TYPE_CHECKING

from tiktok_crawler.date_range import DAY, DateRange, contiguous
from tiktok_crawler.planning.coverage import last_coverage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import date, datetime

    from tiktok_crawler.planning.coverage import Covered, Freshness

EXPECTED_VIDEOS = 10
"""Days without any video are hard to believe if, going by the days before, they should have so
many."""

SUDDEN_VIDEOS = 10 * EXPECTED_VIDEOS
"""So many videos on the very first day after silent ones are hard to believe, too: what begins by
itself begins with fewer, or in the midst of a search."""

LOOKS_AROUND = timedelta(days=31)
"""The length of a query's past that is looked at before a silence, and of the part of a silence
that is suspicious for what comes after it."""

SECOND_SEARCH_AFTER = timedelta(days=3)
"""The time after a suspicious search until its days are searched once more."""


def sudden_silences(
    coverage: Iterable[Covered], freshness: Freshness, videos_on: Callable[[date], int]
) -> list[Covered]:
    """The searches that brought nothing beside days that brought many; not those found before.

    Days that were searched before they could be complete are searched again anyhow, and days kept
    of a lost search had videos. Days that stayed empty when they were searched once more are
    believed: they count for the past of a silence, and not for the silence.

    Args:
        coverage: the searches of a query.
        freshness: from when on a search of a day is final.
        videos_on: how many videos of a day are stored.
    """
    searches = list(coverage)
    last = last_coverage(searches)
    doubted = doubts(searches, freshness)
    believed = {day for day, again_at in doubted.items() if again_at is None}
    silent_days = (
        day
        for day, search in last.items()
        if search.videos == 0 and freshness.is_settled(day, search.searched_at)
    )
    found = [
        last[day]
        for days in contiguous(day for day in silent_days if day not in believed)
        for day in _hard_to_believe(days, last, videos_on)
        if day not in doubted
    ]
    return list(dict.fromkeys(found))


def doubts(coverage: Iterable[Covered], freshness: Freshness) -> dict[date, datetime | None]:
    """The days whose emptiness is suspicious, and from when on each is searched once more.

    None if it was, and stayed empty. A search that brought videos ends the doubt; searches before a
    day is final do not count as soon as there is a later one.
    """
    searches: dict[date, list[Covered]] = defaultdict(list)
    for search in sorted(coverage, key=lambda search: search.searched_at):
        for day in search.days:
            searches[day].append(search)
    found = {}
    for day, of_day in sorted(searches.items()):
        silence = list(takewhile(lambda search: search.videos == 0, reversed(of_day)))[::-1]
        final = [search for search in silence if freshness.is_settled(day, search.searched_at)]
        suspicion = list(dropwhile(lambda search: not search.suspicious, final or silence))
        if suspicion:
            found[day] = _again_at(suspicion) if final else freshness.final_from(day)
    return found


def _again_at(suspicion: Sequence[Covered]) -> datetime | None:
    """Return when to search once more; None if that was done since the suspicious search."""
    again_at = suspicion[0].searched_at + SECOND_SEARCH_AFTER
    return again_at if suspicion[-1].searched_at < again_at else None


def _hard_to_believe(
    days: DateRange, last: dict[date, Covered], videos_on: Callable[[date], int]
) -> Iterable[date]:
    """Find the silent days that must be wrong, going by the days around them."""
    if _daily_videos(last, days.start) * len(days) >= EXPECTED_VIDEOS:
        return days
    after = days.end + DAY
    if after in last and last[after].videos != 0 and videos_on(after) >= SUDDEN_VIDEOS:
        return DateRange(max(days.start, after - LOOKS_AROUND), days.end)
    return ()


def _daily_videos(last: dict[date, Covered], before: date) -> float:
    """The videos a day that the days before a day brought."""
    past = DateRange(before - LOOKS_AROUND, before - DAY)
    searches = (last[day] for day in past if day in last)
    return fmean(
        [search.videos / len(search.days) for search in searches if search.videos is not None]
        or [0]
    )
