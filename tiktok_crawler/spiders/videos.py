"""Collects the videos that query files ask for."""

from __future__ import annotations

import logging
from collections import defaultdict, deque
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tiktok_crawler.arguments import search_arguments
from tiktok_crawler.clock import utc_now
from tiktok_crawler.crawling.components import extension
from tiktok_crawler.crawling.notice import NOTICE
from tiktok_crawler.exceptions import QueryLockedError
from tiktok_crawler.extensions.outcome import Outcome
from tiktok_crawler.pipelines.storage import crawl_storage
from tiktok_crawler.planning.batch_queue import BatchQueue, ListSearches, Siblings, in_turns
from tiktok_crawler.planning.fair_queue import FairQueue
from tiktok_crawler.planning.keyword_forms import NOTHING_TRIED
from tiktok_crawler.planning.probing import ProbeQueue, probes
from tiktok_crawler.planning.search_budget import SearchBudget
from tiktok_crawler.planning.seeds import stages_of
from tiktok_crawler.planning.window_queue import WindowQueue
from tiktok_crawler.reports.list_report import list_beginning
from tiktok_crawler.reports.search_beginning import search_beginning
from tiktok_crawler.spiders.check_runner import CheckRunner
from tiktok_crawler.spiders.research import ResearchSpider

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Mapping
    from datetime import timedelta

    from scrapy import Request

    from tiktok_crawler.config import Config
    from tiktok_crawler.planning.keyword_forms import KeywordForms
    from tiktok_crawler.planning.plan import Plan, Wanted
    from tiktok_crawler.planning.seeds import Stage
    from tiktok_crawler.planning.value_batches import Batch
    from tiktok_crawler.query_file.collection import Collection
    from tiktok_crawler.query_file.refreshing import KeepFresh
    from tiktok_crawler.research_api.endpoints import Pool
    from tiktok_crawler.research_api.query import Query

logger = logging.getLogger(__name__)


class VideosSpider(ResearchSpider):
    """Searches the windows of collections that are not covered yet, several side by side.

    Of several query files each has its turn. When all are searched, it collects what the files have
    under `also_collect`, and checks what still exists, if one has `keep_fresh`. With `probes`, it
    asks for as many first pages and no more, so that a plan can tell what a crawl will cost.

    Arguments: query (a file, a folder, or several) or the keys of one, such as any_hashtags;
    start_date, end_date, tags, refresh_after, revisit, keep_fresh, max_requests, probes.
    """

    name = "videos"

    def __init__(
        self,
        config: Config,
        arguments: Mapping[str, str],
        collections: tuple[Collection, ...],
    ):
        super().__init__(
            config,
            arguments,
            max_requests=search_arguments.whole_number(arguments, "max_requests"),
        )
        self.probes = search_arguments.whole_number(arguments, "probes")
        self.collections = collections
        self.budgets = tuple(map(_budget_of, collections))
        self._tags = _tags_of_stages(collections)
        self.stages = tuple(self._tags)
        self._begun: dict[Query, WindowQueue] = {}
        self._lists: dict[int, ListSearches] = {}
        self._told: dict[Query, KeywordForms] = {}
        self._searched: defaultdict[int, set[Query | Collection]] = defaultdict(set)

    @classmethod
    def read(cls, config: Config, given: dict[str, str]) -> tuple[Any, ...]:  # noqa: ARG003
        search_arguments.check(given, search_arguments.VIDEOS_ARGUMENTS)
        collections = search_arguments.collections(given, today=utc_now().date())
        if "probes" in given:
            search_arguments.check_probes("-a probes", given["probes"], collections)
        return given, collections

    async def requests(self) -> AsyncIterator[Request]:
        await self._leave_out_deleted()
        if self.probes:
            async for request in self._probe(self.collections[0], self.probes):
                yield request
            return
        if self._keeps_fresh:
            await crawl_storage(self.crawler).keep_for_checks(self._age_of_checks)
        async for request in self._search():
            yield request
        async for request in self._also_collect():
            yield request
        async for request in self._check_existence():
            yield request

    async def _leave_out_deleted(self) -> None:
        """Ask for nothing that persons have asked to delete, and name the files that still do."""
        given = self.collections
        self.collections = await crawl_storage(self.crawler).without_deleted(given)
        self._tags = _tags_of_stages(self.collections)
        self.stages = tuple(self._tags)
        for before, after in zip(given, self.collections, strict=True):
            if before != after:
                logger.warning(
                    "%(name)s names persons or videos that were deleted as persons have asked: "
                    "they are not asked for; take them out of it",
                    {"name": before.name},
                )

    async def _search(self) -> AsyncIterator[Request]:
        """Search for what the files ask, and once more what other crawls did not finish."""
        left = set(range(len(self.collections)))
        while left:
            self.queue = queue = FairQueue(self.budgets, self.config.refresh_share)
            self._waiting = [
                deque([each] if number in left else [])
                for number, each in enumerate(self.collections)
            ]
            self._lists.clear()
            self._searched = defaultdict(set)
            async for request in self.runner.requests(queue, self._begin_and_end):
                self._tell_forms()
                yield request
            left = {number for number in left if await self._others_have_left(number)}

    async def _others_have_left(self, number: int) -> bool:
        """Tell whether other crawls of a file's queries have ended, perhaps before all was done."""
        budget = self.budgets[number]
        if budget.is_spent or budget.failure:
            return False
        ended = [await self.others_have_ended(query) for query in self._searched[number]]
        return any(ended)

    async def _begin_and_end(self) -> None:
        """End the searches that are over, and begin the one whose turn it is."""
        queue = self.queue
        assert isinstance(queue, FairQueue)
        self._tell_forms()
        for query in queue.take_ended():
            windows = self._begun.pop(query)
            await crawl_storage(self.crawler).end_search(query)
            if isinstance(windows, BatchQueue):
                windows.searches.ended(windows)
        if queue.hungry is None:
            return
        if self.collections[queue.hungry].each and self._waiting[queue.hungry]:
            await self._begin_batch(queue, queue.hungry)
        else:
            await self._begin_another(queue, self._waiting[queue.hungry])

    async def _begin_batch(self, queue: FairQueue, number: int) -> None:
        """Begin the search for the next values of a list."""
        collection = self.collections[number]
        if number not in self._lists:
            searches = await self._plan_list(collection, number)
            if searches is None:
                queue.no_more()
                return
            self._lists[number] = searches
        searches = self._lists[number]
        if searches.is_over:
            queue.no_more()
            await crawl_storage(self.crawler).sharing.give_list(collection)
        elif searches.must_wait:
            queue.wait(is_dry=not searches.batches)
        elif (some := _searched_for(collection, searches.batches[0])).query in self._begun:
            queue.wait()
        else:
            batch = searches.batches.popleft()
            wanted = search_arguments.wanted(some, self.config)
            wanted = replace(wanted, part=batch.part(searches.siblings.narrowing))
            plan = await self._plan(some, wanted, number)
            if plan:
                windows = self._begun[some.query] = BatchQueue(plan, wanted, batch, searches)
                searches.begin(windows)
                queue.add(some.query, windows, is_last=False)

    async def _plan_list(self, collection: Collection, number: int) -> ListSearches | None:
        """Plan the searches for a list; None if another crawl is at work on it."""
        self._searched[number].add(collection)
        storage = crawl_storage(self.crawler)
        wanted = search_arguments.wanted_values(collection, self.config)
        try:
            plan = await storage.plan_list(collection, wanted, self.budgets[number])
        except QueryLockedError as exc:
            self._yield_to_others(collection, exc)
            return None
        self._announce(collection, list_beginning(collection, plan))
        batches = deque(in_turns(plan.batches, self.config.refresh_share))
        return ListSearches(batches, Siblings(plan.too_wide, plan.widest))

    async def _begin_another(self, queue: FairQueue, waiting: deque[Collection]) -> None:
        if not waiting:
            queue.no_more()
        elif waiting[0].query in self._begun:
            queue.wait()
        else:
            assert queue.hungry is not None
            collection = waiting.popleft()
            wanted = search_arguments.wanted(collection, self.config)
            plan = await self._plan(collection, wanted, queue.hungry)
            if plan:
                windows = self._begun[collection.query] = WindowQueue(plan, wanted)
                queue.add(collection.query, windows, is_last=not waiting)

    async def _plan(self, collection: Collection, wanted: Wanted, number: int) -> Plan | None:
        """Open a search of a file; None if another crawl is at work on one of several.

        Raises:
            QueryLockedError: another crawl is at work on the only one.
        """
        self._searched[number].add(collection.query)
        storage, budget = crawl_storage(self.crawler), self.budgets[number]
        try:
            of_list = self.collections[number] if collection.batch else None
            plan = await storage.begin_search(collection, wanted, budget, of_list=of_list)
        except QueryLockedError as exc:
            self._yield_to_others(collection, exc)
            return None
        if not collection.batch:
            self._announce(collection, search_beginning(plan))
        return plan

    def _yield_to_others(self, collection: Collection, error: QueryLockedError) -> None:
        """Leave to another crawl what it wants to do alone.

        Raises:
            QueryLockedError: there is nothing else to do, and waiting is no use.
        """
        if crawl_storage(self.crawler).sharing.has_left(collection):
            return
        if len(self.collections) == 1 and not collection.batch:
            raise error
        self._leave(f"{collection.name}: {error}")

    async def _probe(self, collection: Collection, count: int) -> AsyncIterator[Request]:
        """Ask for the first page of a window in each of so many parts of the missing days."""
        wanted = search_arguments.wanted(collection, self.config)
        storage = crawl_storage(self.crawler)
        plan = await storage.begin_search(collection, wanted, self.budgets[0])
        windows = probes(plan, wanted, count)
        logger.info("Asking for %(count)d first pages", {"count": len(windows)})
        if not windows:
            return
        self.queue = queue = ProbeQueue(plan, wanted, windows)
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
        self.tags = self._tags[stage]
        try:
            async for request in self.list_stage(stage, waits_for_quota=waits_for_quota):
                yield request
        except QueryLockedError as exc:
            self._leave(str(exc))

    async def _check_existence(self) -> AsyncIterator[Request]:
        """Find out what still exists, as often as the query files want it."""
        if not self._keeps_fresh:
            return
        try:
            async for request in CheckRunner(self.crawler).requests(self._age_of_checks):
                yield request
        except QueryLockedError as exc:
            self._leave(str(exc))

    @property
    def _keeps_fresh(self) -> tuple[KeepFresh, ...]:
        return tuple(each.keep_fresh for each in self.collections if each.keep_fresh)

    @property
    def _age_of_checks(self) -> timedelta | None:
        """The age at which all is checked again.

        None: what is missing alone, since days are searched again that bring the rest.
        """
        ages = (each.every for each in self._keeps_fresh if not each.counters)
        return min(ages, default=None)

    def _leave(self, why: str) -> None:
        logger.warning("Left for a later run: %(why)s", {"why": why})
        extension(self.crawler, Outcome).left_undone()

    def _announce(self, collection: Collection, work: str) -> None:
        for warning in collection.warnings:
            logger.warning("%(warning)s", {"warning": warning})
        if collection.as_file:
            logger.log(NOTICE, "As a query file:\n%(text)s", {"text": collection.as_file})
        name = f"{collection.name}: " if len(self.collections) > 1 else ""
        logger.log(NOTICE, "%(name)s%(work)s", {"name": name, "work": work})

    def _tell_forms(self) -> None:
        """Tell what is new about the forms in which keywords can be sent."""
        for query, windows in self._begun.items():
            told = self._told.get(query, NOTHING_TRIED)
            if windows.keyword_forms != told:
                _tell(told, windows.keyword_forms)
                self._told[query] = windows.keyword_forms


def _searched_for(collection: Collection, batch: Batch) -> Collection:
    """The collection of some values of a list alone, on their days."""
    return replace(collection.for_values(batch.values), dates=batch.days)


def _tags_of_stages(collections: Iterable[Collection]) -> dict[Stage, tuple[str, ...]]:
    """Return the stages of all query files in their order, each once with all its tags."""
    found: dict[Stage, dict[str, None]] = {}
    for collection in collections:
        for stage in stages_of(collection):
            found.setdefault(stage, {}).update(dict.fromkeys(collection.tags))
    return {stage: tuple(tags) for stage, tags in found.items()}


def _budget_of(collection: Collection) -> SearchBudget:
    limits = collection.limits
    return SearchBudget(limits.priority, limits.max_requests, limits.max_videos)


def _tell(told: KeywordForms, forms: KeywordForms) -> None:
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
