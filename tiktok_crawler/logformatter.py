"""Log lines that name a page instead of printing it, and hold no secret and no control character.

Records are personal data, and text of others can steer a terminal, or repeat what was sent.
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
    from collections.abc import Callable
    from typing import Self

    from scrapy import Spider
    from scrapy.crawler import Crawler
    from scrapy.http import Response
    from twisted.python.failure import Failure


class PageLogFormatter(LogFormatter):
    """Scrapy's messages, without the bodies of items; and a log without control characters.

    Components of all origins write into the log, before any middleware has seen an answer.
    """

    def __init__(self) -> None:
        self._mask: Callable[[str], str] | None = None

    def mask_with(self, mask: Callable[[str], str]) -> None:
        """Have secrets taken out of each line from now on."""
        self._mask = mask

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        formatter = cls()
        # Before the first request, and after Scrapy's last change of the handler.
        crawler.signals.connect(formatter.spider_opened, signal=signals.spider_opened)
        return formatter

    def spider_opened(self) -> None:
        handler = get_scrapy_root_handler()
        if handler and handler.formatter:
            handler.setFormatter(VisibleFormatter(handler.formatter, self._mask))

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

    def __init__(
        self, formatter: logging.Formatter, mask: Callable[[str], str] | None = None
    ) -> None:
        super().__init__()
        self._formatter = formatter
        self._mask = mask

    def format(self, record: logging.LogRecord) -> str:
        shown = copy(record)
        shown.msg, shown.args = visible_lines(record.getMessage()), None
        if record.exc_info:
            shown.exc_text = visible_lines(self._formatter.formatException(record.exc_info))
        line = self._formatter.format(shown)
        return self._mask(line) if self._mask else line


def _result(level: int, message: str, item: object) -> LogFormatterResult:
    return {"level": level, "msg": message, "args": {"item": describe(item)}}


def describe(item: object) -> str:
    """Describe what an item is, without what is in it."""
    if isinstance(item, Page):
        place = item.request.place
        records = number_of(len(item.records), "records")
        return f"page of {item.request} at cursor {place.cursor}: {records}"
    return type(item).__name__
