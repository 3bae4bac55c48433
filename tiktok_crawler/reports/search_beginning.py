"""Describes what a search is about to do, for the log of a crawl."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tiktok_crawler.reports.words import PARKED, WINDOW
from tiktok_crawler.spelling import number_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tiktok_crawler.date_range import DateRange
    from tiktok_crawler.planning.plan import Plan


def search_beginning(plan: Plan) -> str:
    """Describe what a run is about to search for."""
    days = f"{plan.days.start} to {plan.days.end}"
    wanted = number_of(len(plan.days), "days")
    covered = f"{len(plan.standings.done):,} of {wanted} covered so far"
    if plan.is_empty and plan.is_fulfilled and not plan.standings.missing:
        return f"Nothing to collect: {_all(plan.days)} covered"
    if plan.is_empty:
        return f"Nothing to collect now from {days}: {'; '.join(_left(plan)) or covered}"
    windows = f"{number_of(plan.least_requests, 'windows')} to search ({WINDOW})"
    return f"Collecting {days}, {covered}: {windows}: {', '.join(_parts(plan))}"


def _all(days: DateRange) -> str:
    if len(days) == 1:
        return f"{days.start} is"
    return f"all {len(days):,} days from {days.start} to {days.end} are"


def _parts(plan: Plan) -> Iterator[str]:
    counts = (
        (len(plan.open_windows), "begun before"),
        (plan.new_window_count, "new"),
        (len(plan.refreshed_windows), "to refresh"),
        (len(plan.parked_windows) + len(plan.suspicious_windows), "once more"),
    )
    yield from (f"{count:,} {what}" for count, what in counts if count)
    yield from (f"and besides {left}" for left in _left(plan))


def _left(plan: Plan) -> Iterator[str]:
    """Describe what this run leaves to others, and to later ones."""
    if plan.taken_windows:
        yield f"{number_of(len(plan.taken_windows), 'windows')} that another crawl works on"
    if plan.waiting_windows:
        windows = number_of(len(plan.waiting_windows), "windows")
        retry_at = f"{plan.next_retry_at:%Y-%m-%d %H:%M} UTC"
        yield f"{windows} parked ({PARKED}), not due before {retry_at}"
