"""What a run has to do: what is known of a query in, the searches of the run out. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from tiktok_crawler.collection import windows
from tiktok_crawler.collection.date_range import contiguous

if TYPE_CHECKING:
    from datetime import date, datetime

    from tiktok_crawler.collection.date_range import DateRange
    from tiktok_crawler.collection.windows import Covered, Freshness
    from tiktok_crawler.items import PageRequest


@dataclass(frozen=True, slots=True)
class Known:
    """What the ledger knows of a query.

    `coverage` counts searches with all wanted fields only.
    """

    coverage: tuple[Covered, ...] = ()
    open_windows: tuple[PageRequest, ...] = ()
    parked_windows: tuple[PageRequest, ...] = ()


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a run asks for: days, fields, how fresh, and how its windows may be.

    `id_skew` is how far an id's time and `create_time` may lie apart.
    """

    days: DateRange
    fields: tuple[str, ...]
    freshness: Freshness
    window_days: int = windows.LONGEST_WINDOW_DAYS
    id_skew: timedelta = timedelta(seconds=900)


@dataclass(frozen=True, slots=True)
class Plan:
    """The work of one run, in its order: open windows first, then new ones, then parked ones again.

    `covered_days` are wanted days that need nothing now; the `unsettled_days` among them have to be
    searched once more when they can be final. `left_windows` are open or parked outside the wanted
    days.
    """

    days: DateRange
    open_windows: tuple[PageRequest, ...]
    new_windows: tuple[DateRange, ...]
    parked_windows: tuple[PageRequest, ...]
    left_windows: tuple[PageRequest, ...]
    covered_days: tuple[date, ...]
    unsettled_days: tuple[date, ...]
    has_succeeded: bool
    """Whether the API has ever answered the query with a page."""

    @property
    def window_count(self) -> int:
        return len(self.open_windows) + len(self.new_windows) + len(self.parked_windows)

    @property
    def planned_days(self) -> int:
        """How many days are searched; days that two windows search count twice."""
        unfinished = (*self.open_windows, *self.parked_windows)
        windows_ = (*self.new_windows, *(request.window for request in unfinished))
        return sum(map(len, windows_))

    @property
    def least_requests(self) -> int:
        """Each window takes one request, and one more for each further 100 matches."""
        return self.window_count

    @property
    def is_empty(self) -> bool:
        return self.window_count == 0


def make_plan(wanted: Wanted, known: Known, now: datetime) -> Plan:
    """Decide what is missing, and how to search for it.

    Open windows that overlap the wanted days are finished as they are, with the fields that they
    began with, parked ones only if they bring all wanted fields; days that an unfinished window
    will bring with all wanted fields are not searched besides.
    """
    searched = windows.last_searches(known.coverage)
    missing = windows.missing_days(wanted.days, searched, wanted.freshness, now)
    open_windows = tuple(
        _continued(w, wanted.freshness, now)
        for w in known.open_windows
        if w.window.overlaps(wanted.days)
    )
    promised = {
        day
        for request in open_windows
        if set(wanted.fields) <= set(request.fields)
        for day in request.window
    }
    parked_windows = []
    for request in known.parked_windows:
        brings = set(missing).intersection(request.window) - promised
        if brings and set(wanted.fields) <= set(request.fields):
            parked_windows.append(request)
            promised.update(request.window)
    unfinished = (*known.open_windows, *known.parked_windows)
    unsettled = windows.unsettled_days(wanted.days, searched, wanted.freshness)
    missing_set = set(missing)
    return Plan(
        days=wanted.days,
        open_windows=open_windows,
        new_windows=tuple(
            windows.windows((d for d in missing if d not in promised), wanted.window_days)
        ),
        parked_windows=tuple(parked_windows),
        left_windows=tuple(w for w in unfinished if not w.window.overlaps(wanted.days)),
        covered_days=tuple(day for day in wanted.days if day not in missing_set),
        unsettled_days=tuple(day for day in unsettled if day not in missing_set),
        has_succeeded=bool(known.coverage) or not all(w.starts_search for w in unfinished),
    )


def _continued(request: PageRequest, freshness: Freshness, now: datetime) -> PageRequest:
    """The request that goes on with an open window.

    A search that began before its days were final starts anew as soon as they are: what it still
    brings would have to be collected once more.
    """
    began = request.searched_at
    if began and any(
        not freshness.is_settled(day, began) and now >= freshness.final_from(day)
        for day in request.window
    ):
        return request.from_start()
    return request


def describe_days(days: tuple[date, ...]) -> str:
    """Days as a reader wants them: `2024-01-01..2024-01-31, 2024-03-02`."""
    return ", ".join(str(days_) for days_ in contiguous(days))
