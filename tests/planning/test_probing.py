"""Which windows are probed, and that no more is asked for."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from asked import QUERY, window_request
from hypothesis import given
from hypothesis import strategies as st

from tiktok_crawler.date_range import DAY, DateRange
from tiktok_crawler.planning.coverage import Covered, Freshness
from tiktok_crawler.planning.plan import Known, Wanted, make_plan
from tiktok_crawler.planning.probing import ProbeQueue, probes
from tiktok_crawler.planning.problems import Problem, ProblemKind
from tiktok_crawler.planning.task_states import Cut
from tiktok_crawler.research_api.pages import Page

START = date(2024, 1, 1)
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def days(first: int, last: int) -> DateRange:
    return DateRange(START + first * DAY, START + last * DAY)


def wanted(length: int) -> Wanted:
    return Wanted(QUERY, days(0, length - 1), ("id",), Freshness(timedelta(days=2)))


def planned(length: int, count: int, **known) -> tuple[DateRange, ...]:
    return probes(make_plan(wanted(length), Known(**known), NOW), wanted(length), count)


def test_the_missing_days_are_split_into_equal_windows():
    assert planned(30, 3) == (days(0, 9), days(10, 19), days(20, 29))


def test_where_fewer_days_are_missing_nothing_is_probed():
    assert planned(11, 12) == ()
    assert len(planned(12, 12)) == 12
    assert planned(40, 12, coverage=(Covered(days(0, 28), NOW),)) == ()


def test_of_long_stretches_windows_are_probed_that_a_crawl_opens_in_any_case():
    plan = make_plan(wanted(1000), Known(), NOW)

    found = planned(1000, 12)

    assert len(found) == 12
    assert set(found) <= set(plan.new_windows)
    gaps = [(later.end - earlier.end).days for earlier, later in pairwise(found)]
    assert all(50 <= gap <= 130 for gap in gaps), "one in each stretch of 83 days"


def test_stretches_of_whole_weeks_do_not_all_end_on_one_weekday():
    assert len({window.end.weekday() for window in planned(84, 12)}) == 7
    assert sum(map(len, planned(84, 12))) == 84


def test_a_stretch_that_is_begun_is_not_probed_again():
    begun = window_request(days(10, 19), fields=("id",), row_id=7, cursor=100, search_id="77")

    assert planned(30, 3, open_windows=(begun,)) == (days(0, 9), days(20, 29))


@given(st.integers(1, 1500), st.integers(1, 60), st.sets(st.integers(0, 1500), max_size=200))
def test_probes_are_distinct_windows_of_missing_days(length, count, covered):
    coverage = tuple(Covered(days(n, n), NOW - DAY) for n in covered)
    plan = make_plan(wanted(length), Known(coverage=coverage), NOW)

    found = probes(plan, wanted(length), count)

    searched = [day for window in found for day in window]
    assert len(found) <= count
    assert len(searched) == len(set(searched))
    assert set(searched) <= set(plan.standings.missing)
    assert all(len(window) <= 31 for window in found)
    assert bool(found) == (len(plan.standings.missing) >= count)


def queue(length: int, count: int) -> ProbeQueue:
    plan = make_plan(wanted(length), Known(), NOW)
    return ProbeQueue(plan, wanted(length), probes(plan, wanted(length), count))


def first_page(request) -> Page:
    return Page(request, ({"id": 1},), 100, "7", has_more=True, log_id=None, received_at=NOW)


def test_the_first_probe_goes_alone_and_the_others_follow_as_they_are():
    work = queue(30, 3)
    first = work.next()
    assert work.next() is None

    work.page_stored(first_page(first))
    work.left(first.task)

    assert first.window.days == days(0, 9)
    assert [work.next().window.days for _ in range(2)] == [days(10, 19), days(20, 29)]
    assert work.next() is None


@pytest.mark.parametrize("newest_day_works", [True, False])
def test_of_a_window_that_is_too_heavy_only_the_newest_day_is_probed(newest_day_works):
    work = queue(60, 2)
    first = work.next()
    assert isinstance(work.judge(first, Problem(ProblemKind.FAILED, "HTTP 500")), Cut)
    work.cut(first.task)

    newest = work.next()
    assert newest.window.days == days(29, 29)
    if newest_day_works:
        work.page_stored(first_page(newest))
        work.left(newest.task)
        assert len(work.next().window.days) < 30, "the width was the problem"
    else:
        work.ended(newest.task)
        assert work.next().window.days == days(30, 59)
    assert work.next() is None
