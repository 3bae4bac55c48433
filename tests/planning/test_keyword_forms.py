"""In which form keywords are sent, and when the other one is tried."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from asked import window_request

from tiktok_crawler.date_range import DAY, DateRange
from tiktok_crawler.planning.coverage import Covered, Freshness
from tiktok_crawler.planning.keyword_forms import NOTHING_TRIED, KeywordForms
from tiktok_crawler.planning.plan import (
    Known,
    WaitingWindow,
    Wanted,
    make_plan,
)
from tiktok_crawler.planning.problems import Problem, ProblemKind
from tiktok_crawler.planning.task_states import Cut, Parked
from tiktok_crawler.planning.window_days import DayCount
from tiktok_crawler.planning.window_queue import WindowQueue
from tiktok_crawler.reports.keywords_report import keyword_lines
from tiktok_crawler.research_api.pages import Page
from tiktok_crawler.research_api.query import Condition, Operation, Query

IN, EQ = Operation.IN, Operation.EQ
ONE = Query((Condition("keyword", "EQ", ("butter",)),))
SEVERAL = Query((Condition("keyword", "IN", ("butter", "cheese")),))
NOW = datetime(2026, 1, 1, tzinfo=UTC)
FIELDS = ("id", "username")
IN_WAS_EMPTY = KeywordForms(tried=(IN,))
EQ_HELPED = KeywordForms(tried=(IN, EQ), brought=frozenset({EQ}))


def days(first: int, last: int) -> DateRange:
    start = date(2024, 1, 1)
    return DateRange(start + first * DAY, start + last * DAY)


def wanted(length: int, query: Query = ONE) -> Wanted:
    return Wanted(query, days(0, length - 1), FIELDS, Freshness(timedelta(days=2)))


def queue(length: int, query: Query = ONE, **known) -> WindowQueue:
    goal = wanted(length, query)
    return WindowQueue(make_plan(goal, Known(**known), NOW), goal)


def empty(window: DateRange, searched_at: datetime = NOW - 30 * DAY) -> Covered:
    counts = dict.fromkeys(window, DayCount())
    return Covered(window, searched_at, matches=0, counts=counts)


def unfinished(window: DateRange, form: Operation, **place):
    request = window_request(window, query=ONE, fields=FIELDS, row_id=7, **place)
    return replace(request, task=replace(request.window, keywords_as=form))


def answer(work: WindowQueue, request, *records, has_more: bool = False) -> None:
    """Store a page; the last one of its window ends it."""
    work.page_stored(
        Page(request, records, 0, "77", has_more=has_more, log_id=None, received_at=NOW)
    )
    if not has_more:
        work.ended(request.task)


def what(request) -> tuple[DateRange, Operation] | None:
    return request and (request.window.days, request.window.keywords_as)


def rest_of(work: WindowQueue) -> list[tuple[DateRange, Operation]]:
    """Search all that is left; each window brings a video."""
    found = []
    while (request := work.next()) is not None:
        found.append(what(request))
        answer(work, request, {"id": 1})
    return found


def test_keywords_are_sent_as_in_unless_that_was_in_vain_and_eq_helped():
    assert NOTHING_TRIED.sent_as is IN
    assert IN_WAS_EMPTY.sent_as is IN
    assert EQ_HELPED.sent_as is EQ
    assert EQ_HELPED.in_vain is IN
    both = replace(EQ_HELPED, brought=frozenset({IN, EQ}))
    assert (both.sent_as, both.in_vain) == (IN, None)


def test_videos_that_eq_brought_before_there_was_a_choice_say_nothing_against_in():
    assert KeywordForms(tried=(EQ,), brought=frozenset({EQ})).sent_as is IN


def test_in_that_finds_what_eq_did_not_is_told_and_an_eq_that_was_tried_besides_is_not():
    helped = KeywordForms(tried=(EQ, IN), brought=frozenset({IN}))
    assert (helped.sent_as, helped.in_vain) == (IN, EQ)
    assert KeywordForms(tried=(IN, EQ), brought=frozenset({IN})).in_vain is None


def test_nothing_is_undecided_once_both_forms_were_tried_or_one_brought_something():
    assert NOTHING_TRIED.is_undecided
    assert IN_WAS_EMPTY.is_undecided
    assert not KeywordForms(tried=(IN, EQ)).is_undecided
    assert not KeywordForms(brought=frozenset({IN})).is_undecided


def test_a_first_window_that_brings_nothing_is_searched_in_the_other_form_before_any_other():
    work = queue(62)
    first = work.next()
    assert what(first) == (days(0, 30), IN)
    assert work.next() is None, "one at a time"
    answer(work, first, has_more=True)
    assert work.next() is None, "an empty page is no video"
    answer(work, first)
    trial = work.next()
    assert what(trial) == (days(0, 30), EQ)
    assert trial.task.row_id is None
    assert work.next() is None


def test_a_trial_that_helps_is_followed_by_all_others_in_its_form():
    work = queue(93)
    answer(work, work.next())
    answer(work, work.next(), {"id": 1}, has_more=True)
    assert work.keyword_forms.sent_as is EQ
    assert rest_of(work) == [(days(31, 61), EQ), (days(62, 92), EQ)]


def test_a_trial_that_is_empty_too_costs_one_request_and_is_the_only_one():
    work = queue(93)
    answer(work, work.next())
    answer(work, work.next())
    second, third = work.next(), work.next()
    assert [what(second), what(third)] == [(days(31, 61), IN), (days(62, 92), IN)]
    answer(work, second)
    answer(work, third)
    assert work.next() is None


def test_a_window_with_videos_needs_no_trial():
    work = queue(93)
    answer(work, work.next(), {"id": 1}, has_more=True)
    second, third = work.next(), work.next()
    answer(work, second)
    answer(work, third)
    assert work.next() is None


@pytest.mark.parametrize("query", [SEVERAL, Query((Condition("region_code", "EQ", ("FR",)),))])
def test_a_query_without_a_choice_has_no_trial(query):
    work = queue(62, query)
    answer(work, work.next())
    second = work.next()
    assert what(second) == (days(31, 61), IN)
    answer(work, second)
    assert work.next() is None


@pytest.mark.parametrize("end", ["parked", "left"])
def test_a_trial_that_comes_to_nothing_stops_nobody(end):
    work = queue(62)
    answer(work, work.next())
    trial = work.next()
    if end == "parked":
        assert isinstance(work.judge(trial, Problem(ProblemKind.REFUSED, "HTTP 400")), Parked)
        work.ended(trial.task)
    else:
        work.left(trial.task)
    assert rest_of(work) == [(days(31, 61), IN)]


@pytest.mark.parametrize(
    "known",
    [{}, {"keyword_forms": IN_WAS_EMPTY, "coverage": (empty(days(0, 30)),)}],
    ids=["in this run", "before"],
)
def test_a_trial_that_is_too_heavy_is_cut_to_one_day_and_the_rest_is_missing_if_it_helps(known):
    for records in ([], [{"id": 1}]):
        work = queue(31, **known)
        if not known:
            answer(work, work.next())
        trial = work.next()
        assert isinstance(work.judge(trial, Problem(ProblemKind.FAILED, "HTTP 500")), Cut)
        work.cut(trial.task)
        newest = work.next()
        assert what(newest) == (days(30, 30), EQ)
        answer(work, newest, *records)
        assert rest_of(work) == ([(days(0, 29), EQ)] if records else [])


def test_a_run_that_finds_a_trial_due_begins_with_it():
    known = {"keyword_forms": IN_WAS_EMPTY, "coverage": (empty(days(0, 30)),)}
    plan = make_plan(wanted(62), Known(**known), NOW)
    assert what(plan.trial) == (days(0, 30), EQ)
    assert (plan.window_count, plan.least_requests, plan.planned_days) == (2, 2, 62)
    assert list(keyword_lines(plan)) == [
        "no video was found: 2024-01-01..2024-01-31 is searched once more, with keywords sent as EQ"
    ]
    work = queue(62, **known)
    trial = work.next()
    assert what(trial) == (days(0, 30), EQ)
    assert work.next() is None
    answer(work, trial)
    assert rest_of(work) == [(days(31, 61), IN)]


def test_what_was_searched_with_eq_before_there_was_a_choice_is_tried_with_in():
    known = Known(keyword_forms=KeywordForms(tried=(EQ,)), coverage=(empty(days(0, 30)),))
    assert what(make_plan(wanted(31), known, NOW).trial) == (days(0, 30), IN)


def test_a_collection_that_is_covered_without_a_video_is_not_done_before_the_trial():
    plan = make_plan(
        wanted(31), Known(keyword_forms=IN_WAS_EMPTY, coverage=(empty(days(0, 30)),)), NOW
    )
    assert not plan.is_empty
    assert not plan.is_fulfilled
    assert not plan.is_complete
    assert plan.standings.covered == tuple(days(0, 30))


def test_the_trial_is_that_of_the_first_search_of_the_wanted_days():
    coverage = (
        empty(days(-31, -1), NOW - 60 * DAY),
        empty(days(0, 9), NOW - 40 * DAY),
        empty(days(10, 30), NOW - 50 * DAY),
    )
    plan = make_plan(wanted(31), Known(keyword_forms=IN_WAS_EMPTY, coverage=coverage), NOW)
    assert what(plan.trial) == (days(10, 30), EQ)


def test_if_a_trial_helps_all_that_was_searched_before_is_searched_again():
    coverage = (empty(days(0, 30)), empty(days(31, 61)))
    work = queue(93, keyword_forms=IN_WAS_EMPTY, coverage=coverage)
    answer(work, work.next(), {"id": 1})
    assert sorted(rest_of(work)) == [(days(31, 61), EQ), (days(62, 92), EQ)]


def test_days_that_are_missing_anyhow_are_tried_when_they_were_searched():
    unsettled = empty(days(0, 30), datetime(2024, 2, 1, tzinfo=UTC))
    work = queue(31, keyword_forms=IN_WAS_EMPTY, coverage=(unsettled,))
    first = work.next()
    assert first.window.keywords_as is IN
    answer(work, first)
    assert what(work.next()) == (first.window.days, EQ)


def test_a_trial_that_was_begun_is_gone_on_with_before_all_others():
    begun = unfinished(days(31, 61), EQ, cursor=100, search_id="77")
    other = unfinished(days(0, 30), IN)
    known = {
        "keyword_forms": IN_WAS_EMPTY,
        "coverage": (empty(days(31, 61)),),
        "open_windows": (other, begun),
    }
    plan = make_plan(wanted(62), Known(**known), NOW)
    assert plan.trial is None
    work = queue(62, **known)
    assert work.next() == begun
    assert work.next() is None


def test_a_trial_that_was_parked_waits_until_it_is_due_and_no_other_takes_its_place():
    parked = unfinished(days(0, 30), EQ)
    known = {"keyword_forms": IN_WAS_EMPTY, "coverage": (empty(days(0, 30)),)}
    waits = known | {"parked_windows": (WaitingWindow(parked, NOW + DAY),)}
    plan = make_plan(wanted(31), Known(**waits), NOW)
    assert plan.trial is None
    assert plan.is_empty
    assert not plan.is_fulfilled
    work = queue(62, **known | {"parked_windows": (WaitingWindow(parked, NOW),)})
    assert work.next() == parked


def test_windows_that_were_begun_in_a_form_that_finds_nothing_begin_anew_in_the_other():
    begun = unfinished(days(0, 30), IN, cursor=100, search_id="77")
    parked = WaitingWindow(unfinished(days(31, 61), IN), NOW)
    work = queue(93, keyword_forms=EQ_HELPED, open_windows=(begun,), parked_windows=(parked,))
    requests = [work.next(), work.next(), work.next()]
    assert [what(r) for r in requests] == [
        (days(0, 30), EQ),
        (days(62, 92), EQ),
        (days(31, 61), EQ),
    ]
    assert all(request.starts_task for request in requests)
    assert [request.task.row_id for request in requests] == [7, None, 7]


def test_a_window_that_was_begun_before_there_was_a_choice_goes_on_as_it_began():
    begun = unfinished(days(0, 30), EQ, cursor=100, search_id="77", received=80)
    forms = KeywordForms(brought=frozenset({EQ}))
    work = queue(62, keyword_forms=forms, open_windows=(begun,))
    assert work.next() == begun
    assert what(work.next()) == (days(31, 61), IN)


def test_suspicious_days_are_searched_in_the_form_that_helped():
    silent = replace(empty(days(0, 4), NOW - 5 * DAY), suspicious=True)
    work = queue(5, keyword_forms=EQ_HELPED, coverage=(silent,))
    assert what(work.next()) == (days(0, 4), EQ)


def test_a_plan_says_what_helped():
    plan = make_plan(wanted(31), Known(keyword_forms=EQ_HELPED), NOW)
    assert list(keyword_lines(plan)) == ["sent as EQ: searches with IN found nothing"]
    assert list(keyword_lines(make_plan(wanted(31), Known(), NOW))) == []
