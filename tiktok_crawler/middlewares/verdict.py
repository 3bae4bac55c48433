"""Says once, for all middlewares and the spider, what an answer of the API means."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from tiktok_crawler.clock import utc_now
from tiktok_crawler.research_api.verdicts import AnswerKind, Verdict, classify

if TYPE_CHECKING:
    from datetime import datetime
    from typing import Self

    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.http import Response

    from tiktok_crawler.research_api.tasks import ApiRequest

logger = logging.getLogger(__name__)


def is_research_request(request: Request) -> bool:
    """Whether this is a request to a research endpoint, which costs quota."""
    return "page_request" in request.meta


def verdict_of(request: Request) -> Verdict:
    """What the answer to the request means."""
    return cast("Verdict", request.meta["verdict"])


def received_at_of(request: Request) -> datetime:
    """When the answer to the request came, UTC."""
    return cast("datetime", request.meta["received_at"])


def token_in(request: Request) -> str:
    """The access token that the request was sent with; empty if there was none."""
    return (request.headers.get("Authorization") or b"").decode().removeprefix("Bearer ")


def _without_token(verdict: Verdict, request: Request) -> Verdict:
    """An answer may repeat what it was asked with; the token goes into no log and no database."""
    token = token_in(request)
    if not token or token not in verdict.message:
        return verdict
    return replace(verdict, message=verdict.message.replace(token, "***"))


class VerdictMiddleware:
    """Classifies each answer; `verdict_of` and `received_at_of` tell the others.

    Statistics: tiktok/answers/<kind>_count.
    """

    def __init__(self, crawler: Crawler):
        self.crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(crawler)

    def process_response(self, request: Request, response: Response) -> Response:
        if not is_research_request(request):
            return response
        asked: ApiRequest = request.meta["page_request"]
        verdict = classify(response.status, response.body, asked.endpoint)
        verdict = _without_token(verdict, request)
        request.meta["verdict"] = verdict
        request.meta["received_at"] = utc_now()
        self.crawler.stats.inc_value(f"tiktok/answers/{verdict.kind}_count")
        if verdict.kind is not AnswerKind.PAGE:
            logger.info(
                "%(asked)s, cursor %(cursor)d: %(verdict)s (log_id %(log_id)s)",
                {
                    "asked": asked,
                    "cursor": asked.cursor,
                    "verdict": verdict,
                    "log_id": verdict.log_id,
                },
                extra={"spider": self.crawler.spider},
            )
        return response
