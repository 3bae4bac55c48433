"""A run on a database: it has the lock of what it crawls, and is for one thread at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tiktok_crawler.storage.engine import database
from tiktok_crawler.storage.engine.execution_options import WAITS_SECONDS
from tiktok_crawler.storage.engine.lock import QueryLock
from tiktok_crawler.storage.engine.outage import explain
from tiktok_crawler.storage.engine.sqlite import IMPATIENT_SECONDS

if TYPE_CHECKING:
    from sqlalchemy import Engine
    from sqlalchemy.exc import DBAPIError


class Session:
    """Opens a database, prepares it, and takes a lock; `what` names what the lock is for."""

    def __init__(self, url: str, origin: str, fingerprint: str, what: str = "this query") -> None:
        self._url = database.database_url(url)
        self._origin = origin
        self._fingerprint = fingerprint
        self._what = what
        self._engine: Engine | None = None
        self._lock: QueryLock | None = None

    @property
    def location(self) -> str:
        """Where the data is, without user name and password."""
        return database.describe(self._url)

    def explain(self, error: DBAPIError) -> str:
        """An error of the database in words, without a password."""
        return f"{self.location}: {explain(error, self._url)}"

    def open(self) -> str | None:
        """Open the database, setting it up if it is empty, and take the lock.

        Returns:
            A warning for the user, if there is one.

        Raises:
            ConfigurationError: the database cannot be used as it is.
            QueryLockedError: another crawl of the same is running.
        """
        self._engine = engine = database.create_engine_for(self._url)
        database.prepare(engine, self._origin)
        lock = QueryLock(engine, self._fingerprint, self._what)
        lock.acquire()
        self._lock = lock
        self._use(engine)
        return database.network_file_system_warning(self._url)

    def _use(self, engine: Engine) -> None:
        self._engine = engine

    def _lose_patience(self) -> None:
        """Wait no longer for others to write than a crawl does between looks at what goes on.

        What fails then is tried again by the crawl, unless it is interrupted.
        """
        assert self._engine
        self._use(self._engine.execution_options(**{WAITS_SECONDS: IMPATIENT_SECONDS}))

    def _verify_lock(self) -> None:
        assert self._lock
        self._lock.verify()

    def _release(self) -> None:
        if self._lock:
            self._lock.release()
        if self._engine:
            self._engine.dispose()
