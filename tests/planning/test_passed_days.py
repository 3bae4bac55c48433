"""Which days a search that was lost had delivered completely."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from tiktok_crawler.date_range import DAY, DateRange, midnight
from tiktok_crawler.planning.lost_searches import PageSpan, passed_days

JANUARY = DateRange(date(2024, 1, 1), date(2024, 1, 31))
SKEW = timedelta(minutes=15)


def video_id(moment: datetime, number: int = 0) -> int:
    return (int(moment.timestamp()) << 32) + number


def span(newest: datetime, oldest: datetime) -> PageSpan:
    return PageSpan(video_id(newest, 1), video_id(oldest))


def at(day: int, hour: int = 12, minute: int = 0) -> datetime:
    return datetime(2024, 1, day, hour, minute, tzinfo=UTC)


def test_the_days_after_the_oldest_video_are_passed():
    pages = [span(at(31), at(25)), span(at(24), at(20))]
    assert passed_days(JANUARY, pages, SKEW) == DateRange(date(2024, 1, 21), date(2024, 1, 31))


def test_a_day_is_passed_only_with_the_margin():
    early, late = [span(at(31), at(20, 23, 45))], [span(at(31), at(20, 23, 46))]
    assert passed_days(JANUARY, early, SKEW).start == date(2024, 1, 21)
    assert passed_days(JANUARY, late, SKEW).start == date(2024, 1, 22)


def test_a_search_within_its_newest_day_has_passed_nothing():
    assert passed_days(JANUARY, [span(at(31, 20), at(31, 3))], SKEW) is None
    assert passed_days(JANUARY, [], SKEW) is None


def test_the_first_day_is_never_passed():
    pages = [span(at(31), at(1, 0) - timedelta(minutes=14))]
    assert passed_days(JANUARY, pages, SKEW) == DateRange(date(2024, 1, 2), date(2024, 1, 31))
    day = DateRange(date(2024, 1, 5), date(2024, 1, 5))
    assert passed_days(day, [span(at(5), at(5, 0) - timedelta(minutes=14))], SKEW) is None


def test_ids_from_outside_the_window_prove_nothing():
    assert passed_days(JANUARY, [span(at(31), at(1, 0) - timedelta(minutes=16))], SKEW) is None
    assert passed_days(JANUARY, [PageSpan(9, 2)], SKEW) is None
    february = datetime(2024, 2, 1, 0, 0, 1, tzinfo=UTC)
    assert passed_days(JANUARY, [span(february, at(20))], SKEW) is None


def test_a_broken_order_proves_nothing():
    assert passed_days(JANUARY, [span(at(31), at(20)), span(at(22), at(15))], SKEW) is None
    same = span(at(31), at(20))
    assert passed_days(JANUARY, [same, same], SKEW) is None


MOMENTS = st.integers(0, 31 * 86400 - 1)


@given(
    st.sets(MOMENTS, min_size=1, max_size=300),
    st.integers(0, 30),
    st.integers(1, 40),
    st.integers(0, 900),
)
def test_every_video_of_a_passed_day_was_delivered(moments, lost_after, page_size, skew_seconds):
    start = midnight(JANUARY.start)
    created = [start + timedelta(seconds=second) for second in moments]
    matches = sorted(
        (
            (video_id(time - timedelta(seconds=skew_seconds), n), time)
            for n, time in enumerate(created)
        ),
        reverse=True,
    )
    pages = [matches[n : n + page_size] for n in range(0, len(matches), page_size)][:lost_after]
    delivered = {video for page in pages for video, _ in page}
    spans = [PageSpan(page[0][0], page[-1][0]) for page in pages]
    passed = passed_days(JANUARY, spans, SKEW)
    if passed:
        assert passed.end == JANUARY.end
        assert all(video in delivered for video, time in matches if time >= midnight(passed.start))
        assert passed.start >= JANUARY.start + DAY
