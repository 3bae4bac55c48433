"""Which empty searches are hard to believe."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from tiktok_crawler.date_range import DAY, DateRange
from tiktok_crawler.planning.coverage import Covered, Freshness
from tiktok_crawler.planning.suspicion import doubts, sudden_silences

START = date(2024, 3, 1)
NOW = datetime(2026, 1, 1, tzinfo=UTC)
SETTLE_TWO_DAYS = Freshness(timedelta(days=2))


def searched(first: int, last: int, videos: int | None, **changes) -> Covered:
    days = DateRange(START + first * DAY, START + last * DAY)
    return Covered(**{"days": days, "searched_at": NOW, "videos": videos} | changes)


def silences(*coverage: Covered, videos_on=lambda _day: 0) -> list[Covered]:
    return sudden_silences(coverage, SETTLE_TWO_DAYS, videos_on)


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


@pytest.mark.parametrize(("on_its_first_day", "is_found"), [(99, False), (100, True)])
def test_what_begins_later_is_suspicious_only_if_it_begins_at_full_strength(
    on_its_first_day, is_found
):
    before, empty, busy = searched(0, 30, 0), searched(31, 61, 0), searched(62, 92, 5000)
    videos = {busy.days.start: on_its_first_day}

    found = silences(before, empty, busy, videos_on=lambda day: videos.get(day, 0))

    assert found == ([empty] if is_found else [])


def test_a_silence_that_was_believed_is_past():
    """A hashtag that died is not suspected on each day for ever."""
    coverage = [searched(0, 30, 310)]
    suspected = 0
    for number in range(31, 331):
        now = datetime(2024, 3, 1, tzinfo=UTC) + (number + 4) * DAY
        again_at = doubts(coverage, SETTLE_TWO_DAYS)
        due = [day for day, at in again_at.items() if at and at <= now]
        coverage += [Covered(DateRange(day, day), now, videos=0) for day in due]
        coverage.append(searched(number, number, 0, searched_at=now))
        found = silences(*coverage)
        suspected += len(found)
        coverage = [replace(s, suspicious=s.suspicious or s in found) for s in coverage]

    assert 3 < suspected < 40
    assert None in doubts(coverage, SETTLE_TWO_DAYS).values()


def test_only_the_month_before_counts():
    assert silences(searched(0, 30, 9999), searched(62, 70, 0)) == []


def test_empty_days_before_make_the_past_sparser():
    past = [searched(n, n, 12 if n == 0 else 0, searched_at=NOW) for n in range(30)]
    assert silences(*past) == past[1:]
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


def test_a_suspicious_search_is_repeated_after_three_days():
    empty = searched(0, 0, 0, suspicious=True)
    assert doubts([empty], SETTLE_TWO_DAYS) == {START: NOW + 3 * DAY}
    assert silences(searched(-31, -1, 310), empty) == [], "it was found before"


@pytest.mark.parametrize(("days_later", "again_at"), [(2, NOW + 3 * DAY), (3, None), (9, None)])
def test_it_is_repeated_once(days_later, again_at):
    twice = [searched(0, 0, 0, suspicious=True)]
    twice.append(searched(0, 0, 0, searched_at=NOW + days_later * DAY))
    assert doubts(twice, SETTLE_TWO_DAYS) == {START: again_at}


def test_a_search_before_a_day_is_final_is_not_one_of_the_two():
    final_from = datetime(2024, 3, 4, tzinfo=UTC)
    early = searched(0, 0, 0, suspicious=True, searched_at=final_from - DAY)
    late = searched(0, 0, 0, suspicious=True, searched_at=final_from + 4 * DAY)
    assert doubts([early], SETTLE_TWO_DAYS) == {START: final_from}
    assert doubts([early, late], SETTLE_TWO_DAYS) == {START: final_from + 7 * DAY}
    assert doubts([early, replace(late, suspicious=False)], SETTLE_TWO_DAYS) == {}


def test_a_search_that_found_videos_since_ends_the_suspicion():
    empty = searched(0, 1, 0, suspicious=True, searched_at=NOW - DAY)
    assert list(doubts([empty, searched(0, 0, 5)], SETTLE_TWO_DAYS)) == [START + DAY]
