"""A run's hold on the query of a collection: which days are missing, and what it has become."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tiktok_crawler.exceptions import TaskTakenError
from tiktok_crawler.planning.plan import make_plan
from tiktok_crawler.planning.task_states import Halved, Unusable
from tiktok_crawler.research_api.query import Field
from tiktok_crawler.storage.engine import database
from tiktok_crawler.storage.ledger.coverage import Corrections, Windows
from tiktok_crawler.storage.ledger.lost_searches import days_passed
from tiktok_crawler.storage.ledger.queries import (
    count_brought_once,
    count_videos,
    densities,
    find_query,
    lock_query,
    register_collection,
    totals_of,
)
from tiktok_crawler.storage.ledger.query_values import unseen
from tiktok_crawler.storage.ledger.tasks import TAKEN
from tiktok_crawler.storage.ledger.value_batches import (
    accept_query,
    note_returned_ids,
    queries_of,
    refuse_query,
    register_batch,
)
from tiktok_crawler.storage.models.ledger import VIDEOS_TO_CRAWLS, Crawl
from tiktok_crawler.storage.page_store import PageStore
from tiktok_crawler.storage.session import TaskSession

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection, Engine

    from tiktok_crawler.date_range import DateRange
    from tiktok_crawler.planning.forecast import Density
    from tiktok_crawler.planning.plan import Known, Plan, Wanted
    from tiktok_crawler.planning.query_values import Unseen
    from tiktok_crawler.planning.quota import QuotaAccount
    from tiktok_crawler.planning.task_states import Event
    from tiktok_crawler.query_file.collection import Collection
    from tiktok_crawler.research_api.pages import Page
    from tiktok_crawler.research_api.query import Query
    from tiktok_crawler.research_api.tasks import PageRequest
    from tiktok_crawler.storage.engine.lock import QueryLock
    from tiktok_crawler.storage.ledger.coverage import UnfinishedWindow
    from tiktok_crawler.storage.ledger.queries import Totals
    from tiktok_crawler.storage.page_store import Saved


@dataclass(frozen=True, slots=True)
class SearchResult:
    """The result of a run: the plan of the next one, and all that the database has by now.

    `final_from` is when the first of the plan's unsettled days can be final; `taken_back` are days
    that were kept of a lost search before a video showed that they cannot be. `parked` are windows
    of the wanted days. A query that `asks_for_nobody` was for persons who were deleted.
    """

    plan: Plan
    totals: Totals
    final_from: datetime | None
    taken_back: tuple[DateRange, ...] = ()
    unseen: Unseen | None = None
    parked: tuple[UnfinishedWindow, ...] = ()
    asks_for_nobody: bool = False

    @property
    def is_fulfilled(self) -> bool:
        """True if all that was asked for is stored."""
        return self.plan.is_fulfilled

    @property
    def is_complete(self) -> bool:
        """True if nothing is left, and what is stored is final."""
        return self.plan.is_complete

    @property
    def is_over(self) -> bool:
        """True if no later run has anything to do, either."""
        return self.is_complete or self.asks_for_nobody

    @property
    def is_due(self) -> bool:
        """True if a run would ask for something now."""
        return self.plan.window_count > 0

    @property
    def has_first_tries(self) -> bool:
        """True if a run would ask for something that was not postponed."""
        return self.plan.window_count > len(self.plan.parked_windows)

    @property
    def next_retry_at(self) -> datetime | None:
        """When the first of what is postponed may be tried again."""
        return self.plan.next_retry_at


class SearchSession(TaskSession):
    """Holds the query's lock from `open` to `release`.

    Videos that are new to the query file `counted` are counted, if there is one: the collection
    itself, or the list whose values it has some of.
    For some of the values of a list, `list_lock` has to be held, too: others search for the same
    values together with others.
    """

    def __init__(
        self,
        url: str,
        *,
        origin: str,
        collection: Collection,
        wanted: Wanted,
        account: QuotaAccount | None,
    ) -> None:
        super().__init__(url, origin=origin, account=account, tags=collection.tags)
        self.collection = collection
        self.wanted = wanted
        self.list_lock: QueryLock | None = None
        self._judged = Corrections()
        self._last_known = 0
        self.counted: Collection | None = None

    @property
    def subject(self) -> Query:
        """The query that these tasks belong to."""
        return self.collection.query

    @property
    def lock_name(self) -> tuple[str, str]:
        return self.collection.query.fingerprint, "this query"

    def corrections(self) -> Corrections:
        """Judge what later pages have shown to be wrong about the query's windows."""
        self._judged = self._read(lambda on: self._windows(on).corrections(self.wanted))
        return self._judged

    def correct(self, corrections: Corrections, now: datetime) -> None:
        """Do what was judged."""
        self._write(lambda on: self._windows(on).correct(corrections, self._tasks(on), now))

    def plan(self, now: datetime) -> Plan:
        """Decide what this run has to do, and keep other runs from what it goes on with."""
        if self._worker_id() is None:
            return self._read(lambda on: self._plan(on, now))
        return self._write(lambda on: self._claimed(on, now), needs_lock=True)

    def video_count(self) -> int:
        """Count the videos that the database has of the query."""
        return self._read(lambda on: count_videos(on, Crawl.query_id == self._query_id))

    def save_page(self, page: Page, *, moves_task: bool = True) -> Saved:
        """Store a page, and move its task on; count what it has brought to what is `counted`."""
        saved = super().save_page(page, moves_task=moves_task)
        if not self.counted:
            return saved
        counted, ids = self.counted, tuple(saved.read.by_id)
        return replace(saved, first_count=self._read(lambda on: self._brought(on, counted, ids)))

    def _brought(self, connection: Connection, counted: Collection, ids: tuple[int, ...]) -> int:
        """Count the videos of a page, which is stored, that no page of a query file had before."""
        among = self._statements.among
        queries = queries_of(connection, self._statements, counted)
        are_of = among(Crawl.__table__.c.query_id, queries)
        return count_brought_once(connection, are_of, among(VIDEOS_TO_CRAWLS.c.video_id, ids))

    def days_passed(self, request: PageRequest) -> tuple[DateRange | None, bool]:
        """Find the days that a lost search has delivered completely.

        Returns:
            The days, None if there are none, and whether the query's ids can be trusted.
        """
        return self._read(lambda on: days_passed(on, request, self.wanted.id_skew))

    def result(self) -> SearchResult:
        """Read what this run leaves behind, by what it was asked for when it began."""
        plan = self._read(lambda on: self._plan(on, self._since))
        query, query_id = self.collection.query, self._query_id
        totals = self._read(lambda on: totals_of(on, query_id))
        final_from = (self.wanted.freshness.final_from(day) for day in plan.standings.unsettled)
        return SearchResult(
            plan,
            totals,
            final_from=min(final_from, default=None),
            taken_back=tuple(window.days for window in self._judged.taken_back),
            unseen=self._read(lambda on: unseen(on, query_id, query, totals)),
            parked=self._read(lambda on: tuple(self._windows(on).parked(plan.days))),
            asks_for_nobody=query.asks_for_nobody,
        )

    def _plan(self, connection: Connection, now: datetime) -> Plan:
        query, fields = self.collection.query, self.wanted.fields
        return make_plan(self.wanted, self._windows(connection).known(query, fields), now)

    def _claimed(self, connection: Connection, now: datetime) -> Plan:
        lock_query(connection, self._query_id)
        self._last_known = self._windows(connection).last_row()
        plan = self._plan(connection, now)
        self._tasks(connection).claim_windows(plan.begun_rows)
        return plan

    def _register(self, connection: Connection, now: datetime) -> None:
        self._query_id = register_collection(connection, self._statements, self.collection, now)
        self._windows(connection).drop_unasked()
        if self.collection.batch:
            register_batch(connection, self._statements, self._query_id, self.collection.batch)

    def _note_end(
        self,
        connection: Connection,
        request: PageRequest,  # noqa: ARG002
        event: Event,
        now: datetime,
    ) -> None:
        if isinstance(event, Halved | Unusable):
            refuse_query(connection, self._query_id, event, now)

    def _use(self, engine: Engine) -> None:
        super()._use(engine)
        note = self._note if self.collection.batch else None
        days = self.collection.dates
        self._store = PageStore(engine, note, days=days, worker_id=self._worker_id)

    def _note(self, connection: Connection, page: Page) -> None:
        batch = self.collection.batch
        if batch and not page.suspicious:
            accept_query(connection, self._query_id)
        if batch and batch.field is Field.VIDEO_ID and page.next_request is None:
            note_returned_ids(connection, self._query_id, page)

    def _open_row(self, connection: Connection, request: PageRequest, now: datetime) -> int:
        if self._worker_id() is not None:
            lock_query(connection, self._query_id)
            if self._windows(connection).others_have(request.window.days, self._last_known):
                raise TaskTakenError(TAKEN.format(request))
        return self._tasks(connection).open_window(self._query_id, request, now)

    @property
    def _locks(self) -> tuple[QueryLock, ...]:
        return (*super()._locks, self.list_lock) if self.list_lock else super()._locks

    def _windows(self, connection: Connection) -> Windows:
        return Windows(connection, self._query_id, self._worker_id())


@dataclass(frozen=True, slots=True)
class LookedUp:
    """The knowledge of a database about a query: None if it has not seen it, or is not there yet.

    `others` are the densities of its other queries.
    """

    known: Known | None = None
    others: tuple[Density, ...] = ()


def look_up(url: str, origin: str, wanted: Wanted) -> LookedUp:
    """Read what a database knows of a query, without changing anything.

    Raises:
        ConfigurationError: the database cannot be used as it is.
    """
    query = wanted.query
    with database.reading_data(url, origin) as connection:
        if connection is None:
            return LookedUp()
        query_id = find_query(connection, query.fingerprint)
        known = None
        if query_id is not None:
            windows = Windows(connection, query_id)
            known = replace(windows.known(query, wanted.fields), reached=windows.reached())
        return LookedUp(known, tuple(densities(connection, besides=query_id)))
