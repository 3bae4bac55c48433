"""A PostgreSQL database that one test after another has for itself.

To make one takes a second, to put it back into its first state some milliseconds.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from sqlalchemy import create_engine, text

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
SEQUENCES = text(
    """
    SELECT format('SELECT setval(%L, %s, %L)',
        sequencename, coalesce(last_value, start_value), last_value IS NOT NULL)
    FROM pg_sequences
    """
)
"""What sets each as it is."""

OTHERS = text(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
    " AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
)
WITHOUT_REFERENCES = "SET LOCAL session_replication_role = replica"
"""All rows go, so it is nobody's business who refers to whom; to find out takes a minute."""

VERSION = text("SELECT version_num FROM alembic_version")
NEW_SCHEMA = text(
    "DROP SCHEMA IF EXISTS first_state CASCADE; DROP SCHEMA public CASCADE; CREATE SCHEMA public"
)


class SharedDatabase:
    """The database at a URL, as `make` leaves it when it is empty."""

    def __init__(self, url: str, make: Callable[[str], object] = str) -> None:
        self.url, self._make = url, make
        self._engine = create_engine(url, pool_size=1, pool_pre_ping=True)
        self._begin()

    def restore(self) -> None:
        """Put it back into its first state, whatever a test has done to it."""
        with self._engine.connect() as connection:
            _end_others(connection)
            is_remade = _shape(connection) != self._shape
            if is_remade:
                connection.execute(NEW_SCHEMA)
            else:
                connection.execute(self._put_back)
            connection.commit()
        if is_remade:
            self._begin()

    def _begin(self) -> None:
        self._make(self.url)
        with self._engine.connect() as connection:
            self._shape = _shape(connection)
            self._put_back = text("; ".join(_keep(connection) if self._shape else ["SELECT"]))
            connection.commit()


def _keep(connection: Connection) -> list[str]:
    """Keep the rows of the first state beside the tables; the statements that put all back."""
    names = [table.name for table in METADATA.sorted_tables]
    is_filled = {name: text(f'SELECT 1 FROM "{name}" LIMIT 1') for name in names}
    filled = [name for name, some in is_filled.items() if _read(connection, some)]
    connection.execute(text("CREATE SCHEMA first_state"))
    for name in filled:
        connection.execute(text(f'CREATE TABLE first_state."{name}" AS TABLE "{name}"'))
    return [
        WITHOUT_REFERENCES,
        *(f'DELETE FROM "{name}"' for name in names),
        *(f'INSERT INTO "{name}" TABLE first_state."{name}"' for name in filled),
        *(statement for (statement,) in _read(connection, SEQUENCES)),
    ]


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
