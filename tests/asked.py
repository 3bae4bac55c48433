"""Requests for pages, as tests want them: of a window, and of a seed."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING

from tiktok_crawler.date_range import DateRange
from tiktok_crawler.research_api.endpoints import VIDEO_QUERY
from tiktok_crawler.research_api.paging import Place
from tiktok_crawler.research_api.query import Condition, Query
from tiktok_crawler.research_api.tasks import PageRequest, Seed, Window

if TYPE_CHECKING:
    from tiktok_crawler.research_api.endpoints import Listing

QUERY = Query((Condition("hashtag_name", "EQ", ("butter",)),))
JANUARY = DateRange(date(2024, 1, 1), date(2024, 1, 31))


def window_request(  # noqa: PLR0913 - a test names what matters to it
    days: DateRange = JANUARY,
    *,
    query: Query = QUERY,
    fields: tuple[str, ...] = VIDEO_QUERY.fields,
    row_id: int | None = None,
    cursor: int = 0,
    search_id: str | None = None,
    received: int = 0,
    second_try: bool = False,
    begun_at: datetime | None = None,
    previous_page_at: datetime | None = None,
) -> PageRequest:
    """A page of a search."""
    return PageRequest(
        Window(query, days, fields, row_id=row_id),
        Place(cursor, search_id, received),
        second_try=second_try,
        begun_at=begun_at,
        previous_page_at=previous_page_at,
    )


def seed_request(  # noqa: PLR0913 - as above
    listing: Listing,
    key: str = "7",
    row_id: int | None = None,
    *,
    cursor: int = 0,
    received: int = 0,
    limit: int | None = None,
    begun_at: datetime | None = None,
) -> PageRequest:
    """A page of a listing."""
    return PageRequest(
        Seed(listing, key, limit, row_id), Place(cursor, received=received), begun_at=begun_at
    )
