"""The queries that were used: their days and tags, and what the database has of them."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import case, func, insert, literal, or_, select, update

from tiktok_crawler.date_range import DateRange, contiguous
from tiktok_crawler.planning.forecast import Density
from tiktok_crawler.planning.nights_ahead import Stored
from tiktok_crawler.planning.task_states import UNFINISHED, WindowState
from tiktok_crawler.query_file.refreshing import Refreshing
from tiktok_crawler.research_api.query import Query
from tiktok_crawler.storage.ledger.tagging import Tagging
from tiktok_crawler.storage.models.column_types import UtcDateTime
from tiktok_crawler.storage.models.ledger import (
    VIDEOS_TO_CRAWLS,
    CollectionRow,
    Crawl,
    CrawlWindow,
    QueryRow,
)
from tiktok_crawler.storage.models.records import Comment

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from datetime import datetime

    from sqlalchemy import Case, ColumnElement, Connection, Row

    from tiktok_crawler.query_file.collection import Collection as QueryFile
    from tiktok_crawler.storage.engine.statements import Statements


@dataclass(frozen=True, slots=True)
class Totals:
    """The database's totals for a query: windows by state, requests spent, videos found."""

    windows: Mapping[WindowState, int]
    requests: int
    videos: int


@dataclass(frozen=True, slots=True)
class UsedQuery:
    """A query that was used, and what all runs of it asked for together.

    `fields` are those that it was last searched with; none if it never was. `refreshing` is as the
    last run had it.
    """

    query_id: int
    query: Query
    tags: tuple[str, ...]
    days: tuple[DateRange, ...]
    fields: tuple[str, ...]
    refreshing: Refreshing = Refreshing()  # noqa: RUF009 - it is frozen


def stored_queries(connection: Connection) -> dict[int, str]:
    """Return the fingerprints of all queries by their numbers."""
    rows = connection.execute(select(QueryRow.id, QueryRow.fingerprint))
    return {id_: fingerprint for id_, fingerprint in rows}  # noqa: C416 - dict() of Rows


def find_query(connection: Connection, fingerprint: str) -> int | None:
    """Return the id of a query that was used before."""
    return connection.scalar(select(QueryRow.id).where(QueryRow.fingerprint == fingerprint))


def lock_query(connection: Connection, query_id: int) -> None:
    """Keep other crawls from planning and opening windows of a query during a transaction."""
    row = select(QueryRow.id).where(QueryRow.id == query_id)
    connection.execute(row.with_for_update(key_share=True))


def register_collection(
    connection: Connection, statements: Statements, collection: QueryFile, now: datetime
) -> int:
    """Register a run of a collection, and give its tags to what is stored already.

    The tags go to the pages of the query's windows that overlap the wanted days, and to the videos
    of these windows that were published on the wanted days, or at an unknown time.

    Returns:
        The query's id.
    """
    query_id = _register_query(connection, statements, collection.query, now)
    Tagging(connection, statements, query_id).tag(collection.dates, set(collection.tags))
    values = _asked_for(query_id, collection)
    refreshing = collection.refreshing.to_json() or None
    again = update(CollectionRow).filter_by(**values)
    first_run_at = _earlier(CollectionRow.first_run_at, literal(now, UtcDateTime()))
    if connection.execute(again.values(first_run_at=first_run_at)).rowcount:
        latest = again.where(CollectionRow.last_run_at <= now)
        connection.execute(latest.values(last_run_at=now, refreshing=refreshing))
    else:
        times = {"first_run_at": now, "last_run_at": now}
        new = values | times | {"refreshing": refreshing}
        connection.execute(insert(CollectionRow).values(new))
    return query_id


WAS_ASKED = or_(
    CrawlWindow.state.not_in(UNFINISHED), CrawlWindow.requests > 0, CrawlWindow.parked_count > 0
)
"""Says of a window that a run did not end between opening it and asking for its first page."""


def totals_of(connection: Connection, query_id: int) -> Totals:
    """Count what the database holds of the query by now."""
    by_state = (
        select(CrawlWindow.state, func.count(), func.sum(CrawlWindow.requests))
        .where(CrawlWindow.query_id == query_id, WAS_ASKED)
        .group_by(CrawlWindow.state)
    )
    rows = connection.execute(by_state).all()
    return Totals(
        windows={state: count for state, count, _ in rows},
        requests=sum(int(requests) for _, _, requests in rows),
        videos=count_videos(connection, Crawl.query_id == query_id),
    )


def count_videos(connection: Connection, are_of: ColumnElement[bool]) -> int:
    """Count the videos that some pages have brought, each once."""
    videos = (
        select(func.count(VIDEOS_TO_CRAWLS.c.video_id.distinct()))
        .join(Crawl, Crawl.id == VIDEOS_TO_CRAWLS.c.crawl_id)
        .where(are_of)
    )
    return connection.scalar(videos) or 0


def count_brought_once(
    connection: Connection, are_of: ColumnElement[bool], are_meant: ColumnElement[bool]
) -> int:
    """Count the videos, of those that are meant, that only one of some pages has brought."""
    once = (
        select(VIDEOS_TO_CRAWLS.c.video_id)
        .join(Crawl, Crawl.id == VIDEOS_TO_CRAWLS.c.crawl_id)
        .where(are_of, are_meant)
        .group_by(VIDEOS_TO_CRAWLS.c.video_id)
        .having(func.count() == 1)
    )
    return connection.scalar(select(func.count()).select_from(once.subquery())) or 0


def stored_of(connection: Connection, query_ids: Collection[int]) -> Stored:
    """Count the videos of some queries, and the comments on them."""
    videos = (
        select(VIDEOS_TO_CRAWLS.c.video_id)
        .join(Crawl, Crawl.id == VIDEOS_TO_CRAWLS.c.crawl_id)
        .where(Crawl.query_id.in_(query_ids))
        .distinct()
    )
    comments = select(func.count(Comment.id)).where(Comment.video_id.in_(videos))
    found = connection.scalar(select(func.count()).select_from(videos.subquery()))
    return Stored(found or 0, connection.scalar(comments) or 0)


def densities(connection: Connection, *, besides: int | None) -> Iterator[Density]:
    """Read how dense the queries of the database are but one, by the windows that are complete."""
    window = CrawlWindow
    searched = (
        select(window.query_id, window.start_date, window.end_date, window.cursor)
        .where(window.state == WindowState.COMPLETE, window.pages > 0)
        .where(window.query_id != (besides or 0))
    )
    matches, days = Counter[int](), Counter[int]()
    for query_id, start, end, cursor in connection.execute(searched):
        matches[query_id] += cursor
        days[query_id] += len(DateRange(start, end))
    texts = select(QueryRow.id, QueryRow.canonical_json).where(QueryRow.id.in_(days))
    for query_id, canonical in connection.execute(texts):
        query = Query.from_json(json.loads(canonical))
        if not query.sample:
            yield Density(query, matches[query_id] / days[query_id])


def last_searches(connection: Connection) -> dict[int, datetime]:
    """Read when the last search of each query began that has come to its end."""
    window = CrawlWindow
    last = select(window.query_id, func.max(window.begun_at)).group_by(window.query_id)
    rows = connection.execute(last.where(window.state == WindowState.COMPLETE))
    return {query_id: begun_at for query_id, begun_at in rows if begun_at}


def used_queries(connection: Connection) -> list[UsedQuery]:
    """Read all queries of the database, in the order of their first use."""
    wishes = defaultdict(list)
    for wish in connection.execute(select(CollectionRow.__table__)):
        wishes[wish.query_id].append(wish)
    searched = {row.query_id: row.fields for row in connection.execute(_LAST_FIELDS)}
    return [
        _used_query(row, wishes[row.id], searched.get(row.id, []))
        for row in connection.execute(select(QueryRow.__table__).order_by(QueryRow.id))
    ]


def _register_query(
    connection: Connection, statements: Statements, query: Query, now: datetime
) -> int:
    """Insert the query, or use it once more; its row stays locked against other runs."""
    new = statements.insert_into(QueryRow.__table__).values(
        fingerprint=query.fingerprint,
        canonical_json=query.canonical(),
        first_used_at=now,
        last_used_at=now,
    )
    row, used = QueryRow.__table__.c, new.excluded
    times = {
        "first_used_at": _earlier(row.first_used_at, used.first_used_at),
        "last_used_at": _later(row.last_used_at, used.last_used_at),
    }
    upsert = new.on_conflict_do_update(index_elements=[QueryRow.fingerprint], set_=times)
    return connection.execute(upsert.returning(QueryRow.id)).scalar_one()


def _earlier(stored: Any, time: Any) -> Case[Any]:
    """The first of two times: of runs that begin at once, the later one may be stored first."""
    return case((stored < time, stored), else_=time)


def _later(stored: Any, time: Any) -> Case[Any]:
    return case((stored > time, stored), else_=time)


def _asked_for(query_id: int, collection: QueryFile) -> dict[str, Any]:
    """Return the columns by which a later run finds the row of what it asks for."""
    return {
        "query_id": query_id,
        "start_written": collection.start_written,
        "end_written": collection.end_written,
        "start_date": collection.dates.start,
        "end_date": collection.dates.end,
        "tags": sorted(set(collection.tags)),
    }


_LAST_FIELDS = select(CrawlWindow.query_id, CrawlWindow.fields).where(
    CrawlWindow.id.in_(select(func.max(CrawlWindow.id)).group_by(CrawlWindow.query_id))
)


def _used_query(query: Row[Any], wishes: list[Row[Any]], fields: list[str]) -> UsedQuery:
    days = {day for wish in wishes for day in DateRange(wish.start_date, wish.end_date)}
    return UsedQuery(
        query_id=query.id,
        query=Query.from_json(json.loads(query.canonical_json)),
        tags=tuple(sorted({tag for wish in wishes for tag in wish.tags})),
        days=tuple(contiguous(days)),
        fields=tuple(fields),
        refreshing=Refreshing.from_json(max(wishes, key=_last_run).refreshing or {}),
    )


def _last_run(wish: Row[Any]) -> tuple[datetime, int]:
    return wish.last_run_at, wish.id
