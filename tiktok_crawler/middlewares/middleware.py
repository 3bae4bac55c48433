"""The base of the middlewares that act on requests to the API."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from tiktok_crawler.crawling.components import config_of, extension
from tiktok_crawler.extensions.delay_queue import DelayQueue
from tiktok_crawler.extensions.outcome import Outcome

if TYPE_CHECKING:
    from typing import Self

    from scrapy.crawler import Crawler


class ApiMiddleware:
    """Knows the crawl, its configuration, and whom to tell what a request has come to."""

    def __init__(self, crawler: Crawler):
        self.crawler = crawler
        self.config = config_of(crawler)
        self._log = logging.LoggerAdapter(
            logging.getLogger(type(self).__module__), {"spider": crawler.spider}
        )

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(crawler)

    @property
    def _queue(self) -> DelayQueue:
        return extension(self.crawler, DelayQueue)

    @property
    def _outcome(self) -> Outcome:
        return extension(self.crawler, Outcome)
