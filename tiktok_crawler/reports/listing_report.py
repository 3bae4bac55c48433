"""The listings of a database in words: what their seeds have come to; as JSON for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tiktok_crawler.planning.seeds import SeedEnd
from tiktok_crawler.planning.task_states import SeedState
from tiktok_crawler.reports.words import from_time, time_as_json
from tiktok_crawler.research_api.verdicts import SeedStatus
from tiktok_crawler.spelling import and_more, number_of, shortened, visible

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from tiktok_crawler.planning.seeds import StageResult, Tally
    from tiktok_crawler.research_api.endpoints import Listing
    from tiktok_crawler.storage.ledger.listing_status import ListingStatus

REFUSED = {
    SeedStatus.NOT_FOUND: "not found",
    SeedStatus.WITHHELD: "withheld",
    SeedStatus.REFUSED: "refused for other reasons",
}


def listing_lines(listing: ListingStatus, now: datetime) -> Iterator[str]:
    """Describe how far the seeds of a listing are."""
    tally, counts = listing.tally, listing.counts
    states = ", ".join(f"{counts[state]:,} {state}" for state in SeedState)
    yield f"Listing {listing.listing.words}"
    yield f"  seeds      {number_of(listing.seeds, listing.listing.seed_key.noun)}: {states}"
    if tally.ends[SeedEnd.API_LIMIT] or tally.ends[SeedEnd.CUT]:
        yield f"  ends       {describe_ends(listing.listing, tally)}"
    if counts[SeedState.REFUSED]:
        yield f"  refused    {describe_refusals(listing.listing, tally)}"
    if listing.suspicious:
        yield f"  suspicious {listing.suspicious:,} of the complete ones may lack something"
    if listing.next_retry_at:
        yield f"  next retry {from_time(listing.next_retry_at, now)}"
    yield f"  delivered  {describe_delivered(listing.listing, tally)}"
    yield f"  requests   {listing.requests:,} so far"


def listing_as_json(listing: ListingStatus) -> dict[str, Any]:
    """Return the same as JSON; docs/operations.md says what the keys mean."""
    tally = listing.tally
    return {
        "listing": listing.listing.name,
        "seeds": {state.value: listing.counts[state] for state in SeedState},
        "ends": {end.value: tally.ends[end] for end in SeedEnd},
        "refusals": {status.value: tally.refusals[status] for status in SeedStatus},
        "broken_off": {"seeds": tally.broken_off, "records": tally.broken_off_records},
        "suspicious": listing.suspicious,
        "next_retry_at": time_as_json(listing.next_retry_at),
        "records": listing.records,
        "counted": {
            "seeds": tally.counted,
            "records": tally.counted_stored,
            "total": tally.total,
        },
        "requests": listing.requests,
    }


def stage_outcome(listing: Listing, result: StageResult) -> str:
    """Describe what the seeds of a stage have come to."""
    seeds, tally = number_of(result.seeds, listing.seed_key.noun), result.tally
    why = f" ({describe_refusals(listing, tally)})" if result.refused else ""
    return (
        f"{listing.words}: of {seeds} {describe_ends(listing, tally)}, "
        f"{result.refused:,} refused{why}, {result.open:,} open, {result.parked:,} postponed; "
        f"{describe_delivered(listing, tally)}"
    )


def refused_seeds(
    listing: Listing, status: SeedStatus, names: Sequence[str], count: int, reason: str
) -> str:
    """Describe the seeds that were refused for one reason; `names` are the first of them."""
    seeds, were = number_of(count, listing.seed_key.noun), "was" if count == 1 else "were"
    listed = and_more(list(map(shortened, names)), count)
    said = f"; the API said of the first: {visible(reason)}" if status is SeedStatus.REFUSED else ""
    return f"{listing.words}: {seeds} {were} {REFUSED[status]}: {listed}{said}"


def describe_ends(listing: Listing, tally: Tally) -> str:
    """Tell how the lists of complete seeds have ended."""
    words = {
        SeedEnd.COMPLETE: "complete",
        SeedEnd.API_LIMIT: f"complete up to the API's limit{_limit(listing)}",
        SeedEnd.CUT: f"cut at {listing.limit_argument}",
    }
    return ", ".join(
        f"{tally.ends[end]:,} {words[end]}"
        for end in SeedEnd
        if tally.ends[end] or end is SeedEnd.COMPLETE
    )


def _limit(listing: Listing) -> str:
    if listing.most_records is None:
        return ""
    least = f"{listing.ends_from:,} to " if listing.ends_from else ""
    return f" of {least}{listing.most_records:,}"


def describe_refusals(listing: Listing, tally: Tally) -> str:
    """Tell why the API refused some seeds, and what had come of them before."""
    why = ", ".join(
        f"{tally.refusals[status]:,} {REFUSED[status]}"
        for status in SeedStatus
        if tally.refusals[status]
    )
    return f"{why}; {describe_broken_off(listing, tally)}" if tally.broken_off else why


def describe_broken_off(listing: Listing, tally: Tally) -> str:
    """Tell of how many seeds a part of the list is there, as the API refused the rest."""
    seeds = number_of(tally.broken_off, listing.seed_key.noun)
    records = number_of(tally.broken_off_records, "records")
    return f"of {seeds} a part is there, {records}: they were refused in the midst of their lists"


def describe_delivered(listing: Listing, tally: Tally) -> str:
    """Describe how many records the last listing of each seed brought, beside what is counted.

    What counts them are the records of the seeds.
    """
    delivered, total = number_of(tally.stored, listing.noun), f"about {tally.total:,}"
    if not tally.counted:
        return delivered
    if total_of_all(tally):
        return f"{tally.stored:,} of {total} {listing.noun}"
    is_known_of_all = tally.counted == tally.seeds
    seeds = number_of(tally.seeds, listing.seed_key.noun)
    counters = f"the counters of {'' if is_known_of_all else f'{tally.counted:,} of '}{seeds}"
    if tally.total < tally.counted_stored:
        return f"{delivered}; {counters} say {total}"
    return f"{delivered}; {tally.counted_stored:,} of {total} by {counters}"


def total_of_all(tally: Tally) -> int | None:
    """Return how many records there are, if that is known of all seeds and can be true."""
    is_known = tally.counted and tally.counted == tally.seeds
    return tally.total if is_known and tally.total >= tally.counted_stored else None
