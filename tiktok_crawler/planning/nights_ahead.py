"""Tells what keeping data fresh will cost in the nights to come. Pure.

Each night does what it has to, as it will be planned then; what is missing is taken to be collected
in the first one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import ceil
from statistics import fmean
from typing import TYPE_CHECKING

from tiktok_crawler.date_range import DAY, DateRange, midnight
from tiktok_crawler.planning import coverage
from tiktok_crawler.planning.batch_searches import Searched
from tiktok_crawler.planning.checks import REQUESTS_OF_CHECK
from tiktok_crawler.planning.spreading import Due, share_of
from tiktok_crawler.research_api.checks import MOST_IDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date, datetime

    from tiktok_crawler.planning.coverage import Freshness
    from tiktok_crawler.planning.plan import Known, Wanted
    from tiktok_crawler.planning.value_batches import KnownBatch, WantedValues
    from tiktok_crawler.query_file.refreshing import KeepFresh

NIGHTS = 30
"""The terms of January 2026 want a refresh as often (api_facts.md 15)."""


@dataclass(frozen=True, slots=True)
class Subject:
    """The days of a query, when each was searched last, and the requests that it took.

    Its first or last day `moves` with the nights where they are written as `3 days ago`.
    """

    days: DateRange
    freshness: Freshness
    width: int
    searched: Mapping[date, datetime]
    costs: Mapping[date, float]
    start_moves: bool = False
    end_moves: bool = False

    def days_on(self, night: int) -> DateRange:
        start = self.days.start + night * DAY * self.start_moves
        return DateRange(min(start, self.days.end), self.days.end + night * DAY * self.end_moves)

    @property
    def is_known(self) -> bool:
        return bool(self.costs)

    def requests(self, now: datetime) -> list[int]:
        """Search what is due in each of the nights: how many requests that takes."""
        nights = _Nights(self)
        return [nights.search(number, now + number * DAY) for number in range(NIGHTS)]


@dataclass(frozen=True, slots=True)
class ListSubject:
    """The searches for the values of a list, as many as there are batches for each of its days.

    What was searched together is searched together again.
    """

    days: DateRange
    freshness: Freshness
    width: int
    last: tuple[Searched, ...]
    searches: int
    start_moves: bool = False
    end_moves: bool = False

    @property
    def is_known(self) -> bool:
        return bool(self.last)

    def requests(self, now: datetime) -> list[int]:
        """Search what is due in each of the nights: how many requests that takes."""
        last, found = list(self.last), []
        if not last:
            new = coverage.windows(self.days, self.width)
            last = [Searched(days, now) for days in new for _ in range(self.searches)]
        for number in range(NIGHTS):
            at = now + number * DAY
            due = self._due(last, at)
            found.append(sum(max(last[each].pages, 1) for each in due))
            for each in due:
                last[each] = last[each]._replace(begun_at=at)
            if self.end_moves:
                day = self.days.end + (number + 1) * DAY
                last += self.searches * [Searched(DateRange(day, day), at)]
        return found

    def _due(self, last: Sequence[Searched], at: datetime) -> set[int]:
        freshness, night = self.freshness, at.date()
        due = {
            number
            for number, (days, begun_at, _) in enumerate(last)
            if freshness.is_due(days.start, begun_at, at)
            or freshness.is_due(days.end, begun_at, at)
        }
        if freshness.again_within:
            ends = (
                Due(number, freshness.last_night(search.begun_at), max(search.pages, 1))
                for number, search in enumerate(last)
                if search.begun_at < midnight(night)
            )
            due.update(share_of(night, ends))
        return due


@dataclass(frozen=True, slots=True)
class Stored:
    """The records that are to be found still there."""

    videos: int = 0
    comments: int = 0

    def checks_of_round(self, fresh: KeepFresh) -> int:
        """The requests that find out once what is there; searches tell it of videos, too."""
        kinds = (0 if fresh.counters else self.videos, self.comments)
        return REQUESTS_OF_CHECK * sum(ceil(each / MOST_IDS) for each in kinds)


@dataclass(frozen=True, slots=True)
class Ahead:
    """The requests of each of the nights to come: to search days again, and to check ids.

    It `is_known` unless days have to be searched of which nobody knows how many videos they have.
    """

    searches: tuple[int, ...] = (0,) * NIGHTS
    checks: int = 0
    is_known: bool = True

    def __add__(self, other: Ahead) -> Ahead:
        searches = map(sum, zip(self.searches, other.searches, strict=True))
        is_known = self.is_known and other.is_known
        return Ahead(tuple(searches), self.checks + other.checks, is_known)

    @property
    def requests(self) -> int:
        return sum(self.searches) + self.checks

    @property
    def busiest(self) -> int:
        """The requests of the night that has most; checks are spread evenly."""
        return max(self.searches) + ceil(self.checks / NIGHTS)


def of_search(wanted: Wanted, known: Known) -> Subject:
    """Return what is known of a query that is searched as a whole."""
    last = coverage.last_coverage(known.coverage)
    return Subject(
        wanted.days,
        wanted.freshness,
        wanted.window_days,
        {day: covered.searched_at for day, covered in last.items()},
        coverage.costs(last, wanted.window_days),
    )


def of_list(wanted: WantedValues, batches: Iterable[KnownBatch]) -> ListSubject:
    """Return what is known of a list: the last searches for its values."""
    last: list[Searched] = []
    for batch in batches:
        left = set(wanted.days)
        for search in sorted(batch.searches, key=lambda search: search.begun_at, reverse=True):
            if not left.isdisjoint(search.days):
                last.append(search)
                left.difference_update(search.days)
    searches = ceil(len(wanted.each.values) / wanted.size)
    return ListSubject(wanted.days, wanted.freshness, wanted.window_days, tuple(last), searches)


def look_ahead(
    subject: Subject | ListSubject,
    now: datetime,
    fresh: KeepFresh | None = None,
    stored: Stored | None = None,
) -> Ahead:
    """Tell what keeping a query fresh will cost in the nights to come, the present one included."""
    checks = 0
    if fresh and stored:
        rounds = NIGHTS * DAY / max(fresh.every - DAY, DAY)
        checks = ceil(stored.checks_of_round(fresh) * rounds)
    if not subject.freshness.searches_again:
        return Ahead(checks=checks)
    searches = tuple(subject.requests(now))
    return Ahead(searches, checks, is_known=subject.is_known or not any(searches))


@dataclass
class _Nights:
    subject: Subject
    searched: dict[date, datetime] = field(init=False)
    usual: float = field(init=False)

    def __post_init__(self) -> None:
        self.searched = dict(self.subject.searched)
        costs = self.subject.costs.values()
        self.usual = fmean(costs) if costs else 1 / self.subject.width

    def search(self, number: int, now: datetime) -> int:
        subject, freshness = self.subject, self.subject.freshness
        wanted = subject.days_on(number)
        before = {d: at for d, at in self.searched.items() if at < midnight(now.date())}
        costs = {day: self._cost(day) for day in before}
        share = coverage.share_of_night(wanted, before, costs, freshness, now.date())
        due = coverage.missing_days(wanted, self.searched, freshness, now, share)
        again = [
            day
            for day in due
            if day in self.searched and freshness.is_settled(day, self.searched[day])
        ]
        self.searched |= dict.fromkeys(due, now)
        return sum(map(self._requests, coverage.windows(again, subject.width)))

    def _requests(self, window: DateRange) -> int:
        return max(1, ceil(sum(map(self._cost, window))))

    def _cost(self, day: date) -> float:
        return self.subject.costs.get(day, self.usual)
