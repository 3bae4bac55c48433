"""The Research API's language in plain Python: values in, values out, nothing is sent.

A search for videos, with any HTTP client to send it:

    query = build_query(and_=[condition("hashtag_name", "IN", "butter", "cheese")])
    request = first_request(date(2024, 1, 1), date(2024, 1, 31))

    url = VIDEO_QUERY.url(DEFAULT_URL, request.fields)
    body = video_query_body(query.to_json(), request)
    ...  # POST the body as JSON, with an access token; status and content are the answer's
    verdict = classify(status, content)
    if verdict.kind is Kind.PAGE:
        page = page_of(VIDEO_QUERY, request, verdict, received_at=datetime.now(UTC))
        page.records  # the videos, as the API sent them
        page.next_request  # the request for the next page, or None

docs/research_api.md explains it. What is not named here may change without notice.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tiktok_crawler.exceptions import QueryError
    from tiktok_crawler.items import ListPage, ListRequest, Page, PageRequest
    from tiktok_crawler.research_api.building import build_query, condition, first_request
    from tiktok_crawler.research_api.endpoints import (
        DEFAULT_URL,
        TOKEN_PATH,
        VIDEO_QUERY,
        video_query_body,
    )
    from tiktok_crawler.research_api.errors import Kind, Verdict, classify
    from tiktok_crawler.research_api.listings import LISTINGS, listing_body
    from tiktok_crawler.research_api.query import Condition, Field, Operation, Query
    from tiktok_crawler.research_api.responses import list_page_of, page_of

__all__ = [
    "DEFAULT_URL",
    "LISTINGS",
    "TOKEN_PATH",
    "VIDEO_QUERY",
    "Condition",
    "Field",
    "Kind",
    "ListPage",
    "ListRequest",
    "Operation",
    "Page",
    "PageRequest",
    "Query",
    "QueryError",
    "Verdict",
    "build_query",
    "classify",
    "condition",
    "first_request",
    "list_page_of",
    "listing_body",
    "page_of",
    "video_query_body",
]

_HOMES = {
    "exceptions": ("QueryError",),
    "items": ("ListPage", "ListRequest", "Page", "PageRequest"),
    "research_api.building": ("build_query", "condition", "first_request"),
    "research_api.endpoints": ("DEFAULT_URL", "TOKEN_PATH", "VIDEO_QUERY", "video_query_body"),
    "research_api.errors": ("Kind", "Verdict", "classify"),
    "research_api.listings": ("LISTINGS", "listing_body"),
    "research_api.query": ("Condition", "Field", "Operation", "Query"),
    "research_api.responses": ("list_page_of", "page_of"),
}
_MODULES = {name: module for module, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    """Load a name when it is first used: what it needs may itself need modules of this package."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"tiktok_crawler.{_MODULES[name]}"), name)
