"""Works off stages of listings: some seeds side by side, the pages of each one after another."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from scrapy import signals

from tiktok_crawler.crawling.api_request import api_request
from tiktok_crawler.crawling.closing import CloseReason
from tiktok_crawler.crawling.components import extension, item_pipeline
from tiktok_crawler.crawling.failures import (
    CrawlStoppingError,
    CursorLostError,
    PartEndedError,
    QuotaUsedUpError,
    RequestDelayedError,
    RequestRefusedError,
    TaskFailedError,
)
from tiktok_crawler.crawling.storage_thread import NotStoredError
from tiktok_crawler.extensions.outcome import Outcome
from tiktok_crawler.middlewares.verdict import received_at_of, verdict_of
from tiktok_crawler.pipelines.storage import StoragePipeline
from tiktok_crawler.planning.task_states import ParkedSeed, RefusedSeed
from tiktok_crawler.reports.stage_report import stage_beginning
from tiktok_crawler.research_api.pages import ListPage, end_of_list, list_page_of
from tiktok_crawler.research_api.stalled_paging import StalledPaging
from tiktok_crawler.research_api.tasks import listing_body
from tiktok_crawler.research_api.verdicts import AnswerKind, SeedStatus

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.exceptions import DropItem
    from scrapy.http import Response
    from twisted.python.failure import Failure

    from tiktok_crawler.planning.seeds import Stage, StagePlan
    from tiktok_crawler.research_api.tasks import ListRequest
    from tiktok_crawler.research_api.verdicts import Verdict

logger = logging.getLogger(__name__)

REFUSALS_IN_A_ROW = 10
"""So many seeds that the API does not accept, and nothing else: not the seeds are to blame."""

STATUSES = {AnswerKind.NOT_FOUND: SeedStatus.NOT_FOUND, AnswerKind.WITHHELD: SeedStatus.WITHHELD}


class TaskRunner:
    """Asks for the pages of a stage's seeds, at most CONCURRENT_REQUESTS seeds at a time.

    What a seed's request brings is yielded as an item, before the request for its next page.
    `stage` is the one at work, with its `plan`; `seeds_done` and `records` are what it has come to,
    `lacks_quota` whether it ended early because the day's quota is used up.
    """

    def __init__(self, crawler: Crawler):
        self.crawler = crawler
        self.stage: Stage | None = None
        self.plan: StagePlan | None = None
        self.seeds_done = 0
        self.records = 0
        self.lacks_quota = False
        self._slots = crawler.settings.getint("CONCURRENT_REQUESTS") or 1
        self._open = 0
        self._is_cut_short = False
        self._waits_for_quota = True
        self._refusals_in_a_row = 0
        self._something_ended = asyncio.Event()
        crawler.signals.connect(self._item_scraped, signal=signals.item_scraped)
        crawler.signals.connect(self._item_dropped, signal=signals.item_dropped)

    async def requests(
        self, stage: Stage, tags: tuple[str, ...], *, waits_for_quota: bool = True
    ) -> AsyncIterator[Request]:
        """The first request of each of the stage's seeds; ends when all seeds have.

        When the day's quota is used up, it waits, or else ends early.

        Raises:
            CrawlerError: the stage cannot begin.
            NotStoredError: the database is away; the crawl ends.
        """
        storage = item_pipeline(self.crawler, StoragePipeline)
        plan = await storage.begin_stage(stage, tags)
        self.stage, self.plan = stage, plan
        self.seeds_done = self.records = 0
        self._is_cut_short = self.lacks_quota = False
        self._waits_for_quota = waits_for_quota
        logger.info("%(work)s", {"work": stage_beginning(stage, plan)})
        for request in plan.requests:
            await self._wait_until_fewer_than(self._slots)
            if self._is_cut_short:
                break
            self._open += 1
            yield self._request(request)
        await self._wait_until_fewer_than(1)
        self.stage = None
        await storage.end_stage()

    async def _wait_until_fewer_than(self, seeds: int) -> None:
        """Wait until fewer seeds than that are open."""
        while self._open >= seeds:
            self._something_ended.clear()
            await self._something_ended.wait()

    def _parse(self, response: Response) -> Iterator[ListPage | Request | ParkedSeed]:
        """Yield the page first: the request for the next one is scheduled after it is stored."""
        request = response.request
        assert request
        asked: ListRequest = request.meta["page_request"]
        verdict = verdict_of(request)
        page = list_page_of(asked, verdict, received_at=received_at_of(request))
        yield page
        if page.next_request is None:
            return
        standstill: StalledPaging = request.meta["standstill"].after(page)
        if verdict.kind is AnswerKind.MALFORMED:
            yield self._give_up(page.next_request, str(verdict), page.log_id)
        elif standstill.reason:
            yield self._give_up(page.next_request, standstill.reason, page.log_id)
        else:
            yield self._request(page.next_request, standstill)

    def _failed(self, failure: Failure) -> Iterator[ListPage | RefusedSeed | ParkedSeed]:
        """Act on a request that ended without a page."""
        request: Request = failure.request  # type: ignore[attr-defined]
        asked: ListRequest = request.meta["page_request"]
        match failure.value:
            case RequestDelayedError() | CrawlStoppingError():
                return
            case PartEndedError():
                self._is_cut_short = True
                self.lacks_quota |= isinstance(failure.value, QuotaUsedUpError)
                self._free_slot()
            case CursorLostError():
                yield self._cursor_refused(request, asked)
            case RequestRefusedError():
                yield from self._refused(request, asked)
            case TaskFailedError(reason=reason, log_id=log_id):
                yield self._give_up(asked, reason, log_id)
            case _:
                extension(self.crawler, Outcome).stop(CloseReason.UNEXPECTED_ERROR)
                failure.raiseException()

    def _cursor_refused(self, request: Request, asked: ListRequest) -> ListPage | ParkedSeed:
        verdict = verdict_of(request)
        if verdict.kind is AnswerKind.MALFORMED:
            # It says nothing about the cursor.
            return self._give_up(asked, str(verdict), verdict.log_id)
        if asked.is_past_cap:
            return end_of_list(asked, verdict, received_at=received_at_of(request))
        return self._give_up(asked.from_start(), str(verdict), verdict.log_id)

    def _refused(self, request: Request, asked: ListRequest) -> Iterator[RefusedSeed]:
        """Keep the refusal as the answer that it is, unless it is not about the seed."""
        verdict = verdict_of(request)
        if not self._is_about_the_seed(verdict):
            logger.error(
                "The API refuses the requests: %(asked)s: %(verdict)s (log_id %(log_id)s)",
                {"asked": asked, "verdict": verdict, "log_id": verdict.log_id},
            )
            extension(self.crawler, Outcome).stop(CloseReason.QUERY_REFUSED)
            return
        status = STATUSES.get(verdict.kind, SeedStatus.REFUSED)
        received_at = received_at_of(request)
        yield RefusedSeed(asked, status, str(verdict), verdict.log_id, received_at)

    def _is_about_the_seed(self, verdict: Verdict) -> bool:
        """Whether another seed may be accepted; what is not the API's own refusal says nothing."""
        if verdict.kind in STATUSES:
            return True
        self._refusals_in_a_row += 1
        is_rare = self._refusals_in_a_row < REFUSALS_IN_A_ROW
        return is_rare and bool(verdict.code) and "field" not in verdict.message.lower()

    def _give_up(self, asked: ListRequest, reason: str, log_id: str | None) -> ParkedSeed:
        logger.warning(
            "%(asked)s is given up for now: %(reason)s (log_id %(log_id)s)",
            {"asked": asked, "reason": reason, "log_id": log_id},
        )
        return ParkedSeed(asked, reason, log_id)

    def _item_scraped(self, item: object) -> None:
        """Called after the item is stored."""
        match item:
            case ListPage():
                self._refusals_in_a_row = 0
                self.records += len(item.records)
                if item.next_request is None:
                    self._seed_ended()
            case RefusedSeed() | ParkedSeed():
                self._seed_ended()

    def _item_dropped(self, item: object, exception: DropItem) -> None:
        """A pipeline of the user's that drops a page does so after it is stored."""
        if not isinstance(exception, NotStoredError):
            self._item_scraped(item)

    def _seed_ended(self) -> None:
        self.seeds_done += 1
        self._free_slot()

    def _free_slot(self) -> None:
        self._open -= 1
        self._something_ended.set()

    def _request(
        self,
        asked: ListRequest,
        standstill: StalledPaging = StalledPaging(),  # noqa: B008 - immutable
    ) -> Request:
        return api_request(
            self.crawler.settings,
            asked,
            listing_body(asked),
            callback=self._parse,
            errback=self._failed,
            standstill=standstill,
            lost_searches=0,
            waits_for_quota=self._waits_for_quota,
        )
