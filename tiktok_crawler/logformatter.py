"""Log lines that name a page instead of printing it, and show control characters.

Records are personal data, and text of others can steer a terminal.
"""

from __future__ import annotations

import logging
from copy import copy
from typing import TYPE_CHECKING, Any

from scrapy import signals
from scrapy.logformatter import LogFormatter, LogFormatterResult
from scrapy.utils.log import get_scrapy_root_handler

from tiktok_crawler.research_api.pages import Page
from tiktok_crawler.spelling import number_of, visible_lines

if TYPE_CHECKING:
    from typing import Self

    from scrapy import Spider
    from scrapy.crawler import Crawler
    from scrapy.http import Response
    from twisted.python.failure import Failure


class PageLogFormatter(LogFormatter):
    """Scrapy's messages, without the bodies of items; and a log without control characters."""

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        formatter = cls()
        # Before the first request, and after Scrapy's last change of the handler.
        crawler.signals.connect(formatter.spider_opened, signal=signals.spider_opened)
        return formatter

    def spider_opened(self) -> None:
        handler = get_scrapy_root_handler()
        if handler and handler.formatter:
            handler.setFormatter(VisibleFormatter(handler.formatter))

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


class VisibleFormatter(logging.Formatter):
    """Another formatter, with a mark for each character that would steer a terminal."""

    def __init__(self, formatter: logging.Formatter):
        super().__init__()
        self._formatter = formatter

    def format(self, record: logging.LogRecord) -> str:
        shown = copy(record)
        shown.msg, shown.args = visible_lines(record.getMessage()), None
        if record.exc_info:
            shown.exc_text = visible_lines(self._formatter.formatException(record.exc_info))
        return self._formatter.format(shown)


def _result(level: int, message: str, item: object) -> LogFormatterResult:
    return {"level": level, "msg": message, "args": {"item": describe(item)}}


def describe(item: object) -> str:
    """Describe what an item is, without what is in it."""
    if isinstance(item, Page):
        place = item.request.place
        records = number_of(len(item.records), "records")
        return f"page of {item.request} at cursor {place.cursor}: {records}"
    return type(item).__name__
