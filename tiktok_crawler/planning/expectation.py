"""Tells which days of a query brought hardly any videos where others lead to expect more. Pure."""

from __future__ import annotations

from datetime import timedelta
from statistics import fmean
from typing import TYPE_CHECKING

from tiktok_crawler.date_range import DAY, DateRange, contiguous

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

EXPECTED_VIDEOS = 10
"""Days without any video are hard to believe if, going by the days before, they should have so
many."""

SUDDEN_VIDEOS = 10 * EXPECTED_VIDEOS
"""So many videos on the very first day after silent ones are hard to believe, too: what begins by
itself begins with fewer."""

LOOKS_AROUND = timedelta(days=31)
"""The length of a query's past that is looked at before a silence, and of the part of a silence
that is suspicious for what comes after it."""


def hard_to_believe(counts: Mapping[date, int]) -> list[DateRange]:
    """Find the runs of days without videos that must be wrong, going by the days around them.

    Args:
        counts: how many videos each day has brought; days that are not in it are not known.
    """
    found = []
    for days in contiguous(day for day, count in counts.items() if not count):
        past = DateRange(days.start - LOOKS_AROUND, days.start - DAY)
        daily = fmean([counts[day] for day in past if day in counts] or [0])
        after = days.end + DAY
        if daily * len(days) >= EXPECTED_VIDEOS:
            found.append(days)
        elif counts.get(after, 0) >= SUDDEN_VIDEOS:
            found.append(DateRange(max(days.start, after - LOOKS_AROUND), days.end))
    return found
