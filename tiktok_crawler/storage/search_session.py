"""One run of a collection on a database: its lock, ledger and store, for one thread at a time."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from tiktok_crawler.exceptions import QueryLockedError
from tiktok_crawler.planning.plan import make_plan
from tiktok_crawler.planning.suspicion import sudden_silences
from tiktok_crawler.storage.engine import database
from tiktok_crawler.storage.engine.transactions import transaction
from tiktok_crawler.storage.ledger.lost_searches import shrink
from tiktok_crawler.storage.ledger.queries import Ledger
from tiktok_crawler.storage.session import Session
from tiktok_crawler.storage.store import Store

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection, Engine

    from tiktok_crawler.date_range import DateRange
    from tiktok_crawler.planning.coverage import Covered
    from tiktok_crawler.planning.plan import Known, Plan, Wanted
    from tiktok_crawler.planning.quota import QuotaAccount
    from tiktok_crawler.planning.task_states import HeavyWindow, LostSearch, ParkedWindow
    from tiktok_crawler.query_file.collection import Collection
    from tiktok_crawler.research_api.pages import Page
    from tiktok_crawler.research_api.tasks import PageRequest
    from tiktok_crawler.storage.ledger.queries import Totals
    from tiktok_crawler.storage.store import Saved


@dataclass(frozen=True, slots=True)
class SearchResult:
    """What a run leaves behind: the plan of the next one, and all that the database has by now.

    `final_from` is when the first of the plan's unsettled days can be final. `silences` are windows
    of this run that brought nothing beside days that brought many; `taken_back` are days that were
    kept of a lost search before a video showed that they cannot be.
    """

    plan: Plan
    totals: Totals
    final_from: datetime | None
    silences: tuple[DateRange, ...] = ()
    taken_back: tuple[DateRange, ...] = ()


class SearchSession(Session):
    """Holds the query's lock from `open` to `close`; the other methods are for the time between."""

    def __init__(
        self,
        url: str,
        *,
        origin: str,
        collection: Collection,
        wanted: Wanted,
        account: QuotaAccount,
    ) -> None:
        super().__init__(url, origin, collection.query.fingerprint)
        self._account = account
        self._collection = collection
        self._wanted = wanted
        self._planned_at: datetime | None = None

    def plan(self, now: datetime) -> Plan:
        """Register this run of the collection, and decide what it has to do."""
        self._query_id = self._ledger.begin(self._collection, now)
        self._planned_at = now
        self._ledger.revise(self._query_id, self._wanted.id_skew, now)
        self._suspect_silences()
        self._lose_patience()
        return self._make_plan(now)

    def book(self, request: PageRequest, now: datetime) -> PageRequest:
        """Write down that the request is about to be sent, and give it the window's row.

        Raises:
            QueryLockedError: the lock was lost.
            DailyBudgetSpentError: the day's budget is spent.
        """
        self._verify_lock()
        self._verify_plan()
        return self._ledger.book(self._query_id, request, now)

    def save_page(self, page: Page) -> Saved:
        return self._store.save_page(page, tags=self._collection.tags)

    def search_lost(self, lost: LostSearch, now: datetime) -> LostSearch:
        """Keep the days that the lost search had passed, and say how to go on with the others."""
        assert self._engine
        return transaction(self._engine, lambda on: self._shrink(on, lost, now))

    def split(self, heavy: HeavyWindow, now: datetime) -> None:
        self._ledger.split(heavy, now)

    def park(self, parked: ParkedWindow, now: datetime) -> None:
        self._ledger.park(parked, now)

    def fill_quota(self, now: datetime) -> None:
        self._ledger.fill_quota(now)

    def close(self) -> SearchResult | None:
        """Release everything.

        Returns:
            What this run leaves behind; None if it never came to a plan.
        """
        try:
            return self._remains(self._planned_at) if self._planned_at else None
        finally:
            self._release()

    def _verify_plan(self) -> None:
        """A lock that was taken again is worth nothing if another run has begun in between."""
        if self._ledger.last_used_at(self._query_id) != self._planned_at:
            raise QueryLockedError(
                "the lock on this query is lost, since another crawl of it has begun meanwhile"
            )

    def _use(self, engine: Engine) -> None:
        super()._use(engine)
        self._ledger = Ledger(engine, self._account)
        self._store = Store(engine)

    def _shrink(self, connection: Connection, lost: LostSearch, now: datetime) -> LostSearch:
        return shrink(connection, lost, self._wanted.id_skew, now)

    def _remains(self, planned_at: datetime) -> SearchResult:
        taken_back = self._ledger.revise(self._query_id, self._wanted.id_skew, planned_at)
        silences = self._suspect_silences()
        plan = self._make_plan(planned_at)
        final_from = (self._wanted.freshness.final_from(day) for day in plan.unsettled_days)
        return SearchResult(
            plan,
            self._ledger.totals(self._query_id),
            final_from=min(final_from, default=None),
            silences=tuple(silence.days for silence in silences),
            taken_back=tuple(taken_back),
        )

    def _suspect_silences(self) -> list[Covered]:
        """Mark the windows that came back empty where that is hard to believe.

        Returns:
            Those that were not marked before.
        """
        coverage = self._ledger.coverage(self._query_id, self._wanted.fields)
        videos_on = partial(self._ledger.videos_on, self._query_id)
        silences = sudden_silences(coverage, self._wanted.freshness, videos_on)
        if silences:
            self._suspect(silences)
        return silences

    def _suspect(self, silences: list[Covered]) -> None:
        self._ledger.suspect([silence.window_id for silence in silences if silence.window_id])

    def _make_plan(self, now: datetime) -> Plan:
        known = self._ledger.known(self._query_id, self._wanted.fields)
        return make_plan(self._wanted, known, now)


def look_up(url: str, origin: str, collection: Collection, wanted: Wanted) -> Known | None:
    """What a database knows of a query, without changing anything.

    Returns:
        None if the database or the query is not there yet.

    Raises:
        ConfigurationError: the database cannot be used as it is.
    """
    engine = database.create_engine_for(database.database_url(url))
    try:
        if database.is_new(engine):
            return None
        database.prepare(engine, origin)
        ledger = Ledger(engine)
        query_id = ledger.find(collection.query.fingerprint)
        return None if query_id is None else ledger.known(query_id, wanted.fields)
    finally:
        engine.dispose()
