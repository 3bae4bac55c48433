"""Takes the coverage of days and lists back whose records are deleted: they are missing again.

Meanwhile nobody crawls the queries concerned, and until the records have gone nobody the listings.
What pages of other queries bring stays.
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
from tiktok_crawler.planning.task_states import Emptied
from tiktok_crawler.query_file.collection import Collection
from tiktok_crawler.research_api.endpoints import LISTINGS
from tiktok_crawler.research_api.query import Query
from tiktok_crawler.research_api.tasks import PageRequest, Seed
from tiktok_crawler.storage.deletion.rows import SPEAKS_FOR_DAYS
from tiktok_crawler.storage.engine.lock import QueryLock
from tiktok_crawler.storage.engine.statements import statements_for
from tiktok_crawler.storage.engine.transactions import reading, transaction
from tiktok_crawler.storage.ledger.coverage import StoredWindow, stored_window
from tiktok_crawler.storage.ledger.kept_out import close_gate
from tiktok_crawler.storage.ledger.tasks import Tasks, leave_to_others
from tiktok_crawler.storage.models.ledger import (
    CollectionRow,
    Crawl,
    CrawlWindow,
    QueryRow,
    SeedRow,
)
from tiktok_crawler.storage.records.leaving_out import account, deleted_seed, profile
from tiktok_crawler.storage.stage_session import lock_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Collection as Some
    from datetime import datetime

    from sqlalchemy import Connection, Engine

    from tiktok_crawler.storage.deletion.selecting import Selected


class HeldQueries:
    """The queries and listings that nobody may crawl.

    Queries are let go when their coverage is taken back, listings when this context is left.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._locks: dict[str, QueryLock] = {}
        self._queries = ExitStack()
        self._listings = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._queries.close()
        self._listings.close()

    def select(self, select_: Callable[[Connection], Selected]) -> Selected:
        """Select what is to be deleted, while nobody crawls what loses coverage by it.

        Raises:
            QueryLockedError: some of it is being crawled; nothing is held then.
        """
        while True:
            last_page = transaction(self._engine, _last_page)
            with reading(self._engine) as connection:
                selected = select_(connection)
                queries = _fingerprints(connection, selected.windows)
                listings = _listings(connection, selected.seeds)
            if (queries.keys() | listings.keys()) <= self._locks.keys():
                return replace(selected, last_page=last_page)
            self._hold(queries, self._queries)
            self._hold(listings, self._listings)

    def take_back(self, selected: Selected, now: datetime) -> None:
        """Let the days of windows be missing, and the lists of seeds.

        Raises:
            QueryLockedError: one of what they belong to is not held any more, and may be crawled by
                now.
        """
        if selected.windows or selected.seeds:
            transaction(self._engine, partial(self._leave, selected, now))
        self._queries.close()

    def _leave(self, selected: Selected, now: datetime, connection: Connection) -> None:
        for lock in self._locks.values():
            lock.verify(connection)
        tasks = Tasks(connection, statements_for(connection.dialect))
        for window_id in sorted(selected.windows):
            leave_to_others(tasks, window_id, now)
        for seed in _seeds(connection, selected.seeds):
            tasks.end(PageRequest(seed), Emptied(), now)

    def _hold(self, wanted: dict[str, str], stack: ExitStack) -> None:
        for fingerprint in sorted(wanted.keys() - self._locks.keys()):
            lock = QueryLock(self._engine, fingerprint, wanted[fingerprint])
            try:
                lock.acquire()
            except QueryLockedError as exc:
                self.__exit__()
                raise QueryLockedError(f"nothing was deleted: {exc}") from exc
            self._locks[fingerprint] = lock
            stack.callback(lock.release)


def _last_page(connection: Connection) -> int:
    """Return the last page, while nobody is storing another one."""
    close_gate(connection)
    return connection.scalar(select(func.max(Crawl.id))) or 0


def _fingerprints(connection: Connection, window_ids: Some[int]) -> dict[str, str]:
    """Read which queries some windows belong to, by their fingerprints, in words."""
    among = statements_for(connection.dialect).among
    queries = select(CrawlWindow.query_id).where(among(CrawlWindow.__table__.c.id, window_ids))
    rows = select(QueryRow.fingerprint, QueryRow.id).where(QueryRow.id.in_(queries))
    return {fingerprint: f"query {id_}" for fingerprint, id_ in connection.execute(rows)}


def _listings(connection: Connection, seed_ids: Some[int]) -> dict[str, str]:
    """Read which listings some seeds belong to, by what their locks are called, in words."""
    among = statements_for(connection.dialect).among
    names = select(SeedRow.listing).where(among(SeedRow.__table__.c.id, seed_ids)).distinct()
    return dict(lock_of(LISTINGS[name]) for name in connection.scalars(names))


def _seeds(connection: Connection, seed_ids: Some[int]) -> list[Seed]:
    among = statements_for(connection.dialect).among
    rows = select(SeedRow.id, SeedRow.listing, SeedRow.seed).order_by(SeedRow.id)
    found = connection.execute(rows.where(among(SeedRow.__table__.c.id, seed_ids)))
    return [Seed(LISTINGS[row.listing], row.seed, None, row_id=row.id) for row in found]


@dataclass(frozen=True, slots=True)
class TakenBack:
    """Windows of a query whose days are missing from now on, and what its last run asked for."""

    collection: Collection
    fields: tuple[str, ...]
    windows: tuple[StoredWindow, ...]


def to_list_again(engine: Engine, selected: Selected) -> list[Seed]:
    """Read the seeds whose lists will be missing.

    Those that an archive does not name any more, as what they are goes, are listed again anyway.
    """
    if not selected.seeds:
        return []
    gone = frozenset(key(name) for name in selected.profiles for key in (profile, account))
    with reading(engine) as connection:
        seeds = _seeds(connection, selected.seeds)
    return [seed for seed in seeds if not deleted_seed(seed.listing, seed.key, gone)]


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
