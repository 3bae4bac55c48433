"""Tells what came of each day of a window, by the pages of its search. Pure.

Pages come newest first, so a search reaches one day after another, and the day that it has reached
last may have more. A page's cursor says how many matches it and the pages before it stand for.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from tiktok_crawler.date_range import DAY, DateRange
from tiktok_crawler.research_api.video_ids import time_of

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping, Sequence
    from datetime import date, datetime


class DayCount(NamedTuple):
    """The records of a day by what became of them.

    `videos` were stored, each counted once; None if it is not known, likewise the others. Of them,
    `undated` ones have no `create_time`: their ids tell the day. `refused` records have no usable
    id, and are not stored; `repeated` ones the search had delivered before. `withheld` are matches
    that the API counted and did not deliver.
    """

    videos: int | None = 0
    withheld: int | None = 0
    undated: int | None = 0
    refused: int | None = 0
    repeated: int | None = 0

    @property
    def matches(self) -> int:
        """The matches that the API counts, as far as all is known."""
        return (self.videos or 0) + (self.withheld or 0) + (self.refused or 0)

    def plus(self, other: DayCount) -> DayCount:
        """Add two counts of one day; what is not known of one is not known of both."""
        pairs = zip(self, other, strict=True)
        return DayCount(*[None if a is None or b is None else a + b for a, b in pairs])


NONE = DayCount()
_VIDEOS, _WITHHELD, _UNDATED, _REFUSED, _REPEATED = range(len(NONE))

UNKNOWN = DayCount(None, None, None, None, None)
"""The count of a day that was searched before counts were kept."""


def known_sum(counts: Iterable[DayCount]) -> DayCount:
    """Add up what is known of days; what is not counts as none."""
    sums = list(map(sum, zip(NONE, *([n or 0 for n in count] for count in counts), strict=True)))
    return DayCount(*sums)


@dataclass(frozen=True, slots=True)
class Delivered:
    """The records of a page in its order: their ids, None where one has none that is usable.

    `times` are the `create_time` of those that have one. `matches` are those that the page stands
    for: all up to its cursor that nothing was said of before.
    """

    ids: Sequence[int | None]
    times: Mapping[int, datetime]
    matches: int
    ends_search: bool


def days_of_page(
    page: Delivered, window: DateRange, reached: date | None, earlier: Container[int] = ()
) -> dict[date, DayCount]:
    """Tell what a page adds to the days of its window.

    Args:
        page: the records.
        window: the days that are searched.
        reached: the day to which earlier pages have come; None: this is the first page.
        earlier: the ids that earlier pages of the search have brought.

    Returns:
        The days that the page has passed, newest first, also those that it has nothing of; then the
        others that its records are of. Where a page lies in several days, what it withholds is
        shared out among them as its records are.
    """
    newest = reached or window.end
    days = _days(page, window, newest)
    passed = _passed(page, window, newest, days)
    found = {day: [0] * len(NONE) for day in dict.fromkeys((*passed, *days))}
    seen: set[int] = set()
    for id_, day in zip(page.ids, days, strict=True):
        if id_ is None:
            found[day][_REFUSED] += 1
        elif id_ in seen or id_ in earlier:
            found[day][_REPEATED] += 1
        else:
            found[day][_VIDEOS] += 1
            found[day][_UNDATED] += id_ not in page.times
            seen.add(id_)
    repeated = sum(counts[_REPEATED] for counts in found.values())
    withheld = max(page.matches - len(page.ids) + repeated, 0)
    for day, share in _shares(withheld, Counter(days) or Counter(passed)).items():
        found[day][_WITHHELD] += share
    return {day: DayCount(*counts) for day, counts in found.items()}


def _days(page: Delivered, window: DateRange, newest: date) -> list[date]:
    """Find the day of each record; one that does not tell is of the day of the one before it."""
    days, day = [], newest
    for id_ in page.ids:
        if id_ is not None:
            day = _day(id_, page.times.get(id_), window) or day
        days.append(day)
    return days


def _day(id_: int, created_at: datetime | None, window: DateRange) -> date | None:
    if created_at:
        return created_at.date()
    day = time_of(id_).date()
    return day if day in window else None


def _passed(page: Delivered, window: DateRange, newest: date, days: Iterable[date]) -> list[date]:
    """Return the days from the one reached before down to the one that is reached now."""
    oldest = min((day for day in set(days) if day in window), default=newest)
    if page.ends_search:
        oldest = window.start
    return [newest - n * DAY for n in range(max((newest - oldest).days, 0) + 1)]


def _shares(total: int, weights: Mapping[date, int]) -> dict[date, int]:
    """Share a number out in proportion to weights, in whole numbers that add up to it."""
    shares, given, weight = {}, 0, 0
    whole = sum(weights.values())
    for day, of_day in weights.items():
        weight += of_day
        shares[day] = total * weight // whole - given
        given += shares[day]
    return shares
