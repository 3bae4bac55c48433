"""Unpacks answers; one that cannot be unpacked is a fault of the API's, not of ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scrapy.downloadermiddlewares.httpcompression import HttpCompressionMiddleware
from scrapy.exceptions import IgnoreRequest

from tiktok_crawler.crawling.answers import unreadable

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.http import Response


class CompressionMiddleware(HttpCompressionMiddleware):
    """Scrapy's middleware, which raises where no other middleware can act on it."""

    def process_response(  # type: ignore[override]
        self, request: Request, response: Response
    ) -> Request | Response:
        try:
            return super().process_response(request, response)
        except IgnoreRequest:
            size = f"{len(response.body):,} bytes"
            return unreadable(response, f"{size} that unpack to more than DOWNLOAD_MAXSIZE allows")
        except Exception as exc:  # noqa: BLE001 - each decompressor has exceptions of its own
            return unreadable(response, f"compressed data that is damaged ({type(exc).__name__})")
