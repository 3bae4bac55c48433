"""Leads the windows of a database through what an archive says became of them.

The time at which a window's row last changed tells what is news: every line of an archive has the
time that the crawl wrote into its own database.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, insert, select, update

from tiktok_crawler.items import HeavyWindow, ParkedWindow
from tiktok_crawler.storage.models import UNFINISHED, Crawl, CrawlWindow, WindowState
from tiktok_crawler.storage.shrinking import split_off
from tiktok_crawler.storage.text import clean_text
from tiktok_crawler.storage.transactions import reading, transaction

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection, Engine, Row

    from tiktok_crawler.archive.lines import Asked, WindowParked, WindowShrunk, WindowSplit
    from tiktok_crawler.items import Page, PageRequest
    from tiktok_crawler.storage.ledger import Ledger

WINDOW = CrawlWindow.__table__
CRAWL = Crawl.__table__


@dataclass(frozen=True, slots=True)
class PastWindow:
    """A window as it was when a request of it was sent, and that request, with the window's id.

    `is_whole`: all pages of the search before this request are stored. A window of which pages are
    missing never counts as searched.
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
            if window.state not in UNFINISHED or window.cursor > request.cursor:
                transaction(self._engine, lambda on: _take_back(on, window, request))
            self._ledger.book(query_id, request, asked.requested_at)
            window = self._find(query_id, asked)
        return PastWindow(request, window.state, window.updated_at, _is_whole(window, request))

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

    def _find(self, query_id: int, asked: Asked) -> Row[Any]:
        """A window's row; a new one is as it was just before its first request was booked."""
        days = asked.request.window
        identity = {
            "query_id": query_id,
            "start_date": days.start,
            "end_date": days.end,
            "created_at": asked.begun_at,
        }
        same = and_(*(WINDOW.c[name] == value for name, value in identity.items()))
        with reading(self._engine) as connection:
            known = connection.execute(select(WINDOW).where(same)).first()
        if known:
            return known
        beginning = {
            "state": WindowState.OPEN,
            "fields": list(asked.request.fields),
            "updated_at": asked.begun_at - datetime.resolution,
        }
        new = insert(WINDOW).values(identity | beginning).returning(WINDOW)
        return transaction(self._engine, lambda on: on.execute(new).one())


def _is_whole(window: Row[Any], request: PageRequest) -> bool:
    """Whether the window's row is where a search that brought all pages so far has come to."""
    if window.searched_at is None or window.cursor != request.cursor:
        return False
    return request.starts_search or window.search_id == clean_text(request.search_id)


def _is(page: Page) -> ColumnElement[bool]:
    return and_(
        CRAWL.c.crawl_window_id == page.request.window_id,
        CRAWL.c.cursor == page.request.cursor,
        CRAWL.c.crawl_started_at == page.received_at,
    )


def _take_back(connection: Connection, window: Row[Any], request: PageRequest) -> None:
    """Take a window back to where a request found it.

    The crawl was killed after it archived a page and before it stored it: it asked again.
    """
    of_search = and_(
        CRAWL.c.crawl_window_id == window.id, CRAWL.c.crawl_started_at >= window.searched_at
    )
    before = select(CRAWL.c.cursor, CRAWL.c.video_count).where(
        of_search, CRAWL.c.cursor < request.cursor
    )
    # Pages that were asked for again at earlier times count once, as in the crawl's database.
    counts = {
        row.cursor: row.video_count for row in connection.execute(before.order_by(CRAWL.c.id))
    }
    page_before = select(CRAWL.c.search_id).where(of_search, CRAWL.c.next_cursor == request.cursor)
    values = {
        "state": WindowState.OPEN,
        "cursor": min(window.cursor, request.cursor),
        "search_id": connection.scalar(page_before.order_by(CRAWL.c.id.desc()).limit(1)),
        "pages": len(counts),
        "videos": sum(counts.values()),
        "suspicious": False,
        "completed_at": None,
    }
    connection.execute(update(WINDOW).where(WINDOW.c.id == window.id).values(values))
