"""Takes the coverage of days back whose records are deleted: they are missing again."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from tiktok_crawler.date_range import DateRange
from tiktok_crawler.planning.task_states import WindowState
from tiktok_crawler.query_file.collection import Collection
from tiktok_crawler.research_api.query import Query
from tiktok_crawler.storage.engine.statements import statements_for
from tiktok_crawler.storage.engine.transactions import reading, transaction
from tiktok_crawler.storage.ledger.coverage import StoredWindow, stored_window
from tiktok_crawler.storage.ledger.tasks import Tasks, leave_to_others
from tiktok_crawler.storage.models.ledger import CollectionRow, CrawlWindow, QueryRow

if TYPE_CHECKING:
    from collections.abc import Collection as Some
    from datetime import datetime

    from sqlalchemy import Connection, Engine


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


def take_back(engine: Engine, window_ids: Some[int], now: datetime) -> None:
    """Let the days of windows be missing."""
    if not window_ids:
        return

    def write(connection: Connection) -> None:
        tasks = Tasks(connection, statements_for(connection.dialect))
        for window_id in sorted(window_ids):
            leave_to_others(tasks, window_id, now)

    transaction(engine, write)


def _read(connection: Connection, window_ids: Some[int]) -> list[TakenBack]:
    window = CrawlWindow.__table__
    among = statements_for(connection.dialect).among(window.c.id, window_ids)
    complete = select(window).where(among, window.c.state == WindowState.COMPLETE)
    by_query = defaultdict(list)
    for row in connection.execute(complete.order_by(window.c.query_id, window.c.id)):
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
