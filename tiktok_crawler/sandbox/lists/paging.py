"""Pages of lists, in each of the ways that endpoints are asked for the next one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from tiktok_crawler.research_api.paging import Paging
from tiktok_crawler.sandbox.protocol.errors import INVALID_CURSOR, ApiError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tiktok_crawler.sandbox.lists.request import SandboxRequest
    from tiktok_crawler.sandbox.lists.source import ListedEntries, ListEntry, ListSource


class SandboxPage(NamedTuple):
    """The items of a page, and what its answer says about the next one."""

    items: list[Any]
    more: dict[str, Any]


def page_of(source: ListSource, listed: ListedEntries, request: SandboxRequest) -> SandboxPage:
    """The page of a list that is asked for.

    Raises:
        ApiError: it is out of reach.
    """
    if listed.reach is not None and request.cursor + request.count > listed.reach:
        raise ApiError(INVALID_CURSOR)
    if source.fills_pages:
        return _filled_page(listed.entries, request)
    return _PAGES[source.listing.endpoint.paging](listed.entries, request)


def shown(entries: Sequence[ListEntry]) -> list[Any]:
    """The items that are not hidden."""
    return [entry.item for entry in entries if not entry.hidden]


def _single_page(entries: Sequence[ListEntry], request: SandboxRequest) -> SandboxPage:
    return SandboxPage(shown(entries)[: request.count], {})


def _numbered_page(entries: Sequence[ListEntry], request: SandboxRequest) -> SandboxPage:
    end = request.cursor * request.count
    return SandboxPage(shown(entries)[end - request.count : end], {})


def _index_page(entries: Sequence[ListEntry], request: SandboxRequest) -> SandboxPage:
    """The next entries, of which hidden ones do not come."""
    end = min(request.cursor + request.count, len(entries))
    return _page_until(entries, request, end)


def _filled_page(entries: Sequence[ListEntry], request: SandboxRequest) -> SandboxPage:
    """As many records as were asked for: the cursor moves on by more than that (api_facts.md 8)."""
    end, wanted = request.cursor, request.count
    while end < len(entries) and wanted:
        wanted -= not entries[end].hidden
        end += 1
    return _page_until(entries, request, end)


def _page_until(entries: Sequence[ListEntry], request: SandboxRequest, end: int) -> SandboxPage:
    more = {"cursor": max(end, request.cursor), "has_more": end < len(entries)}
    return SandboxPage(shown(entries[request.cursor : end]), more)


def _falling_page(entries: Sequence[ListEntry], request: SandboxRequest) -> SandboxPage:
    """Return the entries as old as the cursor or older, newest first.

    The next cursor is the time of the first entry that is left over: what has the same time and
    came already comes again.
    """
    start = 0
    if request.cursor:
        newer = (n for n, entry in enumerate(entries) if entry.at <= request.cursor)
        start = next(newer, len(entries))
    end = start + request.count
    has_more = end < len(entries)
    last = entries[min(end, len(entries) - 1)].at if entries else request.cursor
    return SandboxPage(shown(entries[start:end]), {"cursor": last, "has_more": has_more})


_PAGES: dict[Paging, Callable[[Sequence[ListEntry], SandboxRequest], SandboxPage]] = {
    Paging.SINGLE: _single_page,
    Paging.NUMBERED: _numbered_page,
    Paging.INDEX: _index_page,
    Paging.FALLING: _falling_page,
    Paging.OPAQUE: _falling_page,
}
