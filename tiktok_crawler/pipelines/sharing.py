"""What a crawl shares with others on the same database: what is left to them, and who they are."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from tiktok_crawler.clock import utc_now
from tiktok_crawler.exceptions import QueryLockedError, TaskTakenError
from tiktok_crawler.query_file.collection import Collection
from tiktok_crawler.research_api.checks import Checks
from tiktok_crawler.research_api.endpoints import VIDEO_QUERY, Listing
from tiktok_crawler.research_api.query import Query
from tiktok_crawler.storage.engine import database
from tiktok_crawler.storage.engine.lock import QueryLock, others_at_work
from tiktok_crawler.storage.ledger import quota

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import URL

    from tiktok_crawler.config import Config
    from tiktok_crawler.crawling.storage_thread import StorageThread
    from tiktok_crawler.storage.engine.open_files import Hold

Subject = Query | Listing | Checks
"""What sessions are about."""

Shared = Subject | Collection
"""What other crawls can be at work on, too; of collections, those with a list under `each`."""


class Sharing:
    """Keeps in mind what was left to other crawls, and looks whether they are still at work.

    Only where several can be (PostgreSQL) something is left to them that is done by this crawl if
    they do not finish it.
    """

    def __init__(self, config: Config, hold: Hold, thread: StorageThread) -> None:
        self._config = config
        self._hold = hold
        self._thread = thread
        self._lock_names: dict[Shared, str] = {}
        self._lists: dict[str, QueryLock] = {}
        self._met: set[Shared] = set()

    def works_on(self, subject: Shared, lock_name: str) -> None:
        """Note by which lock others can be told that are at work on the same."""
        self._lock_names[subject] = lock_name

    def leave(self, subject: Shared) -> None:
        """Note that something is left to others."""
        self._met.add(subject)

    @contextmanager
    def leaving(self, subject: Shared) -> Iterator[None]:
        """Note it where a task turns out to be another crawl's."""
        try:
            yield
        except TaskTakenError:
            self.leave(subject)
            raise

    def has_left(self, subject: Shared) -> bool:
        """Tell whether something is left to others."""
        return subject in self._met

    def forget(self, subject: Shared) -> None:
        """Forget that something was left to others: what they have not done is left."""
        self._met.discard(subject)

    async def at_work(self, subject: Shared) -> list[str]:
        """Describe the other crawls that are at work on the same now."""
        return await self._thread.run_patiently(self._at_work, subject)

    async def quota_is_used_up(self, subject: Shared) -> bool:
        """Tell whether the API has said that nothing is left of the day's quota for a subject."""
        pool = subject.endpoint.pool if isinstance(subject, Listing) else VIDEO_QUERY.pool
        client, url = self._config.quota_account(pool, "").client, self._config.database_url
        spent = await self._thread.run_patiently(quota.read_spent, url, utc_now())
        return any(each.is_used_up for each in spent if (each.client, each.pool) == (client, pool))

    async def take_list(self, collection: Collection) -> None:
        """Keep other crawls from a list.

        Raises:
            ConfigurationError: the database cannot be used as it is.
            QueryLockedError: another crawl of this list is running on the database.
        """
        self.works_on(collection, collection.fingerprint)
        try:
            lock = await self._thread.run(self._lock_list, collection)
        except QueryLockedError:
            if self._url.get_backend_name() == "postgresql":
                self.leave(collection)
            raise
        self._lists[collection.fingerprint] = lock

    def list_lock(self, collection: Collection) -> QueryLock | None:
        """The lock of the list that a collection has some values of, if it has."""
        return self._lists.get(collection.batch.template) if collection.batch else None

    async def give_list(self, collection: Collection) -> None:
        """Let others have a list, if it was taken."""
        await self._give(collection.fingerprint)

    async def give_all(self) -> None:
        """Let others have all lists."""
        for fingerprint in list(self._lists):
            await self._give(fingerprint)

    async def _give(self, fingerprint: str) -> None:
        if lock := self._lists.pop(fingerprint, None):
            await self._thread.run(_release, lock)

    @property
    def _url(self) -> URL:
        return database.database_url(self._config.database_url)

    def _at_work(self, subject: Shared) -> list[str]:
        with database.opened(self._config.database_url, self._hold) as engine:
            return others_at_work(engine, self._lock_names[subject])

    def _lock_list(self, collection: Collection) -> QueryLock:
        engine = database.create_engine_for(self._url, self._hold)
        try:
            database.prepare(engine, self._config.origin)
            lock = QueryLock(engine, collection.fingerprint, "this list")
            lock.acquire()
        except BaseException:
            engine.dispose()
            raise
        return lock


def _release(lock: QueryLock) -> None:
    lock.release()
    lock.engine.dispose()
