"""The end of a crawl: the one way to stop it, and the exit status that it ends with."""

from __future__ import annotations

import asyncio
import logging
from os import EX_TEMPFAIL
from typing import TYPE_CHECKING

from scrapy import signals
from scrapy.exceptions import CloseSpider

from tiktok_crawler.config.scrapy_settings import check_components, check_scrapy_settings
from tiktok_crawler.crawling.closing import CloseReason, exit_status, severest
from tiktok_crawler.crawling.hang_up import end_in_order
from tiktok_crawler.crawling.refusal import tell_refusal

if TYPE_CHECKING:
    from typing import Self

    from scrapy.crawler import Crawler

    from tiktok_crawler.exceptions import CrawlerError, QueryLockedError, ShareSpentError

logger = logging.getLogger(__name__)


class Outcome:
    """Collects the exit status, and closes the spider when something demands it.

    An item that could not be stored or an exception in a callback closes the crawl: going on would
    pay for pages that are lost.
    """

    def __init__(self, crawler: Crawler):
        self.crawler = crawler
        self._statuses: list[int] = []
        self._closing: asyncio.Task[None] | None = None
        self._spent: dict[tuple[str, str], ShareSpentError] = {}
        self.error: CrawlerError | None = None

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        # Add-ons have changed settings after the spider was built.
        check_components(crawler.settings)
        check_scrapy_settings(crawler.settings)
        outcome = cls(crawler)
        crawler.signals.connect(end_in_order, signal=signals.spider_opened)
        crawler.signals.connect(outcome.item_error, signal=signals.item_error)
        crawler.signals.connect(outcome.spider_error, signal=signals.spider_error)
        crawler.signals.connect(outcome.spider_closed, signal=signals.spider_closed)
        return outcome

    @property
    def exit_status(self) -> int:
        """The exit status of the process; a crawl that never closed was interrupted."""
        if not self._statuses:
            return EX_TEMPFAIL
        return severest((*self._statuses, *self._failed_feeds()))

    def stop(self, reason: CloseReason) -> bool:
        """Close the spider as soon as the answers in flight are stored.

        Returns:
            Whether nothing has demanded it before: then there is something to tell.
        """
        self._statuses.append(exit_status(reason))
        if self._closing:
            return False
        self._closing = asyncio.ensure_future(self.crawler.engine.close_spider_async(reason=reason))
        return True

    def refuse(self, error: CrawlerError) -> CloseSpider:
        """Return the exception to raise in place of an error that keeps the crawl from starting.

        Scrapy ends in order then; `error` has the words for the user.
        """
        self.error = error
        tell_refusal(self.crawler, error)
        self._statuses.append(error.exit_status)
        return CloseSpider(CloseReason.NOT_STARTED)

    def lose_lock(self, error: QueryLockedError) -> CloseSpider:
        """Return the exception to raise in place of an error that keeps the crawl from going on."""
        if not self._closing:
            logger.error("%(error)s", {"error": error})
        return CloseSpider(CloseReason.LOCK_LOST)

    def broke(self) -> None:
        """Something went wrong while the crawl was closing."""
        self._statuses.append(exit_status(CloseReason.UNEXPECTED_ERROR))

    def part_ended(self, reason: CloseReason) -> None:
        """A part of what was asked for has come to this end; the rest goes on."""
        self._statuses.append(exit_status(reason))

    def left_undone(self) -> None:
        """Something that was asked for is not stored: a later run goes on."""
        self._statuses.append(EX_TEMPFAIL)

    def share_spent(self, spent: ShareSpentError) -> None:
        """No more requests of a part are sent today; the rest goes on."""
        self._spent[spent.part, spent.why] = spent

    @property
    def spent_shares(self) -> tuple[ShareSpentError, ...]:
        """The shares of the day that this crawl has found to be spent, each once."""
        return tuple(self._spent.values())

    async def item_error(self) -> None:
        self.stop(CloseReason.STORAGE_FAILED)
        # Closing has begun before the spider's next request is scheduled.
        await asyncio.sleep(0)

    def spider_error(self) -> None:
        self.stop(CloseReason.UNEXPECTED_ERROR)

    def spider_closed(self, reason: str) -> None:
        self._statuses.append(exit_status(reason))

    def _failed_feeds(self) -> list[int]:
        """A status for each storage of feeds that failed; Scrapy only logs them."""
        return [
            exit_status(CloseReason.UNEXPECTED_ERROR)
            for name in self.crawler.stats.get_stats()
            if name.startswith("feedexport/failed_count/")
        ]
