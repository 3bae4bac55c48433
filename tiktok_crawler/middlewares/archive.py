"""Keeps every answer of the API as it came, before anything acts on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scrapy.exceptions import NotConfigured

from tiktok_crawler.archive.lines import RawAnswer
from tiktok_crawler.crawling.attempt import attempt_of, is_api_request
from tiktok_crawler.crawling.components import config_of
from tiktok_crawler.middlewares.middleware import ApiMiddleware
from tiktok_crawler.pipelines.storage import crawl_storage

if TYPE_CHECKING:
    from typing import Self

    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.http import Response

HEADERS = ("Content-Type", "Date", "Retry-After", "X-Tt-Logid")
"""Headers of an answer that can add to its body."""


class ArchiveMiddleware(ApiMiddleware):
    """With TIKTOK_ARCHIVE, writes each answer to a research request into the archive.

    A page is stored only after its answer is on the disk. Where that fails the crawl is stopped
    with status 70, and the answer counts as never received.

    Settings: TIKTOK_ARCHIVE.
    Statistics: tiktok/archive/answers_count.
    """

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        if not config_of(crawler).archive:
            raise NotConfigured
        return cls(crawler)

    async def process_response(self, request: Request, response: Response) -> Response:
        if not is_api_request(request):
            return response
        attempt = attempt_of(request)
        assert attempt.received_at
        await crawl_storage(self.crawler).keep_answer(
            attempt.request, _answer(response), attempt.received_at
        )
        self.crawler.stats.inc_value("tiktok/archive/answers_count")
        return response


def _answer(response: Response) -> RawAnswer:
    headers = {name: _text(value) for name in HEADERS if (value := response.headers.get(name))}
    return RawAnswer(response.status, headers, response.body)


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace")
