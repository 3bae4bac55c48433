"""Unpacks answers; one that cannot be unpacked is a fault of the API's, not of ours."""

from __future__ import annotations

from gzip import GzipFile
from io import BytesIO
from typing import TYPE_CHECKING

from scrapy.downloadermiddlewares.httpcompression import HttpCompressionMiddleware
from scrapy.exceptions import IgnoreRequest

from tiktok_crawler.crawling.answers import unreadable

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.http import Response

CHUNK = 2**16


class CompressionMiddleware(HttpCompressionMiddleware):
    """Scrapy's middleware, which raises where no other middleware can act on it."""

    def process_response(  # type: ignore[override]
        self, request: Request, response: Response
    ) -> Request | Response:
        packed, is_gzip = response.body, _is_gzip(response)
        try:
            unpacked = super().process_response(request, response)
            if is_gzip:
                _check_gzip(packed)
        except IgnoreRequest:
            size = f"{len(response.body):,} bytes"
            return unreadable(response, f"{size} that unpack to more than DOWNLOAD_MAXSIZE allows")
        except Exception as exc:  # noqa: BLE001 - each decompressor has exceptions of its own
            return unreadable(response, f"compressed data that is damaged ({type(exc).__name__})")
        return unpacked


def _is_gzip(response: Response) -> bool:
    """Tell whether the outermost encoding has a checksum that Scrapy does not look at."""
    encodings = b",".join(response.headers.getlist("Content-Encoding"))
    return encodings.rpartition(b",")[2].strip().lower() in {b"gzip", b"x-gzip"}


def _check_gzip(packed: bytes) -> None:
    """Read once more what was unpacked: Scrapy takes it as far as it goes, whatever comes out.

    Raises:
        OSError: it was changed on its way.
        EOFError: it breaks off.
    """
    with GzipFile(fileobj=BytesIO(packed)) as file:
        while file.read(CHUNK):
            pass
