"""Says once, for all other components, what an answer of the API means."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from tiktok_crawler.clock import utc_now
from tiktok_crawler.crawling.answers import why_no_answer
from tiktok_crawler.crawling.attempt import attempt_of, change, is_api_request
from tiktok_crawler.middlewares.middleware import ApiMiddleware
from tiktok_crawler.research_api.tasks import Seed
from tiktok_crawler.research_api.verdicts import AnswerKind, Verdict, classify
from tiktok_crawler.spelling import number_of

if TYPE_CHECKING:
    from datetime import datetime

    from scrapy import Request
    from scrapy.http import Response

    from tiktok_crawler.research_api.tasks import PageRequest

REPLACED_COUNT = "tiktok/text/replaced_count"

REFUSALS = (AnswerKind.NOT_FOUND, AnswerKind.WITHHELD, AnswerKind.REFUSED)


def _verdict(response: Response, asked: PageRequest) -> Verdict:
    verdict = classify(response.status, response.body, asked.endpoint)
    if verdict.kind is AnswerKind.SEARCH_REFUSED and asked.starts_task:
        # There is no search or cursor yet that could be wrong, or lost.
        return replace(verdict, kind=AnswerKind.FAULT)
    words = why_no_answer(response) if verdict.kind is AnswerKind.FAULT else None
    return replace(verdict, message=words) if words else verdict


def _level(asked: PageRequest, verdict: Verdict) -> int:
    """Of seeds that are refused, and lists that end so, a crawl tells the number at its end."""
    is_told = isinstance(asked.task, Seed) and verdict.kind in REFUSALS
    ends_list = asked.is_past_cap and verdict.kind is AnswerKind.SEARCH_REFUSED
    return logging.DEBUG if is_told or ends_list else logging.INFO


def _received_at(asked: PageRequest) -> datetime:
    """Return the time of an answer: it follows its search, also if the clock was set back since.

    By it a search's own pages are told from earlier ones.
    """
    now = utc_now()
    return max(now, asked.begun_at or now)


class VerdictMiddleware(ApiMiddleware):
    """Classifies each answer, for the others: what it means stands in the attempt.

    Statistics: tiktok/answers/<kind>_count, tiktok/text/replaced_count.
    """

    def process_response(self, request: Request, response: Response) -> Response:
        if not is_api_request(request):
            return response
        asked = attempt_of(request).request
        verdict = _verdict(response, asked)
        change(request, verdict=verdict, received_at=_received_at(asked))
        self.crawler.stats.inc_value(f"tiktok/answers/{verdict.kind}_count")
        if verdict.replaced_count:
            self._tell_replaced(asked, verdict)
        if verdict.kind is not AnswerKind.PAGE:
            self._log.log(
                _level(asked, verdict),
                "%(asked)s, cursor %(cursor)d: %(verdict)s (log_id %(log_id)s)",
                {
                    "asked": asked,
                    "cursor": asked.place.cursor,
                    "verdict": verdict,
                    "log_id": verdict.log_id,
                },
            )
        return response

    def _tell_replaced(self, asked: PageRequest, verdict: Verdict) -> None:
        """Count what was no text in an answer; the first one is told."""
        stats = self.crawler.stats
        if not stats.get_value(REPLACED_COUNT):
            self._log.warning(
                "%(asked)s, cursor %(cursor)d: bytes that are not UTF-8, in %(places)s; what "
                "is stored has � there (log_id %(log_id)s)",
                {
                    "asked": asked,
                    "cursor": asked.place.cursor,
                    "places": number_of(verdict.replaced_count, "places"),
                    "log_id": verdict.log_id,
                },
            )
        stats.inc_value(REPLACED_COUNT, verdict.replaced_count)
