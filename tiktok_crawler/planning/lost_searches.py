"""Finds the days of a window that a search had passed when it was lost. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from tiktok_crawler.date_range import DAY, DateRange, midnight
from tiktok_crawler.research_api.video_ids import time_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta


@dataclass(frozen=True, slots=True)
class PageSpan:
    """The newest and the oldest id of a page; `id >> 32` is a Unix time (api_facts.md 3.7)."""

    newest_id: int
    oldest_id: int


def ids_tell_times(window: DateRange, pages: Sequence[PageSpan], skew: timedelta) -> bool:
    """Tell whether the pages of a search confirm what `passed_days` relies on.

    Their ids come in strictly descending order, and their times lie in the window.

    Args:
        window: the days that are searched.
        pages: what the pages of the search brought, in their order; empty ones are left out.
        skew: how far apart an id's time and `create_time` may lie.
    """
    if not pages:
        return True
    newest, oldest = time_of(pages[0].newest_id), time_of(pages[-1].oldest_id)
    return (
        all(later.newest_id < page.oldest_id for page, later in pairwise(pages))
        and oldest >= midnight(window.start) - skew
        and newest <= midnight(window.end + DAY)
    )


def passed_days(window: DateRange, pages: Sequence[PageSpan], skew: timedelta) -> DateRange | None:
    """The newest days of a window that an unfinished search has delivered completely.

    Pages come in strictly descending id, and ids are made at most `skew` before `create_time`. A
    day is passed when the oldest id lies at least `skew` before its start. The first day of the
    window never is: what the search has not said to be its end is not.

    Returns:
        None if there is no such day, or if the ids do not bear this out.
    """
    if not pages or not ids_tell_times(window, pages, skew):
        return None
    oldest = time_of(pages[-1].oldest_id)
    passed = [day for day in window if midnight(day) - skew >= oldest and day > window.start]
    return DateRange(passed[0], passed[-1]) if passed else None
