"""Reads the `data` object of an answer into a page (api_facts.md 3.4, 3.5, 4 to 10)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from tiktok_crawler.date_range import DAY, midnight
from tiktok_crawler.research_api.paging import Paging
from tiktok_crawler.research_api.verdicts import AnswerKind

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from tiktok_crawler.research_api.endpoints import Endpoint
    from tiktok_crawler.research_api.tasks import ListRequest, PageRequest
    from tiktok_crawler.research_api.verdicts import Verdict

LARGEST_CURSOR = 2**63 - 1


def page_of(
    endpoint: Endpoint, request: PageRequest, verdict: Verdict, *, received_at: datetime
) -> Page:
    """The page that an answer brings: one with records, or one that says that there are none.

    An answer that is malformed and has no records stands for an empty result.
    """
    data = verdict.data or {}
    if verdict.kind is AnswerKind.MALFORMED and not endpoint.records_of(data):
        return empty_page(request, received_at=received_at, log_id=verdict.log_id)
    return read_page(endpoint, request, data, received_at=received_at, log_id=verdict.log_id)


def read_page(
    endpoint: Endpoint,
    request: PageRequest,
    data: Mapping[str, Any],
    *,
    received_at: datetime,
    log_id: str | None = None,
) -> Page:
    """Build the page from `data`.

    A missing list of records is an empty page; a missing cursor continues at the previous one
    plus `max_count` (api_facts.md 13.7, 13.8). Only an explicit `has_more` of false is an end.
    """
    return Page(
        request=request,
        records=endpoint.records_of(data),
        cursor=_cursor(data.get("cursor"), request),
        search_id=_search_id(data.get("search_id")) or request.search_id,
        has_more=data.get("has_more") is not False,
        log_id=log_id,
        received_at=received_at,
    )


def empty_page(request: PageRequest, *, received_at: datetime, log_id: str | None = None) -> Page:
    """The page that stands for an answer that never said whether there is more."""
    return Page(
        request=request,
        records=(),
        cursor=request.cursor,
        search_id=None,
        has_more=False,
        log_id=log_id,
        received_at=received_at,
        suspicious=True,
    )


def list_page_of(request: ListRequest, verdict: Verdict, *, received_at: datetime) -> ListPage:
    """The page that an answer to a request of a listing brings.

    An answer that is malformed and has no records stands for an empty list, and is suspicious.
    """
    endpoint, data = request.listing.endpoint, verdict.data or {}
    records = endpoint.records_of(data)
    has_more = _has_more(endpoint, data, records)
    is_believed = verdict.kind is AnswerKind.MALFORMED and not records
    return ListPage(
        request=request,
        records=records,
        cursor=_next_cursor(request, data) if has_more else request.cursor,
        has_more=has_more and not is_believed,
        log_id=verdict.log_id,
        received_at=received_at,
        suspicious=is_believed,
    )


def end_of_list(request: ListRequest, verdict: Verdict, *, received_at: datetime) -> ListPage:
    """The page that stands for a refusal that says that nothing is listed from its cursor on."""
    return ListPage(
        request=request,
        records=(),
        cursor=request.cursor,
        has_more=False,
        log_id=verdict.log_id,
        received_at=received_at,
    )


def _has_more(endpoint: Endpoint, data: Mapping[str, Any], records: tuple[Any, ...]) -> bool:
    match endpoint.paging:
        case Paging.SINGLE:
            return False
        case Paging.NUMBERED:
            return bool(records)
        case _:
            return data.get("has_more") is not False


def _next_cursor(request: ListRequest, data: Mapping[str, Any]) -> int:
    """Where the next page starts; where the API does not say so, an index can be reckoned.

    A cursor that leads back is not followed: the listing stands still instead.
    """
    paging, before = request.endpoint.paging, request.cursor
    if paging is Paging.NUMBERED:
        return before + 1
    cursor = _number(data.get("cursor"))
    if cursor is None and paging is Paging.INDEX:
        return min(before + request.listing.page_size(before), LARGEST_CURSOR)
    return before if cursor is None or not paging.leads_on(before, cursor) else cursor


def _cursor(value: object, request: PageRequest) -> int:
    cursor = _number(value)
    return min(request.cursor + request.max_count, LARGEST_CURSOR) if cursor is None else cursor


def _number(value: object) -> int | None:
    """A cursor as a number, also one written as text; None if it is none."""
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value[:20])
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if 0 <= value <= LARGEST_CURSOR else None


def _search_id(value: object) -> str | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) and value else None


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
