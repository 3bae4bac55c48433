"""Writes one page inside a transaction: videos, links, tags, crawl, and the window's checkpoint."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select, update

from tiktok_crawler.storage.models import (
    CRAWLS_TO_QUERY_TAGS,
    UNFINISHED,
    VIDEOS_TO_CRAWLS,
    VIDEOS_TO_EFFECT_IDS,
    VIDEOS_TO_HASHTAGS,
    VIDEOS_TO_QUERY_TAGS,
    Crawl,
    CrawlWindow,
    WindowState,
)
from tiktok_crawler.storage.statements import VIDEO_COLUMNS
from tiktok_crawler.storage.text import clean_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from sqlalchemy import Connection, Row, Table

    from tiktok_crawler.items import Page
    from tiktok_crawler.storage.records import Video
    from tiktok_crawler.storage.statements import Statements, Values

LINKS = {"hashtag_names": VIDEOS_TO_HASHTAGS, "effect_ids": VIDEOS_TO_EFFECT_IDS}
"""The tables that hold lists of names, by the API's key."""

TAGS = "tags"


@dataclass(frozen=True, slots=True)
class PageWriter:
    """Writes a page with the ids of its names, by the keys of `LINKS` and `TAGS`.

    All writers go through the tables in one order and write rows in sorted order. A video's row,
    which every writer of the video locks, guards what belongs to it.
    """

    connection: Connection
    statements: Statements
    page: Page
    ids: Mapping[str, Mapping[str, int]]

    def write(self, videos: Sequence[Video]) -> tuple[int, int]:
        """Write the page and its videos, which come sorted by id.

        Returns:
            How many videos are new, and of how many others the values changed; of a page that is
            stored already, nothing.
        """
        window = self._window()
        crawl_id = self._add_crawl(window.query_id)
        if crawl_id is None:
            return 0, 0
        if window.state not in UNFINISHED:
            raise RuntimeError(f"a page of window {window.id}, which is {window.state}, came in")
        new_ids, updated_count = self._upsert(videos)
        for key in LINKS:
            self._link(key, videos, new_ids)
        self._add(VIDEOS_TO_CRAWLS, ((crawl_id, video.id) for video in videos))
        self._tag(crawl_id, videos)
        self._move_on()
        return len(new_ids), updated_count

    def _window(self) -> Row[int, int, WindowState]:
        """The page's window, which nobody else changes until the transaction ends."""
        window = select(CrawlWindow.id, CrawlWindow.query_id, CrawlWindow.state)
        return self.connection.execute(
            window.where(CrawlWindow.id == self.page.request.window_id).with_for_update(
                key_share=True
            )
        ).one()

    def _add_crawl(self, query_id: int) -> int | None:
        page, request = self.page, self.page.request
        crawl = self.statements.insert(Crawl.__table__).values(
            crawl_window_id=request.window_id,
            query_id=query_id,
            cursor=request.cursor,
            next_cursor=page.cursor,
            search_id=clean_text(page.search_id),
            has_more=page.has_more,
            max_count=request.max_count,
            video_count=len(page.records),
            log_id=clean_text(page.log_id),
            crawl_started_at=page.received_at,
        )
        return self.connection.scalar(crawl.on_conflict_do_nothing().returning(Crawl.id))

    def _upsert(self, videos: Sequence[Video]) -> tuple[set[int], int]:
        rows = [self._video_row(video) for video in videos]
        return self.statements.upsert_videos(self.connection, rows)

    def _video_row(self, video: Video) -> Values:
        values = video.values | {
            "id": video.id,
            "extra_data": video.extra_data or None,
            "crawled_at": self.page.received_at,
        }
        return tuple(values.get(column.name) for column in VIDEO_COLUMNS)

    def _link(self, key: str, videos: Iterable[Video], new_ids: AbstractSet[int]) -> None:
        """Make a kind of links what the page says; a video without such a list keeps its own."""
        table, ids = LINKS[key], self.ids[key]
        video_id, _ = columns = tuple(table.columns)
        listed = [video for video in videos if key in video.names]
        wanted = {(video.id, ids[name]) for video in listed for name in video.names[key]}
        known_ids = {video.id for video in listed} - new_ids
        stored: set[Values] = set()
        if known_ids:
            among = self.statements.among(video_id, known_ids)
            stored = {tuple(row) for row in self.connection.execute(select(table).where(among))}
        self.statements.add(self.connection, columns, sorted(wanted - stored))
        self.statements.remove(self.connection, columns, sorted(stored - wanted))

    def _tag(self, crawl_id: int, videos: Iterable[Video]) -> None:
        tag_ids = sorted(self.ids[TAGS].values())
        self._add(CRAWLS_TO_QUERY_TAGS, ((crawl_id, tag_id) for tag_id in tag_ids))
        self._add(VIDEOS_TO_QUERY_TAGS, ((t, video.id) for t in tag_ids for video in videos))

    def _add(self, table: Table, rows: Iterable[Values]) -> None:
        self.statements.add(self.connection, tuple(table.columns), list(rows))

    def _move_on(self) -> None:
        """The window's checkpoint: where its next page starts, or that there is none."""
        page = self.page
        ending = {
            CrawlWindow.state: WindowState.COMPLETE,
            CrawlWindow.suspicious: page.suspicious,
            CrawlWindow.completed_at: page.received_at,
        }
        progress = {
            CrawlWindow.state: WindowState.OPEN,
            CrawlWindow.error: None,
            CrawlWindow.error_log_id: None,
            CrawlWindow.retry_at: None,
            CrawlWindow.cursor: page.cursor,
            CrawlWindow.search_id: clean_text(page.search_id),
            CrawlWindow.pages: CrawlWindow.pages + 1,
            CrawlWindow.videos: CrawlWindow.videos + len(page.records),
            CrawlWindow.last_page_at: page.received_at,
            CrawlWindow.updated_at: page.received_at,
        }
        self.connection.execute(
            update(CrawlWindow)
            .where(CrawlWindow.id == page.request.window_id)
            .values(progress if page.has_more else progress | ending)
        )
