"""Transactions: to read without keeping writers waiting, and to write whatever others do.

SQLite itself waits for other writers. What a transaction demands is an execution option of
SQLAlchemy.
"""

from __future__ import annotations

import random
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy.exc import IntegrityError, OperationalError

from tiktok_crawler.storage.engine.open_files import check_in_place

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from sqlalchemy import Connection, Engine

T = TypeVar("T")

READS_ONLY = "tiktok_reads_only"
"""Of connections that write nothing, and so need not wait for a writer."""

WAITS_SECONDS = "tiktok_waits_seconds"
"""The time that a transaction waits for another program's: without it, SQLite's default, and on
PostgreSQL as long as that takes."""

PAUSES_SECONDS = "tiktok_pauses_seconds"
"""The time after which PostgreSQL ends a transaction that says nothing, as others wait for it: its
machine may sleep, or be cut off."""

LONGEST_PAUSE_SECONDS = 30
"""Of transactions that say nothing else: shorter than others wait for a database that is away."""

FLUSHED_LATER = "tiktok_flushed_later"
"""Of transactions that need not survive a power cut before the next one does."""

TRIES = 4
PAUSE_SECONDS = 0.1

POSTGRESQL_INTERFERENCE = frozenset({"40001", "40P01", "23503"})
"""serialization_failure, deadlock_detected, and foreign_key_violation: what a row refers to was
deleted meanwhile."""


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A connection that sees one state of the database and keeps no writer waiting."""
    with engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            connection.execution_options(isolation_level="REPEATABLE READ")
        yield connection.execution_options(**{READS_ONLY: True})


def transaction(
    engine: Engine, work: Callable[[Connection], T], *, flushed_later: bool = False
) -> T:
    """Do the work in one transaction; all of it again if the server says that others stopped it.

    With `flushed_later` it reaches the disk with the next transaction at the latest: it outlives
    this program and its end, but perhaps not a power cut right behind it.

    Raises:
        DatabaseLostError: the file was removed, renamed or replaced: nothing is stored for good.
    """
    pauses = engine.get_execution_options().get(PAUSES_SECONDS, LONGEST_PAUSE_SECONDS)
    demands = {PAUSES_SECONDS: pauses, FLUSHED_LATER: flushed_later}
    for tried in range(1, TRIES):
        try:
            return _once(engine, work, demands)
        except (IntegrityError, OperationalError) as exc:
            if not _is_interference(exc):
                raise
        time.sleep(random.uniform(tried / 2, tried) * PAUSE_SECONDS)  # noqa: S311 - spreads tries
    return _once(engine, work, demands)


def _once(engine: Engine, work: Callable[[Connection], T], demands: Mapping[str, Any]) -> T:
    with engine.connect() as connection:
        with connection.execution_options(**demands).begin():
            result = work(connection)
        check_in_place(connection)
    return result


def _is_interference(exc: IntegrityError | OperationalError) -> bool:
    return getattr(exc.orig, "pgcode", None) in POSTGRESQL_INTERFERENCE
