"""Collects the videos that a query file asks for."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from tiktok_crawler.arguments import search_arguments
from tiktok_crawler.clock import utc_now
from tiktok_crawler.crawling.components import extension
from tiktok_crawler.crawling.notice import NOTICE
from tiktok_crawler.exceptions import QueryLockedError
from tiktok_crawler.extensions.outcome import Outcome
from tiktok_crawler.pipelines.storage import crawl_storage
from tiktok_crawler.planning.keyword_forms import NOTHING_TRIED
from tiktok_crawler.planning.probing import ProbeQueue, probes
from tiktok_crawler.planning.seeds import stages_of
from tiktok_crawler.planning.window_queue import WindowQueue
from tiktok_crawler.reports.search_beginning import search_beginning
from tiktok_crawler.spiders.research import ResearchSpider

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from scrapy import Request

    from tiktok_crawler.config import Config
    from tiktok_crawler.planning.keyword_forms import KeywordForms
    from tiktok_crawler.planning.plan import Plan
    from tiktok_crawler.planning.seeds import Stage
    from tiktok_crawler.query_file.collection import Collection
    from tiktok_crawler.research_api.endpoints import Pool

logger = logging.getLogger(__name__)


class VideosSpider(ResearchSpider):
    """Searches the windows of a collection that are not covered yet, several side by side.

    When all are searched, it collects what the query file has under `also_collect`. With `probes`,
    it asks for as many first pages and no more, so that a plan can tell what a crawl will cost.

    Arguments: query (a file) or the keys of one, such as any_hashtags; start_date, end_date, tags,
    refresh_after, max_requests, probes.
    """

    name = "videos"

    def __init__(
        self,
        config: Config,
        arguments: Mapping[str, str],
        collection: Collection,
    ):
        super().__init__(
            config,
            arguments,
            max_requests=search_arguments.whole_number(arguments, "max_requests"),
        )
        self.probes = search_arguments.whole_number(arguments, "probes")
        self.collection = collection
        self.wanted = search_arguments.wanted(collection, config)
        self.stages = stages_of(collection)
        self.tags = collection.tags

    @classmethod
    def read(cls, config: Config, given: dict[str, str]) -> tuple[Any, ...]:  # noqa: ARG003
        search_arguments.check(given, search_arguments.VIDEOS_ARGUMENTS)
        return given, search_arguments.collection(given, today=utc_now().date())

    async def requests(self) -> AsyncIterator[Request]:
        plan = await crawl_storage(self.crawler).plan(self.collection)
        if self.probes:
            async for request in self._probe(plan, self.probes):
                yield request
            return
        self._announce(plan)
        self.queue = queue = WindowQueue(plan, self.wanted)
        told = NOTHING_TRIED
        async for request in self.runner.requests(queue):
            _tell(told, queue.keyword_forms)
            told = queue.keyword_forms
            yield request
        _tell(told, queue.keyword_forms)
        async for request in self._also_collect():
            yield request

    async def _probe(self, plan: Plan, count: int) -> AsyncIterator[Request]:
        """Ask for the first page of a window in each of so many parts of the missing days."""
        windows = probes(plan, self.wanted, count)
        logger.info("Asking for %(count)d first pages", {"count": len(windows)})
        if not windows:
            return
        self.queue = queue = ProbeQueue(plan, self.wanted, windows)
        pages = self.runner.requests(queue, waits_for_quota=False, only_first_pages=True)
        async for request in pages:
            yield request
        if self.runner.lacks_quota:
            extension(self.crawler, Outcome).left_undone()

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
                if not self.runner.lacks_quota:
                    continue
                used_up.add(pool)
            waiting.append(stage)
        for stage in waiting:
            async for request in self._list(stage, waits_for_quota=True):
                yield request

    async def _list(self, stage: Stage, *, waits_for_quota: bool) -> AsyncIterator[Request]:
        """Work off a stage, unless another crawl does so."""
        self.runner.lacks_quota = False
        try:
            async for request in self.list_stage(stage, waits_for_quota=waits_for_quota):
                yield request
        except QueryLockedError as exc:
            logger.warning("Left for a later run: %(error)s", {"error": exc})
            extension(self.crawler, Outcome).left_undone()

    def _announce(self, plan: Plan) -> None:
        for warning in self.collection.warnings:
            logger.warning("%(warning)s", {"warning": warning})
        if self.collection.as_file:
            logger.log(NOTICE, "As a query file:\n%(text)s", {"text": self.collection.as_file})
        logger.log(NOTICE, "%(work)s", {"work": search_beginning(plan)})


def _tell(told: KeywordForms, forms: KeywordForms) -> None:
    """Tell what is new about the forms in which keywords can be sent."""
    if forms.untried and not told.untried:
        logger.log(
            NOTICE,
            "No video was found with keywords sent as %(tried)s: searching the same days once more "
            "with %(untried)s",
            {"tried": forms.tried[0], "untried": forms.untried},
        )
    if forms.in_vain and not told.in_vain:
        logger.log(
            NOTICE,
            "Keywords are sent as %(sent_as)s: searches with %(in_vain)s found nothing",
            {"sent_as": forms.sent_as, "in_vain": forms.in_vain},
        )
