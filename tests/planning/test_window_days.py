"""What came of each day of a window, by the pages of its search."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiktok_crawler.date_range import DAY, DateRange
from tiktok_crawler.planning.window_days import (
    NONE,
    UNKNOWN,
    DayCount,
    Delivered,
    days_of_page,
    known_sum,
)

JANUARY = DateRange(date(2024, 1, 1), date(2024, 1, 31))
FIRST_SECOND = 1704067200
"""2024-01-01 00:00 UTC in Unix seconds."""


def day(number):
    return date(2024, 1, number)


def id_on(number, serial=0):
    """An id that was made on a day of January."""
    return (FIRST_SECOND + (number - 1) * 86400 + 3600 << 32) + serial


def page(*ids, matches=None, undated=(), ends_search=False):
    """A page whose videos were published an hour after their ids were made."""
    times = {
        id_: datetime.fromtimestamp((id_ >> 32) + 3600, UTC)
        for id_ in ids
        if id_ is not None and id_ not in undated
    }
    return Delivered(ids, times, len(ids) if matches is None else matches, ends_search)


def told(page_, reached=None, earlier=()):
    """The days of a page that have anything, by their number."""
    found = days_of_page(page_, JANUARY, reached, earlier)
    return {passed.day: count for passed, count in found.items() if count != DayCount()}


def test_videos_are_counted_on_the_day_they_were_published():
    late = (FIRST_SECOND + 86400 - 1800) << 32
    assert told(page(id_on(5), id_on(5, 1), late)) == {5: DayCount(2), 2: DayCount(1)}


def test_a_page_passes_the_days_down_to_its_oldest_video():
    assert list(days_of_page(page(id_on(30), id_on(28)), JANUARY, None)) == [
        *(day(number) for number in (31, 30, 29, 28))
    ]
    assert list(days_of_page(page(id_on(28), id_on(27)), JANUARY, day(28))) == [day(28), day(27)]


def test_the_last_page_passes_all_that_is_left():
    days = days_of_page(page(id_on(4), ends_search=True), JANUARY, day(6))
    assert list(days) == [day(number) for number in (6, 5, 4, 3, 2, 1)]
    assert [count.videos for count in days.values()] == [0, 0, 1, 0, 0, 0]


def test_what_is_withheld_is_shared_out_as_the_videos_are():
    ids = (*(id_on(9, n) for n in range(3)), id_on(8))
    assert told(page(*ids, matches=12)) == {9: DayCount(3, 6), 8: DayCount(1, 2)}


def test_a_page_without_videos_is_withheld_on_the_day_that_was_reached():
    assert told(page(matches=100), reached=day(9)) == {9: DayCount(withheld=100)}
    assert told(page(matches=4, ends_search=True), reached=day(2)) == {
        2: DayCount(withheld=2),
        1: DayCount(withheld=2),
    }


def test_more_records_than_matches_withhold_nothing():
    assert told(page(id_on(9), id_on(8), matches=1)) == {9: DayCount(1), 8: DayCount(1)}


def test_without_create_time_the_id_tells_the_day():
    assert told(page(id_on(9), undated=[id_on(9)])) == {9: DayCount(1, undated=1)}


def test_what_tells_no_day_is_of_the_day_of_the_record_before_it():
    assert told(page(id_on(9), 7, None, undated=[7])) == {9: DayCount(2, undated=1, refused=1)}
    assert told(page(None)) == {31: DayCount(refused=1)}


def test_a_video_that_comes_twice_is_counted_once():
    assert told(page(id_on(9), id_on(9), matches=1)) == {9: DayCount(1, repeated=1)}
    assert told(page(id_on(9), matches=0), earlier={id_on(9)}) == {9: DayCount(repeated=1)}


def test_a_match_in_whose_place_a_video_came_again_was_not_delivered():
    """What appears while a search goes on moves others on: one comes twice, the new one never."""
    assert told(page(id_on(9)), earlier={id_on(9)}) == {9: DayCount(withheld=1, repeated=1)}


def test_a_video_from_outside_the_window_moves_the_search_nowhere():
    days = days_of_page(page((FIRST_SECOND - 86400 << 32), id_on(30)), JANUARY, None)
    assert list(days) == [day(31), day(30), date(2023, 12, 31)]


@given(
    st.lists(
        st.lists(st.one_of(st.none(), st.integers(1, 31).map(id_on), st.integers(1, 9))), max_size=5
    ),
    st.integers(0, 200),
)
def test_all_matches_are_told_and_each_day_is_passed_once(pages, withheld):
    """Whatever order records come in: nothing is left out, and every day gets a count."""
    reached, seen, total, matches = None, set(), {}, 0
    for number, ids in enumerate(pages, start=1):
        sent = page(*ids, matches=len(ids) + withheld, ends_search=number == len(pages))
        added = days_of_page(sent, JANUARY, reached, seen)
        total = {d: total.get(d, NONE).plus(added.get(d, NONE)) for d in {*total, *added}}
        reached = min(d for d in total if d in JANUARY)
        seen |= set(ids)
        matches += sent.matches

    found = known_sum(total.values())
    assert (found.videos, found.refused) == (
        len(seen - {None}),
        sum(ids.count(None) for ids in pages),
    )
    assert found.videos + found.withheld + found.refused == matches
    if pages:
        assert set(JANUARY) <= set(total)


def test_what_is_not_known_adds_nothing_to_a_sum():
    assert known_sum([UNKNOWN, DayCount(3, 1)]) == DayCount(3, 1)
    assert UNKNOWN.plus(DayCount(3, 1)) == UNKNOWN


@pytest.mark.parametrize("start", range(1, 32))
def test_days_go_down_to_the_start_of_the_window(start):
    window = DateRange(day(start), day(31))
    days = days_of_page(page(ends_search=True), window, None)
    assert list(days) == [day(31) - n * DAY for n in range(len(window))]
