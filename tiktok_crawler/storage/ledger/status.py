"""The progress of every query and listing of a database, and what was spent. Writes nothing."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import UTC, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from tiktok_crawler.date_range import DateRange, contiguous
from tiktok_crawler.planning.days import Days, DayState
from tiktok_crawler.planning.plan import make_plan
from tiktok_crawler.planning.task_states import WindowState
from tiktok_crawler.research_api.query import Query
from tiktok_crawler.storage.engine import database
from tiktok_crawler.storage.engine.workers import at_work
from tiktok_crawler.storage.ledger import quota
from tiktok_crawler.storage.ledger.coverage import Windows
from tiktok_crawler.storage.ledger.existence import existence_of
from tiktok_crawler.storage.ledger.imports import past_imports
from tiktok_crawler.storage.ledger.list_status import (
    WantedOfList,
    batch_queries,
    list_statuses,
)
from tiktok_crawler.storage.ledger.listing_status import listing_statuses
from tiktok_crawler.storage.ledger.queries import last_searches, totals_of, used_queries
from tiktok_crawler.storage.ledger.query_values import unseen
from tiktok_crawler.storage.ledger.removals import Removals, read_removals
from tiktok_crawler.storage.ledger.runs import recent_runs
from tiktok_crawler.storage.ledger.value_batches import replaced_batches

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import date, datetime

    from sqlalchemy import Connection

    from tiktok_crawler.planning.plan import Plan, Wanted
    from tiktok_crawler.planning.query_values import Unseen
    from tiktok_crawler.query_file.refreshing import Refreshing
    from tiktok_crawler.research_api.tasks import PageRequest
    from tiktok_crawler.storage.engine.workers import Holder
    from tiktok_crawler.storage.ledger.coverage import UnfinishedWindow
    from tiktok_crawler.storage.ledger.existence import Existence
    from tiktok_crawler.storage.ledger.imports import Import
    from tiktok_crawler.storage.ledger.list_status import ListStatus
    from tiktok_crawler.storage.ledger.listing_status import ListingStatus
    from tiktok_crawler.storage.ledger.queries import Totals, UsedQuery
    from tiktok_crawler.storage.ledger.quota import Spent
    from tiktok_crawler.storage.ledger.runs import PastRun


OLDEST = timedelta(days=30)
"""The terms of January 2026 want data to be refreshed as often (api_facts.md 15)."""


class Terms(Protocol):
    """The terms of a run for a query and days; without fields, those of the settings."""

    def __call__(self, query: Query, days: DateRange, fields: tuple[str, ...]) -> Wanted: ...


@dataclass(frozen=True)
class QueryDays:
    """The days of one query, by the fields that it was last searched with.

    There is a plan of the next run for each range of days wanted.
    """

    used: UsedQuery
    plans: tuple[Plan, ...]

    @cached_property
    def days(self) -> Days:
        """All days wanted."""
        return Days.joined(plan.standings for plan in self.plans)

    @property
    def begun(self) -> list[DateRange]:
        """The days that are no gaps."""
        states = (state for state in DayState if state is not DayState.GAP)
        return contiguous(self.days.in_state(*states))


@dataclass(frozen=True)
class QueryStatus(QueryDays):
    """The progress of one query; one that asks for nobody has no windows that go on."""

    windows: tuple[UnfinishedWindow, ...]
    totals: Totals
    unseen: Unseen | None = None
    to_refresh: tuple[DateRange, ...] = ()
    """The days that the next run searches again, for newer values alone."""

    @property
    def oldest_search_at(self) -> datetime | None:
        """When the last search of a day began, of the day whose was first."""
        times = (day.searched_at for day in self.days.by_day.values())
        return min(filter(None, times), default=None)

    @property
    def is_complete(self) -> bool:
        return all(plan.is_complete for plan in self.plans)

    @property
    def open_windows(self) -> list[UnfinishedWindow]:
        return [window for window in self.windows if window.state is WindowState.OPEN]

    @property
    def parked_windows(self) -> list[UnfinishedWindow]:
        return [window for window in self.windows if window.state is WindowState.PARKED]

    @property
    def next_open(self) -> int:
        """The number of open windows the next run finishes; one can lie in two ranges of days."""
        return _distinct(request for plan in self.plans for request in plan.open_windows)

    @property
    def next_new(self) -> int:
        return sum(plan.new_window_count for plan in self.plans)

    @property
    def next_parked(self) -> int:
        return _distinct(request for plan in self.plans for request in plan.parked_windows)

    @property
    def next_suspicious(self) -> int:
        return sum(len(plan.suspicious_windows) for plan in self.plans)

    @property
    def next_windows(self) -> int:
        """The windows that the next run searches, each with at least one request."""
        return self.next_open + self.next_new + self.next_parked + self.next_suspicious


@dataclass(frozen=True, slots=True)
class QueryFile:
    """A file that asks for days of a query."""

    name: str
    fingerprint: str
    days: DateRange
    values: tuple[str, ...] = ()
    """Of a list; its fingerprint is that of all queries for some of them."""


@dataclass(frozen=True, slots=True)
class Status:
    """The contents of a database at a time. A database that no crawl has used has no origin.

    Where it is about the `files` of some queries, others are left out.
    """

    location: str
    origin: str | None
    at: datetime
    spent: tuple[Spent, ...] = ()
    queries: tuple[QueryStatus, ...] = ()
    listings: tuple[ListingStatus, ...] = ()
    at_work: tuple[Holder, ...] = ()
    recent_runs: tuple[PastRun, ...] = ()
    imports: tuple[Import, ...] = ()
    files: tuple[QueryFile, ...] = ()
    lists: tuple[ListStatus, ...] = ()
    existence: Existence | None = None
    removals: Removals = field(default_factory=Removals)
    oldest_search_at: datetime | None = None
    """The same as of a query, of all of them."""
    keeps_fresh: bool = False
    """Whether some query file has said so."""

    @property
    def last_run(self) -> PastRun | None:
        """The run that began last, whether it has ended or not."""
        return next(iter(self.recent_runs), None)

    @property
    def is_stale(self) -> bool:
        """Tell whether there are data that are older than TikTok's terms allow, and stay so."""
        oldest = self.oldest_search_at
        return not self.keeps_fresh and oldest is not None and self.at - oldest > OLDEST

    def files_of_list(self, found: ListStatus) -> list[str]:
        """Return the names of the files with this list."""
        return [file.name for file in self.files if file.fingerprint == found.template]

    def files_of(self, query: QueryStatus) -> list[str]:
        """Return the names of the files with this query."""
        mark = query.used.query.fingerprint
        return [file.name for file in self.files if file.fingerprint == mark]


def read_status(url: str, terms: Terms, now: datetime, files: tuple[QueryFile, ...] = ()) -> Status:
    """Read the status of a database, of whatever origin, without changing or creating anything.

    With query files, of their queries alone: of the days that they ask for, too.

    Raises:
        ConfigurationError: the database cannot be reached, or has tables of another revision.
    """
    with database.reading_data(url) as connection:
        if connection is None:
            return Status(database.describe(database.database_url(url)), None, now)
        return status_of(connection, terms, now, files)


def status_of(
    connection: Connection, terms: Terms, now: datetime, files: tuple[QueryFile, ...] = ()
) -> Status:
    """Read the status of a database that a crawl has used, as one transaction sees it."""
    batches = batch_queries(connection)
    used = used_queries(connection)
    queries = [each for each in used if each.query_id not in batches]
    statuses = [
        _query_status(connection, each, terms, now)
        for each in (_of_files(queries, files) if files else queries)
    ]
    last = last_searches(connection) if batches else {}
    times = [at for query_id, at in last.items() if query_id in batches]
    times += filter(None, (status.oldest_search_at for status in statuses))
    return Status(
        location=database.describe(connection.engine.url),
        origin=database.origin_of(connection),
        at=now,
        spent=tuple(quota.spent_on(connection, now.astimezone(UTC).date())),
        queries=tuple(statuses),
        listings=() if files else tuple(listing_statuses(connection)),
        at_work=tuple(at_work(connection)),
        recent_runs=recent_runs(connection),
        imports=() if files else tuple(past_imports(connection)),
        files=files,
        lists=tuple(_lists(connection, terms, now, files)) if batches else (),
        existence=None if files else existence_of(connection),
        removals=read_removals(connection),
        oldest_search_at=min(times, default=None),
        keeps_fresh=any(each.refreshing.keep_fresh for each in used),
    )


def query_days(connection: Connection, terms: Terms, now: datetime) -> Iterator[QueryDays]:
    """Read the days of each query, those for some values of a list among them, one by one.

    Of queries that others stand in for, these are the days that were searched all the same.
    """
    replaced = replaced_batches(connection)
    for used in used_queries(connection):
        found = _query_days(connection, used, terms, now)
        if used.query_id in replaced:
            begun = replace(used, days=tuple(found.begun))
            found = _query_days(connection, begun, terms, now)
        yield found


def _query_days(connection: Connection, used: UsedQuery, terms: Terms, now: datetime) -> QueryDays:
    return QueryDays(used, _plans(Windows(connection, used.query_id), used, terms, now))


def _lists(
    connection: Connection, terms: Terms, now: datetime, files: tuple[QueryFile, ...]
) -> Iterator[ListStatus]:
    today = DateRange(now.date(), now.date())
    freshness = terms(Query(), today, ()).freshness
    named = [
        WantedOfList(file.fingerprint, file.values, file.days) for file in files if file.values
    ]
    return list_statuses(connection, freshness, now, named if files else None)


def _of_files(queries: Iterable[UsedQuery], files: Iterable[QueryFile]) -> Iterator[UsedQuery]:
    """Yield the queries of files, with the days that these ask for."""
    wanted: defaultdict[str, set[date]] = defaultdict(set)
    for file in files:
        wanted[file.fingerprint] |= set(file.days)
    for used in queries:
        if days := wanted.get(used.query.fingerprint):
            yield replace(used, days=tuple(contiguous(days.union(*used.days))))


def _query_status(
    connection: Connection, used: UsedQuery, terms: Terms, now: datetime
) -> QueryStatus:
    windows = Windows(connection, used.query_id)
    totals = totals_of(connection, used.query_id)
    keys = used.refreshing
    refreshed = _plans(windows, used, terms, now, keys) if keys.to_json() else ()
    return QueryStatus(
        used=used,
        plans=_plans(windows, used, terms, now),
        windows=() if used.query.asks_for_nobody else tuple(windows.unfinished()),
        totals=totals,
        unseen=unseen(connection, used.query_id, used.query, totals),
        to_refresh=tuple(days for plan in refreshed for days in plan.refreshed_windows),
    )


def _plans(
    windows: Windows,
    used: UsedQuery,
    terms: Terms,
    now: datetime,
    refreshing: Refreshing | None = None,
) -> tuple[Plan, ...]:
    """Make a plan for each range of days; days are refreshed only where it is said."""
    wanted = [terms(used.query, days, used.fields) for days in used.days]
    if refreshing:
        wanted = [replace(each, freshness=each.freshness.with_keys(refreshing)) for each in wanted]
    return tuple(make_plan(part, windows.known(used.query, part.fields), now) for part in wanted)


def _distinct(requests: Iterable[PageRequest]) -> int:
    return len({request.task.row_id for request in requests})
