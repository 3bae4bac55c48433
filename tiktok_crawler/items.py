"""What flows from the spiders to the pipelines: pages, and what has become of windows and seeds."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from tiktok_crawler.collection.date_range import DAY, midnight
from tiktok_crawler.research_api.endpoints import VIDEO_QUERY

if TYPE_CHECKING:
    from datetime import datetime

    from tiktok_crawler.collection.date_range import DateRange
    from tiktok_crawler.research_api.endpoints import Endpoint
    from tiktok_crawler.research_api.listings import Listing


@dataclass(frozen=True, slots=True)
class PageRequest:
    """One page to ask for: the search of a window, and how far it has come.

    `window_id` is the row in `crawl_window`, which exists from the first request on. `cursor` 0
    starts a new search; later pages echo the cursor and the search_id of the page before, which
    came at `previous_page_at` (API.md 3.5). `searched_at` is when the search began. A `second_try`
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
class Page:
    """One answer of the API: what is charged for, stored at once, and resumed from.

    `records` are the API's objects as they came. `cursor` is where the next page starts. Only an
    explicit `has_more` of false ends a search; where the API never said so, the page that stands
    for its answer is `suspicious`.
    """

    request: PageRequest
    records: tuple[Any, ...]
    cursor: int
    search_id: str | None
    has_more: bool
    log_id: str | None
    received_at: datetime
    suspicious: bool = False

    @property
    def advances(self) -> bool:
        """Whether the cursor moved on: following one that stands still would never end."""
        return self.cursor > self.request.cursor

    @property
    def record_ids(self) -> frozenset[str]:
        """What tells its records from those of other pages."""
        return frozenset(str(r.get("id")) for r in self.records if isinstance(r, dict))

    @property
    def next_request(self) -> PageRequest | None:
        """The request for the page after this one, if there is one; never for one before."""
        if not self.has_more:
            return None
        return replace(
            self.request,
            cursor=max(self.cursor, self.request.cursor),
            search_id=self.search_id,
            previous_page_at=self.received_at,
            second_try=False,
        )

    @property
    def passed_days(self) -> float:
        """How many days of its window a search has passed: newest first, id >> 32 is a time."""
        ids = [record.get("id") for record in self.records if isinstance(record, dict)]
        times = [video_id >> 32 for video_id in ids if isinstance(video_id, int)]
        if not times:
            return 0.0
        end = midnight(self.request.window.end + DAY).timestamp()
        days = (end - min(times)) / DAY.total_seconds()
        return min(max(days, 0.0), float(len(self.request.window)))


@dataclass(frozen=True, slots=True)
class ParkedWindow:
    """A window that is given up for now, with the reason and the log_id of the last answer."""

    request: PageRequest
    reason: str
    log_id: str | None = None


@dataclass(frozen=True, slots=True)
class LostSearch:
    """A search that the API does not know any more, at the page that was asked for last.

    The pipeline finds out which of the window's days the search had passed, and adds `resumed`: the
    request that starts a new search of the others. `lost_searches` counts the searches of the
    window that were lost in a row without passing a day. Unless the query's ids can be trusted to
    tell when videos were published, no day counts as passed.
    """

    request: PageRequest
    lost_searches: int
    resumed: PageRequest | None = None
    trusts_ids: bool = True


@dataclass(frozen=True, slots=True)
class HeavyWindow:
    """A window whose first page kept failing, and that is searched in parts from now on."""

    request: PageRequest
    reason: str
    log_id: str | None = None


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


@dataclass(frozen=True, slots=True)
class ListPage:
    """One answer to a request of a listing: charged for, stored at once, and resumed from.

    `records` are the API's objects as they came; `cursor` is where the next page starts, never
    before this one. Where the API never said whether there is more, the page that stands for its
    answer is `suspicious`.
    """

    request: ListRequest
    records: tuple[Any, ...]
    cursor: int
    has_more: bool
    log_id: str | None
    received_at: datetime
    suspicious: bool = False

    @property
    def position(self) -> int:
        """How many records of the listing have come, with this page."""
        return self.request.position + len(self.records)

    @property
    def advances(self) -> bool:
        """Whether the cursor moved on as the endpoint's does."""
        return self.request.endpoint.paging.leads_on(self.request.cursor, self.cursor)

    @property
    def record_ids(self) -> frozenset[str]:
        """What tells its records from those of other pages."""
        return frozenset().union(*map(_identities, self.records))

    @property
    def reaches_limit(self) -> bool:
        limit = self.request.limit
        return limit is not None and self.position >= limit

    @property
    def next_request(self) -> ListRequest | None:
        """The request for the page after this one, if one is wanted."""
        if not self.has_more or self.reaches_limit:
            return None
        return replace(self.request, cursor=self.cursor, position=self.position)


def _identities(record: Any) -> frozenset[str]:
    if isinstance(record, dict):
        ids = record.get("playlist_video_ids")
        if isinstance(ids, list):
            return frozenset(map(str, ids))
        for key in ("id", "username", "product_id"):
            if key in record:
                return frozenset({str(record[key])})
        if "playlist_id" in record:
            return frozenset()
    return frozenset({repr(record)})


class SeedStatus(StrEnum):
    """What the API says of a seed that it lists nothing of."""

    NOT_FOUND = "not_found"
    """It does not exist, or not under this name any more."""
    WITHHELD = "withheld"
    """It exists, but the API does not show it: a private account, a minor's, a private list."""
    REFUSED = "refused"
    """The API does not accept the seed, for a reason in its own words."""


@dataclass(frozen=True, slots=True)
class RefusedSeed:
    """A seed of which the API lists nothing: an answer, not a failure."""

    request: ListRequest
    status: SeedStatus
    reason: str
    log_id: str | None
    received_at: datetime


@dataclass(frozen=True, slots=True)
class ParkedSeed:
    """A seed that is given up for now, with the reason and the log_id of the last answer."""

    request: ListRequest
    reason: str
    log_id: str | None = None


ApiRequest = PageRequest | ListRequest
"""What a request to a research endpoint asks for: in its `meta` as `page_request`."""
