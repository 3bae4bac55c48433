"""Which days are searched once more, because their last search is hard to believe."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from tiktok_crawler.date_range import DAY, DateRange
from tiktok_crawler.planning.coverage import Covered, Freshness
from tiktok_crawler.planning.suspicion import doubts
from tiktok_crawler.planning.window_days import UNKNOWN, DayCount

START = date(2024, 3, 1)
NOW = datetime(2026, 1, 1, tzinfo=UTC)
SETTLE_TWO_DAYS = Freshness(timedelta(days=2))
FINAL_FROM = datetime(2024, 3, 4, tzinfo=UTC)
"""From when on a search finds all of the first day."""


def searched(first: int, last: int, videos: int | None, **changes) -> Covered:
    """A search that found so many videos on each day."""
    days = DateRange(START + first * DAY, START + last * DAY)
    counts = dict.fromkeys(days, UNKNOWN if videos is None else DayCount(videos))
    return Covered(**{"days": days, "searched_at": NOW, "counts": counts} | changes)


BUSY = (searched(-45, -1, 40), searched(1, 45, 40))


def doubted(*coverage: Covered) -> dict[date, datetime | None]:
    return doubts(coverage, SETTLE_TWO_DAYS)


def test_a_day_without_videos_among_busy_ones_is_searched_again_after_three_days():
    assert doubted(*BUSY, searched(0, 0, 0)) == {START: NOW + 3 * DAY}


def test_so_is_one_in_the_midst_of_a_wide_window():
    wide = searched(-15, 15, 40)
    wide = replace(wide, counts={**wide.counts, START: DayCount()})
    assert list(doubted(wide)) == [START]


def test_a_few_videos_among_many_are_too_few():
    many = (searched(-45, -1, 1000), searched(1, 45, 1000))
    assert list(doubted(*many, searched(0, 0, 20))) == [START]
    assert doubted(*many, searched(0, 0, 700)) == {}


def test_where_few_are_to_be_expected_none_is_not_suspicious():
    assert doubted(searched(-45, -1, 1), searched(1, 45, 1), searched(0, 0, 0)) == {}


def test_days_that_were_not_final_are_not_judged():
    early = searched(0, 0, 0, searched_at=FINAL_FROM - DAY)
    assert doubted(*BUSY, early) == {}
    assert list(doubted(*BUSY, replace(early, searched_at=FINAL_FROM))) == [START]


def test_days_of_which_nothing_was_counted_are_not_judged():
    assert doubted(*BUSY, searched(0, 0, None)) == {}
    assert doubted(searched(-45, -1, None), searched(0, 0, 0)) == {}


def test_the_last_search_of_a_day_counts():
    empty = searched(0, 0, 0, searched_at=NOW - DAY)
    assert doubted(*BUSY, empty, searched(0, 0, 35)) == {}


def test_a_search_that_brings_less_than_before_is_a_new_suspicion():
    before = searched(0, 0, 35, searched_at=NOW - 90 * DAY)
    assert doubted(*BUSY, before, searched(0, 0, 0)) == {START: NOW + 3 * DAY}


def test_a_refresh_that_brings_far_less_than_before_is_suspicious_whatever_the_others_bring():
    before = searched(0, 90, 30, searched_at=NOW - 90 * DAY)
    assert len(doubted(before, searched(0, 90, 0))) == 91
    assert len(doubted(before, searched(0, 90, 7))) == 91
    assert doubted(before, searched(0, 90, 20)) == {}


def test_so_is_one_of_a_run_of_days_that_had_few_each():
    before = searched(0, 20, 1, searched_at=NOW - 90 * DAY)
    assert len(doubted(before, searched(0, 20, 0))) == 21
    assert doubted(searched(0, 9, 1, searched_at=NOW - 90 * DAY), searched(0, 9, 0)) == {}


@pytest.mark.parametrize("videos", [0, 2])
@pytest.mark.parametrize(("days_later", "again_at"), [(2, NOW + 3 * DAY), (3, None), (9, None)])
def test_a_day_that_stays_empty_is_searched_twice_and_believed(days_later, again_at, videos):
    again = searched(0, 0, videos, searched_at=NOW + days_later * DAY)
    assert doubted(*BUSY, searched(0, 0, 0), again) == {START: again_at}


def test_an_answer_that_never_said_that_there_is_no_more_is_suspicious_by_itself():
    nothing = searched(0, 1, 0, suspicious=True, searched_at=NOW - DAY)
    assert doubted(nothing) == dict.fromkeys(nothing.days, NOW + 2 * DAY)
    assert list(doubted(nothing, searched(0, 0, 5))) == [START + DAY]


def test_a_search_before_a_day_is_final_is_not_one_of_the_two():
    early = searched(0, 0, 0, suspicious=True, searched_at=FINAL_FROM - DAY)
    late = searched(0, 0, 0, suspicious=True, searched_at=FINAL_FROM + 4 * DAY)
    assert doubted(early) == {START: FINAL_FROM}
    assert doubted(early, late) == {START: FINAL_FROM + 7 * DAY}
    assert doubted(early, replace(late, suspicious=False)) == {}
