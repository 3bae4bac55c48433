"""Writes one page inside a transaction: videos, links, tags, crawl, and the window's checkpoint."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, literal_column, null, or_, select, update

from tiktok_crawler.storage.changes import LINKS, Change, changed, is_late, repeats
from tiktok_crawler.storage.column_types import time_text
from tiktok_crawler.storage.models import (
    CRAWLS_TO_QUERY_TAGS,
    UNFINISHED,
    VIDEOS_TO_CRAWLS,
    VIDEOS_TO_QUERY_TAGS,
    Crawl,
    CrawlWindow,
    WindowState,
)
from tiktok_crawler.storage.names import TAGS
from tiktok_crawler.storage.readings import Readings
from tiktok_crawler.storage.revisions import Revisions
from tiktok_crawler.storage.stored_videos import StoredVideos, seen_state
from tiktok_crawler.storage.text import clean_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from sqlalchemy import ColumnElement, Connection, Executable, Table, Update

    from tiktok_crawler.items import ListPage, Page
    from tiktok_crawler.storage.changes import VideoState
    from tiktok_crawler.storage.records import Record
    from tiktok_crawler.storage.statements import Statements, Values


@dataclass(frozen=True, slots=True)
class VideoWriter:
    """Writes the videos of a page with the ids of their names, by the keys of `LINKS` and `TAGS`.

    All writers go through the tables in one order and write rows in sorted order. A video's row,
    which every writer who changes the video locks, guards what belongs to it.
    """

    connection: Connection
    statements: Statements
    ids: Mapping[str, Mapping[str, int]]
    page: Page | ListPage

    def write_videos(self, crawl_id: int, videos: Sequence[Record]) -> tuple[int, int]:
        """Write videos, which come sorted by id, and tag them and the page.

        Returns:
            How many videos are new, and of how many others the values changed.
        """
        received_at = time_text(self.page.received_at)
        changes = self._write_videos([seen_state(v, received_at, self.ids) for v in videos])
        Readings(self.connection, self.statements).write(changes, crawl_id)
        Revisions(self.connection, self.statements).write(changes, crawl_id)
        brought = [(crawl_id, video.id) for video in videos]
        self.statements.append(self.connection, tuple(VIDEOS_TO_CRAWLS.columns), brought)
        self.tag(crawl_id, videos)
        new_count = sum(change.before is None for change in changes)
        return new_count, sum(change.is_update for change in changes)

    def tag(self, crawl_id: int, videos: Sequence[Record] = ()) -> None:
        """Give the run's tags to the page, and to videos."""
        tag_ids = sorted(self.ids[TAGS].values())
        self._add(CRAWLS_TO_QUERY_TAGS, ((crawl_id, tag_id) for tag_id in tag_ids))
        self._add(VIDEOS_TO_QUERY_TAGS, ((t, video.id) for t in tag_ids for video in videos))

    def _write_videos(self, seen: Sequence[VideoState]) -> list[Change]:
        """Write the videos that are new or have changed.

        The new ones come first: a writer who waits for another one's holds no lock then that the
        other could be waiting for.
        """
        videos = StoredVideos(self.connection, self.statements)
        stored = videos.read(state.id for state in seen)
        new_ids = videos.insert([state for state in seen if state.id not in stored])
        suspects = [
            state
            for state in seen
            if state.id not in new_ids
            and not (state.id in stored and repeats(stored[state.id], state))
        ]
        changes = [Change(None, state, state) for state in seen if state.id in new_ids]
        changes += self._compare(suspects, videos.read_again(suspects, stored))
        changes.sort(key=lambda change: change.id)
        videos.replace([change.after for change in changes if change.is_rewrite])
        videos.link(changes)
        return changes

    def _compare(
        self, seen: Sequence[VideoState], stored: Mapping[int, VideoState]
    ) -> Iterator[Change]:
        late = [state.id for state in seen if is_late(stored[state.id], state)]
        revisions = Revisions(self.connection, self.statements)
        unlinked = revisions.unlinked_since(self.page.received_at, late) if late else set()
        for state in seen:
            links = zip(LINKS, state.links, strict=True)
            known = [None if (state.id, key) in unlinked else ids for key, ids in links]
            yield changed(stored[state.id], state._replace(links=tuple(known)))

    def _add(self, table: Table, rows: Iterable[Values]) -> None:
        self.statements.add(self.connection, tuple(table.columns), list(rows))


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
    crawl = statements.insert(Crawl.__table__).values(
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
