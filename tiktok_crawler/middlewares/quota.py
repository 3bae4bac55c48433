"""The only place that acts on a 429, and that counts and books what is spent."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from scrapy.exceptions import IgnoreRequest

from tiktok_crawler.clock import utc_now
from tiktok_crawler.crawling.attempt import attempt_of, change, is_api_request, verdict_of
from tiktok_crawler.crawling.closing import CloseReason
from tiktok_crawler.crawling.components import downloader_middleware
from tiktok_crawler.crawling.failures import (
    ApiUnavailableError,
    CrawlStoppingError,
    PartEndedError,
    QuotaUsedUpError,
    RequestDelayedError,
    SearchEndedError,
    SecondTryDroppedError,
    TaskLeftError,
)
from tiktok_crawler.crawling.notice import NOTICE
from tiktok_crawler.exceptions import (
    DailyBudgetSpentError,
    DailyShareSpentError,
    QueryLockedError,
    SecondTriesSpentError,
    TaskTakenError,
)
from tiktok_crawler.extensions.delay_queue import PoolTrouble
from tiktok_crawler.middlewares.breaker import BreakerMiddleware
from tiktok_crawler.middlewares.middleware import ApiMiddleware
from tiktok_crawler.pipelines.storage import crawl_storage
from tiktok_crawler.planning.quota import QuotaPolicy, next_try, rate_limit_seconds
from tiktok_crawler.research_api.verdicts import AnswerKind

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.http import Response

    from tiktok_crawler.exceptions import ShareSpentError
    from tiktok_crawler.pipelines.crawl_storage import CrawlStorage
    from tiktok_crawler.research_api.endpoints import Pool

SANDBOX_HINT = (
    ". This is the sandbox, whose quota is that of the API: a profile can have more, with "
    "`quota: {daily: 100000}` (-s TIKTOK_SANDBOX_PROFILE=FILE)"
)
REFUSALS = (PoolTrouble.QUOTA, PoolTrouble.RATE)

RATE_LIMITS_IN_A_ROW = 10
"""From then on rate limits are failures for the circuit breaker: waiting longer does not help."""


class QuotaMiddleware(ApiMiddleware):
    """Stops a pool when the API refuses it, and books each request in the ledger before it is sent.

    While the day's quota is used up, or the API says that requests come too fast, the requests of
    the pool wait in the delay queue; then one is sent, and the others after its success. A day's
    budget that all crawls on the database have spent together ends the crawl.

    Settings: TIKTOK_QUOTA_POLICY, TIKTOK_QUOTA_INTERVAL, TIKTOK_RATE_LIMIT_DELAY.
    Spider argument: max_requests.
    Statistics: tiktok/requests/sent_count, tiktok/quota/refused_count,
    tiktok/quota/rate_limited_count.
    """

    def __init__(self, crawler: Crawler):
        super().__init__(crawler)
        self.max_requests: int | None = getattr(crawler.spider, "max_requests", None)
        self._sent = 0
        self._rate_limits_in_a_row = 0

    async def process_request(self, request: Request) -> None:
        if not is_api_request(request):
            return
        if not self._queue.admits(request):
            self._queue.hold(request)
            raise RequestDelayedError
        self._spend()
        await self._book(request)

    async def process_response(self, request: Request, response: Response) -> Response:
        if not is_api_request(request):
            return response
        verdict = verdict_of(request)
        if verdict.kind is AnswerKind.DAILY_QUOTA:
            await self._daily_quota_refused(request)
        if verdict.kind is AnswerKind.RATE:
            self._rate_limited(request, response)
        if verdict.kind is AnswerKind.FAULT:
            self._try_the_next(request)
        # Not if it was on its way when the pool closed: that says nothing of now.
        elif self._queue.admits(request):
            self._rate_limits_in_a_row = 0
            self._queue.open_pool(attempt_of(request).pool, *REFUSALS)
        return response

    def process_exception(self, request: Request, exception: Exception) -> None:
        if is_api_request(request) and not isinstance(exception, IgnoreRequest):
            self._try_the_next(request)

    def _try_the_next(self, request: Request) -> None:
        """A fault of the request that tries a closed pool says nothing about the pool."""
        pool: Pool = attempt_of(request).pool
        trouble = self._queue.trouble(pool)
        if attempt_of(request).is_probe and trouble in REFUSALS:
            until = utc_now() + timedelta(seconds=self.config.rate_limit_delay)
            self._queue.close_pool(pool, until, trouble)

    def _spend(self) -> None:
        if self.max_requests is not None and self._sent >= self.max_requests:
            self._outcome.stop(CloseReason.MAX_REQUESTS_REACHED)
            raise CrawlStoppingError
        self._sent += 1

    async def _book(self, request: Request) -> None:
        try:
            change(request, request=await self._storage.book(attempt_of(request).request))
        except DailyBudgetSpentError as exc:
            if self._outcome.stop(CloseReason.DAILY_BUDGET_SPENT):
                self._log.warning("Stopping: %(why)s", {"why": exc})
            raise CrawlStoppingError from exc
        except SecondTriesSpentError as exc:
            self._drop(request, exc)
            raise SecondTryDroppedError from exc
        except DailyShareSpentError as exc:
            self._drop(request, exc)
            raise PartEndedError from exc
        except SearchEndedError:
            self._not_sent(request)
            raise
        except TaskTakenError as exc:
            self._log.info("%(why)s", {"why": exc})
            self._not_sent(request)
            raise TaskLeftError from exc
        except QueryLockedError as exc:
            if self._outcome.stop(CloseReason.LOCK_LOST):
                self._log.error("%(error)s", {"error": exc})
            raise CrawlStoppingError from exc
        self.crawler.stats.inc_value("tiktok/requests/sent_count")

    def _drop(self, request: Request, why: ShareSpentError) -> None:
        self._log.log(NOTICE, "%(why)s", {"why": why})
        self._outcome.share_spent(why)
        self._not_sent(request)

    def _not_sent(self, request: Request) -> None:
        self._sent -= 1
        self._queue.dropped(request)

    async def _daily_quota_refused(self, request: Request) -> None:
        self.crawler.stats.inc_value("tiktok/quota/refused_count")
        # First: a pool must not open again between its closing and the holding of the request.
        await self._storage.fill_quota(attempt_of(request).request)
        if not attempt_of(request).waits_for_quota:
            self._queue.dropped(request)
            raise QuotaUsedUpError
        if self.config.quota_policy is QuotaPolicy.STOP:
            self._outcome.stop(CloseReason.DAILY_QUOTA_SPENT)
            raise CrawlStoppingError
        pool: Pool = attempt_of(request).pool
        until = next_try(utc_now(), self.config.quota_policy, self.config.quota_interval)
        if self._queue.close_pool(pool, until, PoolTrouble.QUOTA):
            self._log.warning(
                "The day's quota is used up; going on at %(until)s UTC. Ctrl-C ends the crawl, and "
                "the same command goes on later%(hint)s",
                {
                    "until": f"{until:%Y-%m-%d %H:%M:%S}",
                    "hint": SANDBOX_HINT if self.config.uses_sandbox else "",
                },
            )
        self._queue.hold(request)
        raise RequestDelayedError

    def _rate_limited(self, request: Request, response: Response) -> None:
        self.crawler.stats.inc_value("tiktok/quota/rate_limited_count")
        pool: Pool = attempt_of(request).pool
        breaker = downloader_middleware(self.crawler, BreakerMiddleware)
        if self._rate_limits_in_a_row >= RATE_LIMITS_IN_A_ROW and breaker.failed(request):
            self._queue.hold(request)
            raise ApiUnavailableError
        seconds = rate_limit_seconds(
            self._rate_limits_in_a_row + 1, self.config.rate_limit_delay, _retry_after(response)
        )
        until = utc_now() + timedelta(seconds=seconds)
        if self._queue.close_pool(pool, until, PoolTrouble.RATE):
            self._rate_limits_in_a_row += 1
            self._log.info(
                "The API says that requests come too fast; going on in %(seconds).0f s",
                {"seconds": seconds},
            )
        self._queue.hold(request)
        raise RequestDelayedError

    @property
    def _storage(self) -> CrawlStorage:
        return crawl_storage(self.crawler)


def _retry_after(response: Response) -> float | None:
    """Seconds from a Retry-After header, if there is one (api_facts.md 11.4)."""
    value = (response.headers.get("Retry-After") or b"").strip()
    return min(float(value), 3600.0) if value.isdigit() else None
