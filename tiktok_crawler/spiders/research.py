"""What all spiders of this project have in common."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any

from scrapy import Spider
from scrapy.exceptions import CloseSpider

from tiktok_crawler.crawling.closing import CloseReason
from tiktok_crawler.crawling.components import extension
from tiktok_crawler.crawling.storage_thread import NotStoredError
from tiktok_crawler.exceptions import CrawlerError
from tiktok_crawler.extensions.outcome import Outcome
from tiktok_crawler.spiders.task_runner import TaskRunner

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from scrapy import Request

    from tiktok_crawler.planning.seeds import Stage


class ResearchSpider(Spider):
    """A spider that ends in order when its database cannot be used.

    `stages` are the listings that it works off, with these `tags`. `max_requests` is how many
    requests it may send.
    """

    stages: tuple[Stage, ...] = ()
    tags: tuple[str, ...] = ()

    def __init__(self, *, max_requests: int | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.max_requests = max_requests

    async def start(self) -> AsyncIterator[Request]:
        if not self.crawler.crawling:
            # Ctrl-C came while the database was opened: Scrapy has noted it here, but stops only an
            # engine that runs, and one that closes later only if this was not noted.
            self.crawler.crawling = True
            raise CloseSpider("shutdown")
        self.lister = TaskRunner(self.crawler)
        try:
            async for request in self.requests():
                yield request
        except NotStoredError as exc:
            raise CloseSpider(CloseReason.STORAGE_FAILED) from exc
        except CrawlerError as exc:
            raise extension(self.crawler, Outcome).refuse(exc) from exc

    @abstractmethod
    def requests(self) -> AsyncIterator[Request]:
        """All that there is to ask for."""
