"""Does what a queue of tasks says: some side by side, the pages of each one after another."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Protocol

from scrapy import signals

from tiktok_crawler.crawling.attempt import Attempt, api_request, attempt_of
from tiktok_crawler.crawling.closing import CloseReason
from tiktok_crawler.crawling.components import downloader_middleware, extension, item_pipeline
from tiktok_crawler.crawling.failures import (
    ApiUnavailableError,
    CrawlStoppingError,
    PartEndedError,
    QuotaUsedUpError,
    RequestDelayedError,
    SearchEndedError,
    SecondTryDroppedError,
    TaskFailedError,
    TaskLeftError,
)
from tiktok_crawler.crawling.storage_thread import NotStoredError
from tiktok_crawler.exceptions import QueryLockedError, TaskTakenError
from tiktok_crawler.extensions.outcome import Outcome
from tiktok_crawler.extensions.sandbox import api_url
from tiktok_crawler.middlewares.breaker import BreakerMiddleware
from tiktok_crawler.pipelines.storage import StoragePipeline, crawl_storage
from tiktok_crawler.planning.problems import ApiIsDown, AskAnew, EndOfList, SetAside, StopCrawl
from tiktok_crawler.planning.task_states import Cut, Halved, Lost, Parked, Unusable
from tiktok_crawler.research_api.pages import Page, read_page
from tiktok_crawler.research_api.paging import START
from tiktok_crawler.research_api.wording import in_words

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.exceptions import DropItem
    from scrapy.http import Response
    from twisted.python.failure import Failure

    from tiktok_crawler.pipelines.crawl_storage import CrawlStorage
    from tiktok_crawler.pipelines.storage_reports import StorageReports
    from tiktok_crawler.planning.problems import Answer, Problem
    from tiktok_crawler.planning.task_states import Event
    from tiktok_crawler.research_api.tasks import PageRequest, Task

logger = logging.getLogger(__name__)

LOST_SEARCHES = 3
"""A window whose search is lost so often in a row, and never passes a day, is parked."""


class TaskQueue(Protocol):
    """The queue that decides what is asked for next, and what a failure means.

    As long as it `runs_low`, it has to be filled up before it can say that there is nothing more.
    """

    @property
    def runs_low(self) -> bool: ...
    def next(self) -> PageRequest | None: ...
    def page_stored(self, page: Page) -> None: ...
    def doubt(self, page: Page) -> Event | None: ...
    def judge(self, request: PageRequest, problem: Problem) -> Answer: ...
    def ended(self, task: Task) -> None: ...
    def left(self, task: Task) -> None: ...
    def cut(self, task: Task) -> None: ...
    def replaced(self, task: Task, rest: Task) -> None: ...
    def everything_fails(self) -> None: ...
    def drop_second_tries(self) -> None: ...


class TaskRunner:
    """Asks for the pages of a queue's tasks, at most CONCURRENT_REQUESTS tasks at a time.

    What a request brings is yielded as a page, and the request for the next one after it, so that
    Scrapy schedules that when the page is stored. What comes of a page is decided after it is
    stored, too: in the handlers of `item_scraped` and `item_dropped`, which Scrapy awaits.
    `lacks_quota` says whether the queue ended early because the day's quota is used up.
    """

    def __init__(self, crawler: Crawler):
        self.crawler = crawler
        self.lacks_quota = False
        self._slots = crawler.settings.getint("CONCURRENT_REQUESTS")
        self._open = 0
        self._is_cut_short = False
        self._waits_for_quota = True
        self._only_first_pages = False
        self._something_came = asyncio.Event()
        crawler.signals.connect(self._item_scraped, signal=signals.item_scraped)
        crawler.signals.connect(self._item_dropped, signal=signals.item_dropped)

    async def requests(
        self,
        queue: TaskQueue,
        fill_up: Callable[[], Awaitable[None]] | None = None,
        *,
        waits_for_quota: bool = True,
        only_first_pages: bool = False,
    ) -> AsyncIterator[Request]:
        """Yield the first request of each task; end when all tasks have.

        A queue that runs low is filled up. When the day's quota is used up, it waits, or else ends
        early. With `only_first_pages`, the other pages of a task are left to a later run.

        Raises:
            NotStoredError: the database is away; the crawl ends.
        """
        self._queue, self._fill_up = queue, fill_up
        self._waits_for_quota = waits_for_quota
        self._only_first_pages = only_first_pages
        self._is_cut_short = self.lacks_quota = False
        while request := await self._next():
            yield self._request(Attempt(request, waits_for_quota=waits_for_quota))

    async def _next(self) -> PageRequest | None:
        """Wait until another task may be opened; None when all have ended."""
        while True:
            self._something_came.clear()
            if self._open < self._slots and not self._is_cut_short:
                if self._fill_up and self._queue.runs_low:
                    await self._fill_up()
                if request := self._queue.next():
                    if opened := await self._opened(request):
                        self._open += 1
                        return opened
                    continue
                if self._queue.runs_low:
                    continue
            if not self._open:
                return None
            await self._something_came.wait()

    async def _opened(self, request: PageRequest) -> PageRequest | None:
        """Open a task; None if another crawl has it."""
        try:
            return await self._storage.open_task(request)
        except TaskTakenError:
            self._queue.left(request.task)
            return None
        except QueryLockedError as exc:
            raise self._outcome.lose_lock(exc) from exc

    def _parse(self, response: Response) -> Iterator[Page | Request]:
        """Yield the page first: the request for the next one is scheduled after it is stored."""
        assert response.request
        attempt = attempt_of(response.request)
        page = _page_of(attempt)
        yield page
        following = attempt.after(page)
        if isinstance(following, Attempt) and not self._only_first_pages:
            yield self._request(following)

    async def _failed(self, failure: Failure) -> AsyncIterator[Page | Request]:
        """Act on a request that ended without a page."""
        request: Request = failure.request  # type: ignore[attr-defined]
        task = attempt_of(request).request.task
        match failure.value:
            case ApiUnavailableError():
                self._everything_fails()
            case RequestDelayedError() | CrawlStoppingError():
                pass
            case SecondTryDroppedError():
                self._queue.drop_second_tries()
                self._leave(task)
            case SearchEndedError() | TaskLeftError():
                self._leave(task)
            case PartEndedError():
                self._is_cut_short = True
                self.lacks_quota |= isinstance(failure.value, QuotaUsedUpError)
                self._leave(task)
            case TaskFailedError(problem=problem):
                async for outcome in self._act_on(request, problem):
                    yield outcome
            case _:
                self._outcome.stop(CloseReason.UNEXPECTED_ERROR)
                failure.raiseException()

    async def _act_on(self, request: Request, problem: Problem) -> AsyncIterator[Page | Request]:
        attempt = attempt_of(request)
        asked = attempt.request
        try:
            match self._queue.judge(asked, problem):
                case AskAnew():
                    if anew := await self._ask_anew(attempt, problem):
                        yield self._request(anew)
                case EndOfList():
                    yield _page_of(attempt)
                case ApiIsDown():
                    self._everything_fails()
                    downloader_middleware(self.crawler, BreakerMiddleware).open(request)
                case StopCrawl(reason=reason):
                    if self._outcome.stop(CloseReason.QUERY_REFUSED):
                        logger.error("%(reason)s", {"reason": reason})
                case SetAside(reason=reason, is_refused=is_refused):
                    logger.error(
                        "%(asked)s: nothing more of this query is asked for in this run, and the "
                        "others go on: %(reason)s",
                        {"asked": asked, "reason": reason},
                    )
                    if is_refused:
                        self._outcome.part_ended(CloseReason.QUERY_REFUSED)
                    self._free_slot()
                case event:
                    await self._end(asked, event)
        except NotStoredError:
            pass  # The crawl is ending.

    async def _ask_anew(self, attempt: Attempt, problem: Problem) -> Attempt | None:
        """Keep the days that a lost search had passed, and search the others again."""
        asked, lost = attempt.request, attempt.lost_searches + 1
        logger.warning(
            "%(window)s: the search was lost at cursor %(cursor)d: %(reason)s",
            {"window": asked, "cursor": asked.place.cursor, "reason": problem.reason},
        )
        passed, trusts_ids = await self._storage.days_passed(asked)
        if not trusts_ids:
            self._reports.ids_are_not_trusted()
        if passed:
            try:
                rest = await self._storage.end(asked, Lost(passed))
            except TaskTakenError:
                self._leave(asked.task)
                return None
            assert rest
            self._queue.replaced(asked.task, rest.task)
            lost = 0
        elif lost < LOST_SEARCHES:
            rest = asked.from_start()
        else:
            reason = f"the search was lost {lost} times: {problem.reason}"
            await self._end(asked, Parked(reason, problem.log_id, START))
            return None
        logger.info("%(window)s: searching %(rest)s again", {"window": asked, "rest": rest})
        return Attempt(rest, lost_searches=lost, waits_for_quota=self._waits_for_quota)

    async def _end(self, asked: PageRequest, event: Event) -> None:
        """Write down what becomes of a task, and make room for another one."""
        _log(asked, event)
        try:
            await self._storage.end(asked, event)
        except TaskTakenError:
            self._leave(asked.task)
            return
        self._reports.task_ended(asked, event)
        if isinstance(event, Cut):
            self._queue.cut(asked.task)
        else:
            self._queue.ended(asked.task)
        self._free_slot()

    async def _item_scraped(self, item: object, response: Response | Failure | None) -> None:
        """Decide what comes of a page that is stored."""
        if not isinstance(item, Page) or response is None:
            return
        request: Request = response.request  # type: ignore[assignment, union-attr]
        try:
            await self._page_stored(item, attempt_of(request))
        except NotStoredError:
            pass  # The crawl is ending.
        except Exception:
            logger.exception("What comes of a page cannot be decided")
            self._outcome.stop(CloseReason.UNEXPECTED_ERROR)

    async def _item_dropped(
        self, item: object, response: Response | Failure | None, exception: DropItem
    ) -> None:
        """A pipeline of the user's that drops a page does so after it is stored."""
        if not isinstance(exception, NotStoredError):
            await self._item_scraped(item, response)

    async def _page_stored(self, page: Page, attempt: Attempt) -> None:
        self._queue.page_stored(page)
        match attempt.after(page):
            case Parked() as event:
                await self._end(page.request, event)
            case Attempt() if self._only_first_pages:
                self._leave(page.request.task)
            case None if doubt := self._queue.doubt(page):
                await self._end(page.request, doubt)
            case None:
                if page.suspicious:
                    self._reports.taken_as_empty(page.request)
                self._queue.ended(page.request.task)
                self._free_slot()
        self._something_came.set()

    def _everything_fails(self) -> None:
        """No task is to blame: what waits for one can be asked for as soon as the API answers."""
        self._queue.everything_fails()
        self._something_came.set()

    def _leave(self, task: Task) -> None:
        self._queue.left(task)
        self._free_slot()

    def _free_slot(self) -> None:
        self._open -= 1
        self._something_came.set()

    def _request(self, attempt: Attempt) -> Request:
        return api_request(
            api_url(self.crawler), attempt, callback=self._parse, errback=self._failed
        )

    @property
    def _storage(self) -> CrawlStorage:
        return crawl_storage(self.crawler)

    @property
    def _reports(self) -> StorageReports:
        return item_pipeline(self.crawler, StoragePipeline).reports

    @property
    def _outcome(self) -> Outcome:
        return extension(self.crawler, Outcome)


def _page_of(attempt: Attempt) -> Page:
    assert attempt.verdict
    assert attempt.received_at
    return read_page(attempt.request, attempt.verdict, received_at=attempt.received_at)


def _log(asked: PageRequest, event: Event) -> None:
    match event:
        case Parked(reason=reason, log_id=log_id):
            logger.warning(
                "%(asked)s is postponed to a later run, because %(reason)s (log_id %(log_id)s)",
                {"asked": asked, "reason": reason, "log_id": log_id},
            )
        case Cut():
            logger.info(
                "%(asked)s may be too wide: searching its newest day alone first", {"asked": asked}
            )
        case Halved(reason=reason, log_id=log_id):
            logger.info(
                "%(asked)s of several values: searching them apart, because %(reason)s "
                "(log_id %(log_id)s)",
                {"asked": asked, "reason": reason, "log_id": log_id},
            )
        case Unusable(reason=reason, log_id=log_id):
            logger.info(
                "%(asked)s, %(query)s: postponed to a later run, because %(reason)s "
                "(log_id %(log_id)s)",
                {
                    "asked": asked,
                    "query": in_words(asked.window.query),
                    "reason": reason,
                    "log_id": log_id,
                },
            )
