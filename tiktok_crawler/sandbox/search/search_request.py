"""A request for videos: what it must have, and what the API refuses (api_facts.md 3.1, 3.2)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from tiktok_crawler.research_api.endpoints import VIDEO_QUERY
from tiktok_crawler.sandbox.protocol.errors import invalid_params
from tiktok_crawler.sandbox.protocol.parameters import parse_fields, parse_number
from tiktok_crawler.sandbox.search.conditions import (
    SandboxQuery,
    has_empty_group,
    parse_date,
    parse_query,
)

DEFAULT_COUNT = 20
LONGEST = timedelta(days=30)
"""From `start_date` to `end_date`: 31 days, since both belong to the window."""


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """One page of a search; `search_id` is None and `cursor` 0 on the first."""

    query: SandboxQuery
    start: date
    end: date
    fields: frozenset[str]
    max_count: int
    cursor: int
    search_id: str | None
    is_random: bool
    has_empty_group: bool

    @property
    def page_number(self) -> int:
        return self.cursor // self.max_count + 1


def asks_later_page(document: object) -> bool:
    """Tell whether a request's body, right or wrong, means a page after the first."""
    return isinstance(document, dict) and bool(document.get("cursor") or document.get("search_id"))


def parse_search(document: object, fields: str | None) -> SearchRequest:
    """Read the JSON body and the `fields` of the URL.

    Raises:
        ApiError: the API would refuse them.
    """
    wanted = parse_fields(fields, VIDEO_QUERY.fields)
    if not isinstance(document, dict):
        raise invalid_params("The request body is not a JSON object")
    start, end = _dates(document)
    return SearchRequest(
        query=parse_query(document.get("query")),
        start=start,
        end=end,
        fields=wanted,
        max_count=parse_number(
            document.get("max_count"),
            default=DEFAULT_COUNT,
            lowest=1,
            highest=VIDEO_QUERY.max_count,
        ),
        cursor=parse_number(document.get("cursor"), default=0),
        search_id=_search_id(document),
        is_random=_is_random(document),
        has_empty_group=has_empty_group(document.get("query")),
    )


def _dates(document: dict[str, Any]) -> tuple[date, date]:
    try:
        start, end = parse_date(document.get("start_date")), parse_date(document.get("end_date"))
    except ValueError as exc:
        raise invalid_params("Invalid start_date or end_date: YYYYMMDD is required") from exc
    if end < start:
        raise invalid_params("Invalid date range: end_date is before start_date")
    if end - start > LONGEST:
        raise invalid_params("Invalid date range: end_date is more than 30 days after start_date")
    return start, end


def _search_id(document: dict[str, Any]) -> str | None:
    """The text; null and the empty text are none (api_facts.md 1.15)."""
    search_id = document.get("search_id")
    if search_id is not None and not isinstance(search_id, str):
        raise invalid_params("Invalid search_id: it is a string")
    return search_id or None


def _is_random(document: dict[str, Any]) -> bool:
    is_random = document.get("is_random") or False
    if not isinstance(is_random, bool):
        raise invalid_params("Invalid is_random: it is a boolean")
    return is_random
