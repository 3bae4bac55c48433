"""Which days are missing, and the windows that they are searched in."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiktok_crawler.date_range import DateRange
from tiktok_crawler.planning.coverage import (
    Covered,
    Freshness,
    last_searches,
    missing_days,
    unsettled_days,
    windows,
)
from tiktok_crawler.research_api.endpoints import LONGEST_WINDOW_DAYS

DAY = timedelta(days=1)
TWO_DAYS = timedelta(days=2)
FIRST_DAY = date(2024, 1, 1)

DAYS = st.integers(0, 120).map(lambda n: FIRST_DAY + n * DAY)
MOMENTS = st.timedeltas(timedelta(0), timedelta(days=240)).map(
    lambda passed: datetime(2023, 12, 1, tzinfo=UTC) + passed
)
RANGES = st.tuples(DAYS, DAYS).map(lambda ends: DateRange(min(ends), max(ends)))
COVERAGE = st.lists(st.builds(Covered, RANGES, MOMENTS), max_size=8)
FRESHNESS = st.builds(
    Freshness,
    settle=st.sampled_from([timedelta(0), timedelta(hours=36), TWO_DAYS, 10 * DAY]),
    refresh_after=st.none() | st.sampled_from([timedelta(0), DAY, 7 * DAY, 90 * DAY]),
    revisit=st.lists(st.sampled_from([DAY, 3 * DAY, 11 * DAY, 40 * DAY]), unique=True).map(tuple),
)
WIDTHS = st.integers(1, LONGEST_WINDOW_DAYS)


def days_of(ranges):
    return [day for days in ranges for day in days]


def is_missing(day, coverage, freshness, now):
    """The rule for one day: never covered, or searched before an age that it has by now, or old."""
    searches = [covered.searched_at for covered in coverage if day in covered.days]
    if not searches:
        return True
    end = datetime.combine(day, time(), UTC) + DAY
    for age in (freshness.settle, *freshness.revisit):
        if max(searches) < end + age <= now:
            return True
    return freshness.refresh_after is not None and now - max(searches) > freshness.refresh_after


@pytest.mark.slow
@given(RANGES, COVERAGE, FRESHNESS, MOMENTS, WIDTHS)
def test_planned_windows_hold_exactly_the_missing_days(wanted, coverage, freshness, now, width):
    searched = last_searches(coverage)

    planned = windows(missing_days(wanted, searched, freshness, now), width)

    # In ascending order and each day once: no gap, no overlap.
    assert days_of(planned) == [day for day in wanted if is_missing(day, coverage, freshness, now)]


@given(st.sets(DAYS), WIDTHS)
def test_no_window_is_wider_than_allowed_nor_over_31_days(days, width):
    assert all(len(window) <= width for window in windows(days, width))
    assert windows(days) == windows(days, 31)


@given(st.sets(DAYS), WIDTHS)
def test_windows_are_as_few_as_possible(days, width):
    beginnings = sorted(day for day in days if day - DAY not in days)
    endings = sorted(day for day in days if day + DAY not in days)
    runs = [(end - begin).days + 1 for begin, end in zip(beginnings, endings, strict=True)]

    assert len(windows(days, width)) == sum(ceil(run / width) for run in runs)


@pytest.mark.parametrize(
    ("searched_at", "is_settled"),
    [
        pytest.param(datetime(2024, 5, 1, 12, tzinfo=UTC), False, id="during the day"),
        pytest.param(datetime(2024, 5, 2, tzinfo=UTC), False, id="at its end"),
        pytest.param(datetime(2024, 5, 3, 23, 59, 59, tzinfo=UTC), False, id="a second early"),
        pytest.param(datetime(2024, 5, 4, tzinfo=UTC), True, id="two days after its end"),
        pytest.param(datetime(2025, 5, 4, tzinfo=UTC), True, id="a year later"),
    ],
)
def test_a_day_is_settled_when_it_was_searched_two_days_after_its_end(searched_at, is_settled):
    assert Freshness(settle=TWO_DAYS).is_settled(date(2024, 5, 1), searched_at) is is_settled


@pytest.mark.parametrize(
    ("now", "is_due"),
    [
        pytest.param(datetime(2024, 5, 3, 23, 59, 59, tzinfo=UTC), False, id="not final yet"),
        pytest.param(datetime(2024, 5, 4, tzinfo=UTC), True, id="final from now on"),
    ],
)
def test_an_unsettled_day_counts_as_covered_until_it_can_be_final(now, is_due):
    yesterday = datetime(2024, 5, 2, 6, tzinfo=UTC)

    assert Freshness(settle=TWO_DAYS).is_due(date(2024, 5, 1), yesterday, now) is is_due


@pytest.mark.parametrize(
    ("searched_on", "due_on"),
    [
        pytest.param([3], [4, 12], id="once at each age"),
        pytest.param([3, 4], [12], id="not twice at the same"),
        pytest.param([3, 12], [], id="nor later"),
        pytest.param([13], [], id="first collected later than the last"),
        pytest.param([7], [12], id="first collected in between"),
    ],
)
def test_a_day_is_revisited_when_it_is_as_old_as_each_age(searched_on, due_on):
    freshness = Freshness(settle=TWO_DAYS, revisit=(3 * DAY, 11 * DAY))
    end = datetime(2024, 5, 2, tzinfo=UTC)
    last, nights = end + searched_on.pop() * DAY - timedelta(hours=20), []
    for night in range((last - end).days + 1, 40):
        now = end + night * DAY - timedelta(hours=20)
        if freshness.is_due(date(2024, 5, 1), last, now):
            nights.append(night)
            last = now
    assert nights == due_on


def test_nights_that_were_missed_do_not_make_two_searches():
    freshness = Freshness(settle=TWO_DAYS, revisit=(3 * DAY, 11 * DAY))
    day, first = date(2024, 5, 1), datetime(2024, 5, 4, 4, tzinfo=UTC)
    late = datetime(2024, 6, 1, tzinfo=UTC)

    assert freshness.is_due(day, first, late)
    assert not freshness.is_due(day, late, late + 100 * DAY)


@pytest.mark.parametrize(
    ("now", "is_due"),
    [
        pytest.param(datetime(2024, 5, 17, tzinfo=UTC), False, id="just as old"),
        pytest.param(datetime(2024, 5, 17, 0, 0, 1, tzinfo=UTC), True, id="older"),
    ],
)
def test_days_whose_last_search_is_older_than_refresh_after_are_missing(now, is_due):
    freshness = Freshness(settle=TWO_DAYS, refresh_after=7 * DAY)

    assert freshness.is_due(date(2024, 5, 1), datetime(2024, 5, 10, tzinfo=UTC), now) is is_due


def test_the_last_search_of_a_day_counts_whatever_order_they_are_listed_in():
    early, late = datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 2, 1, tzinfo=UTC)
    whole = DateRange(date(2023, 12, 1), date(2023, 12, 3))
    middle = DateRange(date(2023, 12, 2), date(2023, 12, 2))

    searched = last_searches([Covered(middle, late), Covered(whole, early)])

    assert list(searched.values()) == [early, late, early]
    assert list(searched) == list(whole)


@given(RANGES, COVERAGE, FRESHNESS)
def test_unsettled_days_are_those_covered_but_searched_too_early(wanted, coverage, freshness):
    searched = last_searches(coverage)

    assert unsettled_days(wanted, searched, freshness) == [
        day
        for day in wanted
        if day in searched
        and searched[day] < datetime.combine(day + DAY, time(), UTC) + freshness.settle
    ]


@given(RANGES, COVERAGE, FRESHNESS, MOMENTS)
def test_a_second_run_right_after_a_complete_one_has_nothing_to_search(
    wanted, coverage, freshness, now
):
    earlier = [covered for covered in coverage if covered.searched_at <= now]
    missing = missing_days(wanted, last_searches(earlier), freshness, now)
    searched = last_searches([*earlier, *(Covered(window, now) for window in windows(missing))])

    assert missing_days(wanted, searched, freshness, now) == []


def times_collected(run_times, last_day):
    """How often each day is collected by a series of complete runs, wanting all days up to one."""
    coverage = []
    collected = []
    for now in run_times:
        wanted = DateRange(FIRST_DAY, last_day(now))
        missing = missing_days(wanted, last_searches(coverage), Freshness(settle=TWO_DAYS), now)
        collected += missing
        coverage += [Covered(window, now) for window in windows(missing)]
    return [collected.count(day) for day in sorted(set(collected))]


@given(st.times())
def test_a_daily_run_up_to_3_days_ago_collects_each_day_once(time_of_day):
    run_times = [datetime.combine(FIRST_DAY + n * DAY, time_of_day, UTC) for n in range(10, 50)]

    counts = times_collected(run_times, lambda now: now.date() - 3 * DAY)

    assert counts == [1] * 47


@given(st.times())
def test_a_daily_run_up_to_yesterday_collects_each_day_once_more_when_it_is_final(time_of_day):
    run_times = [datetime.combine(FIRST_DAY + n * DAY, time_of_day, UTC) for n in range(1, 41)]

    counts = times_collected(run_times, lambda now: now.date() - DAY)

    # The last two days cannot be final yet.
    assert counts == [2] * 38 + [1] * 2


@given(st.lists(MOMENTS.filter(lambda now: now.date() >= FIRST_DAY), max_size=12))
def test_a_day_that_was_settled_once_is_never_collected_again(moments):
    run_times = sorted(moments)
    settled_at_first = [
        now for now in run_times if now >= datetime.combine(FIRST_DAY, time(), UTC) + 3 * DAY
    ]

    counts = times_collected(run_times, lambda _: FIRST_DAY)

    unsettled_runs = len(run_times) - len(settled_at_first)
    assert sum(counts) == bool(unsettled_runs) + bool(settled_at_first)
