"""Facts of invented datasets, as values."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from tiktok_crawler.date_range import DateRange
from tiktok_crawler.planning.coverage import Covered, Freshness
from tiktok_crawler.planning.plan import Known, WaitingWindow, Wanted, make_plan
from tiktok_crawler.planning.task_states import WindowState
from tiktok_crawler.research_api.endpoints import DEFAULT_URL
from tiktok_crawler.research_api.query import Condition, Operation, Query
from tiktok_crawler.research_api.tasks import PageRequest
from tiktok_crawler.storage.ledger.coverage import UnfinishedWindow
from tiktok_crawler.storage.ledger.provenance import (
    Pages,
    Provenance,
    QueryFacts,
    RunFacts,
)
from tiktok_crawler.storage.ledger.queries import Totals, UsedQuery
from tiktok_crawler.storage.ledger.status import QueryStatus, Status

NOON = datetime(2024, 6, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAYS = DateRange(date(2024, 1, 1), date(2024, 1, 4))
FIRST, SECOND, THIRD, FOURTH = (DateRange(day, day) for day in DAYS)
QUERY = Query(
    (Condition("hashtag_name", "EQ", ("butter",)), Condition("username", "EQ", ("some_body",)))
)


def query(*covered, known=None, windows=()):
    known = known or Known(tuple(covered))
    wanted = Wanted(QUERY, DAYS, ("id", "username"), Freshness(timedelta(days=2)))
    status = QueryStatus(
        used=UsedQuery(7, QUERY, ("a_tag",), (DAYS,), ("id", "username")),
        plans=(make_plan(wanted, known, NOON),),
        windows=windows,
        totals=Totals({}, 1234, 5678),
    )
    return QueryFacts(status, Pages(60, NOON, NOON + HOUR, 5700))


def covered(days=DAYS, counts=None, at=NOON):
    return Covered(days, at, counts=counts or {})


def facts(*queries, origin=DEFAULT_URL, listings=(), runs=None, quota=(), rows=None):
    return Provenance(
        status=Status("SQLite database /home/ann/x.db", origin, NOON),
        database="SQLite",
        version="1.2.3",
        queries=queries,
        listings=listings,
        runs=runs or RunFacts(),
        quota=quota,
        rows=rows or {"video": 5678, "comment": 0},
    )


def parked_second(reason):
    """A query whose second day is parked, for this reason, and the others covered."""
    task = Wanted(QUERY, DAYS, ("id", "username"), Freshness(timedelta(days=2))).window(
        SECOND, Operation.IN
    )
    waiting = WaitingWindow(PageRequest(replace(task, row_id=1)), NOON)
    known = Known((covered(FIRST), covered(THIRD), covered(FOURTH)), parked_windows=(waiting,))
    window = UnfinishedWindow(
        SECOND, WindowState.PARKED, 0, 0, None, NOON, reason, None, NOON, NOON + HOUR
    )
    return query(known=known, windows=(window,))
