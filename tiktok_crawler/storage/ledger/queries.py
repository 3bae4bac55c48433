"""What is known of each query: what was asked for, its windows, and how far they have come.

The pages, and the checkpoints that are committed with them, are the store's.
"""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sqlalchemy import and_, func, insert, select, update

from tiktok_crawler.date_range import DAY, DateRange, contiguous, midnight
from tiktok_crawler.planning.coverage import Covered, last_searches
from tiktok_crawler.planning.plan import Known, WaitingWindow
from tiktok_crawler.planning.task_states import UNFINISHED, HeavyWindow, ParkedWindow, WindowState
from tiktok_crawler.research_api import query as research_api
from tiktok_crawler.research_api.endpoints import VIDEO_QUERY
from tiktok_crawler.research_api.tasks import PageRequest
from tiktok_crawler.storage.engine.statements import statements_for
from tiktok_crawler.storage.engine.text import clean_text
from tiktok_crawler.storage.engine.transactions import reading, transaction
from tiktok_crawler.storage.ledger import quota
from tiktok_crawler.storage.ledger.lost_searches import left_to_others, take_back, untrue_days
from tiktok_crawler.storage.ledger.tagging import Tagging
from tiktok_crawler.storage.ledger.unfinished import Unfinished
from tiktok_crawler.storage.models.ledger import (
    VIDEOS_TO_CRAWLS,
    CollectionRow,
    Crawl,
    CrawlWindow,
    QueryRow,
)
from tiktok_crawler.storage.models.records import Video

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date, datetime, timedelta
    from typing import Any

    from sqlalchemy import ColumnElement, Connection, Engine, Row, Table

    from tiktok_crawler.planning.quota import QuotaAccount
    from tiktok_crawler.query_file import collection
    from tiktok_crawler.storage.ledger.quota import Spent


SUSPECTED = "searched once more, because it was suspiciously empty"


@dataclass(frozen=True, slots=True)
class Totals:
    """What the database holds of a query: windows by state, requests spent, videos found."""

    windows: Mapping[WindowState, int]
    requests: int
    videos: int


@dataclass(frozen=True, slots=True)
class UsedQuery:
    """A query that was used, and what all runs of it asked for together.

    `fields` are those that it was last searched with; none if it never was.
    """

    query_id: int
    query: research_api.Query
    tags: tuple[str, ...]
    days: tuple[DateRange, ...]
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class UnfinishedWindow:
    """How far an open or parked window has come, and what is known of its last failure."""

    window_id: int
    days: DateRange
    state: WindowState
    pages: int
    videos: int
    updated_at: datetime
    error: str | None
    error_log_id: str | None
    parked_at: datetime | None
    retry_at: datetime | None


class Ledger:
    """Reads and writes the ledger of one database. For one thread at a time.

    What a method writes is committed when it returns. After a commit in doubt it is called once
    more, with the same `now`, and finds what it has written. Requests are booked on `account`; a
    ledger without one counts them for their windows alone.
    """

    def __init__(self, engine: Engine, account: QuotaAccount | None = None) -> None:
        self._engine = engine
        self._account = account
        self._statements = statements_for(engine.dialect)

    def find(self, fingerprint: str) -> int | None:
        """The id of a query that was used before."""
        with reading(self._engine) as connection:
            return connection.scalar(select(QueryRow.id).where(QueryRow.fingerprint == fingerprint))

    def begin(self, collection: collection.Collection, now: datetime) -> int:
        """Register a run of a collection, and give its tags to what is stored already.

        The tags go to the pages of the query's windows that overlap the wanted days, and to the
        videos of these windows that were published on the wanted days, or at an unknown time.

        Returns:
            The query's id.
        """

        def register(connection: Connection) -> int:
            query_id = self._register_query(connection, collection.query, now)
            Tagging(connection, self._statements, query_id).tag(
                collection.dates, set(collection.tags)
            )
            _register_collection(connection, query_id, collection, now)
            return query_id

        return transaction(self._engine, register)

    def last_used_at(self, query_id: int) -> datetime | None:
        """When a run of the query began last."""
        with reading(self._engine) as connection:
            return connection.scalar(select(QueryRow.last_used_at).where(QueryRow.id == query_id))

    def known(self, query_id: int, fields: Iterable[str]) -> Known:
        """What a plan has to know of a query that is searched with these fields."""
        windows = defaultdict(list)
        for window in self._windows(query_id, *WindowState):
            windows[window.state].append(window)
        parked = map(_parked, windows[WindowState.PARKED])
        return Known(
            coverage=tuple(_coverage(windows[WindowState.COMPLETE], fields)),
            open_windows=tuple(map(_request, windows[WindowState.OPEN])),
            parked_windows=tuple(sorted(parked, key=lambda window: window.retry_at)),
            has_been_heavy=any(window.error for window in windows[WindowState.SPLIT]),
        )

    def coverage(self, query_id: int, fields: Iterable[str]) -> list[Covered]:
        """The complete windows that were searched with all of these fields, by first day."""
        return _coverage(self._windows(query_id, WindowState.COMPLETE), fields)

    def revise(self, query_id: int, id_skew: timedelta, now: datetime) -> list[DateRange]:
        """Correct what later pages have shown to be wrong, and drop what they have made needless.

        Returns:
            Days that were kept of a lost search on false evidence, and are missing now.
        """
        with reading(self._engine) as connection:
            days = untrue_days(connection, query_id, id_skew)
        if days:
            transaction(self._engine, lambda on: take_back(on, query_id, now))
        self.retire_parked(query_id, now)
        return days

    def retire_parked(self, query_id: int, now: datetime) -> None:
        """Give up for good the parked windows that other searches have made needless.

        These are the windows whose days were all collected since they were made, with all their
        fields.
        """
        complete = self._windows(query_id, WindowState.COMPLETE)
        needless = [
            window.id
            for window in self._windows(query_id, WindowState.PARKED)
            if _is_collected_since(window, complete)
        ]
        if needless:
            self._change_windows(needless, left_to_others(now))

    def suspect(self, window_ids: Sequence[int]) -> None:
        """Mark complete windows as suspicious: they are searched once more."""
        self._change_windows(window_ids, {CrawlWindow.suspicious: True})

    def book(self, query_id: int, request: PageRequest, now: datetime) -> PageRequest:
        """Write down that a request is about to be sent; it may be the first of its window.

        A request that starts a search discards how far the search before it had come. The window of
        a second try stays parked until a page comes. Booked once more because the commit was in
        doubt, a request may count twice, but its window has one row.

        Returns:
            The request, with the window's id.

        Raises:
            DailyBudgetSpentError: the day's budget is spent; nothing is written.
            SecondTriesSpentError: what second tries may cost in a day is spent, likewise.
            DailyShareSpentError: what searches of videos may cost in a day is spent, likewise.
        """

        def write(connection: Connection) -> PageRequest:
            window_id = request.window_id
            if window_id is None:
                window_id = _window_made(connection, query_id, request, now)
            if window_id is None:
                window_id = _add_window(connection, query_id, request, now)
            Unfinished(connection, CrawlWindow, window_id).change(_booking(request, now))
            if self._account:
                quota.spend(connection, self._account, now, second_try=request.second_try)
            return replace(request, window_id=window_id)

        # The page that the request brings is flushed after it; without one, little is lost.
        return transaction(self._engine, write, flushed_later=True)

    def fill_quota(self, now: datetime) -> None:
        """Write down that the API says that the day's quota is used up."""
        account = self._account
        if account:
            transaction(self._engine, lambda connection: quota.fill(connection, account, now))

    def quota_spent(self, day: date) -> list[Spent]:
        """What all client keys have spent on a UTC day."""
        with reading(self._engine) as connection:
            return quota.spent_on(connection, day)

    def park(self, parked: ParkedWindow, now: datetime) -> None:
        """Give a window up for now; a later try begins with the request that it was parked with."""
        request = parked.request

        def write(connection: Connection) -> None:
            window = Unfinished(connection, CrawlWindow, request.window_id)
            window.park(parked, now, search_id=request.search_id)

        transaction(self._engine, write)

    def split(self, heavy: HeavyWindow, now: datetime) -> None:
        """Leave the days of a window that was too heavy to other windows."""
        values = {
            CrawlWindow.state: WindowState.SPLIT,
            CrawlWindow.error: clean_text(heavy.reason),
            CrawlWindow.error_log_id: clean_text(heavy.log_id),
            CrawlWindow.updated_at: now,
        }
        window_id = heavy.request.window_id
        transaction(self._engine, lambda on: Unfinished(on, CrawlWindow, window_id).change(values))

    def totals(self, query_id: int) -> Totals:
        """What the database holds of the query by now."""
        by_state = (
            select(CrawlWindow.state, func.count(), func.sum(CrawlWindow.requests))
            .where(CrawlWindow.query_id == query_id)
            .group_by(CrawlWindow.state)
        )
        videos = (
            select(func.count(VIDEOS_TO_CRAWLS.c.video_id.distinct()))
            .join(Crawl, Crawl.id == VIDEOS_TO_CRAWLS.c.crawl_id)
            .where(Crawl.query_id == query_id)
        )
        with reading(self._engine) as connection:
            rows = connection.execute(by_state).all()
            return Totals(
                windows={state: count for state, count, _ in rows},
                requests=sum(int(requests) for _, _, requests in rows),
                videos=connection.scalar(videos) or 0,
            )

    def videos_on(self, query_id: int, day: date) -> int:
        """How many videos that the query found were published on a day, UTC."""
        videos = (
            select(func.count(Video.id.distinct()))
            .join(VIDEOS_TO_CRAWLS, VIDEOS_TO_CRAWLS.c.video_id == Video.id)
            .join(Crawl, Crawl.id == VIDEOS_TO_CRAWLS.c.crawl_id)
            .where(
                Crawl.query_id == query_id,
                Video.create_time >= midnight(day),
                Video.create_time < midnight(day + DAY),
            )
        )
        with reading(self._engine) as connection:
            return connection.scalar(videos) or 0

    def used_queries(self) -> list[UsedQuery]:
        """All queries of the database, in the order of their first use."""
        with reading(self._engine) as connection:
            wishes = defaultdict(list)
            for wish in connection.execute(select(CollectionRow.__table__)):
                wishes[wish.query_id].append(wish)
            searched = {row.query_id: row.fields for row in connection.execute(_LAST_FIELDS)}
            return [
                _used_query(row, wishes[row.id], searched.get(row.id, []))
                for row in connection.execute(select(QueryRow.__table__).order_by(QueryRow.id))
            ]

    def unfinished_windows(self, query_id: int) -> list[UnfinishedWindow]:
        """How far the open and the parked windows have come, by first day."""
        return [
            UnfinishedWindow(
                window_id=window.id,
                days=DateRange(window.start_date, window.end_date),
                state=window.state,
                pages=window.pages,
                videos=window.videos,
                updated_at=window.updated_at,
                error=window.error,
                error_log_id=window.error_log_id,
                parked_at=window.parked_at,
                retry_at=window.retry_at,
            )
            for window in self._windows(query_id, *UNFINISHED)
        ]

    def _register_query(
        self, connection: Connection, query: research_api.Query, now: datetime
    ) -> int:
        """Insert the query, or use it once more; its row stays locked against other runs."""
        new = self._statements.insert_into(QueryRow.__table__).values(
            fingerprint=query.fingerprint,
            canonical_json=query.canonical(),
            first_used_at=now,
            last_used_at=now,
        )
        upsert = new.on_conflict_do_update(
            index_elements=[QueryRow.fingerprint], set_={"last_used_at": now}
        )
        return connection.execute(upsert.returning(QueryRow.id)).scalar_one()

    def _change_windows(self, window_ids: Sequence[int], values: dict[Any, Any]) -> None:
        of_these = self._statements.among(CrawlWindow.__table__.c.id, window_ids)
        change = update(CrawlWindow).where(of_these).values(values)
        transaction(self._engine, lambda on: on.execute(change))

    def _windows(self, query_id: int, *states: WindowState) -> list[Row[Any]]:
        columns = CrawlWindow.__table__
        windows = (
            select(columns)
            .where(columns.c.query_id == query_id, columns.c.state.in_(states))
            .order_by(columns.c.start_date, columns.c.id)
        )
        with reading(self._engine) as connection:
            return list(connection.execute(windows))


def asked_for(query_id: int, collection: collection.Collection) -> dict[str, Any]:
    """The columns of `collection` by which a later run finds the row of what it asks for."""
    return {
        "query_id": query_id,
        "start_written": collection.start_written,
        "end_written": collection.end_written,
        "start_date": collection.dates.start,
        "end_date": collection.dates.end,
        "tags": sorted(set(collection.tags)),
    }


def has_values(table: Table, values: Mapping[str, Any]) -> ColumnElement[bool]:
    """Whether a row has all of these values."""
    return and_(*(table.c[name] == value for name, value in values.items()))


def _register_collection(
    connection: Connection, query_id: int, collection: collection.Collection, now: datetime
) -> None:
    values, table = asked_for(query_id, collection), CollectionRow.__table__
    same = has_values(table, values)
    if not connection.execute(update(table).where(same).values(last_run_at=now)).rowcount:
        times = {"first_run_at": now, "last_run_at": now}
        connection.execute(insert(table).values(values | times))


_LAST_FIELDS = select(CrawlWindow.query_id, CrawlWindow.fields).where(
    CrawlWindow.id.in_(select(func.max(CrawlWindow.id)).group_by(CrawlWindow.query_id))
)


def _used_query(query: Row[Any], wishes: list[Row[Any]], fields: list[str]) -> UsedQuery:
    days = {day for wish in wishes for day in DateRange(wish.start_date, wish.end_date)}
    return UsedQuery(
        query_id=query.id,
        query=research_api.Query.from_json(json.loads(query.canonical_json)),
        tags=tuple(sorted({tag for wish in wishes for tag in wish.tags})),
        days=tuple(contiguous(days)),
        fields=tuple(fields),
    )


def _request(window: Row[Any]) -> PageRequest:
    """The request that goes on where the window's last page ended."""
    return PageRequest(
        window_id=window.id,
        window=DateRange(window.start_date, window.end_date),
        fields=tuple(window.fields),
        max_count=VIDEO_QUERY.max_count,
        cursor=window.cursor,
        search_id=window.search_id,
        previous_page_at=window.last_page_at if window.cursor else None,
        searched_at=window.searched_at if window.cursor else None,
    )


def _covered(window: Row[Any]) -> Covered:
    was_searched = window.pages > 0
    return Covered(
        days=DateRange(window.start_date, window.end_date),
        searched_at=window.searched_at,
        matches=window.cursor if was_searched else None,
        videos=window.videos if was_searched else None,
        suspicious=window.suspicious,
        window_id=window.id,
    )


def _coverage(complete: Iterable[Row[Any]], fields: Iterable[str]) -> list[Covered]:
    """The windows among the complete ones that were searched with all of these fields."""
    wanted = set(fields)
    return [_covered(window) for window in complete if wanted <= set(window.fields)]


def _is_collected_since(window: Row[Any], complete: Iterable[Row[Any]]) -> bool:
    coverage = _coverage(complete, window.fields)
    searched = last_searches(c for c in coverage if c.searched_at >= window.created_at)
    return all(day in searched for day in DateRange(window.start_date, window.end_date))


def _parked(window: Row[Any]) -> WaitingWindow:
    return WaitingWindow(
        replace(_request(window), second_try=True), window.retry_at or window.updated_at
    )


def _window_made(
    connection: Connection, query_id: int, request: PageRequest, now: datetime
) -> int | None:
    """The row that this booking has made already, when its commit was in doubt."""
    window = select(CrawlWindow.id).where(
        CrawlWindow.query_id == query_id,
        CrawlWindow.start_date == request.window.start,
        CrawlWindow.end_date == request.window.end,
        CrawlWindow.created_at == now,
        CrawlWindow.state.in_(UNFINISHED),
    )
    return connection.scalar(window)


def _add_window(connection: Connection, query_id: int, request: PageRequest, now: datetime) -> int:
    window = insert(CrawlWindow).values(
        query_id=query_id,
        start_date=request.window.start,
        end_date=request.window.end,
        state=WindowState.OPEN,
        fields=list(request.fields),
        error=SUSPECTED if request.second_try else None,
        parked_at=now if request.second_try else None,
        created_at=now,
        updated_at=now,
    )
    return connection.execute(window.returning(CrawlWindow.id)).scalar_one()


def _booking(request: PageRequest, now: datetime) -> dict[Any, Any]:
    booking: dict[Any, Any] = {
        CrawlWindow.requests: CrawlWindow.requests + 1,
        CrawlWindow.updated_at: now,
    }
    if request.second_try:
        booking[CrawlWindow.state] = WindowState.PARKED
    if not request.starts_search:
        return booking
    return booking | {
        CrawlWindow.attempts: CrawlWindow.attempts + 1,
        CrawlWindow.searched_at: now,
        CrawlWindow.cursor: 0,
        CrawlWindow.search_id: None,
        CrawlWindow.pages: 0,
        CrawlWindow.videos: 0,
    }
