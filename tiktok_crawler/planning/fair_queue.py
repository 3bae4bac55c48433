"""Gives the searches of several query files their turns, by the requests that each has spent. Pure.

What one search meets does not hold up the others: one that only fails, or is refused, is set aside.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tiktok_crawler.planning.plan import Work
from tiktok_crawler.planning.problems import ApiIsDown, SetAside, StopCrawl
from tiktok_crawler.planning.window_queue import Kind
from tiktok_crawler.research_api.tasks import Window

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tiktok_crawler.planning.problems import Answer, Problem
    from tiktok_crawler.planning.search_budget import SearchBudget
    from tiktok_crawler.planning.task_states import Event
    from tiktok_crawler.planning.window_queue import WindowQueue
    from tiktok_crawler.research_api.pages import Page
    from tiktok_crawler.research_api.query import Query
    from tiktok_crawler.research_api.tasks import PageRequest, Task


MOST_ASIDE = 2
"""So many searches of one file only fail, and a third: then it is the API."""


@dataclass(slots=True)
class _Search:
    """A search that is at work.

    One that is set aside may be taken up again as long as no more pages have come than `aside_at`.
    """

    group: _Group
    queue: WindowQueue
    pages: int = 0
    aside_at: int | None = None

    @property
    def may_go_on(self) -> bool:
        return self.aside_at is None and not self.group.budget.is_spent

    @property
    def has_to_refresh(self) -> bool:
        return self.may_go_on and self.queue.has_to_refresh

    @property
    def has_ended(self) -> bool:
        return self.queue.is_idle and not self.has_to_refresh


@dataclass(slots=True, eq=False)
class _Group:
    """The searches of a query file; those that were not begun yet are asked for when needed."""

    number: int
    budget: SearchBudget
    searches: dict[Query, _Search] = field(default_factory=dict)
    may_have_more: bool = True
    waits: bool = False
    is_dry: bool = False
    is_refused: bool = False
    open_tasks: int = 0

    @property
    def turn(self) -> float:
        """The requests spent or under way, by priority: whoever has the least is next."""
        return (self.budget.requests + self.open_tasks) / self.budget.priority

    @property
    def can_begin_another(self) -> bool:
        return (
            self.may_have_more
            and not self.waits
            and not self.is_refused
            and not self.budget.is_spent
        )

    @property
    def has_to_refresh(self) -> bool:
        """Tell whether what was begun has something left to ask for: what is refreshed."""
        return any(search.has_to_refresh for search in self.searches.values())

    @property
    def has_alternatives(self) -> bool:
        """Tell whether another search of the file may show that the API works, soon enough."""
        aside = sum(search.aside_at is not None for search in self.searches.values())
        may_have = self.may_have_more and not self.is_dry and not self.budget.is_spent
        return may_have and aside < MOST_ASIDE


class FairQueue:
    """The searches of a run's query files, a turn each.

    What is new goes before what is refreshed, but that has a share of the requests.

    A file's searches are begun when it is its turn and nothing else of it can be asked for:
    `hungry` is the number of such a file, to be answered by `add`, `wait` or `no_more`. Searches
    with nothing left to ask for are given back by `take_ended`. `work` is that of all searches that
    were begun.
    """

    def __init__(self, budgets: Sequence[SearchBudget], refresh_share: float = 0) -> None:
        self._refresh_share = refresh_share
        self._asked: Counter[Kind] = Counter()
        self._groups = [_Group(number, budget) for number, budget in enumerate(budgets)]
        self._searches: dict[Query, _Search] = {}
        self._ended: list[Query] = []
        self._pages = 0
        self.hungry: int | None = None
        self.work = Work()

    @property
    def runs_low(self) -> bool:
        """Tell whether a search has ended, or one is to be begun."""
        return self.hungry is not None or bool(self._ended)

    def add(self, query: Query, queue: WindowQueue, *, is_last: bool) -> None:
        """Begin a search of the file that is hungry, which may be its last one."""
        self.work += queue.work
        group = self._fed()
        group.may_have_more = not is_last
        group.searches[query] = self._searches[query] = _Search(group, queue)

    def wait(self, *, is_dry: bool = False) -> None:
        """Let the file that is hungry wait: until a search has ended, or one of its has worked.

        One that `is_dry` has no other search until one of its own has ended.
        """
        group = self._fed()
        group.waits, group.is_dry = True, is_dry

    def no_more(self) -> None:
        """The file that is hungry has no other search."""
        self._fed().may_have_more = False

    def take_ended(self) -> list[Query]:
        """Return the searches with nothing left to ask for, once."""
        ended, self._ended = self._ended, []
        return ended

    def next(self) -> PageRequest | None:
        """Take the next window of whoever has spent the least; None if there is none for now."""
        request = self._take()
        if request or self.runs_low or any(group.open_tasks for group in self._groups):
            return request
        # Nothing else is left: what failed may have failed with all that was asked.
        return self._take() if self._take_up_again() else None

    def page_stored(self, page: Page) -> None:
        search = self._of(page.request.task)
        self._pages += 1
        search.pages += 1
        if not page.request.starts_task:
            self._count(page.request)
        search.group.waits = False
        search.queue.page_stored(page)

    def doubt(self, page: Page) -> Event | None:
        """Say what becomes of a window that has ended, if its end is not believed."""
        return self._of(page.request.task).queue.doubt(page)

    def judge(self, request: PageRequest, problem: Problem) -> Answer:
        """Decide what becomes of a window whose request failed for good.

        A search that only fails, or is refused, says nothing of the others: they go on. Where none
        of them works, either, it is the API.
        """
        search = self._of(request.task)
        answer = search.queue.judge(request, problem)
        match answer:
            case ApiIsDown() if self._pages and not search.pages:
                self._set_aside(search, request, problem.reason, for_good=True)
                return SetAside(problem.reason)
            case ApiIsDown() if self._others_may_work(search):
                self._set_aside(search, request, problem.reason)
                return SetAside(problem.reason)
            case ApiIsDown():
                self._take_up_again()
            case StopCrawl(reason) if len(self._groups) > 1:
                search.group.is_refused = True
                self._set_aside(search, request, reason, for_good=True)
                return SetAside(reason, is_refused=True)
        return answer

    def ended(self, task: Task) -> None:
        self._leave(task).ended(task)

    def left(self, task: Task) -> None:
        self._leave(task).left(task)

    def cut(self, task: Task) -> None:
        self._leave(task).cut(task)

    def replaced(self, task: Task, rest: Task) -> None:
        self._of(task).queue.replaced(task, rest)

    def everything_fails(self) -> None:
        for search in self._searches.values():
            search.queue.everything_fails()

    def drop_second_tries(self) -> None:
        for search in self._searches.values():
            search.queue.drop_second_tries()

    def _of(self, task: Task) -> _Search:
        assert isinstance(task, Window)
        return self._searches[task.query]

    def _leave(self, task: Task) -> WindowQueue:
        search = self._of(task)
        search.group.open_tasks -= 1
        return search.queue

    def _fed(self) -> _Group:
        assert self.hungry is not None
        group, self.hungry = self._groups[self.hungry], None
        return group

    def _take(self) -> PageRequest | None:
        if self._refreshing_lags and (request := self._take_refreshed()):
            return request
        for group in self._by_turn:
            for query, search in list(group.searches.items()):
                if request := self._take_of(search, Kind.NEW):
                    return request
                if search.has_ended and not self._may_be_taken_up(search):
                    self._end(query, search)
            if group.can_begin_another and not group.has_to_refresh:
                self.hungry = group.number
                return None
        return self._take_refreshed()

    def _take_refreshed(self) -> PageRequest | None:
        for group in self._by_turn:
            for search in group.searches.values():
                if request := self._take_of(search, Kind.REFRESHED):
                    return request
        return None

    def _take_of(self, search: _Search, kind: Kind) -> PageRequest | None:
        request = search.queue.next((kind,)) if search.may_go_on else None
        if request:
            search.group.open_tasks += 1
            self._count(request)
        return request

    def _count(self, request: PageRequest) -> None:
        self._asked[Kind.REFRESHED if request.refreshes else Kind.NEW] += 1

    @property
    def _refreshing_lags(self) -> bool:
        """Tell whether less was asked for of what is refreshed than its share."""
        return self._asked[Kind.REFRESHED] < self._refresh_share * self._asked.total()

    @property
    def _by_turn(self) -> list[_Group]:
        return sorted(self._groups, key=lambda group: group.turn)

    def _end(self, query: Query, search: _Search) -> None:
        del self._searches[query], search.group.searches[query]
        self._ended.append(query)
        search.group.is_dry = False
        for group in self._groups:
            group.waits = False

    def _set_aside(
        self, search: _Search, request: PageRequest, reason: str, *, for_good: bool = False
    ) -> None:
        search.group.budget.failure = reason
        search.aside_at = -1 if for_good else self._pages
        search.group.open_tasks -= 1
        search.group.waits = False
        search.queue.put_back(request)

    def _may_be_taken_up(self, search: _Search) -> bool:
        return search.aside_at == self._pages

    def _take_up_again(self) -> bool:
        """Let searches go on that failed as all others did; False if there is none."""
        found = [each for each in self._searches.values() if self._may_be_taken_up(each)]
        for search in found:
            search.aside_at = search.group.budget.failure = None
        return bool(found)

    def _others_may_work(self, search: _Search) -> bool:
        """Tell whether there are others that have not turned out to fail, too."""
        others = [each for each in self._groups if each is not search.group]
        return search.group.has_alternatives or any(
            group.can_begin_another or any(each.may_go_on for each in group.searches.values())
            for group in others
        )
