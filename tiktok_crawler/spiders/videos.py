"""Collects the videos that a query file asks for."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from scrapy import signals

from tiktok_crawler import config
from tiktok_crawler.arguments import search_arguments
from tiktok_crawler.clock import utc_now
from tiktok_crawler.crawling.api_request import api_request
from tiktok_crawler.crawling.closing import CloseReason
from tiktok_crawler.crawling.components import downloader_middleware, extension, item_pipeline
from tiktok_crawler.crawling.failures import (
    ApiUnavailableError,
    CrawlStoppingError,
    CursorLostError,
    PartEndedError,
    RequestDelayedError,
    RequestRefusedError,
    SecondTryDroppedError,
    TaskFailedError,
)
from tiktok_crawler.crawling.storage_thread import NotStoredError
from tiktok_crawler.exceptions import QueryLockedError
from tiktok_crawler.extensions.outcome import Outcome
from tiktok_crawler.middlewares.breaker import BreakerMiddleware
from tiktok_crawler.middlewares.verdict import received_at_of, verdict_of
from tiktok_crawler.pipelines.storage import StoragePipeline
from tiktok_crawler.planning.plan import describe_days
from tiktok_crawler.planning.stages import stages_of
from tiktok_crawler.planning.task_states import HeavyWindow, LostSearch, ParkedWindow
from tiktok_crawler.planning.window_queue import WindowQueue
from tiktok_crawler.research_api.endpoints import VIDEO_QUERY
from tiktok_crawler.research_api.pages import Page, page_of
from tiktok_crawler.research_api.stalled_paging import StalledPaging
from tiktok_crawler.research_api.tasks import PageRequest, video_query_body
from tiktok_crawler.research_api.verdicts import AnswerKind
from tiktok_crawler.spiders.research import ResearchSpider

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from typing import Self

    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.exceptions import DropItem
    from scrapy.http import Response
    from twisted.python.failure import Failure

    from tiktok_crawler.planning.plan import Plan, Wanted
    from tiktok_crawler.planning.seeds import Stage
    from tiktok_crawler.query_file.collection import Collection
    from tiktok_crawler.research_api.endpoints import Pool

logger = logging.getLogger(__name__)

LOST_SEARCHES = 3
"""A window whose search is lost so often in a row, and never passes a day, is parked."""


class VideosSpider(ResearchSpider):
    """Searches the windows of a collection that are not covered yet, several side by side.

    When all are searched, it collects what the query file has under `also_collect`.

    Arguments: query (required, a file), start_date, end_date, tags, refresh_after, max_requests.
    """

    name = "videos"

    def __init__(
        self,
        collection: Collection,
        wanted: Wanted,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.collection = collection
        self.wanted = wanted
        self.stages = stages_of(collection)
        self.tags = collection.tags
        self.plan: Plan | None = None
        self._is_proven = False
        self._is_cut_short = False
        self._something_came = asyncio.Event()

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> Self:  # noqa: ARG003
        """Build the spider from its `-a` arguments.

        Raises:
            UsageError: an argument is unknown, missing or malformed.
            ConfigurationError: the query file or a setting cannot be used.
        """
        config.check_promises(crawler.settings)
        search_arguments.check(kwargs, search_arguments.VIDEOS_ARGUMENTS)
        collection = search_arguments.collection(kwargs, today=utc_now().date())
        spider = super().from_crawler(
            crawler,
            collection,
            search_arguments.wanted(collection, crawler.settings),
            max_requests=search_arguments.whole_number(kwargs, "max_requests"),
        )
        crawler.signals.connect(spider.item_scraped, signal=signals.item_scraped)
        crawler.signals.connect(spider.item_dropped, signal=signals.item_dropped)
        return spider

    async def requests(self) -> AsyncIterator[Request]:
        storage = item_pipeline(self.crawler, StoragePipeline)
        self._free_windows = asyncio.Semaphore(
            self.settings.getint("CONCURRENT_REQUESTS") or len(self.wanted.days)
        )
        self.plan = plan = await storage.plan()
        self._is_proven = plan.has_succeeded
        self._announce(plan)
        self._agenda = WindowQueue(plan, self.wanted)
        while page_request := await self._next_window():
            yield self._request(page_request)
        async for request in self._also_collect():
            yield request

    async def _also_collect(self) -> AsyncIterator[Request]:
        """List what is wanted besides; what lacks quota today waits until the rest is there."""
        waiting: list[Stage] = []
        used_up: set[Pool] = set()
        for place, stage in enumerate(self.stages, start=1):
            pool = stage.pool
            if pool not in used_up:
                waits = all(later.pool is pool for later in self.stages[place:])
                async for request in self._list(stage, waits_for_quota=waits):
                    yield request
                if not self.lister.lacks_quota:
                    continue
                used_up.add(pool)
            waiting.append(stage)
        for stage in waiting:
            async for request in self._list(stage, waits_for_quota=True):
                yield request

    async def _list(self, stage: Stage, *, waits_for_quota: bool) -> AsyncIterator[Request]:
        """Work off a stage, unless another crawl does so."""
        try:
            requests = self.lister.requests(stage, self.tags, waits_for_quota=waits_for_quota)
            async for request in requests:
                yield request
        except QueryLockedError as exc:
            logger.warning("Left for a later run: %(error)s", {"error": exc})
            extension(self.crawler, Outcome).left_undone()

    async def _next_window(self) -> PageRequest | None:
        """Wait until another window may be opened; None when nothing is left to search.

        As long as the API has never answered the query, one window is tried at a time.
        """
        await self._free_windows.acquire()
        while not self._has_searched_all():
            may_open = self._is_proven or not self._agenda.is_searching
            may_open &= not self._is_cut_short
            if may_open and (page_request := self._agenda.next()):
                return page_request
            self._something_came.clear()
            await self._something_came.wait()
        return None

    def _has_searched_all(self) -> bool:
        """Whether all windows have ended that may be searched today.

        No property: Scrapy's feed exports read those of a spider before it starts.
        """
        return not self._agenda.is_searching if self._is_cut_short else self._agenda.is_done

    def parse(self, response: Response) -> Iterator[Page | Request | ParkedWindow]:
        """Yield the page first: the request for the next one is scheduled after it is stored."""
        assert response.request
        page_request: PageRequest = response.request.meta["page_request"]
        verdict = verdict_of(response.request)
        received_at = received_at_of(response.request)
        page = page_of(VIDEO_QUERY, page_request, verdict, received_at=received_at)
        yield page
        if page.next_request is None:
            return
        if verdict.kind is AnswerKind.MALFORMED:
            yield self._give_up(page_request, str(verdict), verdict.log_id)
        else:
            yield self._follow(response.request, page)

    def failed(self, failure: Failure) -> Iterator[LostSearch | HeavyWindow | ParkedWindow]:
        """Act on a request that ended without a page."""
        request: Request = failure.request  # type: ignore[attr-defined]
        page_request: PageRequest = request.meta["page_request"]
        match failure.value:
            case ApiUnavailableError():
                self._everything_fails()
            case RequestDelayedError() | CrawlStoppingError():
                pass
            case SecondTryDroppedError():
                self._agenda.drop_second_tries()
                self._left_for_later(page_request)
            case PartEndedError():
                self._is_cut_short = True
                self._left_for_later(page_request)
            case CursorLostError():
                yield self._lost(request, str(failure.value))
            case RequestRefusedError(reason=reason, log_id=log_id) if not self._is_proven:
                self._refuse_query(reason, log_id)
            case RequestRefusedError(reason=reason, log_id=log_id):
                yield self._give_up(page_request, reason, log_id)
            case TaskFailedError() as exc:
                yield from self._window_failed(request, exc)
            case _:
                extension(self.crawler, Outcome).stop(CloseReason.UNEXPECTED_ERROR)
                failure.raiseException()

    def _window_failed(
        self, request: Request, failure: TaskFailedError
    ) -> Iterator[HeavyWindow | ParkedWindow]:
        page_request: PageRequest = request.meta["page_request"]
        if page_request.can_be_cut:
            yield self._cut(page_request, failure.reason, failure.log_id)
        elif self._agenda.blames_api_for(page_request.window):
            self._everything_fails()
            downloader_middleware(self.crawler, BreakerMiddleware).open(request)
        else:
            yield self._give_up(page_request, failure.reason, failure.log_id)

    def item_scraped(self, item: Page | LostSearch | HeavyWindow | ParkedWindow) -> None:
        """Plan what comes next; called after the item is stored."""
        self._is_proven |= isinstance(item, Page)
        match item:
            case LostSearch():
                self._search_anew(item)
            case Page():
                self._agenda.page_came(item)
                self._something_came.set()
                if not item.has_more:
                    self._window_ended()
            case HeavyWindow(request=request):
                self._agenda.too_heavy(request)
                self._window_ended()
            case ParkedWindow(request=request):
                self._left_for_later(request)

    def item_dropped(
        self, item: Page | LostSearch | HeavyWindow | ParkedWindow, exception: DropItem
    ) -> None:
        """A pipeline of the user's that drops a page does so after it is stored."""
        if not isinstance(exception, NotStoredError):
            self.item_scraped(item)

    def _everything_fails(self) -> None:
        """No window is to blame: what waits for one can be asked for as soon as the API answers."""
        self._agenda.everything_fails()
        self._something_came.set()

    def _left_for_later(self, page_request: PageRequest) -> None:
        self._agenda.given_up(page_request.window)
        self._window_ended()

    def _window_ended(self) -> None:
        self._free_windows.release()
        self._something_came.set()

    def _follow(self, request: Request, page: Page) -> Request | ParkedWindow:
        """Ask for the page after this one, unless that would never end."""
        assert page.next_request
        standstill: StalledPaging = request.meta["standstill"].after(page)
        if standstill.reason:
            return self._give_up(page.next_request, standstill.reason, page.log_id)
        return self._request(
            page.next_request, lost=request.meta["lost_searches"], standstill=standstill
        )

    def _give_up(self, page_request: PageRequest, reason: str, log_id: str | None) -> ParkedWindow:
        logger.warning(
            "%(window)s is given up for now: %(reason)s (log_id %(log_id)s)",
            {"window": page_request.window, "reason": reason, "log_id": log_id},
        )
        return ParkedWindow(page_request, reason, log_id)

    def _cut(self, page_request: PageRequest, reason: str, log_id: str | None) -> HeavyWindow:
        logger.info(
            "%(window)s may be too wide: searching its newest day alone first",
            {"window": page_request.window},
        )
        return HeavyWindow(page_request, reason, log_id)

    def _refuse_query(self, reason: str, log_id: str | None) -> None:
        hint = ""
        if len(self.collection.query.usernames) > 1:
            hint = ". The query names several usernames: one unusable account can fail them all"
        logger.error(
            "The API refuses the query: %(reason)s (log_id %(log_id)s)%(hint)s",
            {"reason": reason, "log_id": log_id, "hint": hint},
        )
        extension(self.crawler, Outcome).stop(CloseReason.QUERY_REFUSED)

    def _lost(self, request: Request, reason: str) -> LostSearch | ParkedWindow:
        page_request: PageRequest = request.meta["page_request"]
        lost = request.meta["lost_searches"] + 1
        logger.warning(
            "%(window)s: the search was lost at cursor %(cursor)d: %(reason)s",
            {"window": page_request.window, "cursor": page_request.cursor, "reason": reason},
        )
        if lost < LOST_SEARCHES:
            return LostSearch(page_request, lost)
        return ParkedWindow(
            page_request.from_start(), f"the search was lost {lost} times: {reason}"
        )

    def _search_anew(self, item: LostSearch) -> None:
        assert item.resumed
        self._agenda.replaced(item.request.window, item.resumed.window)
        has_passed_days = item.resumed.window != item.request.window
        lost = 0 if has_passed_days else item.lost_searches
        logger.info(
            "%(window)s: searching %(rest)s again",
            {"window": item.request.window, "rest": item.resumed.window},
        )
        self.crawler.engine.crawl(self._request(item.resumed, lost=lost))

    def _request(
        self,
        page_request: PageRequest,
        *,
        lost: int = 0,
        standstill: StalledPaging = StalledPaging(),  # noqa: B008 - immutable
    ) -> Request:
        return api_request(
            self.settings,
            page_request,
            video_query_body(self.collection.query.to_json(), page_request),
            callback=self.parse,
            errback=self.failed,
            lost_searches=lost,
            standstill=standstill,
        )

    def _announce(self, plan: Plan) -> None:
        for warning in self.collection.warnings:
            logger.warning("%(warning)s", {"warning": warning})
        if plan.waiting_windows:
            logger.info(
                "%(count)d windows that were given up wait; the first is due at %(at)s UTC",
                {"count": len(plan.waiting_windows), "at": f"{plan.next_retry_at:%Y-%m-%d %H:%M}"},
            )
        if plan.is_empty and plan.is_fulfilled:
            logger.info(
                "Nothing to collect: all %(count)d days from %(start)s to %(end)s are covered",
                {"count": len(plan.days), "start": plan.days.start, "end": plan.days.end},
            )
            return
        logger.info(
            "Collecting %(start)s to %(end)s: %(open)d open windows to finish, %(new)d new, "
            "%(again)d again; %(covered)d days are covered already",
            {
                "start": plan.days.start,
                "end": plan.days.end,
                "open": len(plan.open_windows),
                "new": len(plan.new_windows),
                "again": len(plan.parked_windows) + len(plan.suspicious_windows),
                "covered": len(plan.covered_days),
            },
        )
        if plan.unsettled_days:
            logger.info(
                "Covered, but searched before they could be complete: %(days)s",
                {"days": describe_days(plan.unsettled_days)},
            )
