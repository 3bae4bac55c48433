"""Does checks of existence: creates them, waits for each, takes its file, and asks twice."""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from tiktok_crawler.attention.needs import held
from tiktok_crawler.clock import utc_now
from tiktok_crawler.crawling.attempt import Attempt, api_request, attempt_of
from tiktok_crawler.crawling.closing import CloseReason
from tiktok_crawler.crawling.components import config_of, extension
from tiktok_crawler.crawling.failures import (
    CrawlStoppingError,
    PartEndedError,
    QuotaUsedUpError,
    RequestDelayedError,
    TaskFailedError,
    TaskLeftError,
)
from tiktok_crawler.crawling.notice import NOTICE
from tiktok_crawler.crawling.storage_thread import NotStoredError
from tiktok_crawler.exceptions import QueryLockedError, TaskTakenError
from tiktok_crawler.extensions.delay_queue import DelayQueue
from tiktok_crawler.extensions.outcome import Outcome
from tiktok_crawler.extensions.sandbox import api_url
from tiktok_crawler.pipelines.storage import crawl_storage
from tiktok_crawler.planning.checks import OnGone
from tiktok_crawler.planning.problems import ProblemKind
from tiktok_crawler.reports.checks_report import checks_beginning
from tiktok_crawler.research_api.checks import TaskStatus, task_id_of, task_status_of
from tiktok_crawler.research_api.endpoints import CHECK_STATUS, CREATE_CHECK
from tiktok_crawler.research_api.tasks import PageRequest
from tiktok_crawler.spelling import number_of
from tiktok_crawler.storage.deletion.deletion import delete_gone
from tiktok_crawler.storage.ledger.tasks import TAKEN

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Iterable
    from datetime import timedelta

    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.http import Response
    from twisted.python.failure import Failure

    from tiktok_crawler.pipelines.crawl_storage import CrawlStorage
    from tiktok_crawler.planning.problems import Problem
    from tiktok_crawler.research_api.checks import CheckStep
    from tiktok_crawler.storage.check_session import CheckSession, ChecksResult

T = TypeVar("T")

logger = logging.getLogger(__name__)

MOST_OPEN = 100
"""So many checks are worked on by the API at a time."""

TIMES_ASKED = 3
"""A check that the API still works on then is left to a later run."""

GROWTH = 10
"""The wait before a check is asked about grows so each time."""

OTHERS_HAVE_IT = TAKEN.format("it")


class CheckRunner:
    """Works off the checks that are due, several at a time, each step after the one before.

    One is created after the other: of a run that is killed, one is in doubt, and created again.
    What first checks did not list is asked about in second ones; then it is decided what is gone.

    Settings: TIKTOK_CHECK_DELAY, TIKTOK_GONE_LIMIT, TIKTOK_ON_GONE, TIKTOK_GONE_GRACE.
    Statistics: tiktok/checks/done_count, tiktok/checks/failed_count, tiktok/records/gone_count,
    tiktok/records/deleted_count.
    """

    def __init__(self, crawler: Crawler):
        self.crawler = crawler
        self._open = 0
        self._is_creating = False
        self._is_cut_short = False
        self._something_came = asyncio.Event()

    async def requests(self, max_age: timedelta | None) -> AsyncIterator[Request]:
        """Yield the first request of each check; end when all have, and it is decided.

        Raises:
            CrawlerError: the checks cannot begin.
            NotStoredError: the database is away; the crawl ends.
            CloseSpider: the lock was lost; the crawl ends.
        """
        plan = await self._storage.begin_checks(max_age)
        level = logging.INFO if plan.is_empty else NOTICE
        logger.log(level, "%(work)s", {"work": checks_beginning(plan)})
        try:
            async for request in self._work_off(plan.unfinished):
                yield request
            self._tell(await self._storage.check(lambda checks: checks.decide(utc_now())))
        except QueryLockedError as exc:
            raise self._outcome.lose_lock(exc) from exc
        await self._delete_gone()
        await self._storage.end_checks()

    async def _work_off(self, unfinished: Iterable[CheckStep]) -> AsyncIterator[Request]:
        for step in unfinished:
            while self._is_creating and step.endpoint is CREATE_CHECK:
                self._something_came.clear()
                await self._something_came.wait()
            self._open += 1
            yield self._request(step)
        while new := await self._next():
            yield self._request(new)

    async def _next(self) -> CheckStep | None:
        """Wait until another check may begin; None when all have ended."""
        while True:
            self._something_came.clear()
            is_idle = not self._open
            if self._may_begin:
                begin = partial(_next_check, nothing_open=is_idle)
                if step := await self._storage.check(begin):
                    self._open += 1
                    return step
            if is_idle:
                return None
            await self._something_came.wait()

    @property
    def _may_begin(self) -> bool:
        return self._open < MOST_OPEN and not (self._is_creating or self._is_cut_short)

    async def _parse(self, response: Response) -> AsyncIterator[Request]:
        assert response.request
        attempt = attempt_of(response.request)
        step, data = attempt.request.step, attempt.verdict.data if attempt.verdict else None
        try:
            following = await self._unless_taken(step, self._following(step, data, response.body))
        except NotStoredError:
            return  # The crawl is ending.
        self._end_step(step, is_last=following is None)
        if following is None:
            return
        if following.endpoint is CHECK_STATUS:
            self._ask_later(following)
        else:
            yield self._request(following)

    async def _following(
        self, step: CheckStep, data: dict[str, Any] | None, body: bytes
    ) -> CheckStep | None:
        """Keep what an answer says, and return the step after it; None after the last."""
        if step.endpoint is CREATE_CHECK:
            return await self._created(step, task_id_of(data))
        if step.endpoint is CHECK_STATUS:
            return await self._asked(step, task_status_of(data))
        await self._came(step, body)
        return None

    async def _unless_taken(self, step: CheckStep, deed: Awaitable[T]) -> T | None:
        """Do something about a check; one that another crawl has taken over is left to it."""
        try:
            return await deed
        except TaskTakenError:
            await self._leave(step, OTHERS_HAVE_IT)
            return None

    async def _created(self, step: CheckStep, task_id: str | None) -> CheckStep | None:
        if task_id is None:
            await self._fail(step, "the API gave it no task_id", None)
            return None
        await self._storage.check(lambda checks: checks.created(step, task_id))
        return step.status(task_id)

    async def _asked(self, step: CheckStep, status: TaskStatus | None) -> CheckStep | None:
        if status is TaskStatus.COMPLETED:
            return step.download()
        if status is TaskStatus.FAILED:
            await self._fail(step, "the API says that it failed", None)
            return None
        if step.asked < TIMES_ASKED:
            return step.status()
        await self._leave(step, "the API still works on it")
        return None

    async def _came(self, step: CheckStep, file: bytes) -> None:
        judged = await self._storage.check(lambda checks: checks.came(step, file, utc_now()))
        if judged.problem:
            self._tell_failure(step, judged.problem)
        else:
            self._stats("done")

    async def _failed(self, failure: Failure) -> None:
        """Act on a request that brought no answer to go on with."""
        request: Request = failure.request  # type: ignore[attr-defined]
        step = attempt_of(request).request.step
        try:
            match failure.value:
                case RequestDelayedError() | CrawlStoppingError():
                    return
                case PartEndedError():
                    self._is_cut_short = True
                    is_quota = isinstance(failure.value, QuotaUsedUpError)
                    spent = "quota" if is_quota else "share (TIKTOK_SHARES)"
                    await self._leave(step, f"the day's {spent} is used up")
                case TaskFailedError(problem=problem):
                    await self._unless_taken(step, self._give_up(step, problem))
                case TaskLeftError():
                    await self._leave(step, OTHERS_HAVE_IT)
                case _:
                    self._outcome.stop(CloseReason.UNEXPECTED_ERROR)
                    failure.raiseException()
        except NotStoredError:
            return  # The crawl is ending.
        self._end_step(step, is_last=True)

    async def _give_up(self, step: CheckStep, problem: Problem) -> None:
        if problem.kind is not ProblemKind.REFUSED:
            await self._leave(step, problem.reason, is_failure=True)
            return
        await self._fail(step, problem.reason, problem.log_id)
        if step.endpoint is CREATE_CHECK:
            await self._storage.check(lambda checks: checks.refuse(step))
            self._outcome.left_undone()

    async def _fail(self, step: CheckStep, reason: str, log_id: str | None) -> None:
        await self._storage.check(lambda checks: checks.fail(step, reason, log_id, utc_now()))
        self._tell_failure(step, reason)

    def _tell_failure(self, step: CheckStep, reason: str) -> None:
        self._stats("failed")
        logger.warning(
            "%(step)s proves nothing, and its ids are asked about again: %(reason)s",
            {"step": step, "reason": reason},
        )

    async def _leave(self, step: CheckStep, reason: str, *, is_failure: bool = False) -> None:
        """Let a later run go on with a check."""
        await self._storage.check(lambda checks: checks.leave(step, is_failure=is_failure))
        self._outcome.left_undone()
        logger.warning(
            "%(step)s is left to a later run: %(reason)s", {"step": step, "reason": reason}
        )

    def _tell(self, result: ChecksResult) -> None:
        self.crawler.stats.inc_value("tiktok/records/gone_count", sum(result.gone.values()))
        for check in result.held:
            self._outcome.left_undone()
            logger.error("%(held)s", {"held": held(check)})

    async def _delete_gone(self) -> None:
        """Delete what has been gone for the time of grace, if that is wanted."""
        config, now = config_of(self.crawler), utc_now()
        if config.on_gone is not OnGone.DELETE:
            return
        older_than = now - config.gone_grace
        archives = (config.archive,) if config.archive else ()
        gone = await self._storage.check(
            lambda checks: delete_gone(checks.engine, older_than, now, archives=archives)
        )
        for removed in gone:
            self.crawler.stats.inc_value("tiktok/records/deleted_count", removed.records)
            records = number_of(removed.records, f"{removed.kind}s")
            logger.log(NOTICE, "Deleted, since they are gone: %(records)s", {"records": records})

    def _ask_later(self, step: CheckStep) -> None:
        seconds = config_of(self.crawler).check_delay * GROWTH ** (step.asked - 1)
        extension(self.crawler, DelayQueue).delay(self._request(step), seconds)

    def _end_step(self, step: CheckStep, *, is_last: bool) -> None:
        """Let others begin: a check is created by now, or it has ended."""
        if step.endpoint is CREATE_CHECK:
            self._is_creating = False
        if is_last:
            self._open -= 1
        self._something_came.set()

    def _stats(self, what: str) -> None:
        self.crawler.stats.inc_value(f"tiktok/checks/{what}_count")

    def _request(self, step: CheckStep) -> Request:
        self._is_creating |= step.endpoint is CREATE_CHECK
        attempt = Attempt(PageRequest(step, refreshes=True))
        return api_request(
            api_url(self.crawler), attempt, callback=self._parse, errback=self._failed
        )

    @property
    def _storage(self) -> CrawlStorage:
        return crawl_storage(self.crawler)

    @property
    def _outcome(self) -> Outcome:
        return extension(self.crawler, Outcome)


def _next_check(checks: CheckSession, *, nothing_open: bool) -> CheckStep | None:
    return checks.next_check(utc_now(), nothing_open=nothing_open)
