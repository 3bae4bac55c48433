"""Several query files share a run: each has its turn, and what one meets is its own."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiktok_crawler.date_range import DAY, DateRange
from tiktok_crawler.planning.coverage import Covered, Freshness
from tiktok_crawler.planning.fair_queue import FairQueue
from tiktok_crawler.planning.plan import Known, Wanted, make_plan
from tiktok_crawler.planning.problems import (
    ApiIsDown,
    Problem,
    ProblemKind,
    SetAside,
    StopCrawl,
)
from tiktok_crawler.planning.search_budget import SearchBudget
from tiktok_crawler.planning.task_states import Cut, Parked
from tiktok_crawler.planning.window_days import DayCount
from tiktok_crawler.planning.window_queue import WindowQueue
from tiktok_crawler.research_api.pages import Page
from tiktok_crawler.research_api.paging import Place
from tiktok_crawler.research_api.query import Condition, Query

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tiktok_crawler.research_api.tasks import PageRequest

NOW = datetime(2026, 1, 1, tzinfo=UTC)
START = date(2024, 1, 1)


def query(name: str) -> Query:
    return Query((Condition("hashtag_name", "EQ", (name,)),))


def name_of(request: PageRequest) -> str:
    [condition] = request.window.query.and_
    return condition.field_values[0]


def page_of(request: PageRequest) -> Page:
    return Page(
        request,
        records=(),
        cursor=100,
        search_id=None,
        has_more=False,
        log_id=None,
        received_at=NOW,
        suspicious=False,
    )


class Run:
    """A run with a query file for each name, whose windows have a day each."""

    def __init__(
        self,
        *names: str,
        is_proven: bool = True,
        share: float = 0,
        searched: Mapping[str, int] | None = None,
        **limits: dict[str, int],
    ) -> None:
        self.budgets = {name: SearchBudget(**limits.get(name, {})) for name in names}
        self.queue = FairQueue(list(self.budgets.values()), share)
        self.waiting = [[name] for name in names]
        self.is_proven = is_proven
        self.searched = searched or {}
        self.begun: list[str] = []
        self.ended: list[Query] = []

    def next(self) -> PageRequest | None:
        """Take the next request, as the runner does; it is booked at once."""
        while True:
            request = self.queue.next()
            if request:
                self.budgets[name_of(request)].requests += 1
            if request or not self.queue.runs_low:
                return request
            self.ended += self.queue.take_ended()
            if (number := self.queue.hungry) is not None:
                self._begin_another(self.waiting[number])

    def names(self, count: int) -> list[str]:
        """Answer so many requests with a last page each; whose they were."""
        found = []
        for _ in range(count):
            if request := self.next():
                found.append(name_of(request))
                self.store(request)
        return found

    def store(self, request: PageRequest) -> None:
        self.queue.page_stored(page_of(request))
        self.queue.ended(request.task)

    def fail(self, request: PageRequest, kind: ProblemKind = ProblemKind.FAILED) -> object:
        answer = self.queue.judge(request, Problem(kind, "HTTP 500"))
        if isinstance(answer, Parked):
            self.queue.ended(request.task)
        if isinstance(answer, Cut):
            self.queue.cut(request.task)
        return answer

    def _begin_another(self, waiting: list[str]) -> None:
        if not waiting:
            self.queue.no_more()
            return
        self.begun.append(name := waiting.pop(0))
        days = DateRange(START, START + 5 * DAY)
        freshness = Freshness(timedelta(0), refresh_after=DAY)
        wanted = Wanted(query(name), days, ("id",), freshness, window_days=2)
        plan = make_plan(wanted, Known(coverage=self._coverage(name)), NOW)
        plan = replace(plan, has_succeeded=self.is_proven)
        self.queue.add(query(name), WindowQueue(plan, wanted), is_last=not waiting)

    def _coverage(self, name: str) -> tuple[Covered, ...]:
        count = self.searched.get(name, 0)
        days = DateRange(START, START + (count - 1) * DAY) if count else None
        counts = dict.fromkeys(days or (), DayCount(1000))
        return (Covered(days, NOW - 9 * DAY, counts=counts),) if days else ()


def run_of_both(*names: str, **options) -> Run:
    """A run in which Ann has six days to refresh, and Ben as many that are new."""
    return Run(*(names or ("ann", "ben")), searched={"ann": 6}, **options)


def test_what_is_new_goes_before_what_is_refreshed():
    run = run_of_both()
    assert run.names(9) == ["ben"] * 3 + ["ann"] * 3
    assert run.next() is None
    assert run.ended == [query("ben"), query("ann")]


@pytest.mark.parametrize(
    ("share", "names"),
    [
        (0.5, "ben ann ben ann ben ann"),
        (0.3, "ben ann ben ben ann ann"),
        (1, "ben ann ann ann ben ben"),
    ],
)
def test_what_is_refreshed_keeps_a_share_of_the_requests(share, names):
    run = run_of_both(share=share)
    assert run.names(9) == names.split()


def test_pages_count_towards_the_share_as_windows_do():
    run = run_of_both(share=0.5)
    first, refreshed = run.next(), run.next()
    assert (name_of(refreshed), refreshed.refreshes, first.refreshes) == ("ann", True, False)
    for page in range(4):
        following = replace(refreshed, place=Place(100 * (page + 1), "7", 100))
        run.queue.page_stored(replace(page_of(following), has_more=True))
    assert [name_of(run.next()) for _ in range(2)] == ["ben", "ben"]


def test_a_file_without_requests_left_is_not_refreshed():
    run = run_of_both(ann={"max_requests": 1})
    assert run.names(9) == ["ben"] * 3 + ["ann"]
    assert set(run.ended) == {query("ann"), query("ben")}


def test_new_days_of_a_query_come_before_those_it_refreshes():
    run = Run("ann", searched={"ann": 3})
    found = []
    while request := run.next():
        found.append((request.refreshes, len(request.window.days)))
        run.store(request)
    assert found == [(False, 2), (False, 1), (True, 2), (True, 1)]


def test_each_file_has_its_turn():
    run = Run("ann", "ben", "eve")
    assert run.begun == []
    assert run.names(9) == ["ann", "ben", "eve"] * 3
    assert run.next() is None
    assert run.ended == [query("ann"), query("ben"), query("eve")]


def test_requests_under_way_count_for_whose_turn_it_is():
    run = Run("ann", "ben")
    assert [name_of(request) for _ in range(4) if (request := run.next())] == ["ann", "ben"] * 2


def test_a_search_is_begun_when_its_turn_comes():
    run = Run("ann", "ben")
    run.names(1)
    assert run.begun == ["ann"]
    run.names(1)
    assert run.begun == ["ann", "ben"]


def test_who_has_spent_much_waits_until_others_have_caught_up():
    """As after failures that were sent again."""
    run = Run("ann", "ben")
    run.names(2)
    run.budgets["ann"].requests += 2
    assert run.names(4) == ["ben", "ben", "ann", "ann"]


def test_a_file_of_higher_priority_gets_more_requests():
    run = Run("ann", "ben", ben={"priority": 2})
    assert Counter(run.names(4)) == {"ann": 2, "ben": 2}
    assert Counter(Run("ann", "ben", ben={"priority": 2}).names(3)) == {"ann": 1, "ben": 2}


@pytest.mark.parametrize("limits", [{"max_requests": 1}, {"max_videos": 5, "videos": 5}])
def test_a_file_asks_for_no_more_than_it_may(limits):
    run = Run("ann", "ben", ann=limits)
    asked = limits.get("max_requests", 0)
    assert Counter(run.names(9)) == Counter(ben=3, ann=asked)
    assert run.next() is None


def test_a_query_that_fails_is_set_aside_and_the_others_go_on():
    run = Run("ann", "ben", is_proven=False)
    answers = []
    while request := run.next():
        if name_of(request) == "ann":
            answers.append(type(run.fail(request)))
        else:
            run.store(request)
    assert answers == [Cut, SetAside], "a window, and its newest day alone"
    assert run.budgets["ben"].requests == 3
    assert query("ann") in run.ended


def test_where_all_fail_it_is_the_api_and_all_go_on_when_it_answers():
    run = Run("ann", "ben", is_proven=False)
    answers = []
    while not answers or answers[-1] != ApiIsDown():
        request = run.next()
        assert request
        answers.append(run.fail(request))
    assert sum(isinstance(answer, SetAside) for answer in answers) == 1
    run.queue.everything_fails()
    run.store(request)  # The breaker has sent it again.
    assert set(run.names(20)) == {"ann", "ben"}
    assert run.next() is None


def test_what_was_set_aside_is_tried_once_more_when_nothing_else_is_left():
    """Whether it was the API cannot be told while nobody else has asked for anything."""
    run = Run("ann", "ben", ben={"max_videos": 1})
    assert isinstance(run.fail(run.next()), Cut)
    run.budgets["ben"].videos = 1
    assert run.fail(run.next()) == ApiIsDown()


def test_a_refused_query_is_alone_refused():
    run = Run("ann", "ben", is_proven=False)
    request = run.next()
    assert name_of(request) == "ann"
    answer = run.fail(request, ProblemKind.REFUSED)
    assert isinstance(answer, SetAside)
    assert answer.is_refused
    assert run.names(9) == ["ben"] * 3
    assert run.next() is None


def test_the_only_query_is_refused_for_the_crawl():
    run = Run("ann", is_proven=False)
    assert isinstance(run.fail(run.next(), ProblemKind.REFUSED), StopCrawl)


@given(st.data())
def test_whatever_happens_each_window_is_asked_for_and_all_come_to_an_end(data):
    names = ["ann", "ben", "eve", "joe"][: data.draw(st.integers(1, 4))]
    run = Run(*names, is_proven=data.draw(st.booleans()))
    failing = data.draw(st.sets(st.sampled_from(names)))
    under_way: list[PageRequest] = []
    for _ in range(300):
        request = run.next() if len(under_way) < 3 else None
        if request:
            under_way.append(request)
            continue
        if not under_way:
            break
        request = under_way.pop(data.draw(st.integers(0, len(under_way) - 1)))
        if name_of(request) not in failing:
            run.store(request)
        elif run.fail(request) == ApiIsDown():
            run.queue.everything_fails()
            failing.clear()
            under_way.append(request)
    assert run.next() is None
    assert {name for name in names if name not in failing} <= set(run.begun)
    for name in set(names) - failing:
        assert run.budgets[name].requests >= 3
