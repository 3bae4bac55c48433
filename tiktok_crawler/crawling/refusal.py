"""The one way to refuse a crawl: who has started it is told why, on a terminal or in a script."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tiktok_crawler.exceptions import CrawlerError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scrapy.crawler import Crawler

logger = logging.getLogger(__name__)

crawl_refused = object()
"""The signal that a crawl is refused, with the `error`."""


def tell_refusal(crawler: Crawler, error: CrawlerError) -> None:
    """Tell those who receive the signal, or else the log, why a crawl is refused."""
    if not crawler.signals.send_catch_log(crawl_refused, error=error):
        logger.error("The crawl is refused: %(error)s", {"error": error})


@contextmanager
def refusing(crawler: Crawler) -> Iterator[None]:
    """Tell of an error that keeps a crawl from being set up, which Scrapy raises to its caller."""
    try:
        yield
    except CrawlerError as exc:
        tell_refusal(crawler, exc)
        raise
