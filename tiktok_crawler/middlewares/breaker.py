"""Stops spending quota while the API only fails: a circuit breaker."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tiktok_crawler.clock import utc_now
from tiktok_crawler.crawling.attempt import attempt_of, is_api_request, verdict_of
from tiktok_crawler.crawling.closing import CloseReason
from tiktok_crawler.crawling.failures import ApiUnavailableError, CrawlStoppingError
from tiktok_crawler.extensions.delay_queue import PoolTrouble
from tiktok_crawler.middlewares.middleware import ApiMiddleware
from tiktok_crawler.middlewares.retry import count_try, is_last_try, unanswered
from tiktok_crawler.planning.breaker import CircuitBreaker, Reaction
from tiktok_crawler.planning.quota import QuotaPolicy
from tiktok_crawler.research_api.verdicts import AnswerKind

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.http import Response

    from tiktok_crawler.research_api.endpoints import Pool


class BreakerMiddleware(ApiMiddleware):
    """After 20 failures in a row, sends one request every TIKTOK_PROBE_INTERVAL seconds.

    So it does when a window fails, its newest day alone does too, and nothing else works.
    After TIKTOK_PROBE_TIMES of them that failed too, the crawl ends with status 75, and its windows
    stay open. With TIKTOK_QUOTA_POLICY `stop` it ends at once.

    Settings: TIKTOK_PROBE_INTERVAL, TIKTOK_PROBE_TIMES, TIKTOK_QUOTA_POLICY, TIKTOK_RETRY_TIMES.
    Statistics: tiktok/breaker/opened_count, tiktok/breaker/probe_failed_count.
    """

    def __init__(self, crawler: Crawler):
        super().__init__(crawler)
        self._unanswered = unanswered(crawler.settings)
        self._breaker = CircuitBreaker(self.config.probe_times)

    def process_response(self, request: Request, response: Response) -> Response:
        if not is_api_request(request):
            return response
        if verdict_of(request).kind is AnswerKind.FAULT:
            self._act_on_failure(request)
        elif self._queue.admits(request):
            self._breaker.worked()
            self._queue.open_pool(attempt_of(request).pool, PoolTrouble.FAULTS)
        return response

    def process_exception(self, request: Request, exception: Exception) -> None:
        if is_api_request(request) and isinstance(exception, self._unanswered):
            self._act_on_failure(request)

    def failed(self, request: Request) -> bool:
        """Count a failure.

        Returns:
            Whether it was one too many: the pool is closed.

        Raises:
            CrawlStoppingError: the crawl ends.
        """
        was_open = self._breaker.is_open
        is_probe = attempt_of(request).is_probe
        reaction = self._breaker.failed(is_probe=is_probe)
        if reaction is Reaction.GO_ON:
            return False
        if is_probe and was_open:
            self.crawler.stats.inc_value("tiktok/breaker/probe_failed_count")
        if reaction is Reaction.GIVE_UP or self.config.quota_policy is QuotaPolicy.STOP:
            self._give_up()
            raise CrawlStoppingError
        self._close_pool(attempt_of(request).pool)
        return True

    def _act_on_failure(self, request: Request) -> None:
        """Let the request wait with its pool, unless it was its last try.

        A window that was tried often enough makes room for another one, which may work.
        """
        if self.failed(request) and not is_last_try(request, self.config.retry_times):
            count_try(request)
            self._queue.hold(request)
            raise ApiUnavailableError

    def open(self, request: Request) -> None:
        """Send nothing for a while, and then this request: it is known that nothing works."""
        self._breaker.trip()
        if self.config.quota_policy is QuotaPolicy.STOP:
            self._give_up()
            return
        self._close_pool(attempt_of(request).pool)
        self._queue.hold(request)

    def _close_pool(self, pool: Pool) -> None:
        until = utc_now() + self.config.probe_interval
        if self._queue.close_pool(pool, until, PoolTrouble.FAULTS):
            self.crawler.stats.inc_value("tiktok/breaker/opened_count")
            self._log.warning(
                "The API only fails; trying again at %(until)s UTC with a single request",
                {"until": f"{until:%Y-%m-%d %H:%M:%S}"},
            )

    def _give_up(self) -> None:
        if self._outcome.stop(CloseReason.API_UNAVAILABLE):
            self._log.error(
                "The API only fails; the windows that are open stay open for a later run"
            )
