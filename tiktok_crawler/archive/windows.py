"""Leads the windows of a database through what an archive says became of them.

The time at which a window's row last changed tells what is news: every line of an archive has the
time that the crawl wrote into its own database.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, insert, select, update

from tiktok_crawler.planning.task_states import UNFINISHED, HeavyWindow, ParkedWindow, WindowState
from tiktok_crawler.storage.engine.text import clean_text
from tiktok_crawler.storage.engine.transactions import reading, transaction
from tiktok_crawler.storage.ledger.lost_searches import split_off
from tiktok_crawler.storage.ledger.queries import SUSPECTED, has_values
from tiktok_crawler.storage.models.ledger import Crawl, CrawlWindow

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection, Engine, Row

    from tiktok_crawler.archive.lines import (
        Asked,
        SuspectLine,
        WindowParked,
        WindowShrunk,
        WindowSplit,
    )
    from tiktok_crawler.research_api.pages import Page
    from tiktok_crawler.research_api.tasks import PageRequest
    from tiktok_crawler.storage.ledger.queries import Ledger

WINDOW = CrawlWindow.__table__
CRAWL = Crawl.__table__


@dataclass(frozen=True, slots=True)
class PastWindow:
    """A window as it was when a request of it was sent, and that request, with the window's id.

    `is_whole`: all pages of the search before this request are stored, and perhaps its own. A
    window of which pages are missing never counts as searched.
    """

    request: PageRequest
    state: WindowState
    updated_at: datetime
    is_whole: bool

    def is_news(self, at: datetime) -> bool:
        return at > self.updated_at


class PastWindows:
    """The windows of one database. For one thread at a time."""

    def __init__(self, engine: Engine, ledger: Ledger) -> None:
        self._engine = engine
        self._ledger = ledger

    def sent(self, query_id: int, asked: Asked) -> PastWindow:
        """Book a request, unless that is known, and return its window."""
        window = self._find(query_id, asked)
        request = replace(asked.request, window_id=window.id)
        if asked.requested_at > window.updated_at:
            transaction(self._engine, lambda on: _meet(on, window, request))
            self._ledger.book(query_id, request, asked.requested_at)
            window = self._find(query_id, asked)
        is_whole = self._is_whole(window, request, asked.requested_at)
        return PastWindow(request, window.state, window.updated_at, is_whole)

    def has_page(self, page: Page) -> bool:
        """Whether the answer is stored already."""
        with reading(self._engine) as connection:
            return connection.scalar(select(CRAWL.c.id).where(_is(page))) is not None

    def page_without_those_before(self, page: Page) -> None:
        """Give up the window of such a page, which is stored as if the search were at its start."""
        says = {
            "next_cursor": page.cursor,
            "search_id": clean_text(page.search_id),
            "has_more": page.has_more,
        }

        def write(connection: Connection) -> None:
            connection.execute(update(CRAWL).where(_is(page)).values(says))
            connection.execute(
                update(WINDOW)
                .where(WINDOW.c.id == page.request.window_id)
                .values(
                    state=WindowState.PARKED,
                    parked_at=page.received_at,
                    error=f"the archive lacks pages before cursor {page.request.cursor}",
                    cursor=0,
                    search_id=None,
                    searched_at=None,
                )
            )

        transaction(self._engine, write)

    def shrink(self, window: PastWindow, shrunk: WindowShrunk, at: datetime) -> None:
        """Keep the days that were passed, unless pages are missing: then they are not covered."""
        if not window.is_whole:
            return

        def write(connection: Connection) -> None:
            row = select(WINDOW).where(WINDOW.c.id == window.request.window_id)
            split_off(connection, connection.execute(row).one(), shrunk.passed, at)

        transaction(self._engine, write)

    def split(self, window: PastWindow, split: WindowSplit, at: datetime) -> None:
        if window.state in UNFINISHED:
            self._ledger.split(HeavyWindow(window.request, split.reason, split.log_id), at)

    def park(self, window: PastWindow, parked: WindowParked, at: datetime) -> None:
        if window.state not in UNFINISHED:
            return
        resume = window.request.from_start()
        if window.is_whole:
            resume = replace(resume, cursor=parked.cursor, search_id=parked.search_id)
        self._ledger.park(ParkedWindow(resume, parked.reason, parked.log_id), at)

    def suspect(self, query_id: int, suspected: SuspectLine) -> None:
        """Mark the complete window of a search, if it is there."""
        window = and_(
            WINDOW.c.query_id == query_id,
            WINDOW.c.start_date == suspected.days.start,
            WINDOW.c.end_date == suspected.days.end,
            WINDOW.c.searched_at == suspected.searched_at,
            WINDOW.c.state == WindowState.COMPLETE,
        )
        mark = update(WINDOW).where(window).values(suspicious=True)
        transaction(self._engine, lambda on: on.execute(mark))

    def _is_whole(self, window: Row[Any], request: PageRequest, requested_at: datetime) -> bool:
        """Whether the window's row is where a search that brought all pages so far has come to."""
        if window.searched_at is None:
            return False
        if window.last_page_at and window.last_page_at >= requested_at:
            return True
        with reading(self._engine) as connection:
            follows = _follows(connection, window, request)
        return follows and (
            request.starts_search or window.search_id == clean_text(request.search_id)
        )

    def _find(self, query_id: int, asked: Asked) -> Row[Any]:
        """A window's row; a new one is as it was just before its first request was booked."""
        days = asked.request.window
        identity = {
            "query_id": query_id,
            "start_date": days.start,
            "end_date": days.end,
            "created_at": asked.begun_at,
        }
        same = has_values(WINDOW, identity)
        with reading(self._engine) as connection:
            known = connection.execute(select(WINDOW).where(same)).first()
        if known:
            return known
        beginning = {
            "state": WindowState.OPEN,
            "fields": list(asked.request.fields),
            "error": SUSPECTED if asked.begins_second_search else None,
            "parked_at": asked.begun_at if asked.begins_second_search else None,
            "updated_at": asked.begun_at - datetime.resolution,
        }
        new = insert(WINDOW).values(identity | beginning).returning(WINDOW)
        return transaction(self._engine, lambda on: on.execute(new).one())


def _is(page: Page) -> ColumnElement[bool]:
    return and_(
        CRAWL.c.crawl_window_id == page.request.window_id,
        CRAWL.c.cursor == page.request.cursor,
        CRAWL.c.crawl_started_at == page.received_at,
    )


def _follows(connection: Connection, window: Row[Any], request: PageRequest) -> bool:
    """Whether a request is for where the last page of its window leads; it never leads back."""
    if window.cursor >= request.cursor:
        return bool(window.cursor == request.cursor)
    last = and_(
        CRAWL.c.crawl_window_id == window.id, CRAWL.c.crawl_started_at == window.last_page_at
    )
    return connection.scalar(select(CRAWL.c.cursor).where(last)) == request.cursor


def _meet(connection: Connection, window: Row[Any], request: PageRequest) -> None:
    """Take a window to where a request found it, if the archive says something else.

    What the archive has last of a window may not be in the crawl's database, which was away, or
    whose crawl was killed in between; of a window that was parked it is the other way round.
    """
    values: dict[str, Any] = {}
    is_ahead = window.state not in UNFINISHED or window.cursor > request.cursor
    if window.state not in UNFINISHED:
        values |= {"state": WindowState.OPEN, "error": None, "error_log_id": None}
        values |= {"suspicious": False, "completed_at": None}
    if is_ahead and window.updated_at == window.last_page_at:
        values |= _without_last_page(connection, window, request)
    if not is_ahead and request.second_try and window.requests and window.state is WindowState.OPEN:
        values |= {"parked_count": window.parked_count + 1}
    if values:
        connection.execute(update(WINDOW).where(WINDOW.c.id == window.id).values(values))


def _without_last_page(
    connection: Connection, window: Row[Any], request: PageRequest
) -> dict[str, Any]:
    """What a window was after the page that leads to the request; its last page came later."""
    pages = (
        select(CRAWL)
        .where(CRAWL.c.crawl_window_id == window.id, CRAWL.c.crawl_started_at >= window.searched_at)
        .order_by(CRAWL.c.crawl_started_at.desc())
    )
    last, *earlier = connection.execute(pages).all()
    later = list(takewhile(lambda page: _next_cursor(page) != request.cursor, earlier))
    before = next(iter(earlier[len(later) :]), None)
    undone = [last, *later]
    return {
        "cursor": before.next_cursor if before else 0,
        "search_id": before.search_id if before else None,
        "pages": max(window.pages - len(undone), 0),
        "videos": max(window.videos - sum(page.video_count for page in undone), 0),
        "last_page_at": before.crawl_started_at if before else None,
    }


def _next_cursor(page: Row[Any]) -> int:
    return int(max(page.cursor, page.next_cursor))
