"""The facts of a dataset as tables: the same ones in its provenance and in its report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from tiktok_crawler.date_range import contiguous
from tiktok_crawler.planning.days import DayState
from tiktok_crawler.planning.seeds import SeedEnd
from tiktok_crawler.planning.task_states import SeedState
from tiktok_crawler.reports.days_report import FEW, listed_ranges
from tiktok_crawler.reports.endings import ending
from tiktok_crawler.reports.list_report import each_in_words
from tiktok_crawler.reports.listing_report import describe_ends, describe_refusals, total_of_all
from tiktok_crawler.reports.naming import AS_THEY_ARE, Naming
from tiktok_crawler.reports.removals_report import NOUNS, REASONS, checks_of
from tiktok_crawler.reports.words import PARKED, UNSETTLED
from tiktok_crawler.spelling import number_of, visible
from tiktok_crawler.storage.records.imported import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from datetime import date, datetime

    from tiktok_crawler.date_range import DateRange
    from tiktok_crawler.planning.seeds import Tally
    from tiktok_crawler.storage.ledger.imports import Import
    from tiktok_crawler.storage.ledger.provenance import Provenance, QueryFacts
    from tiktok_crawler.storage.ledger.status import QueryStatus

    Cell = str | int

T = TypeVar("T")

MISSING_WORDS = {
    DayState.DUE: "searched before all their videos had appeared, and not yet once more",
    DayState.OPEN: "in a search that is not at its end",
    DayState.PARKED: PARKED,
    DayState.GAP: "not searched",
}
"""Why days are missing."""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of text and numbers under a caption; the first cell of a row says what it is about."""

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


def minute(at: datetime | None) -> str:
    """Write a time to the minute."""
    return f"{at:%Y-%m-%d %H:%M} UTC" if at else "never"


def stored(import_: Import) -> str:
    """Say how many records of each kind an import has brought: `12 videos, 1 comment`."""
    numbers = {kind: sum(import_.counts.get(kind, {}).values()) for kind in map(str, Kind)}
    return ", ".join(number_of(n, kind) for kind, n in numbers.items() if n) or "nothing"


def period(first: datetime | None, last: datetime | None) -> str:
    """Write two times, or the one that both are: `from 2024-06-01 12:00 UTC to ...`."""
    begun, ended = minute(first), minute(last)
    return f"at {begun}" if begun == ended else f"from {begun} to {ended}"


def share(part: int, whole: int) -> str:
    """Write a part of a whole in percent."""
    return f"{100 * part / whole:.1f} %" if whole else "none"


def missing_days(query: QueryStatus, naming: Naming = AS_THEY_ARE) -> Table:
    """List the wanted days that are not there, or not for good, with the reason."""
    rows = sorted(_missing(query, naming))
    return Table(
        "Days that are missing, or not final",
        ("days", "number", "why"),
        tuple((str(days), len(days), why) for days, why in rows),
    )


def requests_by_day(facts: Provenance) -> Table:
    """List what was spent of the quota."""
    return Table(
        "Requests by day (UTC)",
        ("day", "pool", "requests", "used up, the API said"),
        tuple(
            (f"{day.day}", day.pool, day.requests, "yes" if day.is_used_up else "no")
            for day in facts.quota
        ),
    )


def endings(facts: Provenance) -> Table:
    """List how runs have ended."""
    return _counts("How runs ended", ("ending", "runs"), facts.runs.endings, _ending)


def faults(facts: Provenance) -> Table:
    """List what went wrong in runs, and was survived or ended them."""
    return _counts("What went wrong in runs", ("kind", "times"), facts.runs.faults, visible)


def listings(facts: Provenance) -> Table:
    """List what was asked about in listings, and with what success."""
    head = (
        "listing",
        "asked about",
        "complete",
        "cut at your maximum",
        "refused",
        "open",
        "parked",
        "delivered last",
        "requests",
    )
    return Table("Listings", (*head, "notes"), tuple(_listings(facts)))


def lists(facts: Provenance, naming: Naming = AS_THEY_ARE) -> Table:
    """List the lists under `each`, and how far their values are."""
    return Table(
        "Lists: what is asked for each of some values",
        (
            "list",
            "days wanted",
            "refused",
            "others that lack days",
            "days that they lack",
            "videos",
        ),
        tuple(
            (
                each_in_words(naming.query(found.rest), found.each),
                listed_ranges(found.days),
                len(found.refused),
                f"{found.lacking:,} of {len(found.each.values) - len(found.refused):,}",
                listed_ranges(found.missing) or "none",
                found.totals.videos,
            )
            for found in facts.status.lists
        ),
    )


def imports(facts: Provenance, naming: Naming = AS_THEY_ARE) -> Table:
    """List what others have collected, and was brought in."""
    return Table(
        "Imports: what was collected with other tools",
        ("file", "what it is", "imported", "records", "refused", "SHA-256"),
        tuple(
            (
                naming.error(visible(each.file)),
                each.kind,
                minute(each.begun_at) + ("" if each.ended_at else ", not to its end"),
                stored(each),
                each.refused,
                each.sha256,
            )
            for each in facts.status.imports
        ),
    )


def removals(facts: Provenance) -> Table:
    """List what was deleted, day by day."""
    return Table(
        "Deletions: records that were collected, and are not there any more",
        ("day", "what", "records", "why", "checks", "rows in all"),
        tuple(
            (
                day.day.isoformat() + (", not to its end" if day.unfinished else ""),
                NOUNS[day.kind],
                day.records,
                REASONS[day.why],
                checks_of(day) or "none",
                sum(count for name, count in day.rows.items() if "." not in name),
            )
            for day in facts.status.removals.days
        ),
    )


def records_of_all(tally: Tally) -> Cell:
    """Say how many records were delivered, of how many in all if that is known."""
    total = total_of_all(tally)
    return tally.stored if total is None else f"{tally.stored:,} of about {total:,}"


def rows(facts: Provenance) -> Table:
    """List how many rows the tables have, those that have some."""
    found = {name: count for name, count in sorted(facts.rows.items()) if count}
    return _counts("Rows by table", ("table", "rows"), found, str)


def delivered(query: QueryFacts) -> Table:
    """Set what came beside what the API counts."""
    days, found = query.status.days, query.status.days.found
    is_sample = bool(days.in_state(DayState.SAMPLED))
    given = (
        ("matches that the API counts", "not counted" if is_sample else found.matches),
        ("videos delivered", found.videos or 0),
        ("withheld by the API", "not counted" if is_sample else found.withheld or 0),
        ("delivered without a date", found.undated or 0),
        ("records without a usable id, not stored", found.refused or 0),
        ("records that a search delivered twice", found.repeated or 0),
    )
    return Table("Matched and delivered, by the last search of each day", ("what", "number"), given)


def _missing(query: QueryStatus, naming: Naming) -> Iterator[tuple[DateRange, str]]:
    standings = query.days
    for state, words in MISSING_WORDS.items():
        if state is not DayState.PARKED:
            yield from _ranges(standings.in_state(state), words)
    yield from _parked(query, naming)
    yield from _ranges(standings.unsettled, UNSETTLED)
    waiting = [day for day, at in standings.doubts.items() if at]
    yield from _ranges(waiting, f"{FEW}; to be searched once more")
    twice = [day for day, at in standings.doubts.items() if not at]
    yield from _ranges(twice, f"{FEW}, in two searches")


def _parked(query: QueryStatus, naming: Naming) -> Iterator[tuple[DateRange, str]]:
    """Give the parked days by their reasons."""
    left = set(query.days.in_state(DayState.PARKED))
    for window in query.parked_windows:
        reason = f": {naming.error(visible(window.error))}" if window.error else ""
        yield from _ranges(left.intersection(window.days), f"{PARKED}{reason}")
        left.difference_update(window.days)


def _ranges(days: Iterable[date], words: str) -> Iterator[tuple[DateRange, str]]:
    return ((found, words) for found in contiguous(days))


def _listings(facts: Provenance) -> Iterator[tuple[Cell, ...]]:
    for found in facts.listings:
        listing, counts, tally = found.status.listing, found.status.counts, found.status.tally
        notes = [describe_ends(listing, tally)] if counts[SeedState.COMPLETE] else []
        if counts[SeedState.REFUSED]:
            notes.append(f"refused: {describe_refusals(listing, tally)}")
        if found.status.suspicious:
            notes.append(f"{found.status.suspicious:,} of the complete ones may lack something")
        yield (
            listing.words,
            number_of(found.status.seeds, listing.seed_key.noun),
            counts[SeedState.COMPLETE] - tally.ends[SeedEnd.CUT],
            tally.ends[SeedEnd.CUT],
            counts[SeedState.REFUSED],
            counts[SeedState.OPEN],
            counts[SeedState.PARKED],
            records_of_all(tally),
            found.status.requests,
            "; ".join(notes),
        )


def _ending(reason: str | None) -> str:
    if reason is None:
        return "no end is written: still running, or killed"
    early = ending(reason)
    return f"early: {early.why}" if early else "at its end, with nothing left to ask for then"


def _counts(
    caption: str, head: tuple[str, str], counts: Mapping[T, int], words: Callable[[T], str]
) -> Table:
    return Table(caption, head, tuple((words(what), count) for what, count in counts.items()))
