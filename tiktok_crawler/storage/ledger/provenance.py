"""The facts of a dataset: what was asked for, when and with what success, as the ledger has them.

All is read on one connection, whose transaction sees one moment. Memory grows with the days wanted
and the days with runs, and not with what was collected.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import Integer, cast, func, select

from tiktok_crawler.storage.ledger.runs import version
from tiktok_crawler.storage.ledger.status import status_of
from tiktok_crawler.storage.models import METADATA
from tiktok_crawler.storage.models.ledger import ApiQuota, Crawl, RunRow, SeedRow

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date, datetime

    from sqlalchemy import Connection, Select

    from tiktok_crawler.storage.ledger.listing_status import ListingStatus
    from tiktok_crawler.storage.ledger.status import QueryStatus, Status, Terms

DATABASES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}

_RUNS_AT_ONCE = 1_000

FINISHED = "finished"
"""Scrapy's reason for closing a spider that has nothing left to do."""


@dataclass(frozen=True, slots=True)
class Pages:
    """The stored pages of a query or a listing: how many, when they came, with how many records."""

    count: int = 0
    first_at: datetime | None = None
    last_at: datetime | None = None
    records: int = 0


@dataclass(frozen=True, slots=True)
class QueryFacts:
    """The facts of a query: its progress, and its pages."""

    status: QueryStatus
    pages: Pages


@dataclass(frozen=True, slots=True)
class ListingFacts:
    """The facts of a listing: its progress, and its pages."""

    status: ListingStatus
    pages: Pages


@dataclass(frozen=True, slots=True)
class RunDay:
    """The runs that began on a day: how many, the requests they sent, what went wrong how often.

    Runs that have written no end count no requests and no faults.
    """

    day: date
    runs: int
    requests: int
    faults: Mapping[str, int]


class EarlyEnd(NamedTuple):
    """The last run of a spider, which has not come to its end; None: it goes on, or was killed."""

    spider: str
    begun_at: datetime
    close_reason: str | None


@dataclass(frozen=True, slots=True)
class RunFacts:
    """The runs of a database: their times, the versions of this program, and how they ended.

    `endings` are close reasons; None: the run has written no end, it goes on or was killed.
    `early_ends` are of the last runs of each spider.
    """

    first_begun_at: datetime | None = None
    last_begun_at: datetime | None = None
    versions: tuple[str, ...] = ()
    endings: Mapping[str | None, int] = field(default_factory=dict)
    days: tuple[RunDay, ...] = ()
    early_ends: tuple[EarlyEnd, ...] = ()

    @property
    def count(self) -> int:
        return sum(day.runs for day in self.days)

    @property
    def requests(self) -> int:
        return sum(day.requests for day in self.days)

    @property
    def faults(self) -> Mapping[str, int]:
        """All that went wrong, the most frequent first."""
        added = sum((Counter(day.faults) for day in self.days), Counter[str]())
        return dict(added.most_common())


@dataclass(frozen=True, slots=True)
class QuotaDay:
    """The requests of a day from one pool, by all client keys; the API may say that it is empty."""

    day: date
    pool: str
    requests: int
    is_used_up: bool


@dataclass(frozen=True, slots=True)
class Provenance:
    """The facts of a dataset at the time of its status.

    `version` is that of the program that reads. `rows` are those of each table, by its name.
    """

    status: Status
    database: str
    version: str
    queries: tuple[QueryFacts, ...]
    listings: tuple[ListingFacts, ...]
    runs: RunFacts
    quota: tuple[QuotaDay, ...]
    rows: Mapping[str, int]


def read_provenance(connection: Connection, terms: Terms, now: datetime) -> Provenance:
    """Read the facts of a database that a crawl has used, as one transaction sees it."""
    status = status_of(connection, terms, now)
    of_queries, of_listings = _pages(connection, _OF_QUERIES), _pages(connection, _OF_LISTINGS)
    return Provenance(
        status=status,
        database=DATABASES[connection.dialect.name],
        version=version(),
        queries=tuple(
            QueryFacts(query, of_queries.get(query.used.query_id, Pages()))
            for query in status.queries
        ),
        listings=tuple(
            ListingFacts(listing, of_listings.get(listing.listing.name, Pages()))
            for listing in status.listings
        ),
        runs=_runs(connection),
        quota=tuple(_quota(connection)),
        rows={
            table.name: connection.scalar(select(func.count()).select_from(table)) or 0
            for table in METADATA.sorted_tables
        },
    )


_PAGES = (
    func.count().label("count"),
    func.min(Crawl.received_at),
    func.max(Crawl.received_at),
    func.sum(Crawl.record_count),
)
_OF_QUERIES = (
    select(Crawl.query_id, *_PAGES).where(Crawl.query_id.is_not(None)).group_by(Crawl.query_id)
)
_OF_LISTINGS = (
    select(SeedRow.listing, *_PAGES)
    .join(Crawl, Crawl.seed_id == SeedRow.id)
    .group_by(SeedRow.listing)
)
_RUNS = select(
    RunRow.spider,
    RunRow.begun_at,
    RunRow.version,
    RunRow.close_reason,
    RunRow.requests,
    RunRow.faults,
).order_by(RunRow.begun_at, RunRow.id)
_QUOTA = (
    select(
        ApiQuota.day,
        ApiQuota.pool,
        func.sum(ApiQuota.requests),
        func.max(cast(ApiQuota.is_used_up, Integer)),
    )
    .group_by(ApiQuota.day, ApiQuota.pool)
    .order_by(ApiQuota.day, ApiQuota.pool)
)


def _pages(connection: Connection, by_key: Select[*tuple[Any, ...]]) -> dict[Any, Pages]:
    """Read pages by what they are of."""
    return {
        key: Pages(count, first_at, last_at, int(records))
        for key, count, first_at, last_at, records in connection.execute(by_key)
    }


def _quota(connection: Connection) -> Iterator[QuotaDay]:
    for day, pool, requests, is_used_up in connection.execute(_QUOTA):
        yield QuotaDay(day, pool, int(requests), bool(is_used_up))


def _runs(connection: Connection) -> RunFacts:
    """Add up the runs day by day."""
    first_at = last_at = None
    endings, versions = Counter[str | None](), Counter[str]()
    days = []
    last: dict[str, EarlyEnd] = {}
    runs = connection.execute(_RUNS.execution_options(yield_per=_RUNS_AT_ONCE))
    for day, begun in groupby(runs, key=lambda run: run.begun_at.date()):
        of_day = list(begun)
        first_at, last_at = first_at or of_day[0].begun_at, of_day[-1].begun_at
        endings.update(run.close_reason for run in of_day)
        versions.update(run.version for run in of_day)
        last |= {run.spider: EarlyEnd(run.spider, run.begun_at, run.close_reason) for run in of_day}
        faults = sum((Counter(run.faults) for run in of_day), Counter[str]())
        days.append(RunDay(day, len(of_day), sum(run.requests for run in of_day), dict(faults)))
    early = (last[spider] for spider in sorted(last) if last[spider].close_reason != FINISHED)
    return RunFacts(first_at, last_at, tuple(versions), endings, tuple(days), tuple(early))
