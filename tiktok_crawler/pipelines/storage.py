"""The one way from a crawl's pages to the database."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from tiktok_crawler.crawling.closing import CloseReason
from tiktok_crawler.crawling.components import config_of, extension, item_pipeline
from tiktok_crawler.exceptions import ArchiveError, DatabaseLostError
from tiktok_crawler.extensions.feed_export import RecordFeedExporter
from tiktok_crawler.extensions.outcome import Outcome
from tiktok_crawler.own_files import exposure, redirected_log
from tiktok_crawler.pipelines.crawl_storage import CrawlStorage
from tiktok_crawler.pipelines.storage_reports import StorageReports
from tiktok_crawler.reports.summary import SearchEnd
from tiktok_crawler.research_api.pages import Page
from tiktok_crawler.spelling import visible
from tiktok_crawler.storage.engine import database, sqlite
from tiktok_crawler.storage.search_session import SearchResult

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Self

    from scrapy.crawler import Crawler

logger = logging.getLogger(__name__)


def crawl_storage(crawler: Crawler) -> CrawlStorage:
    """Return the sessions of a crawl."""
    return item_pipeline(crawler, StoragePipeline).storage


class StoragePipeline:
    """Stores each page in one transaction, with the ledger's checkpoint.

    The spider begins and ends the searches of queries and the stages of listings. While the
    database is away it is tried again (`crawling/storage_thread.py`). An exception here closes the
    crawl (`extensions/outcome.py`).

    Statistics: those of `storage_reports.py`.
    """

    def __init__(self, crawler: Crawler):
        self.crawler = crawler
        self.storage = CrawlStorage(crawler, stop=self._stop)
        self.reports = StorageReports(crawler)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(crawler)

    def open_spider(self) -> None:
        self._warn_of_exposure()

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
            saved = await self.storage.save_page(item)
            self.reports.page_stored(item, saved)
            return saved.page
        return item

    async def close_spider(self) -> None:
        storage = self.storage
        self.reports.say_refusals()
        self.reports.say_oddities()
        self.reports.say_left_out()
        try:
            await storage.close()
        except Exception as exc:
            self._outcome.broke()
            if isinstance(exc, ArchiveError):
                logger.error("%(error)s", {"error": exc})
            elif reason := storage.outage(exc):
                logger.error("What is left to do cannot be read: %(reason)s", {"reason": reason})
            elif not isinstance(exc, DatabaseLostError):
                raise
        finally:
            storage.shut_down()
        for result in storage.results.values():
            if isinstance(result, SearchResult):
                self.reports.search_ended(result)
        is_probing = getattr(self.crawler.spider, "probes", None)
        if not is_probing and not all(search.is_done for search in self.search_ends()):
            self._outcome.left_undone()
        if not all(result.is_fulfilled for result in storage.stage_results.values()):
            self._outcome.left_undone()

    def search_ends(self) -> Iterator[SearchEnd]:
        """Yield how the search of each query file has ended."""
        spider = self.crawler.spider
        searches = zip(
            getattr(spider, "collections", ()), getattr(spider, "budgets", ()), strict=True
        )
        for collection, budget in searches:
            yield SearchEnd(collection.name, budget, self.storage.results.get(collection))

    def _stop(self) -> None:
        self._outcome.stop(CloseReason.STORAGE_FAILED)

    @property
    def _outcome(self) -> Outcome:
        return extension(self.crawler, Outcome)
