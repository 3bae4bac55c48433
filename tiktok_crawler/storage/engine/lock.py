"""One crawl of a query at a time on a database. A lock dies with the process that holds it."""

from __future__ import annotations

import fcntl
import glob
import os
from abc import ABC, abstractmethod
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from tiktok_crawler import own_files
from tiktok_crawler.clock import utc_now
from tiktok_crawler.exceptions import ConfigurationError, QueryLockedError
from tiktok_crawler.spelling import named, visible
from tiktok_crawler.storage.engine import postgresql, sqlite

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

FINGERPRINT_DIGITS = 16
"""Of 64 hexadecimal ones: as many bits as PostgreSQL tells locks apart by."""


class QueryLock:
    """The right to crawl a query, or a listing, on a database, from `acquire` to `release`.

    SQLite: a lock on a file beside the database. PostgreSQL: an advisory lock, on a connection of
    its own. A database in memory needs none.
    """

    def __init__(
        self, engine: Engine, fingerprint: str, what: str = "this query", *, holder: str = "crawl"
    ) -> None:
        self._what = what
        self._holder = holder
        self._lock = _lock_for(engine, fingerprint[:FINGERPRINT_DIGITS])

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

    def verify(self) -> None:
        """Make sure that the lock is held.

        Raises:
            QueryLockedError: it was lost, so that another crawl may have begun.
            DBAPIError: the database cannot be reached.
        """
        loss = self._lock.loss()
        if loss is not None:
            raise QueryLockedError(
                f"the lock on {self._what} is lost, {loss}: another {self._holder} of it may be "
                "running now"
            )

    def release(self) -> None:
        """Give the lock back, if it is held."""
        self._lock.release()


def refuse_crawls(engine: Engine) -> None:
    """Make sure that no crawl is at work on a SQLite file.

    Raises:
        QueryLockedError: one is; the message says which one, and since when.
    """
    database = Path(str(engine.url.database)).resolve()
    for path in database.parent.glob(f"{glob.escape(database.name)}.*.lock"):
        with suppress(OSError), os.fdopen(own_files.open_existing(path), "rb") as file:
            if not _lock(file.fileno(), fcntl.LOCK_SH):
                raise QueryLockedError(
                    f"a crawl is running on this database: {_signature(file.fileno())}. End it "
                    "first: what it stores from now on would be missing"
                )


class _Lock(ABC):
    @abstractmethod
    def acquire(self) -> str | None:
        """Take the lock, or say who has it."""

    @abstractmethod
    def loss(self) -> str | None:
        """Tell how the lock was lost; None if it is held."""

    @abstractmethod
    def release(self) -> None: ...


def _lock_for(engine: Engine, name: str) -> _Lock:
    if engine.dialect.name == "postgresql":
        return _AdvisoryLock(engine, int.from_bytes(bytes.fromhex(name), signed=True))
    if sqlite.in_memory(engine.url):
        return _NoLock()
    database = Path(str(engine.url.database)).resolve()
    return _FileLock(database.with_name(f"{database.name}.{name}.lock"), database)


class _NoLock(_Lock):
    def acquire(self) -> str | None:
        return None

    def loss(self) -> str | None:
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
                if not _lock(file):
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

    def loss(self) -> str | None:
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


class _AdvisoryLock(_Lock):
    """A lock of PostgreSQL's that ends with its session, and is taken again in a new one."""

    def __init__(self, engine: Engine, key: int) -> None:
        self._engine = engine
        self._key = {"key": key}
        self._session: Connection | None = None
        self._loss: str | None = NEVER_TAKEN

    def acquire(self) -> str | None:
        # Outside of transactions, which would keep the server from cleaning up.
        session = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        # Closed at the end instead of being used for something else, with the lock.
        session.detach()
        if session.scalar(text("SELECT pg_try_advisory_lock(:key)"), self._key):
            self._session = session
            self._loss = None
            return None
        holder = session.execute(text(HOLDER), self._key).one_or_none()
        session.close()
        return describe_holder(*holder) if holder else UNKNOWN_HOLDER

    def loss(self) -> str | None:
        # What was lost stays lost: the other crawl has gone on from where this one was.
        if self._loss is None and not self._is_held():
            holder = self.acquire()
            if holder is not None:
                self._loss = f"since the connection to PostgreSQL broke: {holder} has taken it"
        return self._loss

    def _is_held(self) -> bool:
        if self._session is None:
            return False
        try:
            return bool(self._session.scalar(text(IS_HELD), self._key))
        except SQLAlchemyError:
            self._session.invalidate()
            self._session = None
            return False

    def release(self) -> None:
        if self._session is None:
            return
        # The server would notice the end of a session a moment later.
        with suppress(SQLAlchemyError):
            self._session.execute(text("SELECT pg_advisory_unlock(:key)"), self._key)
        self._session.close()
        self._session = None
        self._loss = NEVER_TAKEN


SIGNATURE_BYTES = 300
NEVER_TAKEN = "as it is not taken"
UNKNOWN_HOLDER = "a process that has just begun, or has just ended"

LOCKS = """
    FROM pg_locks JOIN pg_stat_activity USING (pid)
    WHERE locktype = 'advisory' AND granted AND objsubid = 1
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND (classid::bigint << 32) | objid::bigint = :key
"""
HOLDER = f"SELECT application_name, backend_start {LOCKS}"
IS_HELD = f"SELECT count(*) {LOCKS} AND pid = pg_backend_pid()"


def _lock(file: int, kind: int = fcntl.LOCK_EX) -> bool:
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _sign(file: int) -> None:
    """Write into a lock's file who holds it now."""
    os.ftruncate(file, 0)
    os.write(file, describe_holder(postgresql.application_name(), utc_now()).encode())


def _signature(file: int) -> str:
    """Read from its file who holds a lock; anybody may have written there."""
    return visible(os.pread(file, SIGNATURE_BYTES, 0).decode(errors="replace")) or UNKNOWN_HOLDER


def describe_holder(application_name: str | None, since: datetime | None) -> str:
    """Describe who holds a lock. PostgreSQL tells other users neither name nor time."""
    match (application_name or "").split():
        case [postgresql.APPLICATION, host, process]:
            name = visible(f"process {process} on {host}")
        case _:
            name = visible(application_name or "") or "a session of another database user"
    return f"{name}, since {since.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" if since else name
