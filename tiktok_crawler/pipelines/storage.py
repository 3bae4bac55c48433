"""The one way from a crawl's pages to the database."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy.exc import DBAPIError

from tiktok_crawler.crawling.closing import CloseReason
from tiktok_crawler.crawling.components import config_of, extension, item_pipeline
from tiktok_crawler.exceptions import ArchiveError, CrawlerError, DatabaseLostError
from tiktok_crawler.extensions.feed_export import RecordFeedExporter
from tiktok_crawler.extensions.outcome import Outcome
from tiktok_crawler.own_files import exposure, redirected_log
from tiktok_crawler.pipelines.crawl_storage import CrawlStorage
from tiktok_crawler.pipelines.storage_reports import StorageReports
from tiktok_crawler.research_api.pages import Page
from tiktok_crawler.spelling import visible
from tiktok_crawler.storage.engine import database, sqlite
from tiktok_crawler.storage.engine.outage import is_outage

if TYPE_CHECKING:
    from typing import Self

    from scrapy.crawler import Crawler

logger = logging.getLogger(__name__)


def crawl_storage(crawler: Crawler) -> CrawlStorage:
    """Return the sessions of a crawl."""
    return item_pipeline(crawler, StoragePipeline).storage


class StoragePipeline:
    """Stores each page in one transaction, with the ledger's checkpoint.

    A spider with a `collection` has its database opened, and the query's lock taken, before its
    first request; stages of listings are begun and ended by the spider. While the database is away
    it is tried again (`crawling/storage_thread.py`). An exception here closes the crawl
    (`extensions/outcome.py`).

    Statistics: those of `storage_reports.py`.
    """

    def __init__(self, crawler: Crawler):
        self.crawler = crawler
        self.storage = CrawlStorage(crawler, stop=self._stop)
        self.reports = StorageReports(crawler)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(crawler)

    async def open_spider(self) -> None:
        self._warn_of_exposure()
        spider = self.crawler.spider
        collection = getattr(spider, "collection", None)
        if collection is None:
            return
        try:
            await self.storage.open_search(collection, spider.wanted)  # type: ignore[union-attr]
        except CrawlerError as exc:
            raise self._outcome.refuse(exc) from exc

    def _warn_of_exposure(self) -> None:
        config, feeds = config_of(self.crawler), self.crawler.get_extension(RecordFeedExporter)
        log = self.crawler.settings["LOG_FILE"]
        if exposed := exposure(
            [
                sqlite.file_of(database.database_url(config.database_url)),
                config.archive,
                *(feeds.files if feeds else ()),
                Path(log) if log else redirected_log(),
            ]
        ):
            logger.warning("%(exposed)s", {"exposed": visible(exposed)})

    async def process_item(self, item: object) -> object:
        if isinstance(item, Page):
            self.reports.page_stored(item, await self.storage.save_page(item))
        return item

    async def close_spider(self) -> None:
        storage = self.storage
        self.reports.say_refusals()
        self.reports.say_oddities()
        try:
            await storage.close()
        except Exception as exc:
            self._outcome.broke()
            if isinstance(exc, ArchiveError):
                logger.error("%(error)s", {"error": exc})
            elif isinstance(exc, DBAPIError) and is_outage(exc):
                reason = storage.explain(exc)
                logger.error("What is left to do cannot be read: %(reason)s", {"reason": reason})
            elif not isinstance(exc, DatabaseLostError):
                raise
        finally:
            storage.shut_down()
        if storage.result:
            self.reports.crawl_ended(storage.result)
            is_probing = getattr(self.crawler.spider, "probes", None)
            if not storage.result.plan.is_fulfilled and not is_probing:
                self._outcome.left_undone()
        if not all(result.is_fulfilled for result in storage.stage_results.values()):
            self._outcome.left_undone()

    def _stop(self) -> None:
        self._outcome.stop(CloseReason.STORAGE_FAILED)

    @property
    def _outcome(self) -> Outcome:
        return extension(self.crawler, Outcome)
