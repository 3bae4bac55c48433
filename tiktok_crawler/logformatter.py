"""Log lines that name a page instead of printing it: its records are personal data."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from scrapy.logformatter import LogFormatter, LogFormatterResult

from tiktok_crawler.research_api.pages import Page

if TYPE_CHECKING:
    from scrapy import Spider
    from scrapy.http import Response
    from twisted.python.failure import Failure


class PageLogFormatter(LogFormatter):
    """Scrapy's messages, without the bodies of items."""

    def scraped(
        self,
        item: Any,
        response: Response | Failure | None,  # noqa: ARG002 - Scrapy's signature
        spider: Spider,  # noqa: ARG002
    ) -> LogFormatterResult:
        return _result(logging.DEBUG, "Stored %(item)s", item)

    def dropped(
        self,
        item: Any,
        exception: BaseException,
        response: Response | Failure | None,  # noqa: ARG002
        spider: Spider,  # noqa: ARG002
    ) -> LogFormatterResult:
        return _result(logging.WARNING, f"Dropped %(item)s: {type(exception).__name__}", item)

    def item_error(
        self,
        item: Any,
        exception: BaseException,  # noqa: ARG002
        response: Response | Failure | None,  # noqa: ARG002
        spider: Spider,  # noqa: ARG002
    ) -> LogFormatterResult:
        return _result(logging.ERROR, "Could not store %(item)s", item)


def _result(level: int, message: str, item: object) -> LogFormatterResult:
    return {"level": level, "msg": message, "args": {"item": describe(item)}}


def describe(item: object) -> str:
    """Describe what an item is, without what is in it."""
    if isinstance(item, Page):
        place = item.request.place
        return f"page of {item.request} at cursor {place.cursor}: {len(item.records)} records"
    return type(item).__name__
