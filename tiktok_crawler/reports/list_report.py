"""What is said of lists under `each`: an entry for all values, and of bad ones a few names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tiktok_crawler.query_file.each_value import NAMES
from tiktok_crawler.reports.days_report import FEW, listed_ranges, ranges, ranges_as_json
from tiktok_crawler.reports.refreshing_report import in_words as refreshing_in_words
from tiktok_crawler.reports.words import UNSETTLED, from_time, time_as_json
from tiktok_crawler.research_api.wording import in_words
from tiktok_crawler.spelling import number_of, quoted, shortened, visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime
    from typing import Any

    from tiktok_crawler.planning.value_batches import BatchPlan
    from tiktok_crawler.query_file.collection import Collection
    from tiktok_crawler.query_file.each_value import Each
    from tiktok_crawler.reports.days_report import Labelled
    from tiktok_crawler.research_api.query import Query
    from tiktok_crawler.storage.ledger.list_status import ListStatus
    from tiktok_crawler.storage.ledger.value_batches import RefusedValue
    from tiktok_crawler.storage.value_lists import ListState

NAMED = 10
"""So many bad values are named; of others the number is told."""


def list_beginning(collection: Collection, plan: BatchPlan) -> str:
    """Say in a line what a run has to do."""
    assert collection.each
    begin = f"{collection.each}, {collection.dates}"
    due = sum(batch.least_requests > 0 for batch in plan.batches)
    if not due:
        return f"{begin}: nothing to ask for"
    searches = number_of(due, "searches")
    lack = "lacks" if plan.left == 1 else "lack"
    return f"{begin}: {plan.left:,} {lack} days; {searches} for some of them each"


def stored_of_list(state: ListState) -> Iterator[Labelled]:
    """Say what the database has of a list."""
    plan, days = state.plan, state.wanted.days
    yield "values", str(state.wanted.each)
    whole = len(days) - sum(map(len, plan.missing))
    whom = values_searched(len(plan.refused))
    yield "days", f"{days}: {whole:,} of {number_of(len(days), 'days')} for {whom}"
    if state.missed:
        ids = number_of(state.missed, "ids")
        yield "not found", f"{ids}: the API has returned no such video, which proves nothing"


def values_searched(refused: int) -> str:
    """Say for which values days are told: all, but for those that the API refuses."""
    return f"all values but {refused:,} that the API refuses" if refused else "all values"


def list_in_a_line(state: ListState) -> str:
    plan = state.plan
    whole = plan.values - plan.lacking
    return f"{whole:,} of {state.wanted.each} have all days, {state.totals.videos:,} videos"


def missing_of_list(state: ListState, now: datetime) -> Iterator[Labelled]:
    """Say what a list lacks."""
    plan = state.plan
    if plan.left:
        values = number_of(plan.left, NAMES[state.wanted.each.field])
        yield "days", f"{values} lack some of {ranges_of(plan)}"
    yield from refused_lines(state.refused, len(plan.refused), now)


def refused_lines(refused: Sequence[RefusedValue], count: int, now: datetime) -> Iterator[Labelled]:
    """Name the first values that cannot be searched, with the API's answers."""
    for value in refused[:NAMED]:
        again = f"; tried again {from_time(value.retry_at, now)}" if value.retry_at else ""
        reason = visible(value.reason)
        yield "refused", f"{quoted(value.value)}: {reason} (log_id {value.log_id}){again}"
    if count > NAMED:
        yield "refused", f"and {count - NAMED:,} more"


def next_of_list(state: ListState, now: datetime) -> Iterator[Labelled]:
    """Say what the next run does."""
    plan = state.plan
    if plan.left:
        yield "left", f"at least {number_of(plan.least_requests, 'requests')}"
    if plan.due_at and plan.due_at > now:
        yield "postponed", f"what is left is tried again {from_time(plan.due_at, now)}"
    if plan.unsettled and state.final_from:
        again = from_time(state.final_from, now)
        days = shortened(", ".join(map(str, plan.unsettled)))
        yield "not final", f"{days}: {UNSETTLED}; collected once more {again}"


def ranges_of(plan: BatchPlan) -> str:
    return ranges(day for days in plan.missing for day in days)


def each_in_words(rest: Query, each: Each) -> str:
    """Say which videos a list finds."""
    return f"{in_words(rest)}, for each of {each}"


def list_lines(found: ListStatus, now: datetime, files: Iterable[str]) -> Iterator[str]:
    """Describe a list and what the database has of it."""
    named = f" ({', '.join(files)})" if files else ""
    yield f"List of {found.each}{named}"
    words = each_in_words(found.rest, found.each)
    yield f"  {words[0].upper()}{words[1:]}"
    if found.tags:
        yield f"  tags       {visible(', '.join(found.tags))}"
    yield from (f"  {label:10} {text}" for label, text in _days_of_list(found))
    if found.refreshing.to_json():
        late = number_of(found.overdue, NAMES[found.each.field])
        overdue = f"; days of {late} are overdue" if found.overdue else ""
        yield f"  kept fresh {refreshing_in_words(found.refreshing)}{overdue}"
    for label, text in refused_lines(found.refused, len(found.refused), now):
        yield f"  {label:10} {text}"
    yield f"  videos     {found.totals.videos:,}"
    yield f"  requests   {found.totals.requests:,} so far"


def _days_of_list(found: ListStatus) -> Iterator[Labelled]:
    yield "wanted", f"{listed_ranges(found.days)} ({number_of(found.wanted_days, 'days')})"
    whom = values_searched(len(found.refused))
    yield "covered", f"{number_of(found.covered_days, 'days')} for {whom}"
    if found.lacking:
        lacking = f"{found.lacking:,} of {found.each}"
        yield "missing", f"{lacking} lack some of {listed_ranges(found.missing)}"
    if found.unsettled:
        yield "not final", f"{listed_ranges(found.unsettled)}: {UNSETTLED}"
    if found.suspicious:
        yield "suspicious", f"{listed_ranges(found.suspicious)}: {FEW} for some values"
    if found.missed:
        yield "not found", f"{number_of(found.missed, 'ids')}: the API has returned no such video"


def list_as_json(found: ListStatus) -> dict[str, Any]:
    """Return the same as JSON; docs/operations.md says what the keys mean."""
    return {
        "query": in_words(found.rest),
        "each": found.each.field.value,
        "values": len(found.each.values),
        "tags": list(found.tags),
        "wanted": ranges_as_json(found.days),
        "missing": ranges_as_json(found.missing),
        "not_final": ranges_as_json(found.unsettled),
        "suspicious": ranges_as_json(found.suspicious),
        "refreshing": found.refreshing.to_json() or None,
        "overdue_values": found.overdue,
        "lacking_values": found.lacking,
        "refused_values": len(found.refused),
        "refused": [
            {
                "value": value.value,
                "reason": value.reason,
                "log_id": value.log_id,
                "refused_at": time_as_json(value.refused_at),
                "retry_at": time_as_json(value.retry_at),
            }
            for value in found.refused[:NAMED]
        ],
        "missed_ids": found.missed,
        "videos": found.totals.videos,
        "requests": found.totals.requests,
    }
