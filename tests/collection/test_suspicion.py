"""Which empty searches are hard to believe."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from tiktok_crawler.collection.date_range import DAY, DateRange
from tiktok_crawler.collection.suspicion import second_searches, sudden_silences
from tiktok_crawler.collection.windows import Covered, Freshness

START = date(2024, 3, 1)
NOW = datetime(2026, 1, 1, tzinfo=UTC)
SETTLE_TWO_DAYS = Freshness(timedelta(days=2))


def searched(first: int, last: int, videos: int | None, **changes) -> Covered:
    days = DateRange(START + first * DAY, START + last * DAY)
    return Covered(**{"days": days, "searched_at": NOW, "videos": videos} | changes)


def silences(*coverage: Covered) -> list[Covered]:
    return sudden_silences(coverage, SETTLE_TWO_DAYS)


def test_a_day_without_videos_after_days_with_many_is_suspicious():
    empty = searched(31, 31, 0)
    assert silences(searched(0, 30, 310), empty) == [empty]
    assert silences(searched(0, 30, 310), empty, searched(32, 40, 90)) == [empty]


def test_where_few_are_to_be_expected_none_is_not_suspicious():
    assert silences(searched(0, 30, 31), searched(31, 31, 0)) == []


def test_several_empty_days_of_a_sparse_query_are():
    empty = [searched(31 + n, 31 + n, 0) for n in range(10)]
    assert silences(searched(0, 30, 31), *empty) == empty
    assert silences(searched(0, 30, 31), *empty[:9]) == []


def test_a_wide_window_is_one_finding():
    empty = searched(31, 61, 0)
    assert silences(searched(0, 30, 93), empty) == [empty]


def test_what_begins_later_is_not_suspicious_before():
    assert silences(searched(0, 30, 0), searched(31, 61, 5000)) == []


def test_only_the_month_before_counts():
    assert silences(searched(0, 30, 9999), searched(62, 70, 0)) == []


def test_empty_days_before_make_the_past_sparser():
    past = [searched(n, n, 12 if n == 0 else 0, searched_at=NOW) for n in range(30)]
    assert sudden_silences([*past[:1], *past[1:]], SETTLE_TWO_DAYS) == past[1:]
    assert silences(searched(0, 0, 12), searched(1, 29, 12), searched(30, 30, 0)) == []


def test_days_that_were_not_final_are_not_suspicious():
    midnight_after = datetime(2024, 4, 2, tzinfo=UTC)
    empty = searched(31, 31, 0, searched_at=midnight_after)
    assert silences(searched(0, 30, 310), empty) == []


def test_days_that_were_kept_of_a_lost_search_had_videos():
    assert silences(searched(0, 30, 310), searched(31, 40, None)) == []
    assert silences(searched(0, 30, None), searched(31, 40, 0)) == []


def test_the_last_search_of_a_day_counts():
    empty = searched(31, 31, 0, searched_at=NOW - DAY)
    assert silences(searched(0, 30, 310), empty, searched(31, 31, 9)) == []


@pytest.mark.parametrize(("days_later", "found"), [(2, []), (3, [START]), (90, [START])])
def test_a_suspicious_search_is_repeated_after_three_days(days_later, found):
    empty = searched(0, 0, 0, suspicious=True)
    assert second_searches([empty], NOW + days_later * DAY) == found


def test_it_is_repeated_once():
    twice = [searched(0, 0, 0, suspicious=True, searched_at=NOW - n * DAY) for n in (0, 9)]
    assert second_searches(twice, NOW + 9 * DAY) == []


def test_a_search_that_found_videos_since_ends_the_suspicion():
    empty = searched(0, 1, 0, suspicious=True, searched_at=NOW - DAY)
    assert second_searches([empty, searched(0, 0, 5)], NOW + 9 * DAY) == [START + DAY]
