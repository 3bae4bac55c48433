"""How wide windows may be, after some failed and some worked."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiktok_crawler.date_range import DAY, DateRange
from tiktok_crawler.planning.widths import WINDOWS_TO_DOUBT, Widths

START = date(2024, 1, 1)


def days(first: int, last: int) -> DateRange:
    return DateRange(START + first * DAY, START + last * DAY)


def too_heavy(widths: Widths) -> None:
    """Let a month, and then half of one, be too much."""
    widths.failed(days(0, 30))
    widths.failed(days(0, 14))


def test_windows_are_as_wide_as_wanted_until_one_fails():
    widths = Widths(31)
    widths.worked(1)
    assert widths.days == 31
    assert not widths.has_failed


def test_after_a_failure_half_the_days_are_tried_and_if_they_work_as_many_as_failed():
    widths = Widths(31)
    widths.failed(days(0, 30))
    assert widths.days == 15
    widths.worked(15)
    assert widths.days == 31


def test_a_failure_was_chance_if_as_many_days_work():
    widths = Widths(31)
    widths.failed(days(0, 20))
    widths.worked(21)
    assert widths.days == 31
    assert not widths.has_failed


def test_a_day_that_fails_alone_explains_the_failures_of_its_windows():
    widths = Widths(31)
    too_heavy(widths)
    widths.failed_alone(days(14, 14))
    assert widths.days == 31


def test_a_day_that_fails_alone_says_nothing_of_other_windows():
    widths = Widths(31)
    too_heavy(widths)
    widths.failed_alone(days(20, 20))
    assert widths.days == 7


def test_failures_in_a_row_are_doubted_only_after_many_windows_that_worked():
    widths = Widths(31)
    too_heavy(widths)
    for _ in range(WINDOWS_TO_DOUBT):
        assert widths.days == 7
        widths.worked(7)
    assert widths.days == 15


def test_a_doubt_that_is_wrong_is_not_repeated_soon():
    widths = Widths(31)
    too_heavy(widths)
    for _ in range(WINDOWS_TO_DOUBT):
        widths.worked(7)
    widths.failed(days(100, 114))
    for _ in range(WINDOWS_TO_DOUBT):
        assert widths.days == 7
        widths.worked(7)


def test_a_doubt_that_is_right_is_followed_by_the_next():
    widths = Widths(31)
    too_heavy(widths)
    widths.worked(15)
    assert widths.days == 31
    widths.worked(31)
    assert not widths.has_failed


def test_a_width_that_had_worked_since_the_last_failure_may_fail_by_chance():
    widths = Widths(31)
    too_heavy(widths)
    widths.worked(7)
    widths.failed(days(7, 13))
    assert widths.days == 3
    widths.worked(3)
    assert widths.days == 7


def test_narrower_windows_say_nothing():
    widths = Widths(31)
    too_heavy(widths)
    for _ in range(2 * WINDOWS_TO_DOUBT):
        widths.worked(6)
    assert widths.days == 7
    assert widths.is_untried(7)
    assert not widths.is_untried(6)


def test_nothing_is_untried_as_long_as_nothing_failed():
    assert not Widths(31).is_untried(31)


@pytest.mark.parametrize(
    ("cut", "width"),
    [((), 31), ([days(0, 30)], 15), ([days(0, 14), days(0, 30)], 7), ([days(0, 1)], 1)],
)
def test_windows_that_were_cut_by_earlier_runs_are_remembered(cut, width):
    assert Widths(31, cut).days == width


def test_a_user_who_wants_narrow_windows_gets_them():
    widths = Widths(5, [days(0, 30)])
    assert widths.days == 5


EVENTS = st.tuples(st.sampled_from(["worked", "failed", "failed_alone"]), st.integers(1, 31))


@given(st.integers(1, 31), st.lists(EVENTS, max_size=50))
def test_a_width_is_always_within_its_bounds(longest, events):
    widths = Widths(longest)
    for event, width in events:
        getattr(widths, event)(width if event == "worked" else days(0, width - 1))
        assert 1 <= widths.days <= longest


@given(st.integers(1, 31), st.lists(EVENTS, max_size=50))
def test_whatever_has_failed_one_window_as_wide_as_wanted_proves_all_widths(longest, events):
    widths = Widths(longest)
    for event, width in events:
        getattr(widths, event)(width if event == "worked" else days(0, width - 1))
    widths.worked(31)
    assert widths.days == longest


@given(st.integers(2, 31), st.integers(0, 30))
def test_a_width_that_always_fails_is_tried_seldom(longest, heaviest):
    """Of windows that all fail beyond a width, only few are tried: on the way down, then seldom."""
    widths, tried = Widths(longest), 0
    for number in range(20 * WINDOWS_TO_DOUBT):
        if widths.days > max(heaviest, 1):
            widths.failed(days(40 * number, 40 * number + widths.days - 1))
            tried += 1
        else:
            widths.worked(widths.days)
    assert tried <= 6 + 20
