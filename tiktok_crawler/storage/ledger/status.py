"""The progress of every query and listing of a database, and what was spent. Writes nothing."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import UTC
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from tiktok_crawler.date_range import DateRange, contiguous
from tiktok_crawler.planning.days import Days
from tiktok_crawler.planning.plan import make_plan
from tiktok_crawler.planning.task_states import WindowState
from tiktok_crawler.research_api.query import Query
from tiktok_crawler.storage.engine import database
from tiktok_crawler.storage.engine.transactions import reading
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
from tiktok_crawler.storage.ledger.queries import totals_of, used_queries
from tiktok_crawler.storage.ledger.query_values import unseen
from tiktok_crawler.storage.ledger.removals import Removals, read_removals
from tiktok_crawler.storage.ledger.runs import last_run

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import date, datetime

    from sqlalchemy import Connection

    from tiktok_crawler.planning.plan import Plan, Wanted
    from tiktok_crawler.planning.query_values import Unseen
    from tiktok_crawler.research_api.tasks import PageRequest
    from tiktok_crawler.storage.ledger.coverage import UnfinishedWindow
    from tiktok_crawler.storage.ledger.existence import Existence
    from tiktok_crawler.storage.ledger.imports import Import
    from tiktok_crawler.storage.ledger.list_status import ListStatus
    from tiktok_crawler.storage.ledger.listing_status import ListingStatus
    from tiktok_crawler.storage.ledger.queries import Totals, UsedQuery
    from tiktok_crawler.storage.ledger.quota import Spent
    from tiktok_crawler.storage.ledger.runs import PastRun


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


@dataclass(frozen=True)
class QueryStatus(QueryDays):
    """The progress of one query."""

    windows: tuple[UnfinishedWindow, ...]
    totals: Totals
    unseen: Unseen | None = None

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
    last_run: PastRun | None = None
    imports: tuple[Import, ...] = ()
    files: tuple[QueryFile, ...] = ()
    lists: tuple[ListStatus, ...] = ()
    removals: Removals = field(default_factory=Removals)
    existence: Existence | None = None

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
    with database.opened_to_read(url) as engine:
        if database.stored_origin(engine) is None:
            return Status(database.describe(engine.url), None, now)
        with reading(engine) as connection:
            return status_of(connection, terms, now, files)


def status_of(
    connection: Connection, terms: Terms, now: datetime, files: tuple[QueryFile, ...] = ()
) -> Status:
    """Read the status of a database that a crawl has used, as one transaction sees it."""
    batches = batch_queries(connection)
    queries = [used for used in used_queries(connection) if used.query_id not in batches]
    return Status(
        location=database.describe(connection.engine.url),
        origin=database.origin_of(connection),
        at=now,
        spent=tuple(quota.spent_on(connection, now.astimezone(UTC).date())),
        queries=tuple(
            _query_status(connection, used, terms, now)
            for used in (_of_files(queries, files) if files else queries)
        ),
        listings=() if files else tuple(listing_statuses(connection)),
        last_run=last_run(connection),
        imports=() if files else tuple(past_imports(connection)),
        files=files,
        lists=tuple(_lists(connection, terms, now, files)) if batches else (),
        removals=read_removals(connection),
        existence=None if files else existence_of(connection),
    )


def query_days(connection: Connection, terms: Terms, now: datetime) -> Iterator[QueryDays]:
    """Read the days of each query, those for some values of a list among them, one by one."""
    for used in used_queries(connection):
        windows = Windows(connection, used.query_id)
        yield QueryDays(used, _plans(windows, used, terms, now))


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
    return QueryStatus(
        used=used,
        plans=_plans(windows, used, terms, now),
        windows=tuple(windows.unfinished()),
        totals=totals,
        unseen=unseen(connection, used.query_id, used.query, totals),
    )


def _plans(windows: Windows, used: UsedQuery, terms: Terms, now: datetime) -> tuple[Plan, ...]:
    wanted = [terms(used.query, days, used.fields) for days in used.days]
    return tuple(make_plan(part, windows.known(used.query, part.fields), now) for part in wanted)


def _distinct(requests: Iterable[PageRequest]) -> int:
    return len({request.task.row_id for request in requests})
