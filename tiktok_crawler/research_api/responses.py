"""Reads the `data` object of an answer into a page (API.md 3.4, 3.5, 4 to 10)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tiktok_crawler.items import ListPage, Page
from tiktok_crawler.research_api.endpoints import Paging
from tiktok_crawler.research_api.errors import Kind

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from tiktok_crawler.items import ListRequest, PageRequest
    from tiktok_crawler.research_api.endpoints import Endpoint
    from tiktok_crawler.research_api.errors import Verdict

LARGEST_CURSOR = 2**63 - 1


def page_of(
    endpoint: Endpoint, request: PageRequest, verdict: Verdict, *, received_at: datetime
) -> Page:
    """The page that an answer brings: one with records, or one that says that there are none.

    An answer that is malformed and has no records stands for an empty result.
    """
    data = verdict.data or {}
    if verdict.kind is Kind.MALFORMED and not endpoint.records_of(data):
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
    plus `max_count` (API.md 13.7, 13.8). Only an explicit `has_more` of false is an end.
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
    is_believed = verdict.kind is Kind.MALFORMED and not records
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
