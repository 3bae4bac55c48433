"""What is asked for: one page of a window or of a seed, and the JSON body that asks for it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from tiktok_crawler.research_api import endpoints
from tiktok_crawler.research_api.endpoints import VIDEO_QUERY
from tiktok_crawler.research_api.listings import SeedKey
from tiktok_crawler.research_api.paging import Paging

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from tiktok_crawler.date_range import DateRange
    from tiktok_crawler.research_api.endpoints import Endpoint
    from tiktok_crawler.research_api.listings import Listing


@dataclass(frozen=True, slots=True)
class PageRequest:
    """One page to ask for: the search of a window, and how far it has come.

    `window_id` is the row in `crawl_window`, which exists from the first request on. `cursor` 0
    starts a new search; later pages echo the cursor and the search_id of the page before, which
    came at `previous_page_at` (api_facts.md 3.5). `searched_at` is when the search began. A `second_try`
    of a window that was parked, or looked suspicious, is one until a page comes.
    """

    window_id: int | None
    window: DateRange
    fields: tuple[str, ...]
    max_count: int
    cursor: int = 0
    search_id: str | None = None
    previous_page_at: datetime | None = None
    searched_at: datetime | None = field(default=None, compare=False)
    second_try: bool = field(default=False, compare=False)

    def __str__(self) -> str:
        return str(self.window)

    @property
    def endpoint(self) -> Endpoint:
        return VIDEO_QUERY

    @property
    def starts_search(self) -> bool:
        return self.cursor == 0

    @property
    def can_be_cut(self) -> bool:
        """Whether the window can be searched in parts without asking for a page again.

        That of a second try is not: its parts would be missing days as any others.
        """
        return self.starts_search and len(self.window) > 1 and not self.second_try

    def from_start(self) -> PageRequest:
        """The request that starts a new search of the same window."""
        return replace(self, cursor=0, search_id=None, previous_page_at=None, searched_at=None)


@dataclass(frozen=True, slots=True)
class ListRequest:
    """One page to ask for of a listing: the records that belong to a seed.

    `seed` is the seed as text, ids in decimal digits; `seed_id` its row in `seed`, 0 where there is
    none. `cursor` is 0 at the start, later what the page before said; where pages are numbered, how
    many came. `position` counts the records received so far. With a `limit`, no page is asked for
    after so many. The listing began, with its first page, at `begun_at`.
    """

    listing: Listing
    seed: str
    seed_id: int = 0
    cursor: int = 0
    position: int = 0
    limit: int | None = None
    begun_at: datetime | None = field(default=None, compare=False)

    def __str__(self) -> str:
        return self.listing.describe(self.seed)

    @property
    def endpoint(self) -> Endpoint:
        return self.listing.endpoint

    @property
    def fields(self) -> tuple[str, ...]:
        return self.endpoint.fields

    @property
    def is_past_cap(self) -> bool:
        """Whether the API may say that there is nothing here by refusing the cursor."""
        cap = self.listing.cap
        return cap is not None and self.cursor >= cap

    @property
    def starts_listing(self) -> bool:
        return self.cursor == 0

    def from_start(self) -> ListRequest:
        """The request that begins the listing anew."""
        return replace(self, cursor=0, position=0, begun_at=None)


ApiRequest = PageRequest | ListRequest
"""What a request to a research endpoint asks for: in its `meta` as `page_request`."""


def video_query_body(query: Mapping[Any, Any], request: PageRequest) -> dict[str, Any]:
    """The JSON body that asks for one page of a search (api_facts.md 3.2, 3.5).

    Args:
        query: the API's query object, at least one group in it.
        request: the page; its window is sent as YYYYMMDD, both days inclusive.
    """
    body: dict[str, Any] = {
        "query": query,
        "start_date": f"{request.window.start:%Y%m%d}",
        "end_date": f"{request.window.end:%Y%m%d}",
        "max_count": request.max_count,
    }
    if not request.starts_search:
        body["cursor"] = request.cursor
        body["search_id"] = request.search_id
    return body


def listing_body(request: ListRequest) -> dict[str, Any]:
    """The JSON body that asks for one page of a listing.

    The first page is asked for without a cursor; the fields of shop endpoints stand in the body as
    well, since documentation shows them in both places (api_facts.md 1.7).
    """
    listing, endpoint = request.listing, request.listing.endpoint
    key = listing.seed_key
    body: dict[str, Any] = {str(key): int(request.seed) if key.is_number else request.seed}
    if endpoint is endpoints.SHOP:
        body["limit"] = endpoint.max_count
    elif endpoint.paging is Paging.NUMBERED:
        body |= {"page_start": request.cursor + 1, "page_size": endpoint.max_count}
    elif endpoint.paging is not Paging.SINGLE:
        body["max_count"] = listing.page_size(request.cursor)
        if request.cursor:
            body["cursor"] = request.cursor
    if key in (SeedKey.SHOP_NAME, SeedKey.SHOP_ID, SeedKey.PRODUCT_ID):
        body["fields"] = ",".join(endpoint.fields)
    return body
