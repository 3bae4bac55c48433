"""Decides what becomes of searches for some values of a list that the API does not take. Pure.

One unusable value can fail a search for ten. Such a search is halved, and so is each half that
fails, down to the value: it is postponed alone, and the others are searched without it.
"""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tiktok_crawler.date_range import contiguous
from tiktok_crawler.planning.problems import ApiIsDown, ProblemKind, StopCrawl
from tiktok_crawler.planning.task_states import Halved, Unusable
from tiktok_crawler.planning.value_batches import Batch, halves, narrowest
from tiktok_crawler.planning.window_queue import Kind, WindowQueue

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator
    from datetime import date

    from tiktok_crawler.date_range import DateRange
    from tiktok_crawler.planning.plan import Plan, Wanted
    from tiktok_crawler.planning.problems import Answer, Problem
    from tiktok_crawler.planning.window_queue import CutWindow
    from tiktok_crawler.research_api.pages import Page
    from tiktok_crawler.research_api.tasks import PageRequest, Task

    Values = tuple[str, ...]

SEVERAL = 5
"""So many values that are refused one after another, and none that works: it is the query."""

MOST_IN_VAIN = 10
"""After so many answers without data in a row they are nothing that a value is to blame for."""

NO_DATA = "the API sent no data at all"


@dataclass(slots=True)
class Siblings:
    """What a run has met with the batches of a list: what one shows, others need not find out."""

    too_wide: tuple[DateRange, ...] = ()
    widest: int = 0
    pages: int = 0
    refused_alone: int = 0
    """Values since the last page."""
    in_vain: int = 0
    """Searches since the last page that the API has not taken."""
    failed_at: dict[Values, int] = field(default_factory=dict)
    """How many pages others had brought when those of a batch first failed."""

    def worked(self, page: Page) -> None:
        self.pages += 1
        self.refused_alone = self.in_vain = 0
        if page.request.starts_task:
            self.widest = max(self.widest, len(page.request.window.days))

    def was_too_wide(self, days: DateRange) -> None:
        self.too_wide = (*self.too_wide, days)

    def passed_on(self, values: Values, batches: Iterable[Batch]) -> None:
        """Let batches have the values: what came since these first failed counts for them, too."""
        pages = self.failed_at.pop(values, None)
        if pages is not None:
            self.failed_at |= {batch.values: pages for batch in batches}

    @property
    def narrowing(self) -> tuple[DateRange, ...]:
        """The windows that were cut, as far as they say something of new searches."""
        return narrowest(self.too_wide, self.widest)


class BatchQueue(WindowQueue):
    """The searches for the values of a batch; one window goes alone until it has brought a page.

    When the API does not take them, those that are under way still end, and no other one is begun:
    `halves` are the batches that have its days from then on.
    """

    def __init__(self, plan: Plan, wanted: Wanted, batch: Batch, searches: ListSearches):
        super().__init__(plan, wanted)
        self._is_proven = False
        self.batch = batch
        self.searches = searches
        self._siblings = searches.siblings
        self._is_over = False
        self.is_aside = False
        self._left: set[date] = {
            day for days in (*batch.missing, *batch.begun) for day in days if day in wanted.days
        }

    @property
    def halves(self) -> tuple[Batch, ...]:
        """The batches of the same values that ask for the days that are left; none if it works."""
        if not self._is_over or self.batch.is_retired or len(self.batch.values) == 1:
            return ()
        left = tuple(contiguous(self._left))
        days = self.batch.days
        return tuple(Batch(values, days, left) for values in halves(self.batch.values))

    def next(self, kinds: Container[Kind] = tuple(Kind)) -> PageRequest | None:
        self.is_aside = False
        return None if self._is_over else super().next(kinds)

    @property
    def has_to_refresh(self) -> bool:
        return not self._is_over and super().has_to_refresh

    def put_back(self, request: PageRequest) -> None:
        self.is_aside = True
        super().put_back(request)

    def page_stored(self, page: Page) -> None:
        super().page_stored(page)
        if not page.suspicious:
            self._siblings.worked(page)
            self._siblings.failed_at.pop(self.batch.values, None)
        if page.next_request is None:
            self._left -= set(page.request.window.days)

    def doubt(self, page: Page) -> Halved | Unusable | None:
        """Do not believe a search that ended without any data, unless nothing else brings any."""
        has_data = page.next_request or page.received or not page.suspicious
        if has_data or self._siblings.in_vain >= MOST_IN_VAIN:
            return None
        self._left |= set(page.request.window.days)
        return self._unusable(NO_DATA, page.log_id)

    def judge(self, request: PageRequest, problem: Problem) -> Answer:
        if problem.kind is ProblemKind.REFUSED:
            return self._refused(request, problem)
        answer = super().judge(request, problem)
        # The newest day alone fails, too; if others have worked since, it is not the API.
        pages = self._siblings.pages
        if isinstance(answer, ApiIsDown) and pages > self._siblings.failed_at[self.batch.values]:
            return self._unusable(problem.reason, problem.log_id)
        return answer

    def cut(self, task: Task) -> None:
        self._siblings.failed_at.setdefault(self.batch.values, self._siblings.pages)
        super().cut(task)

    def _refused(self, request: PageRequest, problem: Problem) -> Answer:
        verdict = problem.verdict
        if not request.starts_task or (verdict and verdict.is_foreign):
            # Pages of the same search came, or it is no word of the API's: not values are to blame.
            return super().judge(request, problem)
        siblings = self._siblings
        is_alone = len(self.batch.values) == 1
        siblings.refused_alone += is_alone and not request.second_try
        if not siblings.pages and siblings.refused_alone >= SEVERAL:
            tried = f"{SEVERAL} values were refused one by one, and none has worked"
            return StopCrawl(f"The API refuses the query: {problem}. {tried}")
        return self._unusable(problem.reason, problem.log_id)

    def _unusable(self, reason: str, log_id: str | None) -> Halved | Unusable:
        self._siblings.in_vain += 1
        self._is_over = True
        is_alone = len(self.batch.values) == 1
        return Unusable(reason, log_id) if is_alone else Halved(reason, log_id)

    def _search_in_parts(self, cut: CutWindow) -> None:
        self._siblings.was_too_wide(cut.days)
        super()._search_in_parts(cut)


def in_turns(batches: Iterable[Batch], refresh_share: float) -> Iterator[Batch]:
    """Let batches that are refreshed have their share of the requests, as long as others are new.

    Each kind is in the order as given.
    """
    left: dict[bool, deque[Batch]] = {True: deque(), False: deque()}
    for batch in batches:
        left[batch.refreshes].append(batch)
    asked = Counter[bool]()
    while left[True] or left[False]:
        lags = asked[True] < refresh_share * asked.total()
        batch = left[bool(left[True]) and (lags or not left[False])].popleft()
        asked[batch.refreshes] += max(batch.least_requests, 1)
        yield batch


@dataclass(slots=True)
class ListSearches:
    """The batches that a run has still to search of a list, and those that it searches.

    As long as none has worked, one goes alone.
    """

    batches: deque[Batch]
    siblings: Siblings
    open: dict[Values, BatchQueue] = field(default_factory=dict)
    _tried_again: set[Values] = field(default_factory=set)

    @property
    def is_over(self) -> bool:
        return not self.batches and not self.open

    @property
    def must_wait(self) -> bool:
        """Tell whether another batch is begun when one has ended, or has brought a page."""
        if not self.batches:
            return bool(self.open)
        return not self.siblings.pages and any(not queue.is_aside for queue in self.open.values())

    def begin(self, queue: BatchQueue) -> None:
        self.open[queue.batch.values] = queue

    def ended(self, queue: BatchQueue) -> None:
        """Let the halves of a batch come next; one that only failed comes last, once more."""
        batch = queue.batch
        del self.open[batch.values]
        self.batches.extendleft(reversed(queue.halves))
        if queue.halves:
            self.siblings.passed_on(batch.values, queue.halves)
        if queue.is_aside and self.siblings.pages and batch.values not in self._tried_again:
            self._tried_again.add(batch.values)
            self.batches.append(batch)
