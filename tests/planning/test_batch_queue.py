"""What becomes of searches for some values of a list that the API does not take."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pytest
from asked import window_request
from hypothesis import given
from hypothesis import strategies as st
from value_ledger import FIELDS, FINAL, NOW, days

from tiktok_crawler.planning.batch_queue import (
    MOST_IN_VAIN,
    SEVERAL,
    BatchQueue,
    ListSearches,
    Siblings,
    in_turns,
)
from tiktok_crawler.planning.fair_queue import FairQueue
from tiktok_crawler.planning.plan import Known, Part, Wanted, make_plan
from tiktok_crawler.planning.problems import ApiIsDown, Problem, ProblemKind, SetAside, StopCrawl
from tiktok_crawler.planning.search_budget import SearchBudget
from tiktok_crawler.planning.task_states import Cut, Halved, Parked, Unusable
from tiktok_crawler.planning.value_batches import Batch, WantedValues, plan_batches
from tiktok_crawler.query_file.each_value import Each
from tiktok_crawler.research_api.pages import Page
from tiktok_crawler.research_api.query import Condition, Field, Operation, Query

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tiktok_crawler.research_api.tasks import PageRequest

QUARTER = days(1, 91)
SLOTS = 4

REFUSED = ProblemKind.REFUSED
FAILED = ProblemKind.FAILED


def query(values: Iterable[str]) -> Query:
    return Query((Condition(Field.USERNAME, Operation.IN, tuple(values)),))


def page_of(request: PageRequest, *, suspicious: bool = False) -> Page:
    return Page(
        request,
        records=() if suspicious else ({"id": 1},),
        cursor=100,
        search_id=None,
        has_more=False,
        log_id="L",
        received_at=NOW,
        suspicious=suspicious,
    )


@dataclass
class Collected:
    """What a run has met with an API that says what becomes of a search for values."""

    answers: Callable[[tuple[str, ...]], str]
    failed: int = 0
    requests: int = 0
    paid: Counter = field(default_factory=Counter)
    refused: dict[str, str] = field(default_factory=dict)
    stopped: str | None = None
    doubted: set[str] = field(default_factory=set)

    def run(self, values: Iterable[str], wanted_days=QUARTER, size=10, known=()) -> Collected:
        each = Each(Field.USERNAME, tuple(sorted(values)))
        plan = plan_batches(WantedValues(each, wanted_days, FINAL, size), known, NOW)
        self.searches = ListSearches(deque(plan.batches), Siblings(plan.too_wide, plan.widest))
        self.queue = FairQueue([SearchBudget()])
        self.begun: dict[Query, BatchQueue] = {}
        flying: deque[PageRequest] = deque()
        while not self.stopped:
            while len(flying) < SLOTS and (request := self._next()):
                flying.append(request)
            if not flying:
                return self
            self._answer(flying.popleft())
        return self

    def _next(self) -> PageRequest | None:
        while True:
            if request := self.queue.next():
                return request
            if not self.queue.runs_low:
                return None
            for ended in self.queue.take_ended():
                self.searches.ended(self.begun.pop(ended))
            if self.queue.hungry is not None:
                self._begin()

    def _begin(self) -> None:
        if self.searches.is_over:
            self.queue.no_more()
        elif self.searches.must_wait:
            self.queue.wait(is_dry=not self.searches.batches)
        else:
            batch = self.searches.batches.popleft()
            part = batch.part(self.searches.siblings.narrowing)
            wanted = Wanted(query(batch.values), batch.days, FIELDS, FINAL, part=part)
            plan = make_plan(wanted, Known(), NOW)
            queue = self.begun[wanted.query] = BatchQueue(plan, wanted, batch, self.searches)
            self.searches.begin(queue)
            self.queue.add(wanted.query, queue, is_last=False)

    def _answer(self, request: PageRequest) -> None:
        self.requests += 1
        values = request.window.query.and_[0].field_values
        outcome = self.answers(values)
        if outcome == "works":
            self.paid.update((value, day) for value in values for day in request.window.days)
            self.queue.page_stored(page_of(request))
            self.queue.ended(request.task)
            return
        self.failed += 1
        if outcome == "empty":
            page = page_of(request, suspicious=True)
            self.queue.page_stored(page)
            self._act(request, self.queue.doubt(page))
        else:
            kind = REFUSED if outcome == "refused" else FAILED
            self._act(request, self.queue.judge(request, Problem(kind, "no", "L")))

    def _act(self, request: PageRequest, answer) -> None:
        values = request.window.query.and_[0].field_values
        match answer:
            case StopCrawl(reason):
                self.stopped = reason
            case Cut():
                self.queue.cut(request.task)
            case ApiIsDown():
                self.stopped = "down"
            case SetAside():
                pass
            case None:
                self.doubted |= set(values)
                self.queue.ended(request.task)
            case Unusable(reason):
                self.refused[values[0]] = reason
                self.queue.ended(request.task)
            case Halved() | Parked():
                self.queue.ended(request.task)


def unless(bad: set[str], outcome: str = "refused") -> Callable[[tuple[str, ...]], str]:
    return lambda values: "works" if bad.isdisjoint(values) else outcome


def names(count: int) -> list[str]:
    return [f"u{number:03}" for number in range(count)]


@pytest.mark.parametrize("outcome", ["refused", "empty"])
@pytest.mark.parametrize("place", range(10))
def test_one_bad_value_among_ten_takes_five_failing_requests_at_most(place, outcome):
    bad = names(10)[place]
    found = Collected(unless({bad}, outcome)).run(names(10))
    assert found.failed <= 5
    assert list(found.refused) == [bad]
    good = set(names(10)) - {bad}
    assert found.paid == dict.fromkeys(((value, day) for value in good for day in QUARTER), 1)


outcomes = st.sampled_from(["refused", "empty"])


@given(st.integers(1, 45), st.sets(st.integers(0, 44), max_size=4), outcomes)
def test_bad_values_are_found_and_no_day_of_the_others_is_paid_twice(count, places, outcome):
    values = names(count)
    bad = {values[place] for place in places if place < count}
    found = Collected(unless(bad, outcome)).run(values)
    good = set(values) - bad
    assert found.stopped is None
    assert set(found.refused) == bad
    assert found.paid == dict.fromkeys(((value, day) for value in good for day in QUARTER), 1)
    assert found.failed <= 5 * len(bad)


def test_a_query_that_is_refused_whatever_the_value_is_stops_with_the_apis_words():
    found = Collected(lambda _: "refused").run(names(400))
    assert found.stopped == (
        f"The API refuses the query: no (log_id L). {SEVERAL} values were refused one by one, and "
        "none has worked"
    )
    assert found.requests == 10


def test_few_values_that_are_all_refused_are_no_reason_to_stop():
    found = Collected(lambda _: "refused").run(names(SEVERAL - 1))
    assert found.stopped is None
    assert set(found.refused) == set(names(SEVERAL - 1))


def test_many_refusals_are_no_reason_to_stop_when_others_have_worked():
    bad = set(names(40)[20:])
    found = Collected(unless(bad)).run(names(40))
    assert found.stopped is None
    assert set(found.refused) == bad


def test_answers_without_data_are_believed_when_nothing_else_comes():
    found = Collected(lambda _: "empty").run(names(100), days(1, 31))
    assert found.stopped is None
    assert found.doubted
    # Ten halve the first batch; each of the others is asked for once.
    assert found.requests <= MOST_IN_VAIN + 100 / 10 + 19


@pytest.mark.parametrize("place", [0, 3, 17])
def test_a_value_that_only_fails_is_found_when_others_work(place):
    bad = names(30)[place]
    found = Collected(unless({bad}, "fails")).run(names(30), days(1, 8))
    assert found.stopped is None
    assert list(found.refused) == [bad]
    good = set(names(30)) - {bad}
    assert found.paid == dict.fromkeys(((value, day) for value in good for day in days(1, 8)), 1)


def test_an_api_that_only_fails_is_not_blamed_on_values():
    found = Collected(lambda _: "fails").run(names(30), days(1, 8))
    assert found.refused == {}
    assert found.stopped == "down"


def queue_of(values="ab", window=QUARTER, siblings=None, **batch):
    batch = Batch(tuple(values), window, (window,), **batch)
    wanted = Wanted(query(values), window, FIELDS, FINAL, part=Part(batch.missing, batch.begun))
    searches = ListSearches(deque(), siblings or Siblings())
    return BatchQueue(make_plan(wanted, Known(), NOW), wanted, batch, searches)


def test_a_search_for_several_values_goes_alone_until_it_has_brought_a_page():
    queue = queue_of()
    first = queue.next()
    assert queue.next() is None
    queue.page_stored(page_of(first))
    assert queue.next()


def test_halves_ask_for_the_days_that_are_left():
    queue = queue_of("abc")
    first = queue.next()
    queue.page_stored(page_of(first))
    queue.ended(first.task)
    second = queue.next()
    assert queue.judge(second, Problem(REFUSED, "no", "L")) == Halved("no", "L")
    queue.ended(second.task)
    assert queue.next() is None
    assert [(half.values, half.missing) for half in queue.halves] == [
        (("a", "b"), (days(32, 91),)),
        (("c",), (days(32, 91),)),
    ]


def test_a_batch_with_a_removed_value_has_no_halves():
    queue = queue_of("abc", is_retired=True)
    queue.judge(queue.next(), Problem(REFUSED, "no", "L"))
    assert queue.halves == ()


def test_a_second_try_of_a_value_says_nothing_of_the_query():
    siblings = Siblings(refused_alone=SEVERAL - 1)
    queue = queue_of("a", siblings=siblings)
    again = replace(queue.next(), second_try=True)
    assert queue.judge(again, Problem(REFUSED, "no", "L")) == Unusable("no", "L")
    assert siblings.refused_alone == SEVERAL - 1


def test_an_end_with_records_or_more_to_come_is_believed():
    queue = queue_of()
    request = queue.next()
    assert queue.doubt(page_of(request)) is None
    assert queue.doubt(replace(page_of(request, suspicious=True), has_more=True)) is None


def test_what_was_too_wide_for_a_batch_narrows_those_after_it():
    siblings = Siblings()
    queue = queue_of(siblings=siblings)
    first = queue.next()
    assert isinstance(queue.judge(first, Problem(FAILED, "no", "L")), Cut)
    queue.cut(first.task)
    newest = queue.next()
    queue.page_stored(page_of(newest))
    queue.ended(newest.task)
    assert siblings.narrowing == (days(1, 31),)
    siblings.worked(page_of(window_request(days(1, 31))))
    assert siblings.narrowing == ()


def test_one_batch_goes_alone_as_long_as_none_has_worked():
    searches = ListSearches(deque([Batch(("b",), QUARTER, (QUARTER,))]), Siblings())
    assert not searches.must_wait
    searches.begin(queue_of("a"))
    assert searches.must_wait
    searches.siblings.pages = 1
    assert not searches.must_wait
    searches.batches.clear()
    assert searches.must_wait


@pytest.mark.parametrize(
    ("share", "order"), [(0, "nnnnrr"), (0.3, "nrnnrn"), (0.5, "nrnrnn"), (1, "nrrnnn")]
)
def test_batches_that_are_refreshed_have_their_share_beside_new_ones(share, order):
    whole = days(1, 31)
    new = [Batch((f"n{number}",), whole, (whole,)) for number in range(4)]
    refreshed = [Batch((f"r{number}",), whole, (whole,), refreshes=True) for number in range(2)]
    found = list(in_turns([*new, *refreshed], share))
    assert "".join(batch.values[0][0] for batch in found) == order
    assert sorted(found, key=lambda batch: batch.values) == [*new, *refreshed]
