"""Fills a database with millions of videos, quickly: copies of the ones that it has already.

A copy is a video with another id and its links: one statement a table and copy, without checks of
foreign keys and without secondary indexes, which are made again at the end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pages
from sqlalchemy import func, insert, select, text

from tiktok_crawler.storage.engine.database import create_engine_for, database_url
from tiktok_crawler.storage.models.base import Base
from tiktok_crawler.storage.models.records import Video

if TYPE_CHECKING:
    from sqlalchemy import Column, Connection, Engine, Select, Table

BETWEEN_COPIES = pages.SECONDS << 32
"""How much larger the ids of a copy are than those of the one before (api_facts.md 3.7)."""

UNCHECKED = {
    "sqlite": "PRAGMA foreign_keys = OFF",
    "postgresql": "SET session_replication_role = replica",
}
TIDY = {"sqlite": "ANALYZE", "postgresql": "VACUUM ANALYZE"}


def multiply(url: str, copies: int) -> None:
    """Copy the videos of a database so many times."""
    engine = create_engine_for(database_url(url))
    tables = [table for table in Base.metadata.sorted_tables if _video_id(table) is not None]
    indexes = [index for table in tables for index in table.indexes]
    with engine.begin() as connection:
        newest = connection.execute(select(func.max(Video.id))).scalar_one()
        for index in indexes:
            index.drop(connection)
    with _unchecked(engine) as connection:
        for copy in range(1, copies + 1):
            with connection.begin():
                for table in tables:
                    names = list(table.columns.keys())
                    copied = _copied(table, copy * BETWEEN_COPIES, up_to=newest)
                    connection.execute(insert(table).from_select(names, copied))
    with engine.begin() as connection:
        for index in indexes:
            index.create(connection)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(TIDY[engine.dialect.name]))
    engine.dispose()


def _unchecked(engine: Engine) -> Connection:
    """A connection that is thrown away with its engine."""
    connection = engine.connect()
    driver: Any = connection.connection.driver_connection
    driver.cursor().execute(UNCHECKED[engine.dialect.name])
    return connection


def _video_id(table: Table) -> Column[int] | None:
    """The column of a table that says which video a row belongs to."""
    if table is Video.__table__:
        return table.c.id
    return next((c for c in table.columns if c.references(Video.__table__.c.id)), None)


def _copied(table: Table, shift: int, *, up_to: int) -> Select[Any]:
    video_id = _video_id(table)
    assert video_id is not None
    shifted = (c + shift if c is video_id else c for c in table.columns)
    return select(*shifted).where(video_id <= up_to).order_by(*table.primary_key.columns)
