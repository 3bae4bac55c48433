"""Keeps what came of each day of a window: as its pages come, and for those who tell of days."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import astuple, dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, bindparam, delete, func, select, update

from tiktok_crawler.planning.window_days import DayCount, Delivered, days_of_page
from tiktok_crawler.storage.models.ledger import (
    VIDEOS_TO_CRAWLS,
    Crawl,
    CrawlWindow,
    WindowDay,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Column, ColumnElement, Connection, Executable

    from tiktok_crawler.planning.task_states import WindowState
    from tiktok_crawler.research_api.pages import Page
    from tiktok_crawler.storage.engine.statements import Statements
    from tiktok_crawler.storage.records.shape import Records

_DAYS = WindowDay.__table__
_CRAWL = Crawl.__table__
_VIDEO_ID = VIDEOS_TO_CRAWLS.c.video_id


@dataclass(frozen=True, slots=True)
class WindowDays:
    """Counts what the pages of windows bring, inside the transaction that stores them."""

    connection: Connection
    statements: Statements

    def add(self, page: Page, read: Records, crawl_id: int) -> None:
        """Add a page to the days of its window; the first page of a search replaces them."""
        request, window_id = page.request, page.request.task.row_id
        window = {"window_id": window_id, "crawl_id": crawl_id}
        known = {} if request.starts_task else self._known(window)
        if request.starts_task:
            self.statements.run(self.connection, _forget, window)
        delivered = Delivered(
            ids=read.ids,
            times={
                id_: record.values["create_time"]
                for id_, record in read.by_id.items()
                if "create_time" in record.values
            },
            matches=page.cursor - request.place.cursor,
            ends_search=page.next_request is None,
        )
        days = request.window.days
        reached = min((day for day in known if day in days), default=None)
        earlier = self._earlier(window, read.by_id, request.place.cursor) if known else ()
        added = days_of_page(delivered, days, reached, earlier)
        rows = [
            (window_id, day.isoformat(), *astuple(known.get(day, DayCount()) + count))
            for day, count in sorted(added.items())
        ]
        self.statements.upsert(self.connection, tuple(_DAYS.columns), rows)

    def _known(self, window: Mapping[str, Any]) -> dict[date, DayCount]:
        rows = self.statements.run(self.connection, _days_of_window, window)
        return {_day(row[0]): DayCount(*row[1:]) for row in rows}

    def _earlier(
        self, window: Mapping[str, Any], ids: Mapping[int, Any], cursor: int
    ) -> frozenset[int]:
        """Find those of the ids that earlier pages of the search have brought.

        As long as ids come in falling order, there are none, and the page before tells.
        """
        if not ids:
            return frozenset()
        values = {**window, "cursor": cursor, "oldest": min(ids), "newest": max(ids)}
        oldest = self.statements.run(self.connection, _oldest_of_page_before, values).scalar()
        if oldest is not None and max(ids) < oldest:
            return frozenset()
        found = self.statements.run(self.connection, _ids_between, values).scalars()
        return frozenset(found)


def give_days(connection: Connection, window_id: int | None, other_id: int, first: date) -> None:
    """Give the days of a window from `first` on to another window, which has them now."""
    moved = update(WindowDay).where(WindowDay.crawl_window_id == window_id, WindowDay.day >= first)
    connection.execute(moved.values(crawl_window_id=other_id))


def counts_by_window(
    connection: Connection, query_id: int, *states: WindowState
) -> Mapping[int, Mapping[date, DayCount]]:
    """Read the days of a query's windows in some states, by the windows' rows."""
    rows = (
        select(_DAYS)
        .join(CrawlWindow, CrawlWindow.id == _DAYS.c.crawl_window_id)
        .where(CrawlWindow.query_id == query_id, CrawlWindow.state.in_(states))
        .order_by(_DAYS.c.crawl_window_id, _DAYS.c.day)
    )
    found: dict[int, dict[date, DayCount]] = defaultdict(dict)
    for window_id, day, *count in connection.execute(rows):
        found[window_id][day] = DayCount(*count)
    return found


def _day(stored: Any) -> date:
    """Return a day; SQLite has it as text."""
    return date.fromisoformat(str(stored))


def _is_of_window(column: Column[Any]) -> ColumnElement[bool]:
    return column == bindparam("window_id")


def _is_of_search(crawl: Any) -> ColumnElement[bool]:
    """Select the pages that the window's last search has brought so far."""
    searched_at = select(CrawlWindow.begun_at).where(_is_of_window(CrawlWindow.__table__.c.id))
    return and_(
        _is_of_window(crawl.c.crawl_window_id), crawl.c.received_at >= searched_at.scalar_subquery()
    )


def _forget(_statements: Statements) -> Executable:
    return delete(_DAYS).where(_is_of_window(_DAYS.c.crawl_window_id))


def _days_of_window(_statements: Statements) -> Executable:
    columns = [*_DAYS.c][1:]
    return select(*columns).where(_is_of_window(_DAYS.c.crawl_window_id))


def _oldest_of_page_before(_statements: Statements) -> Executable:
    is_before = _CRAWL.c.cursor < bindparam("cursor")
    before = select(func.max(_CRAWL.c.id)).where(_is_of_search(_CRAWL), is_before)
    page = VIDEOS_TO_CRAWLS.c.crawl_id == before.scalar_subquery()
    return select(func.min(_VIDEO_ID)).where(page)


def _ids_between(_statements: Statements) -> Executable:
    pages = select(_CRAWL.c.id).where(_is_of_search(_CRAWL), _CRAWL.c.id != bindparam("crawl_id"))
    return select(_VIDEO_ID).where(
        VIDEOS_TO_CRAWLS.c.crawl_id.in_(pages),
        _VIDEO_ID.between(bindparam("oldest"), bindparam("newest")),
    )
