"""Words about the days of a query: the same in a crawl's summary, its log, `status` and `plan`."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tiktok_crawler.clock import utc_now
from tiktok_crawler.date_range import contiguous
from tiktok_crawler.planning.days import DayState
from tiktok_crawler.reports.words import from_time
from tiktok_crawler.spelling import and_more, number_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import date, datetime

    from tiktok_crawler.date_range import DateRange
    from tiktok_crawler.planning.days import Days
    from tiktok_crawler.storage.ledger.list_status import ListStatus
    from tiktok_crawler.storage.ledger.status import QueryStatus

LISTED_RANGES = 5
"""So many fit into a line of a terminal; `--json` has all."""

Labelled = tuple[str, str]
"""What a line is about, in one or two words, and the line."""

FEW = "suspiciously few videos"


class DaysTogether(NamedTuple):
    """The days of several queries and lists; those of two of them count twice."""

    wanted: int
    covered: int


def days_together(queries: Iterable[QueryStatus], lists: Iterable[ListStatus]) -> DaysTogether:
    """Add up days."""
    of_queries = [(len(query.days.by_day), len(query.days.covered)) for query in queries]
    of_lists = [(found.wanted_days, found.covered_days) for found in lists]
    return DaysTogether(*map(sum, zip((0, 0), *of_queries, *of_lists, strict=True)))


def day_lines(days: Days, now: datetime | None = None) -> Iterator[Labelled]:
    """Tell how the wanted days stand, and what came of them."""
    yield from stored_lines(days)
    yield from missing_lines(days)
    for line in describe_doubts(days.doubts, now or utc_now()):
        yield "suspicious", line


def stored_lines(days: Days) -> Iterator[Labelled]:
    """Tell what is there."""
    sampled, wanted = len(days.in_state(DayState.SAMPLED)), number_of(len(days.by_day), "days")
    if sampled:
        videos = number_of(days.found.videos or 0, "videos")
        yield "sampled", f"{sampled:,} of {wanted}: {videos} drawn at random"
        return
    yield "covered", f"{len(days.covered):,} of {wanted} ({days.percent:.1f} %)"
    yield from _delivered(days)


def missing_lines(days: Days) -> Iterator[Labelled]:
    """Tell which days are not there, or not completely."""
    begun = days.in_state(DayState.OPEN, DayState.PARKED)
    if reached := [day for day in begun if days.by_day[day].count]:
        yield "in part", f"{ranges(reached)}: reached by searches that are not at their end"
    if ahead := [day for day in begun if not days.by_day[day].count]:
        yield "to come", f"{ranges(ahead)}: in windows that are open or postponed"
    if gaps := days.in_state(DayState.GAP):
        yield "gaps", ranges(gaps)
    if due := days.in_state(DayState.DUE):
        yield "due again", f"{ranges(due)}: searched before, and to be searched once more by now"


def ranges(days: Iterable[date]) -> str:
    """Name days, the first ranges of them: `2024-01-01..2024-01-31, 2024-03-02`."""
    return listed_ranges(contiguous(days))


def listed_ranges(found: Sequence[DateRange]) -> str:
    """Name the first of some ranges of days."""
    return and_more(list(map(str, found[:LISTED_RANGES])), len(found))


def ranges_as_json(found: Iterable[DateRange]) -> list[dict[str, str]]:
    """Name ranges of days for programs."""
    return list(map(range_as_json, found))


def range_as_json(days: DateRange) -> dict[str, str]:
    return {"start": days.start.isoformat(), "end": days.end.isoformat()}


def describe_doubts(doubts: Mapping[date, datetime | None], now: datetime) -> Iterator[str]:
    """Tell what is hard to believe, and what is done about it."""
    waiting = {day: at for day, at in doubts.items() if at}
    believed = [day for day in doubts if day not in waiting]
    if waiting:
        again_at = from_time(min(waiting.values()), now)
        yield f"{ranges(waiting)}: {FEW}; searched once more {again_at}"
    if believed:
        yield f"{ranges(believed)}: {FEW}; searched twice"


def _delivered(days: Days) -> Iterator[Labelled]:
    """Compare what came with what the API counts, as far as days were counted."""
    found, uncounted = days.found, len(days.uncounted)
    videos, withheld = found.videos or 0, found.withheld or 0
    days_ = number_of(uncounted, "days")
    without = f", without {days_} that an earlier version searched" if uncounted else ""
    if found.matches:
        share = f" ({max(100 * withheld / found.matches, 0.1):.1f} %)" if withheld else ""
        matches = number_of(found.matches, "matches")
        counted = f"{number_of(videos, 'videos')} of {matches} that the API counts"
        yield "delivered", f"{counted}; it withheld {withheld:,}{share}{without}"
    odd = (
        (found.refused or 0, "not stored, for lack of an id"),
        (found.undated or 0, "without a date"),
        (found.repeated or 0, "delivered twice in a search"),
    )
    if any(number for number, _ in odd):
        yield "records", "; ".join(f"{number:,} {what}" for number, what in odd if number)
