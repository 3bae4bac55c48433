"""Writes down runs of the past: their queries, what they asked for, and the tags that they gave."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import insert, select, update

from tiktok_crawler.storage.engine.statements import statements_for
from tiktok_crawler.storage.ledger.queries import asked_for, has_values
from tiktok_crawler.storage.ledger.tagging import Tagging
from tiktok_crawler.storage.models.ledger import CollectionRow, QueryRow

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection

    from tiktok_crawler.query_file import collection
    from tiktok_crawler.research_api import query as research_api

QUERY = QueryRow.__table__
COLLECTION = CollectionRow.__table__


def query_id_of(connection: Connection, query: research_api.Query, at: datetime) -> int:
    """The id of a query, which gets its row if it has none."""
    known: int | None = connection.scalar(select(QUERY.c.id).where(_is(query)))
    if known is not None:
        return known
    values = {"fingerprint": query.fingerprint, "canonical_json": query.canonical()}
    times = {"first_used_at": at, "last_used_at": at}
    new = insert(QUERY).values(values | times).returning(QUERY.c.id)
    return int(connection.execute(new).scalar_one())


def register_run(
    connection: Connection, collection: collection.Collection, began_at: datetime
) -> None:
    """Register a run, and give its tags to what was stored before it, unless all that is known."""
    query_id = query_id_of(connection, collection.query, began_at)
    values = asked_for(query_id, collection)
    same = has_values(COLLECTION, values)
    known = connection.execute(select(COLLECTION).where(same)).first()
    if known and known.first_run_at <= began_at <= known.last_run_at:
        return
    tagging = Tagging(connection, statements_for(connection.dialect), query_id)
    tagging.tag(collection.dates, set(collection.tags))
    if known:
        first = {"first_run_at": min(known.first_run_at, began_at)}
        last = {"last_run_at": max(known.last_run_at, began_at)}
        connection.execute(update(COLLECTION).where(same).values(first | last))
    else:
        times = {"first_run_at": began_at, "last_run_at": began_at}
        connection.execute(insert(COLLECTION).values(values | times))
    _widen_use(connection, _is(collection.query), began_at)


def _is(query: research_api.Query) -> ColumnElement[bool]:
    return QUERY.c.fingerprint == query.fingerprint


def _widen_use(connection: Connection, is_query: ColumnElement[bool], at: datetime) -> None:
    known = connection.execute(select(QUERY).where(is_query)).one()
    times = {
        "first_used_at": min(known.first_used_at, at),
        "last_used_at": max(known.last_used_at, at),
    }
    connection.execute(update(QUERY).where(is_query).values(times))
