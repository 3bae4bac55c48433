"""Reads the `data` object of a search's answer into a Page (API.md 3.4, 3.5)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tiktok_crawler.items import Page
from tiktok_crawler.research_api.errors import Kind

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from tiktok_crawler.items import PageRequest
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
    if verdict.kind is Kind.MALFORMED and not data.get(endpoint.records_key):
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
    records = data.get(endpoint.records_key)
    return Page(
        request=request,
        records=tuple(records) if isinstance(records, list) else (),
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


def _cursor(value: object, request: PageRequest) -> int:
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value[:20])
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= LARGEST_CURSOR:
        return value
    return min(request.cursor + request.max_count, LARGEST_CURSOR)


def _search_id(value: object) -> str | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) and value else None
