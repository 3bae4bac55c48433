"""Gets what was deleted off the disk, as far as the database itself can."""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy.exc import DBAPIError

from tiktok_crawler.storage.engine import database, grants, sqlite
from tiktok_crawler.storage.engine.transactions import reading

if TYPE_CHECKING:
    from sqlalchemy import Engine


@dataclass(frozen=True, slots=True)
class Left:
    """The state of the files of a database after a deletion.

    Without an empty log, others were reading an earlier state.
    """

    dialect: str
    is_log_empty: bool
    is_vacuumed: bool
    asked_to: bool


def check_may_delete(engine: Engine) -> None:
    """Make sure that rows can be deleted.

    Raises:
        ConfigurationError: with what is lacking.
    """
    if engine.dialect.name == "sqlite":
        sqlite.check_writable(engine.url)
        return
    with reading(engine) as connection:
        database.check_grants(engine.url, grants.to_delete(connection))


def vacuum(engine: Engine) -> bool:
    """Write a SQLite file anew, without what its free space has; tell whether that was possible.

    Crawls wait meanwhile.
    """
    if engine.dialect.name != "sqlite":
        return False
    with suppress(sqlite3.Error, DBAPIError), engine.connect() as connection:
        connection.connection.execute("PRAGMA secure_delete = ON")
        connection.connection.execute("VACUUM")
        return sqlite.empty_log(engine, patiently=True)
    return False
