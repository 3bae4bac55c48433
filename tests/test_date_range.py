"""Ranges of whole UTC days."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiktok_crawler.date_range import DateRange, contiguous, midnight

JANUARY = DateRange(date(2024, 1, 1), date(2024, 1, 31))

DAYS = st.dates(date(2024, 2, 1), date(2024, 3, 31))


def test_both_ends_belong_to_a_range():
    assert JANUARY.start in JANUARY
    assert JANUARY.end in JANUARY
    assert date(2023, 12, 31) not in JANUARY
    assert date(2024, 2, 1) not in JANUARY


def test_a_range_has_as_many_days_as_it_iterates_over():
    days = list(JANUARY)

    assert len(JANUARY) == len(days) == 31
    assert days[0] == JANUARY.start
    assert days[-1] == JANUARY.end


def test_a_leap_day_is_a_day():
    assert len(DateRange(date(2024, 2, 1), date(2024, 3, 1))) == 30


def test_a_single_day_is_a_range():
    day = date(2024, 2, 29)

    assert list(DateRange(day, day)) == [day]


def test_a_range_that_ends_before_it_starts_is_refused():
    with pytest.raises(ValueError, match=r"ends before it starts: 2024-01-02\.\.2024-01-01"):
        DateRange(date(2024, 1, 2), date(2024, 1, 1))


@pytest.mark.parametrize(
    ("start", "end", "text"),
    [
        (date(2024, 1, 1), date(2024, 1, 31), "2024-01-01..2024-01-31"),
        (date(2024, 1, 1), date(2024, 1, 1), "2024-01-01"),
    ],
)
def test_a_range_reads_as_its_days(start, end, text):
    assert str(DateRange(start, end)) == text


@pytest.mark.parametrize(
    ("start", "end", "overlaps"),
    [
        pytest.param(date(2024, 1, 31), date(2024, 2, 5), True, id="shares the last day"),
        pytest.param(date(2023, 12, 1), date(2024, 1, 1), True, id="shares the first day"),
        pytest.param(date(2024, 1, 5), date(2024, 1, 5), True, id="lies inside"),
        pytest.param(date(2023, 1, 1), date(2025, 1, 1), True, id="lies around"),
        pytest.param(date(2024, 2, 1), date(2024, 2, 5), False, id="begins the day after"),
        pytest.param(date(2023, 12, 1), date(2023, 12, 31), False, id="ends the day before"),
    ],
)
def test_ranges_overlap_when_they_share_a_day(start, end, overlaps):
    other = DateRange(start, end)

    assert JANUARY.overlaps(other) is overlaps
    assert other.overlaps(JANUARY) is overlaps


def test_ranges_sort_by_their_first_day():
    earlier, later = (
        DateRange(date(2024, 1, 1), date(2024, 9, 1)),
        DateRange(*[date(2024, 1, 2)] * 2),
    )

    assert sorted([later, earlier]) == [earlier, later]


@given(st.lists(DAYS))
def test_joined_ranges_hold_exactly_the_days_given(days):
    assert [day for days_ in contiguous(days) for day in days_] == sorted(set(days))


@given(st.lists(DAYS))
def test_joined_ranges_leave_a_gap_between_them(days):
    ranges = contiguous(days)

    assert all(later.start - earlier.end > timedelta(days=1) for earlier, later in pairwise(ranges))


def test_no_days_are_no_ranges():
    assert contiguous([]) == []


def test_a_day_starts_at_midnight_utc():
    assert midnight(date(2024, 3, 31)) == datetime(2024, 3, 31, tzinfo=UTC)


def test_a_range_is_in_another_that_has_all_of_its_days():
    days = DateRange(date(2024, 1, 10), date(2024, 1, 12))
    assert days.is_in(days)
    assert days.is_in(DateRange(date(2024, 1, 1), date(2024, 1, 12)))
    assert not days.is_in(DateRange(date(2024, 1, 11), date(2024, 1, 31)))
    assert not days.is_in(DateRange(date(2024, 1, 1), date(2024, 1, 11)))
