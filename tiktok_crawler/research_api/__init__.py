"""The Research API's language in plain Python: values in, values out, nothing is sent.

A search for videos, with any HTTP client to send it:

    query = build_query(and_=[condition("hashtag_name", "IN", "butter", "cheese")])
    request = first_request(query, date(2024, 1, 1), date(2024, 1, 31))

    url, body = request.url(DEFAULT_URL), request.body
    ...  # POST the body as JSON, with an access token; status and content are the answer's
    verdict = classify(status, content, request.endpoint)
    if verdict.kind is AnswerKind.PAGE:
        page = read_page(request, verdict, received_at=datetime.now(UTC))
        page.records  # the videos, as the API sent them
        page.next_request  # the request for the next page, or None

docs/research_api.md explains it. What is not named here may change without notice.
"""

from __future__ import annotations

from tiktok_crawler.exceptions import QueryError
from tiktok_crawler.research_api.building import build_query, condition, first_request
from tiktok_crawler.research_api.endpoints import DEFAULT_URL, LISTINGS, TOKEN_PATH, VIDEO_QUERY
from tiktok_crawler.research_api.pages import Page, read_page
from tiktok_crawler.research_api.paging import Place
from tiktok_crawler.research_api.query import Condition, Field, Operation, Query
from tiktok_crawler.research_api.tasks import PageRequest, Seed, Window
from tiktok_crawler.research_api.verdicts import AnswerKind, Verdict, classify

__all__ = [
    "DEFAULT_URL",
    "LISTINGS",
    "TOKEN_PATH",
    "VIDEO_QUERY",
    "AnswerKind",
    "Condition",
    "Field",
    "Operation",
    "Page",
    "PageRequest",
    "Place",
    "Query",
    "QueryError",
    "Seed",
    "Verdict",
    "Window",
    "build_query",
    "classify",
    "condition",
    "first_request",
    "read_page",
]
