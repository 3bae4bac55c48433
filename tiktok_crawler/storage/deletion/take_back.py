"""Takes the coverage of days back whose records are deleted: they are missing again.

Meanwhile nobody crawls the queries concerned. What pages of other queries bring stays.
"""

from __future__ import annotations

import json
from collections import defaultdict
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Self

from sqlalchemy import func, select

from tiktok_crawler.date_range import DateRange
from tiktok_crawler.exceptions import QueryLockedError
from tiktok_crawler.query_file.collection import Collection
from tiktok_crawler.research_api.query import Query
from tiktok_crawler.storage.deletion.rows import SPEAKS_FOR_DAYS
from tiktok_crawler.storage.engine.lock import QueryLock
from tiktok_crawler.storage.engine.statements import statements_for
from tiktok_crawler.storage.engine.transactions import reading, transaction
from tiktok_crawler.storage.ledger.coverage import StoredWindow, stored_window
from tiktok_crawler.storage.ledger.kept_out import close_gate
from tiktok_crawler.storage.ledger.tasks import Tasks, leave_to_others
from tiktok_crawler.storage.models.ledger import CollectionRow, Crawl, CrawlWindow, QueryRow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from collections.abc import Collection as Some
    from datetime import datetime

    from sqlalchemy import Connection, Engine

    from tiktok_crawler.storage.deletion.selecting import Selected


class HeldQueries:
    """The queries that nobody may crawl, until this context is left."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._locks: dict[str, QueryLock] = {}
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._stack.close()

    def select(self, select_: Callable[[Connection], Selected]) -> Selected:
        """Select what is to be deleted, while nobody crawls the queries that lose coverage by it.

        Raises:
            QueryLockedError: one of them is being crawled; nothing is held then.
        """
        while True:
            last_page = transaction(self._engine, _last_page)
            with reading(self._engine) as connection:
                selected = select_(connection)
                queries = _fingerprints(connection, selected.windows)
            if queries.keys() <= self._locks.keys():
                return replace(selected, last_page=last_page)
            self._hold(queries)

    def take_back(self, window_ids: Some[int], now: datetime) -> None:
        """Let the days of windows be missing.

        Raises:
            QueryLockedError: one of their queries is not held any more, and may be crawled by now.
        """
        if window_ids:
            transaction(self._engine, partial(self._leave, sorted(window_ids), now))

    def _leave(self, window_ids: Iterable[int], now: datetime, connection: Connection) -> None:
        for lock in self._locks.values():
            lock.verify(connection)
        tasks = Tasks(connection, statements_for(connection.dialect))
        for window_id in window_ids:
            leave_to_others(tasks, window_id, now)

    def _hold(self, queries: dict[str, int]) -> None:
        for fingerprint in sorted(queries.keys() - self._locks.keys()):
            lock = QueryLock(self._engine, fingerprint, f"query {queries[fingerprint]}")
            try:
                lock.acquire()
            except QueryLockedError as exc:
                self._stack.close()
                raise QueryLockedError(f"nothing was deleted: {exc}") from exc
            self._locks[fingerprint] = lock
            self._stack.callback(lock.release)


def _last_page(connection: Connection) -> int:
    """Return the last page, while nobody is storing another one."""
    close_gate(connection)
    return connection.scalar(select(func.max(Crawl.id))) or 0


def _fingerprints(connection: Connection, window_ids: Some[int]) -> dict[str, int]:
    """Read which queries some windows belong to, by their fingerprints."""
    among = statements_for(connection.dialect).among
    queries = select(CrawlWindow.query_id).where(among(CrawlWindow.__table__.c.id, window_ids))
    rows = select(QueryRow.fingerprint, QueryRow.id).where(QueryRow.id.in_(queries))
    return {fingerprint: id_ for fingerprint, id_ in connection.execute(rows)}  # noqa: C416 - Rows


@dataclass(frozen=True, slots=True)
class TakenBack:
    """Windows of a query whose days are missing from now on, and what its last run asked for."""

    collection: Collection
    fields: tuple[str, ...]
    windows: tuple[StoredWindow, ...]


def to_take_back(engine: Engine, window_ids: Some[int]) -> list[TakenBack]:
    """Read which days will be missing, by their queries."""
    with reading(engine) as connection:
        return list(_read(connection, window_ids)) if window_ids else []


def _read(connection: Connection, window_ids: Some[int]) -> list[TakenBack]:
    window = CrawlWindow.__table__
    among = statements_for(connection.dialect).among(window.c.id, window_ids)
    standing = select(window).where(among, SPEAKS_FOR_DAYS)
    by_query = defaultdict(list)
    for row in connection.execute(standing.order_by(window.c.query_id, window.c.id)):
        by_query[row.query_id].append(row)
    found = []
    for query_id, rows in by_query.items():
        windows = tuple(map(stored_window, rows))
        collection = _last_collection(connection, query_id)
        if collection:
            found.append(TakenBack(collection, tuple(rows[-1].fields), windows))
    return found


def _last_collection(connection: Connection, query_id: int) -> Collection | None:
    wishes = select(CollectionRow.__table__, QueryRow.canonical_json).join(QueryRow)
    wish = connection.execute(
        wishes.where(CollectionRow.query_id == query_id)
        .order_by(CollectionRow.last_run_at.desc(), CollectionRow.id.desc())
        .limit(1)
    ).first()
    if wish is None:
        return None
    return Collection(
        Query.from_json(json.loads(wish.canonical_json)),
        DateRange(wish.start_date, wish.end_date),
        wish.start_written,
        wish.end_written,
        tuple(wish.tags),
    )
