"""Feed exports (`-O videos.jsonl`) with one line a record, though an item is a page."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from scrapy.extensions.feedexport import FeedExporter, FeedSlot

from tiktok_crawler.items import feed_items
from tiktok_crawler.research_api.endpoints import VIDEO_QUERY
from tiktok_crawler.research_api.pages import Page

if TYPE_CHECKING:
    from collections.abc import Iterable

    from scrapy import Item, Spider

logger = logging.getLogger(__name__)


class RecordFeedExporter(FeedExporter):
    """Scrapy's feed exporter, given the records of a page one by one, after the page is stored."""

    def item_scraped(self, item: Any, spider: Spider) -> None:
        try:
            for line in _lines(item, spider):
                super().item_scraped(line, spider)
        except Exception as exc:  # noqa: BLE001 - feeds go to storages of many kinds
            self._failed(exc)

    async def _close_slot(self, slot: FeedSlot, spider: Spider) -> None:
        try:
            await super()._close_slot(slot, spider)
        except Exception as exc:  # noqa: BLE001 - feeds go to storages of many kinds
            self._failed(exc)

    def _failed(self, exc: Exception) -> None:
        """Scrapy would lose the exception; `extensions/outcome.py` looks at the statistic."""
        logger.error("A feed could not be written; the pages are in the database", exc_info=exc)
        self.crawler.stats.inc_value("feedexport/failed_count/RecordFeedExporter")


def _lines(item: object, spider: Spider) -> Iterable[Item]:
    """Yield the records of what the spider is for: what it also collects has other columns."""
    endpoint = getattr(getattr(spider, "listing", None), "endpoint", VIDEO_QUERY)
    if isinstance(item, Page) and item.request.endpoint is endpoint:
        return feed_items(item)
    return ()
