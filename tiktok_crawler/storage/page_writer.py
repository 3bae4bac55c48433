"""Writes one page inside a transaction: videos, links, tags, crawl, and the window's checkpoint."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, literal_column, null, or_, select, update

from tiktok_crawler.planning.task_states import UNFINISHED, WindowState
from tiktok_crawler.storage.engine.text import clean_text
from tiktok_crawler.storage.models.column_types import time_text
from tiktok_crawler.storage.models.ledger import (
    Crawl,
    CrawlWindow,
)
from tiktok_crawler.storage.records.video_writer import VideoWriter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import ColumnElement, Executable, Update

    from tiktok_crawler.research_api.pages import Page
    from tiktok_crawler.storage.engine.statements import Statements
    from tiktok_crawler.storage.records.shape import Record


@dataclass(frozen=True, slots=True)
class PageWriter(VideoWriter):
    """Writes a page of a search, and moves its window on."""

    page: Page

    def write(self, videos: Sequence[Record]) -> tuple[int, int]:
        """Write the page and its videos, which come sorted by id.

        Returns:
            As `write_videos`; of a page that is stored already, nothing.
        """
        crawl_id = self._add_crawl()
        if crawl_id is None:
            return 0, 0
        counts = self.write_videos(crawl_id, videos)
        self._move_on()
        return counts

    def _add_crawl(self) -> int | None:
        page, request = self.page, self.page.request
        values = {
            "crawl_window_id": request.window_id,
            "window_id": request.window_id,
            "cursor": request.cursor,
            "next_cursor": page.cursor,
            "search_id": clean_text(page.search_id),
            "has_more": page.has_more,
            "max_count": request.max_count,
            "video_count": len(page.records),
            "log_id": clean_text(page.log_id),
            "crawl_started_at": time_text(page.received_at),
        }
        return self.statements.run(self.connection, _new_crawl, values).scalar()

    def _move_on(self) -> None:
        """The window's checkpoint: where its next page starts, or that there is none."""
        page, window_id = self.page, self.page.request.window_id
        values = {
            "window_id": window_id,
            "next_cursor": page.cursor,
            "next_search_id": clean_text(page.search_id),
            "video_count": len(page.records),
            "received_at": time_text(page.received_at),
            "is_suspicious": page.suspicious,
        }
        build = _window_with_page if page.has_more else _window_with_last_page
        if not self.statements.run(self.connection, build, values).rowcount:
            window = select(CrawlWindow.state).where(CrawlWindow.id == window_id)
            state = self.connection.scalar(window)
            raise RuntimeError(f"a page of window {window_id}, which is {state}, came in")


def _new_crawl(statements: Statements) -> Executable:
    window = select(CrawlWindow.query_id).where(CrawlWindow.id == bindparam("window_id"))
    given: dict[str, Any] = {
        column.name: bindparam(column.name)
        for column in Crawl.__table__.columns
        if column.name not in ("id", "query_id", "seed_id")
    }
    crawl = statements.insert_into(Crawl.__table__).values(
        given | {"query_id": window.scalar_subquery()}
    )
    return crawl.on_conflict_do_nothing().returning(Crawl.id)


def _window_with_page(_statements: Statements) -> Update:
    # Constants are in the text: the driver gets no values but those of `run`.
    return (
        update(CrawlWindow)
        .where(
            CrawlWindow.id == bindparam("window_id"),
            or_(*(CrawlWindow.state == _literal(state) for state in UNFINISHED)),
        )
        .values(
            state=_literal(WindowState.OPEN),
            error=null(),
            error_log_id=null(),
            retry_at=null(),
            cursor=bindparam("next_cursor"),
            search_id=bindparam("next_search_id"),
            pages=CrawlWindow.pages + literal_column("1"),
            videos=CrawlWindow.videos + bindparam("video_count"),
            last_page_at=bindparam("received_at"),
            updated_at=bindparam("received_at"),
        )
    )


def _literal(state: WindowState) -> ColumnElement[WindowState]:
    return literal_column(f"'{state.value}'")


def _window_with_last_page(statements: Statements) -> Update:
    return _window_with_page(statements).values(
        state=_literal(WindowState.COMPLETE),
        suspicious=bindparam("is_suspicious"),
        completed_at=bindparam("received_at"),
    )
