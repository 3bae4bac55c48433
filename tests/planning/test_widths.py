"""How wide windows may be, after some failed and some worked."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiktok_crawler.planning.widths import WINDOWS_TO_GROW, Experience, Widths

NEW = Experience()


def test_windows_are_as_wide_as_wanted_until_one_fails():
    widths = Widths(31, NEW)
    widths.worked(matches=5, days=1)
    assert widths.days == 31


def test_after_a_failure_twice_the_matches_that_worked_are_expected():
    widths = Widths(31, NEW)
    widths.failed(31)
    widths.worked(matches=1000, days=1)
    assert widths.days == 2


def test_they_are_at_most_half_as_wide_as_the_narrowest_that_failed():
    widths = Widths(31, NEW)
    widths.worked(matches=9000, days=9)
    widths.failed(31)
    widths.failed(8)
    assert widths.days == 4


def test_a_single_day_is_never_cut():
    widths = Widths(31, NEW)
    widths.failed(1)
    assert widths.days == 1


def test_without_any_match_twice_the_days_that_worked_are_tried():
    widths = Widths(31, NEW)
    widths.failed(31)
    widths.worked(matches=0, days=3)
    assert widths.days == 6


def test_twice_the_width_is_tried_again_after_some_windows_that_worked():
    widths = Widths(31, NEW)
    widths.worked(matches=31, days=31)
    widths.failed(31)
    for _ in range(WINDOWS_TO_GROW):
        assert widths.days == 15
        widths.worked(matches=15, days=15)
    assert widths.days == 30


def test_each_further_failure_doubles_how_many_have_to_work():
    widths = Widths(31, NEW)
    widths.failed(31)
    widths.failed(8)
    for _ in range(2 * WINDOWS_TO_GROW):
        assert widths.days <= 4
        widths.worked(matches=4, days=4)
    assert widths.days == 8


def test_narrower_windows_say_nothing_of_the_limit():
    widths = Widths(31, NEW)
    widths.worked(matches=31, days=31)
    widths.failed(31)
    for _ in range(9):
        widths.worked(matches=3, days=3)
    assert widths.days == 15


def test_a_page_tells_how_dense_the_query_is_now():
    widths = Widths(31, Experience(has_failed=True, most_matches=300, widest=30, density=10))
    assert widths.days == 31
    widths.saw(matches=100, days=0.5)
    assert widths.days == 3


def test_a_page_that_tells_no_time_changes_nothing():
    widths = Widths(31, Experience(has_failed=True, most_matches=10, widest=1, density=10))
    widths.saw(matches=100, days=0.0)
    assert widths.days == 2


@pytest.mark.parametrize(("has_failed", "days"), [(False, 31), (True, 8)])
def test_what_worked_before_counts_only_if_something_failed_before(has_failed, days):
    experience = Experience(has_failed=has_failed, most_matches=4000, widest=4, density=1000)
    assert Widths(31, experience).days == days


@given(
    st.integers(1, 31),
    st.lists(st.tuples(st.booleans(), st.integers(0, 10**6), st.integers(1, 31)), max_size=50),
)
def test_a_width_is_always_within_its_bounds(longest, events):
    widths = Widths(longest, NEW)
    for works, matches, days in events:
        if works:
            widths.worked(matches, days)
        else:
            widths.failed(days)
        assert 1 <= widths.days <= longest
