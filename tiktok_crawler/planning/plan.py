"""Plans a run: what is known of a query in, the searches of the run out. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tiktok_crawler.date_range import DAY, midnight
from tiktok_crawler.planning import coverage
from tiktok_crawler.planning.coverage import Covered, Freshness
from tiktok_crawler.planning.days import Day, Days, DayState
from tiktok_crawler.planning.keyword_forms import NOTHING_TRIED, ONE_FORM, KeywordForms
from tiktok_crawler.planning.suspicion import doubts
from tiktok_crawler.planning.window_days import UNKNOWN
from tiktok_crawler.research_api.endpoints import LONGEST_WINDOW_DAYS
from tiktok_crawler.research_api.tasks import PageRequest, Window
from tiktok_crawler.research_api.video_ids import ID_SKEW

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping
    from datetime import date, datetime, timedelta

    from tiktok_crawler.date_range import DateRange
    from tiktok_crawler.planning.window_days import DayCount
    from tiktok_crawler.research_api.query import Operation, Query


NEVER_AGAIN = Freshness(-DAY)
"""A day that was ever searched is final."""

GOES_ALONG = 5
"""Days that are refreshed go along in the window of new ones up to so many requests."""


@dataclass(frozen=True, slots=True)
class WaitingWindow:
    """The request that tries a parked window again, and from when on it may be sent."""

    request: PageRequest
    retry_at: datetime


@dataclass(frozen=True, slots=True)
class Known:
    """The ledger's knowledge of a query.

    `coverage` counts searches with all wanted fields only. `parked_windows` come in the order in
    which they may be tried again; others are at work on `taken_windows`. `cut_windows` are the days
    of those that kept failing.
    `counts` are those of the days that windows have reached, by the windows' rows; `reached`, where
    it is asked for, is the time down to which the pages of unfinished ones have come, likewise. The
    `requests` of windows that were not replaced have ended, and brought so many `pages`.
    `keyword_forms` matter only if the query has a choice.
    """

    coverage: tuple[Covered, ...] = ()
    open_windows: tuple[PageRequest, ...] = ()
    parked_windows: tuple[WaitingWindow, ...] = ()
    taken_windows: tuple[PageRequest, ...] = ()
    cut_windows: tuple[DateRange, ...] = ()
    counts: Mapping[int, Mapping[date, DayCount]] = field(default_factory=dict)
    keyword_forms: KeywordForms = NOTHING_TRIED
    reached: Mapping[int, datetime] = field(default_factory=dict)
    requests: int = 0
    pages: int = 0

    @property
    def unfinished_windows(self) -> tuple[PageRequest, ...]:
        """The open windows, the parked ones, and those that others have."""
        parked = (each.request for each in self.parked_windows)
        return (*self.open_windows, *parked, *self.taken_windows)

    def passed(self, request: PageRequest) -> Mapping[date, DayCount]:
        """Return what the days that an unfinished search has reached have brought."""
        row_id = request.task.row_id
        return {} if row_id is None or request.starts_task else self.counts.get(row_id, {})


@dataclass(frozen=True, slots=True)
class Part:
    """The days that a query is to be asked for, since others have the rest.

    `begun` are the days that windows with pages bring, which are finished as they are. Of one that
    `is_retired`, nothing is searched once more. Windows that were `too_wide` for queries like it
    narrow the first ones.
    """

    missing: tuple[DateRange, ...]
    begun: tuple[DateRange, ...] = ()
    is_retired: bool = False
    too_wide: tuple[DateRange, ...] = ()

    def has(self, day: date) -> bool:
        return _is_in(day, self.missing) or _is_in(day, self.begun)

    def takes_up(self, request: PageRequest, promised: Container[date]) -> bool:
        """Tell whether a window that is not finished goes on, beside those that promise days.

        One that has brought no page must bring nothing but what is missing, and not promised.
        """
        days = request.window.days
        if not request.starts_task:
            return any(_is_in(day, self.begun) for day in days)
        return all(_is_in(day, self.missing) and day not in promised for day in days)


@dataclass(frozen=True, slots=True)
class Wanted:
    """The goal of a run: a query, days, fields, how fresh, and how its windows may be.

    `id_skew` is how far an id's time and `create_time` may lie apart. A sample is drawn day by day,
    and once.
    Without a `part`, all days are asked for that are missing.
    """

    query: Query
    days: DateRange
    fields: tuple[str, ...]
    freshness: Freshness
    window_days: int = LONGEST_WINDOW_DAYS
    id_skew: timedelta = ID_SKEW
    part: Part | None = None

    def __post_init__(self) -> None:
        if self.query.sample:
            object.__setattr__(self, "window_days", 1)
            object.__setattr__(self, "freshness", Freshness(self.freshness.settle))
        if self.query.asks_for_nobody:
            object.__setattr__(self, "freshness", NEVER_AGAIN)

    def may_be_searched(self, day: date, now: datetime) -> bool:
        """Tell whether a day may be searched: it is sampled once, when all its videos are there."""
        is_due = not self.query.sample or self.freshness.final_from(day) <= now
        return is_due and not self.query.asks_for_nobody

    def window(self, days: DateRange, keywords_as: Operation) -> Window:
        """Return a window that searches these days."""
        return Window(self.query, days, self.fields, keywords_as=keywords_as)

    def takes_up(self, request: PageRequest, promised: Container[date]) -> bool:
        """Tell whether a window that brings something missing goes on as it is."""
        return self.part is None or self.part.takes_up(request, promised)

    def is_brought_by(self, request: PageRequest) -> bool:
        """Tell whether a search brings all the fields."""
        return set(self.fields) <= set(request.task.fields)


@dataclass(frozen=True, slots=True)
class Work:
    """The size of plans: windows that are searched, their days, and the days wanted and covered."""

    windows: int = 0
    planned_days: int = 0
    days: int = 0
    covered_days: int = 0

    def __add__(self, other: Work) -> Work:
        return Work(
            self.windows + other.windows,
            self.planned_days + other.planned_days,
            self.days + other.days,
            self.covered_days + other.covered_days,
        )


@dataclass(frozen=True, slots=True)
class Plan:
    """The work of one run, in its order: open windows, new ones, refreshed ones, second tries.

    `refreshed_windows` have only days that are there for good, and are searched once more;
    `refreshed_days` are all of that kind.
    `parked_windows` are tried again now, `waiting_windows` not before a later run;
    `suspicious_windows` are covered, and searched once more. `left_windows` are open or parked
    outside the wanted days. Before all others comes the `trial`, if there is one: a window that
    brought nothing, with keywords in the other form. `taken_windows` are left to others, who are
    at work on them.
    """

    days: DateRange
    standings: Days
    open_windows: tuple[PageRequest, ...]
    new_windows: tuple[DateRange, ...]
    refreshed_windows: tuple[DateRange, ...]
    refreshed_days: frozenset[date]
    parked_windows: tuple[PageRequest, ...]
    waiting_windows: tuple[WaitingWindow, ...]
    suspicious_windows: tuple[PageRequest, ...]
    left_windows: tuple[PageRequest, ...]
    has_succeeded: bool
    """True if the API has ever answered the query with a page."""
    too_wide: tuple[DateRange, ...]
    """The windows that were cut, as far as it is not known that something else was to blame."""
    keyword_forms: KeywordForms
    trial: PageRequest | None
    taken_windows: tuple[PageRequest, ...] = ()

    def refreshes(self, days: DateRange) -> bool:
        """Tell whether a window of these days brings no more than newer values of what is there."""
        return self.refreshed_days.issuperset(days)

    @property
    def new_window_count(self) -> int:
        """The windows that have no row yet and bring what is missing, the trial included."""
        return len(self.new_windows) + (self.trial is not None)

    @property
    def window_count(self) -> int:
        """The windows that bring what is missing, as far as they are searched now."""
        unopened = self.new_window_count + len(self.refreshed_windows)
        return len(self.open_windows) + unopened + len(self.parked_windows)

    @property
    def planned_days(self) -> int:
        """The number of days searched; days that two windows search count twice."""
        requests = [*self.open_windows, *self.parked_windows, *self.suspicious_windows]
        requests += [self.trial] if self.trial else []
        windows = (*self.new_windows, *self.refreshed_windows)
        return sum(map(len, (*windows, *(request.window.days for request in requests))))

    @property
    def work(self) -> Work:
        """The size of it."""
        covered = len(self.standings.done)
        return Work(self.window_count, self.planned_days, len(self.days), covered)

    @property
    def least_requests(self) -> int:
        """Each window takes one request, and one more for each further 100 matches."""
        return self.window_count + len(self.suspicious_windows)

    @property
    def is_empty(self) -> bool:
        """There is nothing to ask for now."""
        return self.least_requests == 0

    @property
    def is_fulfilled(self) -> bool:
        """All that was asked for is stored: suspicious and unsettled days are, too."""
        return self.window_count == 0 and not self.waiting_windows and not self.taken_windows

    @property
    def begun_rows(self) -> tuple[int, ...]:
        """The rows of the windows that have been begun, and that this run goes on with."""
        begun = (*self.open_windows, *self.parked_windows, *self.suspicious_windows)
        return tuple(each.task.row_id for each in begun if each.task.row_id is not None)

    @property
    def is_complete(self) -> bool:
        """Nothing is missing: what is stored is final, believed, and all that there is to find."""
        return self.is_fulfilled and self.standings.has_nothing_missing

    @property
    def next_retry_at(self) -> datetime | None:
        """The time when the first of the waiting windows may be tried again."""
        return min((parked.retry_at for parked in self.waiting_windows), default=None)


def make_plan(wanted: Wanted, known: Known, now: datetime) -> Plan:
    """Decide what is missing, and how to search for it.

    Open windows that overlap the wanted days are finished as they are, with the fields that they
    began with, parked ones only if they bring all wanted fields; days that an unfinished window
    will bring with all wanted fields are not searched besides. A second search of suspicious days
    that was begun is a parked window, too. A query that asks for nobody is searched
    no more, whatever it lacks.
    """
    if wanted.query.asks_for_nobody:
        known = Known(known.coverage, keyword_forms=ONE_FORM)
    forms = known.keyword_forms if wanted.query.has_keyword_forms else ONE_FORM
    searched = coverage.last_searches(known.coverage)
    share = _share(wanted, known, now)
    missing = coverage.missing_days(wanted.days, searched, wanted.freshness, now, share)
    if wanted.part:
        missing = [day for day in missing if wanted.part.has(day)]
    missing_set = set(missing)
    taken_windows, taken_days = _taken_up(wanted, known.taken_windows)
    open_windows, promised = _taken_up(wanted, known.open_windows, taken_days)
    doubted = _doubts(wanted, known)
    doubtful = {day for day, at in doubted.items() if at and at <= now} - missing_set
    parked_windows, second_searches = [], []
    for parked in known.parked_windows:
        days = set(parked.request.window.days) - promised
        if not wanted.is_brought_by(parked.request):
            continue
        brings_missing = days & missing_set and wanted.takes_up(parked.request, promised)
        if brings_missing or forms.is_trial(parked.request):
            parked_windows.append(parked)
        elif days & doubtful:
            second_searches.append(parked)
            doubted |= dict.fromkeys(days & doubtful, parked.retry_at)
        else:
            continue
        promised |= days
    unsettled = coverage.unsettled_days(wanted.days, searched, wanted.freshness)
    unplanned = [d for d in missing if d not in promised and wanted.may_be_searched(d, now)]
    refreshed = frozenset(searched).difference(unsettled)
    new_windows, refreshed_windows = _windows(wanted, known, unplanned, refreshed)
    return Plan(
        days=wanted.days,
        standings=Days(
            _standings(wanted, known, missing_set),
            tuple(day for day in unsettled if day not in missing_set),
            doubted,
        ),
        open_windows=tuple(_continued(each, wanted.freshness, now) for each in open_windows),
        new_windows=tuple(new_windows),
        refreshed_windows=tuple(refreshed_windows),
        refreshed_days=refreshed,
        parked_windows=tuple(parked.request for parked in parked_windows if parked.retry_at <= now),
        waiting_windows=tuple(parked for parked in parked_windows if parked.retry_at > now),
        suspicious_windows=(
            *(parked.request for parked in second_searches if parked.retry_at <= now),
            *_second_searches(wanted, forms, sorted(doubtful - promised)),
        ),
        left_windows=tuple(
            request
            for request in known.unfinished_windows
            if not request.window.days.overlaps(wanted.days)
        ),
        has_succeeded=bool(known.coverage)
        or not all(request.starts_task for request in known.unfinished_windows),
        too_wide=_too_wide(wanted, known),
        keyword_forms=forms,
        trial=_trial(wanted, forms, known, missing_set),
        taken_windows=tuple(taken_windows),
    )


def _share(wanted: Wanted, known: Known, now: datetime) -> Container[date]:
    """Return the days that are searched again in this night: of a part, all that it is asked for.

    Whoever has made the parts has shared out what there is.
    """
    night, freshness = now.date(), wanted.freshness
    if not freshness.again_within:
        return ()
    if wanted.part:
        return {day for days in wanted.part.missing for day in days}
    before = (each for each in known.coverage if each.searched_at < midnight(night))
    last = coverage.last_coverage(before)
    searched = {day: covered.searched_at for day, covered in last.items()}
    costs = coverage.costs(last, wanted.window_days)
    return coverage.share_of_night(wanted.days, searched, costs, freshness, night)


def _windows(
    wanted: Wanted, known: Known, unplanned: Iterable[date], refreshed: Container[date]
) -> tuple[list[DateRange], list[DateRange]]:
    """Return the windows of new days, and those of days that are refreshed.

    A window that has both is cut, unless those to refresh cost little: then windows count.
    """
    width = wanted.window_days
    costs = coverage.costs(coverage.last_coverage(known.coverage), width)
    new: list[DateRange] = []
    again: list[DateRange] = []
    for days in coverage.windows(unplanned, width):
        renewed = [day for day in days if day in refreshed]
        if len(renewed) == len(days):
            again.append(days)
        elif sum(costs[day] for day in renewed) <= GOES_ALONG:
            new.append(days)
        else:
            new += coverage.windows((day for day in days if day not in renewed), width)
            again += coverage.windows(renewed, width)
    return new, again


def _taken_up(
    wanted: Wanted, open_windows: Iterable[PageRequest], before: Iterable[date] = ()
) -> tuple[list[PageRequest], set[date]]:
    """Return the open windows that go on, and the days that they promise with all wanted fields.

    Others have promised some days before.
    """
    taken: list[PageRequest] = []
    promised = set(before)
    for request in open_windows:
        days = request.window.days
        if days.overlaps(wanted.days) and wanted.takes_up(request, promised):
            taken.append(request)
            promised |= set(days) if wanted.is_brought_by(request) else set()
    return taken, promised


def _standings(wanted: Wanted, known: Known, missing: Container[date]) -> dict[date, Day]:
    """Tell of each wanted day how it stands; of several searches, by the one that goes on."""
    last = coverage.last_coverage(known.coverage)
    parked = ((DayState.PARKED, waiting.request) for waiting in known.parked_windows)
    at_work = (*known.open_windows, *known.taken_windows)
    opened = ((DayState.OPEN, request) for request in at_work)
    begun = {
        day: Day(state, known.passed(request).get(day))
        for state, request in (*parked, *opened)
        for day in request.window.days
    }
    found = {}
    for day in wanted.days:
        searched = last.get(day)
        count = searched.counts.get(day, UNKNOWN) if searched else None
        if count and wanted.query.sample:
            count = count._replace(withheld=None)
        searched_at = searched.searched_at if searched else None
        if day not in missing:
            done = DayState.SAMPLED if wanted.query.sample else DayState.COVERED
            found[day] = Day(done, count, searched_at)
        elif day in begun:
            found[day] = begun[day]
        else:
            found[day] = Day(DayState.DUE if searched else DayState.GAP, count, searched_at)
    return found


def _doubts(wanted: Wanted, known: Known) -> dict[date, datetime | None]:
    if wanted.query.asks_for_nobody or (wanted.part and wanted.part.is_retired):
        return {}
    found = doubts(known.coverage, wanted.freshness)
    return {day: found[day] for day in wanted.days if day in found}


def _second_searches(
    wanted: Wanted, forms: KeywordForms, days: Iterable[date]
) -> Iterable[PageRequest]:
    return (
        PageRequest(wanted.window(window, forms.sent_as), second_try=True)
        for window in coverage.windows(days, wanted.window_days)
    )


def _trial(
    wanted: Wanted, forms: KeywordForms, known: Known, missing: set[date]
) -> PageRequest | None:
    """Return the request for the days that were searched first, with keywords in the other form.

    None if that was begun. Days that are missing are searched anyhow, and tried in that form then.
    """
    if forms.untried is None or any(map(forms.is_trial, known.unfinished_windows)):
        return None
    in_vain = [
        search
        for search in known.coverage
        if search.days.overlaps(wanted.days) and missing.isdisjoint(search.days)
    ]
    first = min(in_vain, key=lambda search: search.searched_at, default=None)
    return PageRequest(wanted.window(first.days, forms.untried)) if first else None


def _is_in(day: date, ranges: Iterable[DateRange]) -> bool:
    return any(day in days for days in ranges)


def _too_wide(wanted: Wanted, known: Known) -> tuple[DateRange, ...]:
    """Return the windows that were cut, unless as many days have worked or one fails alone."""
    if wanted.part and not known.coverage and not known.cut_windows:
        return wanted.part.too_wide
    searched = (len(search.days) for search in known.coverage if search.matches is not None)
    widest = max(searched, default=0)
    parked = [waiting.request.window.days for waiting in known.parked_windows]
    return tuple(
        days
        for days in known.cut_windows
        if len(days) > widest and not any(map(days.overlaps, parked))
    )


def _continued(request: PageRequest, freshness: Freshness, now: datetime) -> PageRequest:
    """The request that goes on with an open window.

    A search that began before its days were final starts anew as soon as they are, and so does one
    all of whose days have come of an age at which they are searched again: what it still brings
    would have to be collected once more. Days come of an age once, so it comes to its end.
    """
    began, days = request.begun_at, request.window.days
    if began and (
        any(freshness.has_come_of_age(day, (freshness.settle,), began, now) for day in days)
        or all(freshness.has_come_of_age(day, freshness.ages, began, now) for day in days)
    ):
        return request.from_start()
    return request
