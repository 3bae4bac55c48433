"""Who may be at work on a query of a database. A lock dies with the process that holds it."""

from __future__ import annotations

import glob
import os
from abc import ABC, abstractmethod
from contextlib import suppress
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING

from tiktok_crawler import own_files
from tiktok_crawler.clock import utc_now
from tiktok_crawler.exceptions import ConfigurationError, QueryLockedError
from tiktok_crawler.spelling import named, visible
from tiktok_crawler.storage.engine import postgresql, sqlite
from tiktok_crawler.storage.engine.workers import Lease, workers

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection, Engine

FINGERPRINT_DIGITS = 16
"""Of 64 hexadecimal ones: enough to tell queries apart, and as many as advisory locks have."""


class QueryLock:
    """The right to crawl a query, or a listing, on a database, from `acquire` to `release`.

    SQLite: a lock on a file beside the database. PostgreSQL: a row that is renewed (`workers.py`);
    there, whoever does not want to be `alone` shares the right with others like it, and what each
    works on has its `worker_id`. A database in memory needs none.
    """

    def __init__(
        self,
        engine: Engine,
        fingerprint: str,
        what: str = "this query",
        *,
        holder: str = "crawl",
        alone: bool = True,
    ) -> None:
        self.engine = engine
        self._what = what
        self._holder = holder
        self._lock = _lock_for(engine, fingerprint[:FINGERPRINT_DIGITS], alone=alone)

    @property
    def worker_id(self) -> int | None:
        """The number by which others know what this crawl works on; None where it is alone."""
        return self._lock.worker_id

    def acquire(self) -> None:
        """Take the lock.

        Raises:
            QueryLockedError: another crawl has it; the message says which one, and since when.
            ConfigurationError: locks do not work where the database is.
        """
        holder = self._lock.acquire()
        if holder is not None:
            raise QueryLockedError(
                f"another {self._holder} of {self._what} is running on this database: {holder}; "
                "run again when it has ended"
            )

    def verify(self, connection: Connection) -> None:
        """Make sure that the lock is held, until the end of a transaction.

        One that has run out is taken anew by those who share it; what was claimed is free by then.
        Whoever is alone has lost it as soon as somebody else has looked for it: others may have
        worked, and ended, since.

        Raises:
            QueryLockedError: it was lost, so that another crawl may have begun.
        """
        loss = self._lock.loss(connection)
        if loss is not None:
            raise QueryLockedError(
                f"the lock on {self._what} is lost, {loss}: another {self._holder} of it may be "
                "running now"
            )

    def hold(self, connection: Connection) -> None:
        """Keep others from taking the lock until the end of a transaction, unless it is lost."""
        self._lock.loss(connection)

    def release(self) -> None:
        """Give the lock back, if it is held."""
        self._lock.release()


def others_at_work(engine: Engine, fingerprint: str) -> list[str]:
    """Describe the crawls that are at work on a query or listing now, where several may be."""
    if engine.dialect.name != "postgresql":
        return []
    found = workers(engine, fingerprint[:FINGERPRINT_DIGITS])
    return [describe_holder(each.name, each.since) for each in found]


def refuse_crawls(engine: Engine, danger: str) -> None:
    """Make sure that no crawl is at work on a SQLite file, which is a `danger`.

    Raises:
        QueryLockedError: one is; the message says which one, and since when.
    """
    database = Path(str(engine.url.database)).resolve()
    for path in database.parent.glob(f"{glob.escape(database.name)}.*.lock"):
        with suppress(OSError), os.fdopen(own_files.open_existing(path), "rb") as file:
            if not own_files.try_lock(file.fileno(), shared=True):
                raise QueryLockedError(
                    f"a crawl is running on this database: {_signature(file.fileno())}. End it "
                    f"first: {danger}"
                )


class _Lock(ABC):
    worker_id: int | None = None

    @abstractmethod
    def acquire(self) -> str | None:
        """Take the lock, or say who has it."""

    @abstractmethod
    def loss(self, connection: Connection) -> str | None:
        """Tell how the lock was lost; None if it is held."""

    @abstractmethod
    def release(self) -> None: ...


def _lock_for(engine: Engine, name: str, *, alone: bool) -> _Lock:
    if engine.dialect.name == "postgresql":
        return _LeasedLock(Lease(engine, name, alone=alone))
    if sqlite.in_memory(engine.url):
        return _NoLock()
    database = Path(str(engine.url.database)).resolve()
    return _FileLock(database.with_name(f"{database.name}.{name}.lock"), database)


class _NoLock(_Lock):
    def acquire(self) -> str | None:
        return None

    def loss(self, connection: Connection) -> str | None:  # noqa: ARG002 - others do
        return None

    def release(self) -> None:
        return


class _FileLock(_Lock):
    """The lock on a file that exists while a crawl runs, and says who holds it.

    A file that somebody else left there is locked, and stays as it is.
    """

    def __init__(self, path: Path, database: Path) -> None:
        self._path = path
        self._database = database
        self._file: int | None = None

    def acquire(self) -> str | None:
        try:
            # A file that its holder removed while it was opened here is no lock.
            while not self._is_held():
                self._close()
                self._file = file = self._open()
                if not own_files.try_lock(file):
                    holder = _signature(file)
                    self._close()
                    return holder
                if own_files.is_own(file):
                    _sign(file)
        except OSError as exc:
            self._close()
            raise ConfigurationError(
                f"{named(self._path)} cannot be locked: {exc.strerror}"
            ) from exc
        return None

    def _open(self) -> int:
        while True:
            with suppress(FileNotFoundError):
                return own_files.open_existing(self._path)
            with suppress(FileExistsError):
                return own_files.make(self._path, like=self._database)

    def loss(self, connection: Connection) -> str | None:  # noqa: ARG002 - others do
        return None if self._is_held() else f"since {named(self._path)} was removed or replaced"

    def _is_held(self) -> bool:
        return self._file is not None and own_files.is_at(self._file, self._path)

    def release(self) -> None:
        if self._file is not None and self._is_held() and own_files.is_own(self._file):
            self._path.unlink()
        self._close()

    def _close(self) -> None:
        if self._file is not None:
            os.close(self._file)
        self._file = None


class _LeasedLock(_Lock):
    """A row of PostgreSQL's that says who is at work."""

    def __init__(self, lease: Lease) -> None:
        self._lease = lease
        self._loss: str | None = NEVER_TAKEN

    @property
    def worker_id(self) -> int | None:  # type: ignore[override]
        return self._lease.worker_id

    def acquire(self) -> str | None:
        holder = self._lease.take()
        if holder:
            return describe_holder(holder.name, holder.since)
        self._loss = None
        return None

    def loss(self, connection: Connection) -> str | None:
        # What was lost stays lost: others have worked on since where this one was.
        if self._loss is None and not self._lease.is_held(connection):
            self._loss = self._loss_now(connection)
        return self._loss

    def _loss_now(self, connection: Connection) -> str | None:
        lease = self._lease
        rival = lease.rival(connection) if lease.alone else lease.take_in(connection)
        if rival:
            return f"{RAN_OUT}: {describe_holder(rival.name, rival.since)} has taken it"
        return RAN_OUT if lease.alone else None

    def release(self) -> None:
        self._lease.end()
        self._loss = NEVER_TAKEN


SIGNATURE_BYTES = 300
NEVER_TAKEN = "as it is not taken"
RAN_OUT = "since this machine or PostgreSQL was away for too long"
UNKNOWN_HOLDER = "a process that has just begun, or has just ended"


def _sign(file: int) -> None:
    """Write into a lock's file who holds it now."""
    os.ftruncate(file, 0)
    os.write(file, describe_holder(postgresql.application_name(), utc_now()).encode())


def _signature(file: int) -> str:
    """Read from its file who holds a lock; anybody may have written there."""
    return visible(os.pread(file, SIGNATURE_BYTES, 0).decode(errors="replace")) or UNKNOWN_HOLDER


def describe_holder(application_name: str, since: datetime) -> str:
    """Describe who holds a lock, by the name of its session."""
    match application_name.split():
        case [postgresql.APPLICATION, host, process]:
            name = visible(f"process {process} on {host}")
        case _:
            name = visible(application_name)
    return f"{name}, since {since.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
