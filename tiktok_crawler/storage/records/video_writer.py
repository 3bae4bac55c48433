"""Writes the videos of a page inside a transaction: rows, links, history and tags."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tiktok_crawler.storage.models.column_types import time_text
from tiktok_crawler.storage.models.ledger import (
    CRAWLS_TO_QUERY_TAGS,
    VIDEOS_TO_CRAWLS,
    VIDEOS_TO_QUERY_TAGS,
)
from tiktok_crawler.storage.records.counter_history import CounterHistory
from tiktok_crawler.storage.records.names import TAGS
from tiktok_crawler.storage.records.stored_videos import StoredVideos, seen_state
from tiktok_crawler.storage.records.value_history import ValueHistory
from tiktok_crawler.storage.records.video_changes import LINKS, Change, changed, is_late, repeats

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from sqlalchemy import Connection, Table

    from tiktok_crawler.research_api.pages import Page
    from tiktok_crawler.storage.engine.statements import Statements, Values
    from tiktok_crawler.storage.records.shape import Record
    from tiktok_crawler.storage.records.video_changes import VideoState


@dataclass(frozen=True, slots=True)
class VideoWriter:
    """Writes the videos of a page with the ids of their names, by the keys of `LINKS` and `TAGS`.

    All writers go through the tables in one order and write rows in sorted order. A video's row,
    which every writer who changes the video locks, guards what belongs to it.
    """

    connection: Connection
    statements: Statements
    ids: Mapping[str, Mapping[str, int]]
    page: Page

    def write_videos(self, crawl_id: int, videos: Sequence[Record]) -> tuple[int, int]:
        """Write videos, which come sorted by id, and tag them and the page.

        Returns:
            How many videos are new, and of how many others the values changed.
        """
        received_at = time_text(self.page.received_at)
        changes = self._write_videos([seen_state(v, received_at, self.ids) for v in videos])
        CounterHistory(self.connection, self.statements).write(changes, crawl_id)
        ValueHistory(self.connection, self.statements).write(changes, crawl_id)
        brought = [(crawl_id, video.id) for video in videos]
        self.statements.insert(self.connection, tuple(VIDEOS_TO_CRAWLS.columns), brought)
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
        revisions = ValueHistory(self.connection, self.statements)
        unlinked = revisions.unlinked_since(self.page.received_at, late) if late else set()
        for state in seen:
            links = zip(LINKS, state.links, strict=True)
            known = [None if (state.id, key) in unlinked else ids for key, ids in links]
            yield changed(stored[state.id], state._replace(links=tuple(known)))

    def _add(self, table: Table, rows: Iterable[Values]) -> None:
        self.statements.insert_missing(self.connection, tuple(table.columns), list(rows))
