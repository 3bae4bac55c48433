"""Who is at work on a PostgreSQL database: rows that have to be renewed, by the server's clock.

A worker holds a purpose, such as a query, alone or with others. What it has claimed is free when
its row is gone: it goes with its end, or, where that came too suddenly, when the row has not been
renewed for a time, or the process is known to be gone.
"""

from __future__ import annotations

import secrets
import threading
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from sqlalchemy import DateTime, delete, func, insert, select, update
from sqlalchemy.exc import SQLAlchemyError

from tiktok_crawler.storage.engine import postgresql
from tiktok_crawler.storage.engine.process_identity import is_gone, this_process
from tiktok_crawler.storage.engine.transactions import transaction
from tiktok_crawler.storage.models.ledger import CrawlWindow, SeedRow, WorkerRow

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from sqlalchemy import Connection, Engine, Row, Select

LEASE = timedelta(minutes=2)
"""The time for which nobody else takes what a worker has, unless its row is renewed."""

RENEWED_EVERY = timedelta(seconds=30)

NOW = func.clock_timestamp(type_=DateTime(timezone=True))

_HELD: set[str] = set()
"""The marks of what this process holds."""


@dataclass(frozen=True, slots=True)
class Holder:
    """Who is at work: the name of its session, and since when."""

    name: str
    since: datetime


class Lease:
    """A row of the table `worker`, which a thread renews from `take` to `end`.

    `worker_id` is its number: another one after it had to be taken anew, by whoever need not be
    `alone`.
    """

    def __init__(self, engine: Engine, purpose: str, *, alone: bool) -> None:
        self._engine = engine
        self._purpose = purpose
        self.alone = alone
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self._mark = secrets.token_hex(4)
        self.worker_id: int | None = None

    def take(self) -> Holder | None:
        """Become a worker, or say who is one and lets no other be."""
        _HELD.add(self._mark)
        try:
            holder = transaction(self._engine, self.take_in)
        except BaseException:
            # If its commit was in doubt, a row may be there, which is nobody's then.
            self._forget()
            raise
        if holder:
            self._forget()
            return holder
        self._ended.clear()
        self._thread = threading.Thread(target=self._keep, name="lease", daemon=True)
        self._thread.start()
        return None

    def _forget(self) -> None:
        _HELD.discard(self._mark)
        self.worker_id = None

    def take_in(self, connection: Connection) -> Holder | None:
        """Do so inside a transaction."""
        rival = self.rival(connection)
        if rival:
            return rival
        new = insert(WorkerRow).values(
            purpose=self._purpose,
            is_alone=self.alone,
            name=postgresql.application_name(),
            process=_named(self._mark),
            begun_at=NOW,
            alive_until=NOW + LEASE,
        )
        self.worker_id = connection.execute(new.returning(WorkerRow.id)).scalar_one()
        return None

    def rival(self, connection: Connection) -> Holder | None:
        """Find a worker that lets this one not be; until the end of a transaction, none begins."""
        connection.execute(select(func.pg_advisory_xact_lock(_number_of(self._purpose))))
        for other in _others(connection, self._purpose):
            if other.is_alone or self.alone:
                return Holder(other.name, other.begun_at)
        return None

    def is_held(self, connection: Connection) -> bool:
        """Tell whether the row is there, and keep it until the end of the transaction.

        So long nobody takes what this worker has, even if its process has ended by then.
        """
        row = select(WorkerRow.id).where(WorkerRow.id == self.worker_id)
        return connection.scalar(row.with_for_update(read=True, key_share=True)) is not None

    def end(self) -> None:
        """Be a worker no more."""
        self._ended.set()
        if self._thread:
            self._thread.join()
        if self.worker_id is not None:
            # What cannot be deleted now counts as gone in this process, and runs out elsewhere.
            with suppress(SQLAlchemyError):
                transaction(self._engine, partial(_delete, row_ids={self.worker_id}))
        self._forget()

    def _keep(self) -> None:
        while not self._ended.wait(RENEWED_EVERY.total_seconds()):
            with suppress(SQLAlchemyError):
                transaction(self._engine, self._renew, flushed_later=True)

    def _renew(self, connection: Connection) -> None:
        row = update(WorkerRow).where(WorkerRow.id == self.worker_id)
        connection.execute(row.values(alive_until=NOW + LEASE))


def workers(engine: Engine, purpose: str) -> list[Holder]:
    """Return who is at work on a purpose now."""
    found = transaction(engine, lambda on: _others(on, purpose))
    return [Holder(other.name, other.begun_at) for other in found]


def at_work(connection: Connection) -> list[Holder]:
    """Return who is at work on a database at all, without changing it; of SQLite, nobody is known.

    Whoever works on several things counts once, from the first of them on.
    """
    if connection.dialect.name != "postgresql":
        return []
    alive = select(WorkerRow.__table__).where(WorkerRow.alive_until >= NOW)
    rows = connection.execute(alive.order_by(WorkerRow.begun_at.desc()))
    since = {row.name: row.begun_at for row in rows if not _is_over(row.process)}
    return [Holder(name, since[name]) for name in sorted(since, key=since.__getitem__)]


def _others(connection: Connection, purpose: str) -> list[Row[Any]]:
    """Read the workers of a purpose, and delete those that are none any more.

    What a process has sent to the server just before its end is waited for. One that has run out
    in the midst of a transaction is left alone until that has ended.
    """
    found = select(WorkerRow.__table__, (WorkerRow.alive_until < NOW).label("has_run_out"))
    rows = connection.execute(found.where(WorkerRow.purpose == purpose)).all()
    ended = {row.id for row in rows if _is_over(row.process)}
    run_out = {row.id for row in rows if row.has_run_out} - ended
    if not ended | run_out:
        return list(rows)
    gone = set(connection.scalars(_rows(ended).with_for_update()))
    gone |= set(connection.scalars(_rows(run_out).with_for_update(skip_locked=True)))
    _delete(connection, gone)
    # Of those that others have deleted while this one waited there is nothing left, either.
    return [row for row in rows if row.id not in gone | ended]


def _named(mark: str) -> str | None:
    """Name what this process holds for others of the same machine."""
    process = this_process()
    return f"{process} {mark}" if process else None


def _is_over(named: str | None) -> bool:
    """Tell whether who holds something has ended, as far as that can be seen from here."""
    if named is None:
        return False
    process, _, mark = named.rpartition(" ")
    return mark not in _HELD if process == this_process() else is_gone(process)


def _rows(row_ids: Collection[int]) -> Select[int]:
    return select(WorkerRow.id).where(WorkerRow.id.in_(row_ids))


def _delete(connection: Connection, row_ids: Collection[int]) -> None:
    """Delete workers, and free what they have claimed."""
    connection.execute(delete(WorkerRow).where(WorkerRow.id.in_(row_ids)))
    for task in (CrawlWindow, SeedRow):
        claimed = update(task).where(task.worker_id.in_(row_ids))
        connection.execute(claimed.values(worker_id=None))


def _number_of(purpose: str) -> int:
    return int.from_bytes(bytes.fromhex(purpose), signed=True)
