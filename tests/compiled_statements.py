"""Lets all engines of a process share the SQL that their statements become.

SQLAlchemy makes it once an engine, which takes a fifth of the time of tests that each have their
own database.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Engine, event
from sqlalchemy.util import LRUCache


class _OfEqualDialects(LRUCache[Any, Any]):
    """Keeps what was made for a dialect for all that make the same of a statement."""

    def get(self, key: Any, default: Any = None) -> Any:
        return super().get(_of_equals(key), default)

    def __setitem__(self, key: Any, value: Any) -> None:
        super().__setitem__(_of_equals(key), value)


def _of_equals(key: tuple[Any, ...]) -> tuple[Any, ...]:
    dialect, *statement = key
    json = (dialect._json_serializer, dialect._json_deserializer)
    return (type(dialect), dialect.server_version_info, *json, *statement)


SHARED = _OfEqualDialects(2000)


@event.listens_for(Engine, "engine_connect")
def _share(connection: Connection) -> None:
    connection.engine._compiled_cache = SHARED
