"""Sends a request that failed again later, or gives it up."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import TYPE_CHECKING

from scrapy.exceptions import DownloadCancelledError
from scrapy.utils.misc import load_object

from tiktok_crawler.clock import utc_now
from tiktok_crawler.crawling.attempt import attempt_of, change, is_api_request, verdict_of
from tiktok_crawler.crawling.closing import CloseReason
from tiktok_crawler.crawling.failures import (
    CrawlStoppingError,
    CursorLostError,
    RequestDelayedError,
    RequestRefusedError,
    TaskFailedError,
)
from tiktok_crawler.crawling.unanswered import why_unanswered
from tiktok_crawler.middlewares.middleware import ApiMiddleware
from tiktok_crawler.middlewares.redirect import REDIRECTS_IN_A_ROW
from tiktok_crawler.middlewares.token import TokenUnavailableError
from tiktok_crawler.planning.quota import backoff_seconds
from tiktok_crawler.planning.window_queue import retries
from tiktok_crawler.research_api.tasks import Seed, Window
from tiktok_crawler.research_api.verdicts import AnswerKind

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.http import Response
    from scrapy.settings import BaseSettings

    from tiktok_crawler.research_api.tasks import PageRequest
    from tiktok_crawler.research_api.verdicts import Verdict

FRESH_SEARCH = timedelta(minutes=10)
"""A search refused this soon after its last page may only not be known yet (api_facts.md 11.3)."""

FOREIGN_REFUSALS = 2
"""A refusal that is not in the API's words is believed when it came after so many others."""


class RetryMiddleware(ApiMiddleware):
    """Delays requests that failed, and gives up on those that cannot succeed.

    Settings: TIKTOK_RETRY_DELAY, TIKTOK_RETRY_DELAY_MAX, TIKTOK_RETRY_TIMES,
    TIKTOK_SEARCH_ID_DELAY, TIKTOK_SEARCH_ID_TIMES, RETRY_EXCEPTIONS.
    Statistics: tiktok/retries/delayed_count, tiktok/retries/gave_up_count,
    tiktok/searches/lost_count.
    """

    def __init__(self, crawler: Crawler):
        super().__init__(crawler)
        self.unanswered = unanswered(crawler.settings)

    def process_response(self, request: Request, response: Response) -> Response:
        if is_api_request(request):
            self._act_on(request, verdict_of(request))
        return response

    def process_exception(self, request: Request, exception: Exception) -> None:
        """Retry a request that got no answer; other exceptions pass."""
        if not is_api_request(request):
            return
        if isinstance(exception, TokenUnavailableError):
            self._retry_token(request, exception)
        if isinstance(exception, self.unanswered):
            fact = why_unanswered(request, exception).fact
            self._retry_fault(request, TaskFailedError(fact))

    def _act_on(self, request: Request, verdict: Verdict) -> None:
        match verdict.kind:
            case AnswerKind.SEARCH_REFUSED:
                self._retry_search(request)
            case AnswerKind.MALFORMED:
                self._retry_malformed(request, verdict)
            case AnswerKind.FAULT:
                self._retry_fault(request, TaskFailedError.from_verdict(verdict))
            case AnswerKind.REFUSED if verdict.is_foreign:
                self._retry(
                    request, RequestRefusedError.from_verdict(verdict), times=FOREIGN_REFUSALS
                )
            case AnswerKind.REFUSED | AnswerKind.NOT_FOUND | AnswerKind.WITHHELD:
                raise RequestRefusedError.from_verdict(verdict)

    def _retry(self, request: Request, failure: Exception, *, times: int) -> None:
        """Send the request again later, so many times, or give up with the failure."""
        if attempt_of(request).tries >= times:
            self.crawler.stats.inc_value("tiktok/retries/gave_up_count")
            raise failure
        attempt, config, jitter = count_try(request), self.config, random.random()  # noqa: S311 - spreads tries
        seconds = backoff_seconds(
            attempt, config.retry_delay, config.retry_delay_max, jitter=jitter
        )
        self._send_later(request, seconds)

    def _retry_fault(self, request: Request, failure: TaskFailedError) -> None:
        self._retry(request, failure, times=fault_retries(request, self.config.retry_times))

    def _retry_malformed(self, request: Request, verdict: Verdict) -> None:
        """An empty result may look like this: on a first page it is believed the second time."""
        attempt = attempt_of(request)
        if not attempt.request.starts_task:
            self._retry(
                request, CursorLostError.from_verdict(verdict), times=self.config.retry_times
            )
        elif not attempt.was_malformed:
            change(request, was_malformed=True)
            self._retry(
                request, TaskFailedError.from_verdict(verdict), times=self.config.retry_times + 1
            )
        elif attempt.lost_searches:
            # The search before this one had found something.
            raise TaskFailedError.from_verdict(verdict)

    def _retry_search(self, request: Request) -> None:
        """A search_id is often refused right after it was issued: the same request again."""
        tries = attempt_of(request).search_id_tries + 1
        if tries > self.config.search_id_times or _is_lost(attempt_of(request).request):
            self.crawler.stats.inc_value("tiktok/searches/lost_count")
            raise CursorLostError.from_verdict(verdict_of(request))
        change(request, search_id_tries=tries)
        self._send_later(request, self.config.search_id_delay * (1 + random.random()))  # noqa: S311 - spreads tries

    def _retry_token(self, request: Request, exception: TokenUnavailableError) -> None:
        try:
            self._retry(request, CrawlStoppingError(), times=self.config.retry_times)
        except CrawlStoppingError:
            if self._outcome.stop(CloseReason.TOKEN_UNAVAILABLE):
                self._log.error("TikTok gives no access token: %(error)s", {"error": exception})
            raise

    def _send_later(self, request: Request, seconds: float) -> None:
        self.crawler.stats.inc_value("tiktok/retries/delayed_count")
        again = request.replace(dont_filter=True, priority=request.priority + 1)
        self._queue.delay(again, seconds)
        raise RequestDelayedError


def fault_retries(request: Request, times: int) -> int:
    """Return how often a request that failed is sent again; a redirect says nothing of a window."""
    attempt = attempt_of(request)
    if attempt.verdict and attempt.verdict.is_redirect:
        return max(times, REDIRECTS_IN_A_ROW)
    return retries(attempt.request, times) if isinstance(attempt.request.task, Window) else times


def is_last_try(request: Request, times: int) -> bool:
    """Tell whether a request that fails now is not sent again."""
    return attempt_of(request).tries >= fault_retries(request, times)


def count_try(request: Request) -> int:
    """Count that a request failed and is sent again; returns how often, with this time."""
    return change(request, tries=attempt_of(request).tries + 1).tries


def unanswered(settings: BaseSettings) -> tuple[type[Exception], ...]:
    """The exceptions that mean that a request got no usable answer."""
    return (
        DownloadCancelledError,  # larger than DOWNLOAD_MAXSIZE
        *(load_object(exception) for exception in settings.getlist("RETRY_EXCEPTIONS")),
    )


def _is_lost(asked: PageRequest) -> bool:
    """Tell whether a cursor that is refused will not be accepted later, either."""
    if isinstance(asked.task, Seed):
        return asked.is_past_cap
    previous = asked.previous_page_at
    return previous is not None and utc_now() - previous > FRESH_SEARCH
