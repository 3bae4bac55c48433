"""Days are searched again before they are too old, a share each night, at no needless cost."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from refreshing_nights import SETTLE, Nights, hours_of

from tiktok_crawler.date_range import DAY, DateRange
from tiktok_crawler.planning.coverage import Freshness

TONIGHT = date(2024, 6, 1)
KEPT = Freshness(SETTLE, again_within=15 * DAY)
HOURS = st.floats(0, 23.9)


def nights(days: int, per_day: int = 40, freshness: Freshness = KEPT) -> Nights:
    """A query of so many days, all of which were collected yesterday."""
    first = TONIGHT - (days + 2) * DAY
    found = Nights(first, freshness, lambda day: per_day + day.toordinal() % 7)
    found.collect(DateRange(first, TONIGHT - 3 * DAY), hours_of(TONIGHT - DAY, 4))
    return found


@pytest.mark.slow
def test_a_thousand_days_of_one_night_are_due_evenly():
    query = nights(1000, freshness=KEPT, per_day=100)
    counts = []
    for number in range(28):
        searched = query.crawl(hours_of(TONIGHT + number * DAY, 4))
        counts.append(sum(map(len, searched)))
    assert min(counts) > 60
    assert max(counts) < 80


@pytest.mark.slow
@settings(max_examples=15)
@given(st.integers(1, 200), st.sampled_from([0, 3, 40, 700]), st.lists(HOURS, min_size=1))
def test_no_day_is_older_than_it_may_be_whatever_the_hour_of_the_night(days, per_day, hours):
    query = nights(days, per_day)
    for number in range(40):
        now = hours_of(TONIGHT + number * DAY, hours[number % len(hours)])
        assert query.oldest(now) <= 15 * DAY
        query.crawl(now)


@settings(max_examples=15)
@given(st.integers(1, 200), st.sampled_from([3, 40, 700]), HOURS, HOURS)
def test_what_is_due_in_a_night_does_not_change_in_it(days, per_day, early, late):
    query = nights(days, per_day)
    for number in range(10):
        night = TONIGHT + number * DAY
        query.crawl(hours_of(night, min(early, late)))
        assert query.plan(hours_of(night, max(early, late))).is_empty


def test_a_night_that_was_interrupted_goes_on_with_its_share_alone():
    query = nights(280)
    whole = query.plan(hours_of(TONIGHT, 4)).refreshed_windows
    first, *rest = whole
    half = DateRange(first.start, first.start + 4 * DAY)
    query.collect(half, hours_of(TONIGHT, 4))
    left = query.plan(hours_of(TONIGHT, 5)).refreshed_windows
    assert left == (DateRange(half.end + DAY, first.end), *rest)


@pytest.mark.parametrize("per_day", [0, 20, 100, 900])
def test_a_year_takes_the_requests_that_the_days_due_take_at_least(per_day):
    revisit = (3 * DAY, 11 * DAY)
    query = nights(365, per_day, Freshness(SETTLE, revisit=revisit, again_within=30 * DAY))
    spent = least = 0
    for number in range(31):
        found = query.crawl(hours_of(TONIGHT + number * DAY, 4))
        spent += query.requests(found)
        least += query.least_requests(found)
    assert spent <= 1.02 * least


def test_sparse_days_are_refreshed_in_whole_windows():
    query = nights(310)
    query.videos = lambda _: 3
    query.collect(DateRange(query.first, TONIGHT - 3 * DAY), hours_of(TONIGHT - DAY, 5))
    found = Counter()
    for number in range(14):
        found.update(map(len, query.crawl(hours_of(TONIGHT + number * DAY, 4))))
    assert found[31] >= 9


def test_nights_that_were_missed_are_caught_up_by_one_search_of_each_day():
    query = nights(280)
    searched = query.crawl(hours_of(TONIGHT + 20 * DAY, 4))
    assert sum(map(len, searched)) == 280 + 20
    assert query.oldest(hours_of(TONIGHT + 20 * DAY, 4)) == timedelta(0)


def test_new_days_come_before_those_that_are_refreshed():
    query = nights(280)
    plan = query.plan(hours_of(TONIGHT + DAY, 4))
    assert plan.new_windows == (DateRange(TONIGHT - 3 * DAY, TONIGHT - 2 * DAY),)
    assert plan.refreshed_windows
    assert plan.refreshed_days == set(DateRange(query.first, TONIGHT - 4 * DAY))


def test_days_to_refresh_go_along_with_new_ones_that_would_take_a_request_alone():
    revisit = Freshness(SETTLE, revisit=(3 * DAY,))
    plans = []
    for per_day in (20, 900):
        query = nights(30, per_day, revisit)
        query.crawl(hours_of(TONIGHT, 4))
        plans.append(query.plan(hours_of(TONIGHT + DAY, 4)))
    few, many = plans
    assert (few.new_windows, few.refreshed_windows) == (
        (DateRange(TONIGHT - 3 * DAY, TONIGHT - 2 * DAY),),
        (),
    )
    assert (many.new_windows, many.refreshed_windows) == (
        (DateRange(TONIGHT - 2 * DAY, TONIGHT - 2 * DAY),),
        (DateRange(TONIGHT - 3 * DAY, TONIGHT - 3 * DAY),),
    )
