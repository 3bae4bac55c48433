"""Decompresses answers; one that cannot be decompressed is a fault of the API's, not of ours."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from scrapy.downloadermiddlewares.httpcompression import HttpCompressionMiddleware

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.http import Response

logger = logging.getLogger(__name__)


class CompressionMiddleware(HttpCompressionMiddleware):
    """Scrapy's middleware, which raises where no other middleware can act on it."""

    def process_response(  # type: ignore[override]
        self, request: Request, response: Response
    ) -> Request | Response:
        try:
            return super().process_response(request, response)
        except Exception as exc:  # noqa: BLE001 - each decompressor has exceptions of its own
            logger.info(
                "An answer cannot be decompressed: %(error)s", {"error": type(exc).__name__}
            )
            return response.replace(body=b"")
