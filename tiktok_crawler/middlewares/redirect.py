"""Ends a crawl whose requests are sent elsewhere: a redirect is never followed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tiktok_crawler.crawling.answers import redirected_to
from tiktok_crawler.crawling.attempt import is_api_request, verdict_of
from tiktok_crawler.crawling.closing import CloseReason
from tiktok_crawler.crawling.failures import CrawlStoppingError
from tiktok_crawler.middlewares.middleware import ApiMiddleware

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.http import Response

REDIRECTS_IN_A_ROW = 3
"""So many, with nothing else between them, are no accident."""


class RedirectMiddleware(ApiMiddleware):
    """Ends the crawl after three redirects in a row, of research or token requests, with status 75.

    Following one would carry the token or the secret to another place.

    Statistics: tiktok/redirects/received_count.
    """

    def __init__(self, crawler: Crawler):
        super().__init__(crawler)
        self._in_a_row = 0

    def process_response(self, request: Request, response: Response) -> Response:
        place = redirected_to(response)
        if place is None or (is_api_request(request) and not verdict_of(request).is_redirect):
            self._in_a_row = 0
            return response
        self.crawler.stats.inc_value("tiktok/redirects/received_count")
        self._in_a_row += 1
        if self._in_a_row < REDIRECTS_IN_A_ROW:
            return response
        if self._in_a_row == REDIRECTS_IN_A_ROW:
            self._give_up(place)
        raise CrawlStoppingError

    def _give_up(self, place: str) -> None:
        self._log.error(
            "Requests are redirected to %(place)s, which is not followed: the network asks for a "
            "login, a proxy stands in the way, or TIKTOK_API_URL is not the API's address",
            {"place": place},
        )
        self._outcome.stop(CloseReason.REDIRECTED)
