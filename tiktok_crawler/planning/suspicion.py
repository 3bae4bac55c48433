"""Days that are hard to believe: the API has been empty for days without an error. Pure."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from itertools import dropwhile, takewhile
from typing import TYPE_CHECKING

from tiktok_crawler.date_range import contiguous
from tiktok_crawler.planning.expectation import hard_to_believe
from tiktok_crawler.planning.low_days import FAR_FEWER

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date, datetime

    from tiktok_crawler.planning.coverage import Covered, Freshness

LOST_VIDEOS = 12
"""Fewer videos that come no more prove nothing."""

SECOND_SEARCH_AFTER = timedelta(days=3)
"""The time after a suspicious search until its days are searched once more."""


def doubts(coverage: Iterable[Covered], freshness: Freshness) -> dict[date, datetime | None]:
    """The days whose last search is suspicious, and from when on each is searched once more.

    None if it was, and brought no more. A search is suspicious if the API never said that there is
    no more, or if it brought far fewer videos than the other days lead to expect, or than an
    earlier search of the day brought. Only searches of a time when the day was final are judged by
    their number: others are repeated anyhow.

    Args:
        coverage: the searches of a query.
        freshness: from when on a search of a day is final.
    """
    searches = _by_day(coverage)
    counts = {day: of_day[-1].videos_on(day) for day, of_day in searches.items()}
    final = {
        day: count
        for day, count in counts.items()
        if count is not None and freshness.is_settled(day, searches[day][-1].searched_at)
    }
    few = _that_lost_most(final, searches).union(*hard_to_believe(final))
    found = {}
    for day, of_day in sorted(searches.items()):
        alike = _that_brought_no_more(day, of_day)
        final_ones = [search for search in alike if freshness.is_settled(day, search.searched_at)]
        suspicion = final_ones if day in few else _from_empty_answer(final_ones or alike, day)
        if suspicion:
            found[day] = _again_at(suspicion) if final_ones else freshness.final_from(day)
    return found


def _by_day(coverage: Iterable[Covered]) -> dict[date, list[Covered]]:
    """Sort searches by the days that they covered, the last one at the end."""
    searches: dict[date, list[Covered]] = defaultdict(list)
    for search in sorted(coverage, key=lambda search: search.searched_at):
        for day in search.days:
            searches[day].append(search)
    return searches


def _that_lost_most(
    counts: Mapping[date, int], searches: Mapping[date, Sequence[Covered]]
) -> set[date]:
    """Find runs of days of which an earlier search brought far more than the last one.

    Videos vanish, but not most of those of a day.
    """
    most = {
        day: max(search.videos_on(day) or 0 for search in searches[day])
        for day, count in counts.items()
    }
    lost = contiguous(day for day, count in counts.items() if count < most[day] * FAR_FEWER)
    return {day for days in lost if sum(most[day] for day in days) >= LOST_VIDEOS for day in days}


def _that_brought_no_more(day: date, searches: Sequence[Covered]) -> list[Covered]:
    """The last searches of a day, since one that brought more than the last of all."""
    most = searches[-1].videos_on(day)
    if most is None:
        return []
    videos = ((search, search.videos_on(day)) for search in reversed(searches))
    alike = takewhile(lambda pair: pair[1] is not None and pair[1] <= most, videos)
    return [search for search, _ in alike][::-1]


def _from_empty_answer(searches: Sequence[Covered], day: date) -> list[Covered]:
    """The searches from one on that brought nothing, and never said that there is no more."""
    if not searches or searches[-1].videos_on(day):
        return []
    return list(dropwhile(lambda search: not search.suspicious, searches))


def _again_at(suspicion: Sequence[Covered]) -> datetime | None:
    """Return when to search once more; None if that was done since the suspicious search."""
    again_at = suspicion[0].searched_at + SECOND_SEARCH_AFTER
    return again_at if suspicion[-1].searched_at < again_at else None
