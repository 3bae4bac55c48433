"""Estimates the most pages a listing can take, by what is known of its seed. Pure."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

from tiktok_crawler.research_api.paging import Paging

if TYPE_CHECKING:
    from tiktok_crawler.research_api.tasks import PageRequest


def most_pages(request: PageRequest, total: int | None) -> int | None:
    """Return the most pages that a listing can still take; None if unknown.

    Args:
        request: the next page of the listing.
        total: how many records there are, as far as that is known.
    """
    endpoint = request.endpoint
    if endpoint.paging is Paging.SINGLE:
        return 1
    records = most_records(request, total)
    if records is None:
        return None
    # Numbered pages end with an empty one.
    pages = ceil(records / endpoint.max_count) + (endpoint.paging is Paging.NUMBERED)
    return max(1, pages)


def most_records(request: PageRequest, total: int | None) -> int | None:
    """Return the most records that a listing can still bring; None if unknown."""
    listing, endpoint = request.seed.listing, request.endpoint
    seen = request.place.cursor if endpoint.paging is Paging.INDEX else request.place.received
    bounds = [b - seen for b in (total, listing.most_records) if b is not None]
    if request.task.limit is not None and listing.has_pages:
        place = request.place
        came = place.cursor if listing.counts_by_cursor else place.received
        bounds.append(request.task.limit - came)
    return max(0, min(bounds)) if bounds else None
