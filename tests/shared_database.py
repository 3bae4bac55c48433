"""A PostgreSQL database that one test after another has for itself.

To make one takes a second, to put it back into its first state some milliseconds.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from sqlalchemy import create_engine, select, text
from sqlalchemy.pool import NullPool

from tiktok_crawler.storage.models import METADATA

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection, Executable, Row

    Rows = list[Row[Any]]

LONGEST_SECONDS = 10

SHAPE = text(
    """
    SELECT relname::text, relkind::text FROM pg_class WHERE relnamespace = 'public'::regnamespace
    UNION ALL SELECT relname || '.' || attname, atttypid::regtype || ' ' || attnotnull
    FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
    WHERE relnamespace = 'public'::regnamespace AND attnum > 0
    UNION ALL SELECT conname::text, pg_get_constraintdef(oid)
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace
    UNION ALL SELECT tgname::text, tgrelid::regclass::text FROM pg_trigger WHERE NOT tgisinternal
    UNION ALL SELECT proname::text, '' FROM pg_proc WHERE pronamespace = 'public'::regnamespace
    ORDER BY 1, 2
    """
)
SEQUENCES = text("SELECT sequencename, start_value, last_value FROM pg_sequences ORDER BY 1")
SET_SEQUENCE = text("SELECT setval(:name, coalesce(:last, :start), :last IS NOT NULL)")
OTHERS = text(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
    " AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
)
WITHOUT_REFERENCES = text("SET LOCAL session_replication_role = replica")
"""All rows go, so it is nobody's business who refers to whom; to find out takes a minute."""

VERSION = text("SELECT version_num FROM alembic_version")
NEW_SCHEMA = text("DROP SCHEMA public CASCADE; CREATE SCHEMA public")


class SharedDatabase:
    """The database at a URL, as `make` leaves it when it is empty."""

    def __init__(self, url: str, make: Callable[[str], object] = str) -> None:
        self.url, self._make = url, make
        self._engine = create_engine(url, poolclass=NullPool)
        make(url)
        with self._engine.connect() as connection:
            self._shape = _shape(connection)
            self._tables = [table for table in METADATA.sorted_tables if self._shape]
            self._rows = {table: _read(connection, select(table)) for table in self._tables}
            self._sequences = _read(connection, SEQUENCES)

    def restore(self) -> None:
        """Put it back into its first state, whatever a test has done to it."""
        with self._engine.connect() as connection:
            _end_others(connection)
            is_remade = _shape(connection) != self._shape
            if is_remade:
                connection.execute(NEW_SCHEMA)
            else:
                self._restore_rows(connection)
            connection.commit()
        if is_remade:
            self._make(self.url)

    def _restore_rows(self, connection: Connection) -> None:
        connection.execute(WITHOUT_REFERENCES)
        deletions = (f'DELETE FROM "{table.name}"' for table in self._tables)
        connection.execute(text("; ".join(["SELECT", *deletions])))
        for table, rows in self._rows.items():
            if rows:
                connection.execute(table.insert(), [dict(row._mapping) for row in rows])
        for name, start, last in self._sequences:
            connection.execute(SET_SEQUENCE, {"name": name, "start": start, "last": last})


def _shape(connection: Connection) -> Rows:
    shape = _read(connection, SHAPE)
    is_versioned = any(name == "alembic_version" for name, _ in shape)
    return shape + (_read(connection, VERSION) if is_versioned else [])


def _end_others(connection: Connection) -> None:
    """End the connections that a test has left open."""
    until = time.monotonic() + LONGEST_SECONDS
    while _read(connection, OTHERS) and time.monotonic() < until:
        connection.rollback()
        time.sleep(0.005)


def _read(connection: Connection, statement: Executable) -> Rows:
    return list(connection.execute(statement))
