"""Reads the `data` object of an answer into a page (api_facts.md 3.4, 3.5, 4 to 10)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from tiktok_crawler.research_api.paging import Paging, Place
from tiktok_crawler.research_api.verdicts import AnswerKind

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from tiktok_crawler.research_api.endpoints import Endpoint
    from tiktok_crawler.research_api.tasks import PageRequest
    from tiktok_crawler.research_api.verdicts import Verdict

LARGEST_CURSOR = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Page:
    """One answer of the API: what is charged for, stored at once, and resumed from.

    `records` are the API's objects as they came. `cursor` is where the next page starts; of a
    search's last page it is the number of matches. Only an explicit `has_more` of false ends a
    task; where the API never said so, the page that stands for its answer is `suspicious`, and one
    that stands for the refusal of a list's cursor `is_refusal`. Unless `is_cursor_given`, the
    cursor is reckoned: it counts no matches.
    """

    request: PageRequest
    records: tuple[Any, ...]
    cursor: int
    search_id: str | None
    has_more: bool
    log_id: str | None
    received_at: datetime
    suspicious: bool = False
    is_refusal: bool = False
    is_cursor_given: bool = field(default=True, compare=False)

    @property
    def received(self) -> int:
        """The number of records received for the task, this page included."""
        return self.request.place.received + len(self.records)

    @property
    def advances(self) -> bool:
        """True if the cursor moved on: following one that stands still would never end."""
        return self.request.endpoint.paging.leads_on(self.request.place.cursor, self.cursor)

    @property
    def record_ids(self) -> frozenset[str]:
        """The identities that tell its records from those of other pages."""
        return frozenset().union(*map(_identities, self.records))

    @property
    def reaches_limit(self) -> bool:
        limit = self.request.task.limit
        if limit is None:
            return False
        by_cursor = self.request.seed.listing.counts_by_cursor
        return (self.cursor if by_cursor else self.received) >= limit

    @property
    def is_at_api_limit(self) -> bool:
        """True if it ends a list of which there may be more than the API gives."""
        if self.has_more or self.suspicious:
            return False
        listing = self.request.seed.listing
        return self.is_refusal or listing.may_end_at_limit(self.cursor, self.received)

    @property
    def next_request(self) -> PageRequest | None:
        """The request for the page after this one, if one is wanted; never for one before."""
        if not self.has_more or self.reaches_limit:
            return None
        return replace(
            self.request,
            place=Place(self.cursor, self.search_id, self.received),
            second_try=False,
            previous_page_at=self.received_at,
        )


def stands_for_page(request: PageRequest, verdict: Verdict) -> bool:
    """Tell whether an answer can be taken for a page: it is one, says nothing, or ends a list."""
    ends_list = verdict.kind is AnswerKind.SEARCH_REFUSED and request.is_past_cap
    return ends_list or verdict.kind in (AnswerKind.PAGE, AnswerKind.MALFORMED)


def read_page(request: PageRequest, verdict: Verdict, *, received_at: datetime) -> Page:
    """Return the page of an answer: one with records, or one that says that there are none.

    A missing list of records is an empty page; a missing cursor goes on after the records that were
    asked for (api_facts.md 13.7, 13.8). An answer that is malformed and has no records stands for
    an empty result, and is suspicious; a refused cursor stands for the end of a list. A sample has
    one page, whose cursor counts nothing (api_facts.md 3.6).
    """
    endpoint, data = request.endpoint, verdict.data or {}
    records = endpoint.records_of(data)
    is_believed = verdict.kind is AnswerKind.MALFORMED and not records
    is_sample = request.task.is_sample
    is_answer = verdict.kind in (AnswerKind.PAGE, AnswerKind.MALFORMED) and not is_believed
    return Page(
        request=request,
        records=records,
        cursor=_cursor(request, data, records) if is_answer else request.place.cursor,
        search_id=_search_id(data.get("search_id")) or request.place.search_id,
        has_more=is_answer and not is_sample and _has_more(endpoint, data, records),
        log_id=verdict.log_id,
        received_at=received_at,
        suspicious=is_believed,
        is_refusal=not (is_answer or is_believed),
        is_cursor_given=is_answer and not is_sample and _number(data.get("cursor")) is not None,
    )


def _has_more(endpoint: Endpoint, data: Mapping[str, Any], records: tuple[Any, ...]) -> bool:
    match endpoint.paging:
        case Paging.SINGLE:
            return False
        case Paging.NUMBERED:
            return bool(records)
        case _:
            return data.get("has_more") is not False


def _cursor(request: PageRequest, data: Mapping[str, Any], records: tuple[Any, ...]) -> int:
    """Return where the next page starts; where the API does not say so, an index can be reckoned.

    A cursor that leads back is not followed: the task stands still instead.
    """
    paging, before = request.endpoint.paging, request.place.cursor
    match paging:
        case Paging.SINGLE:
            return before
        case Paging.NUMBERED:
            return min(before + bool(records), LARGEST_CURSOR)
    cursor = _number(data.get("cursor"))
    if cursor is None and paging is Paging.INDEX:
        return min(before + request.max_count, LARGEST_CURSOR)
    return before if cursor is None or not paging.leads_on(before, cursor) else cursor


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
