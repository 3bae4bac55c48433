"""What a run has to do, from what is known of its query."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from asked import QUERY, window_request
from hypothesis import given
from hypothesis import strategies as st

from tiktok_crawler.date_range import DateRange
from tiktok_crawler.planning.coverage import Covered, Freshness
from tiktok_crawler.planning.days import DayState
from tiktok_crawler.planning.plan import Known, WaitingWindow, Wanted, make_plan
from tiktok_crawler.planning.window_days import DayCount
from tiktok_crawler.reports.days_report import ranges
from tiktok_crawler.research_api.query import Condition, Query

DAY = timedelta(days=1)
NOW = datetime(2024, 6, 1, 12, tzinfo=UTC)
SETTLE_TWO_DAYS = Freshness(settle=timedelta(days=2))
FIELDS = ("id", "username", "view_count")
JANUARY = DateRange(date(2024, 1, 1), date(2024, 1, 31))


def days(first, last=None):
    """Days of January 2024."""
    return DateRange(date(2024, 1, first), date(2024, 1, last or first))


def unfinished(window, *, fields=FIELDS, cursor=0):
    return window_request(window, fields=fields, row_id=7, cursor=cursor)


def parked(window, *, retry_at=NOW, **changes):
    return WaitingWindow(unfinished(window, **changes), retry_at)


def january(**changes):
    return Wanted(
        **{"query": QUERY, "days": JANUARY, "fields": FIELDS, "freshness": SETTLE_TWO_DAYS}
        | changes
    )


def covered(window, searched_at=NOW - 30 * DAY):
    return Covered(window, searched_at)


def silent(window, searched_at):
    """A search that brought nothing, and whose answer was none."""
    counts = dict.fromkeys(window, DayCount())
    return Covered(window, searched_at, matches=0, counts=counts, suspicious=True)


def test_windows_are_as_wide_as_wanted():
    plan = make_plan(january(window_days=10), Known(), NOW)

    assert plan.new_windows == (days(1, 10), days(11, 20), days(21, 30), days(31))


def test_a_collection_that_is_covered_needs_no_request():
    plan = make_plan(january(), Known(coverage=(covered(JANUARY),)), NOW)

    assert plan.is_empty
    assert plan.least_requests == 0
    assert plan.standings.covered == tuple(JANUARY)


def test_a_query_that_asks_for_nobody_needs_no_request_whatever_is_due():
    nobody = Query((Condition("username", "EQ", ("deleted:",)),))
    known = Known(
        coverage=(covered(days(1, 9)), silent(days(10), NOW - 9 * DAY)),
        open_windows=(unfinished(days(11, 12), cursor=300),),
        parked_windows=(parked(days(13)),),
    )
    often = Freshness(settle=timedelta(days=2), refresh_after=timedelta(days=1))

    plan = make_plan(january(query=nobody, freshness=often), known, NOW)

    assert plan.is_empty
    assert plan.is_fulfilled
    assert plan.standings.covered == tuple(days(1, 10))
    assert plan.standings.in_state(DayState.GAP) == tuple(days(11, 31))
    assert not plan.standings.unsettled
    assert not plan.standings.doubts


def test_open_windows_are_finished_as_they_are():
    begun = unfinished(days(5, 12), fields=("id",), cursor=300)

    plan = make_plan(january(), Known(open_windows=(begun,)), NOW)

    assert plan.open_windows == (begun,)


def test_an_open_window_with_more_fields_than_wanted_brings_enough():
    begun = unfinished(JANUARY, fields=(*FIELDS, "music_id"))

    plan = make_plan(january(), Known(open_windows=(begun,)), NOW)

    assert plan.new_windows == ()


def test_an_open_window_is_finished_when_a_single_day_of_it_is_wanted():
    begun = unfinished(DateRange(date(2023, 12, 15), date(2024, 1, 1)))

    plan = make_plan(january(), Known(open_windows=(begun,)), NOW)

    assert plan.open_windows == (begun,)
    assert plan.new_windows == (days(2, 31),)


@pytest.mark.parametrize("group", ["open_windows", "parked_windows"])
def test_unfinished_windows_outside_the_wanted_days_are_left_alone_and_listed(group):
    outside = unfinished(DateRange(date(2023, 12, 1), date(2023, 12, 31)))
    known = Known(
        **{group: (WaitingWindow(outside, NOW) if group == "parked_windows" else outside,)}
    )

    plan = make_plan(january(), known, NOW)

    assert plan.left_windows == (outside,)
    assert plan.open_windows == plan.parked_windows == ()
    assert plan.new_windows == (JANUARY,)


def test_parked_windows_are_tried_again():
    given_up = parked(days(5, 12))

    plan = make_plan(january(), Known(parked_windows=(given_up,)), NOW)

    assert plan.parked_windows == (given_up.request,)
    assert plan.new_windows == (days(1, 4), days(13, 31))
    assert plan.left_windows == ()


def test_a_parked_window_whose_days_were_covered_since_is_not_tried_again():
    known = Known(coverage=(covered(JANUARY),), parked_windows=(parked(days(5, 12)),))

    assert make_plan(january(), known, NOW).is_empty


def test_a_parked_window_waits_until_it_is_due_and_nothing_else_brings_its_days():
    given_up = parked(days(5, 12), retry_at=NOW + DAY)

    plan = make_plan(january(), Known(parked_windows=(given_up,)), NOW)

    assert plan.parked_windows == ()
    assert plan.waiting_windows == (given_up,)
    assert plan.next_retry_at == NOW + DAY
    assert plan.new_windows == (days(1, 4), days(13, 31))
    assert not plan.is_fulfilled


def test_suspicious_days_are_searched_once_more_after_three_days():
    known = Known(coverage=(covered(JANUARY), silent(days(5, 12), NOW - 3 * DAY)))

    before = make_plan(january(), known, NOW - timedelta(seconds=1))
    plan = make_plan(january(), known, NOW)

    assert before.is_empty
    assert [request.window.days for request in plan.suspicious_windows] == [days(5, 12)]
    assert all(request.second_try for request in plan.suspicious_windows)
    assert plan.standings.doubts == dict.fromkeys(days(5, 12), NOW)
    assert not plan.is_empty
    assert plan.is_fulfilled, "they are covered: the exit status is 0"


def test_suspicious_days_are_searched_only_once_more():
    silences = (silent(days(5, 12), NOW - n * DAY) for n in (7, 4))

    plan = make_plan(january(), Known(coverage=(covered(JANUARY), *silences)), NOW)

    assert plan.is_empty
    assert plan.standings.doubts == dict.fromkeys(days(5, 12))


@pytest.mark.parametrize("is_due", [True, False])
def test_a_second_search_that_was_begun_is_the_one_that_goes_on(is_due):
    nothing = silent(days(5, 12), NOW - 9 * DAY)
    begun = parked(days(5, 12), retry_at=NOW if is_due else NOW + DAY)
    known = Known(coverage=(covered(JANUARY), nothing), parked_windows=(begun,))

    plan = make_plan(january(), known, NOW)

    assert plan.suspicious_windows == ((begun.request,) if is_due else ())
    assert plan.standings.doubts == dict.fromkeys(days(5, 12), begun.retry_at)
    assert plan.waiting_windows == ()
    assert plan.is_fulfilled


def test_a_second_search_that_has_had_a_page_is_not_begun_again():
    nothing = silent(days(5, 12), NOW - 9 * DAY)
    known = Known((covered(JANUARY), nothing), open_windows=(unfinished(days(5, 12), cursor=100),))

    plan = make_plan(january(), known, NOW)

    assert plan.suspicious_windows == ()
    assert len(plan.open_windows) == 1


def test_windows_that_were_cut_are_remembered_until_as_many_days_have_worked():
    known = Known(
        coverage=(
            Covered(days(1, 4), NOW, matches=400),
            Covered(days(5, 5), NOW, matches=100),
            Covered(days(6, 31), NOW),
        ),
        cut_windows=(days(1, 31), days(1, 5), days(1, 4), days(1, 2)),
    )

    assert make_plan(january(), known, NOW).too_wide == (days(1, 31), days(1, 5))


def test_windows_that_were_cut_because_of_a_day_that_fails_alone_were_not_too_wide():
    known = Known(
        parked_windows=(parked(days(17), retry_at=NOW),),
        cut_windows=(days(1, 31), days(16, 30), days(1, 15)),
    )

    assert make_plan(january(), known, NOW).too_wide == (days(1, 15),)


def test_each_window_needs_one_request_at_least():
    known = Known(open_windows=(unfinished(days(1, 3)),), parked_windows=(parked(days(10, 12)),))

    plan = make_plan(january(), known, NOW)

    assert plan.new_windows == (days(4, 9), days(13, 31))
    assert plan.least_requests == plan.window_count == 4


def test_days_that_two_windows_search_are_planned_twice():
    begun = unfinished(days(5, 12), fields=("id",))
    known = Known(open_windows=(begun,), parked_windows=(parked(days(30, 31)),))

    plan = make_plan(january(), known, NOW)

    assert plan.new_windows == (days(1, 29),)
    assert plan.planned_days == 8 + 29 + 2


@pytest.mark.parametrize(
    ("revisit", "window", "anew"),
    [
        (10, days(5, 8), True),
        (10, days(5, 11), False),
        (100, days(5, 8), False),
    ],
    ids=["all have come of age", "some have", "none has"],
)
def test_a_search_whose_days_have_all_come_of_age_begins_anew(revisit, window, anew):
    began, now = datetime(2024, 1, 12, tzinfo=UTC), datetime(2024, 1, 20, tzinfo=UTC)
    begun = window_request(window, fields=FIELDS, row_id=7, cursor=300, begun_at=began)
    by_age = Freshness(settle=timedelta(0), revisit=(timedelta(days=revisit),))

    plan = make_plan(january(freshness=by_age), Known(open_windows=(begun,)), now)

    assert [each.starts_task for each in plan.open_windows] == [anew]


def test_unsettled_days_are_named_until_they_can_be_final():
    # The 30th and 31st were searched on the 1st of February at noon.
    known = Known(coverage=(covered(JANUARY, datetime(2024, 2, 1, 12, tzinfo=UTC)),))

    plan = make_plan(january(), known, datetime(2024, 2, 1, 18, tzinfo=UTC))

    assert plan.is_empty
    assert plan.standings.unsettled == (date(2024, 1, 30), date(2024, 1, 31))
    assert plan.standings.covered == tuple(JANUARY)


def test_unsettled_days_that_can_be_final_now_are_searched_once_more():
    known = Known(coverage=(covered(JANUARY, datetime(2024, 2, 1, 12, tzinfo=UTC)),))

    plan = make_plan(january(), known, datetime(2024, 2, 2, tzinfo=UTC))

    assert plan.new_windows == (days(30),)
    assert plan.standings.unsettled == (date(2024, 1, 31),)
    assert plan.standings.covered == tuple(days(1, 29)) + tuple(days(31))


def test_refresh_after_searches_old_days_again():
    old, recent = covered(days(1, 10), NOW - 40 * DAY), covered(days(11, 31), NOW - 2 * DAY)
    weekly = Freshness(settle=timedelta(days=2), refresh_after=timedelta(days=7))

    plan = make_plan(january(freshness=weekly), Known(coverage=(old, recent)), NOW)

    assert (plan.new_windows, plan.refreshed_windows) == ((), (days(1, 10),))


SPANS = st.tuples(st.integers(1, 31), st.integers(1, 31)).map(
    lambda ends: days(min(ends), max(ends))
)
UNFINISHED = st.lists(
    st.builds(unfinished, SPANS, fields=st.sampled_from([FIELDS, ("id",)])), max_size=4
).map(tuple)


@given(SPANS, st.lists(st.builds(covered, SPANS), max_size=4).map(tuple), UNFINISHED, UNFINISHED)
def test_each_missing_day_is_searched_and_none_twice(wanted_days, coverage, open_, given_up):
    known = Known(coverage, open_, tuple(WaitingWindow(request, NOW) for request in given_up))
    plan = make_plan(january(days=wanted_days), known, NOW)

    missing = set(wanted_days) - {day for search in coverage for day in search.days}
    brought = {
        day
        for request in (*plan.open_windows, *plan.parked_windows)
        if request.window.fields == FIELDS
        for day in request.window.days
    }
    newly_searched = [day for window in plan.new_windows for day in window]

    assert set(newly_searched) == missing - brought
    assert len(newly_searched) == len(set(newly_searched))
    assert set(plan.standings.covered) == set(wanted_days) - missing
    assert plan.is_empty == (not plan.window_count)


@pytest.mark.parametrize(
    ("named", "text"),
    [
        ((), ""),
        ((date(2024, 3, 2),), "2024-03-02"),
        ((*JANUARY, date(2024, 3, 2)), "2024-01-01..2024-01-31, 2024-03-02"),
    ],
)
def test_days_are_named_as_ranges(named, text):
    assert ranges(named) == text
