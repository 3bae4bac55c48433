"""Feed exports (`-O videos.jsonl`) with one line a record, though an item is a page."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from scrapy import Field, Item
from scrapy.extensions.feedexport import FeedExporter, FeedSlot

from tiktok_crawler.items import Page
from tiktok_crawler.research_api.endpoints import VIDEO_QUERY
from tiktok_crawler.storage.text import Cleaner

if TYPE_CHECKING:
    from scrapy import Spider

EXTRA = "extra_data"

logger = logging.getLogger(__name__)


class Video(Item):
    """A video as the API sent it; fields that this version does not know are in `extra_data`.

    All fields are declared, so that a CSV feed has the same columns whatever its first video lacks.
    """

    fields = {name: Field() for name in (*VIDEO_QUERY.fields, EXTRA)}  # noqa: RUF012 - Scrapy's way

    @classmethod
    def from_record(cls, record: dict[str, Any]) -> Video:
        """The record without what no text file can hold, as in the database."""
        record = Cleaner().clean(record)
        known = {name: value for name, value in record.items() if name in VIDEO_QUERY.fields}
        unknown = {name: value for name, value in record.items() if name not in known}
        return cls(known | ({EXTRA: unknown} if unknown else {}))


class RecordFeedExporter(FeedExporter):
    """Scrapy's feed exporter, given the records of a page one by one, after the page is stored."""

    def item_scraped(self, item: Any, spider: Spider) -> None:
        if not isinstance(item, Page):
            return
        try:
            for record in item.records:
                if isinstance(record, dict):
                    super().item_scraped(Video.from_record(record), spider)
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
