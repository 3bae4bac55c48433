"""Days as bits: what need not be searched again, of many searches at once."""

from __future__ import annotations

from hypothesis import given
from test_coverage import FRESHNESS, MOMENTS, RANGES

from tiktok_crawler.planning.day_bits import DayBits, FreshDays


@given(RANGES, RANGES, FRESHNESS, MOMENTS, MOMENTS)
def test_ranges_of_days_are_as_fresh_as_each_of_their_days(
    wanted, searched, freshness, searched_at, now
):
    bits = DayBits(wanted)
    searched_at = min(searched_at, now)

    found = FreshDays(bits, freshness, now).of(searched, searched_at)

    assert {day for days in bits.ranges(found) for day in days} == {
        day for day in searched if day in wanted and not freshness.is_due(day, searched_at, now)
    }
