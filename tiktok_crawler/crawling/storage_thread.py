"""The thread of a crawl's database, and how long a database that is away is waited for."""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NoReturn, ParamSpec, TypeVar

from scrapy.exceptions import DropItem
from sqlalchemy.exc import DBAPIError

from tiktok_crawler.crawling.failures import CrawlStoppingError
from tiktok_crawler.exceptions import ArchiveError, DatabaseAwayError, DatabaseLostError
from tiktok_crawler.storage.engine.outage import is_outage

if TYPE_CHECKING:
    from collections.abc import Callable

    from scrapy.crawler import Crawler

P = ParamSpec("P")
T = TypeVar("T")

logger = logging.getLogger(__name__)

PATIENCE_SECONDS = 60.0
"""The longest wait for a database that is away, or a disk that is full."""

LOOK_SECONDS = 1.0


class NotStoredError(DropItem, CrawlStoppingError):
    """The database is away or lost, or the archive cannot be written, and the crawl ends.

    The item, or the request, leaves no trace in the database.
    """


class StorageThread:
    """Does one thing after another in a thread of its own, which keeps the order of writes.

    `explain` puts an error of the database in words, without a password; `stop` closes the crawl.

    Statistics: tiktok/storage/outage_count.
    """

    def __init__(
        self,
        crawler: Crawler,
        explain: Callable[[DBAPIError], str],
        stop: Callable[[], None],
    ):
        self.crawler = crawler
        self._explain = explain
        self._stop = stop
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="storage")
        self._is_away = False
        self._is_lost = False
        self._has_given_up = False

    async def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do something once.

        Raises:
            DatabaseLostError: the database is not where it was, which is told the first time.
        """
        future = self._executor.submit(function, *args, **kwargs)
        try:
            return await asyncio.wrap_future(future)
        except DatabaseLostError as exc:
            if not self._is_lost:
                logger.error("%(error)s", {"error": exc})
            self._is_lost = True
            raise

    async def run_patiently(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do it, and do it again while the database is away, unless the crawl is interrupted.

        Raises:
            NotStoredError: the database is away for too long, or lost, or the archive cannot be
                written; the crawl ends.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + PATIENCE_SECONDS
        while not self._has_given_up:
            try:
                result = await self.run(function, *args, **kwargs)
            except (DBAPIError, DatabaseAwayError) as exc:
                reason = self.outage(exc)
                if reason is None:
                    raise
                if loop.time() >= deadline or not self.crawler.engine.running:
                    self._report_end(reason)
                    await self._give_up(reason)
                self._report_outage(reason)
                await asyncio.sleep(LOOK_SECONDS)
            except DatabaseLostError as exc:
                await self._give_up(str(exc))
            except ArchiveError as exc:
                if not self._has_given_up:
                    logger.error("%(error)s", {"error": exc})
                await self._give_up(str(exc))
            else:
                self._is_away = False
                return result
        raise NotStoredError("the crawl has given up")

    def outage(self, error: BaseException) -> str | None:
        """Say why the database is away, if that is what an error says."""
        if isinstance(error, DatabaseAwayError):
            return str(error)
        if isinstance(error, DBAPIError) and is_outage(error):
            return self._explain(error)
        return None

    def shut_down(self) -> None:
        """Nothing can be done afterwards."""
        self._executor.shutdown()

    def _report_end(self, reason: str) -> None:
        if not self._has_given_up:
            logger.error(
                "The database still cannot be used, and the crawl ends; run the same command "
                "again when it can: %(reason)s",
                {"reason": reason},
            )

    async def _give_up(self, reason: str) -> NoReturn:
        self._has_given_up = True
        self._stop()
        # Closing has begun before the spider's next request is scheduled.
        await asyncio.sleep(0)
        raise NotStoredError(reason)

    def _report_outage(self, reason: str) -> None:
        self.crawler.stats.inc_value("tiktok/storage/outage_count")
        if not self._is_away:
            self._is_away = True
            logger.warning(
                "The database cannot be used now, and is tried again for %(seconds)d s: %(reason)s",
                {"seconds": PATIENCE_SECONDS, "reason": reason},
            )
