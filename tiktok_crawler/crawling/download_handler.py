"""Downloads that do not keep a crawl from ending: answers in flight get some seconds, no more."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from scrapy.core.downloader.handlers.http11 import HTTP11DownloadHandler

from tiktok_crawler.crawling.failures import CrawlStoppingError

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.http import Response

GRACE_SECONDS = 8.0
"""Time to wait for answers after a signal: the API can hang for minutes (api_facts.md 1.19)."""

LOOK_SECONDS = 0.2


class GracefulDownloadHandler(HTTP11DownloadHandler):
    """Scrapy's handler; after Ctrl-C or SIGTERM it gives up on answers that stay away.

    The page counts as spent, its window stays open, and the next run asks for it again.
    """

    lazy = True

    async def download_request(self, request: Request) -> Response:
        download = asyncio.ensure_future(super().download_request(request))
        grace = GRACE_SECONDS
        try:
            while grace > 0:
                done, _ = await asyncio.wait({download}, timeout=LOOK_SECONDS)
                if done:
                    return download.result()
                # No signal says that closing began.
                if not self.crawler.engine.running:
                    grace -= LOOK_SECONDS
        finally:
            download.cancel()
        raise CrawlStoppingError
