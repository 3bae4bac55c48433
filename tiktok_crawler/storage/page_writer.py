"""Writes one page inside a transaction: videos, links, tags, crawl, and the window's checkpoint."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, select

from tiktok_crawler.storage.engine.text import clean_text
from tiktok_crawler.storage.ledger.tasks import Tasks
from tiktok_crawler.storage.models.column_types import time_text
from tiktok_crawler.storage.models.ledger import (
    Crawl,
    CrawlWindow,
)
from tiktok_crawler.storage.records.video_writer import VideoWriter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Executable

    from tiktok_crawler.research_api.pages import Page
    from tiktok_crawler.storage.engine.statements import Statements
    from tiktok_crawler.storage.records.shape import Record


@dataclass(frozen=True, slots=True)
class PageWriter(VideoWriter):
    """Writes a page of a search, and moves its window on."""

    page: Page

    def write(self, videos: Sequence[Record], *, moves_on: bool) -> tuple[int, int]:
        """Write the page and its videos, which come sorted by id.

        Returns:
            As `write_videos`; of a page that is stored already, nothing.
        """
        crawl_id = self._add_crawl()
        if crawl_id is None:
            return 0, 0
        counts = self.write_videos(crawl_id, videos)
        if moves_on:
            Tasks(self.connection, self.statements).page_came(self.page)
        return counts

    def _add_crawl(self) -> int | None:
        page, request = self.page, self.page.request
        values = {
            "crawl_window_id": request.task.row_id,
            "window_id": request.task.row_id,
            "cursor": request.place.cursor,
            "next_cursor": page.cursor,
            "search_id": clean_text(page.search_id),
            "has_more": page.has_more,
            "max_count": request.max_count,
            "video_count": len(page.records),
            "log_id": clean_text(page.log_id),
            "crawl_started_at": time_text(page.received_at),
        }
        return self.statements.run(self.connection, _new_crawl, values).scalar()


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
