"""The listings of a database in `scrapy status`: as text for people, and as JSON for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tiktok_crawler.planning.task_states import SeedState

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tiktok_crawler.storage.ledger.listing_status import ListingStatus


def listing_lines(listing: ListingStatus) -> Iterator[str]:
    """Describe how far the seeds of a listing are."""
    yield f"Listing {listing.name.replace('_', ' ')}"
    yield f"  seeds      {listing.seeds:,}: {_states(listing)}"
    if listing.suspicious:
        yield f"  suspicious {listing.suspicious:,} of the complete ones may lack something"
    if listing.next_retry_at:
        yield f"  next retry {listing.next_retry_at:%Y-%m-%d %H:%M} UTC"
    yield f"  records    {listing.records:,}"
    yield f"  requests   {listing.requests:,} so far"


def listing_as_json(listing: ListingStatus) -> dict[str, Any]:
    """Return the same as JSON; docs/operations.md says what the keys mean."""
    due = listing.next_retry_at
    return {
        "listing": listing.name,
        "seeds": {state.value: listing.counts[state] for state in SeedState},
        "suspicious": listing.suspicious,
        "next_retry_at": due.isoformat(timespec="seconds") if due else None,
        "records": listing.records,
        "requests": listing.requests,
    }


def _states(listing: ListingStatus) -> str:
    return ", ".join(f"{listing.counts[state]:,} {state}" for state in SeedState)
