"""Writes one page of a listing inside a transaction: its records, crawl, and seed's checkpoint."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tiktok_crawler.research_api.endpoints import (
    FOLLOWERS,
    FOLLOWING,
    LIKED_VIDEOS,
    PINNED_VIDEOS,
    PLAYLISTS,
    REPOSTED_VIDEOS,
)
from tiktok_crawler.storage.engine.text import clean_text
from tiktok_crawler.storage.ledger.tasks import Tasks
from tiktok_crawler.storage.listing_records import LISTED, playlist_video_ids, seed_value
from tiktok_crawler.storage.models.base import VideoList
from tiktok_crawler.storage.models.column_types import time_text
from tiktok_crawler.storage.models.ledger import Crawl
from tiktok_crawler.storage.models.records import (
    Account,
    PlaylistVideo,
    UserRelation,
    UserVideo,
)
from tiktok_crawler.storage.records.record_type import USER
from tiktok_crawler.storage.records.shape import Record
from tiktok_crawler.storage.records.stored_records import StoredRecords
from tiktok_crawler.storage.records.user_history import write_history
from tiktok_crawler.storage.records.video_writer import VideoWriter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tiktok_crawler.research_api.pages import Page
    from tiktok_crawler.storage.records.shape import Records

VIDEO_LISTS = {
    LIKED_VIDEOS.name: VideoList.LIKED,
    PINNED_VIDEOS.name: VideoList.PINNED,
    REPOSTED_VIDEOS.name: VideoList.REPOSTED,
}

Counts = tuple[int, int]


@dataclass(frozen=True, slots=True)
class ListWriter(VideoWriter):
    """Writes a page of a listing, and moves its seed on."""

    page: Page

    def write(self, read: Records, *, moves_on: bool) -> Counts:
        """Write the page and its records; the seed stays where it is, unless it moves on.

        Returns:
            How many records are new, and of how many others the values changed; of a page that is
            stored already, nothing.
        """
        crawl_id = self._add_crawl()
        if crawl_id is None:
            return 0, 0
        counts = self._write_records(crawl_id, read)
        if moves_on:
            Tasks(self.connection, self.statements).page_came(self.page)
        return counts

    def _add_crawl(self) -> int | None:
        page, request = self.page, self.page.request
        crawl = self.statements.insert_into(Crawl.__table__).values(
            seed_id=request.task.row_id,
            cursor=request.place.cursor,
            next_cursor=page.cursor,
            has_more=page.has_more,
            max_count=request.max_count,
            video_count=len(page.records),
            log_id=clean_text(page.log_id),
            crawl_started_at=page.received_at,
        )
        return self.connection.scalar(crawl.on_conflict_do_nothing().returning(Crawl.id))

    def _write_records(self, crawl_id: int, read: Records) -> Counts:
        name = self.page.request.seed.listing.name
        if name in VIDEO_LISTS:
            counts = self.write_videos(crawl_id, read.in_order())
            self._see_videos(VIDEO_LISTS[name], list(read.by_id))
            return counts
        self.tag(crawl_id)
        if name in (FOLLOWERS.name, FOLLOWING.name):
            read.by_id.setdefault(self._seed, Record(self._seed))
        counts = self._write_kind(crawl_id, read)
        if name in (FOLLOWERS.name, FOLLOWING.name):
            self._see_relations(list(read.by_id))
        elif name == PLAYLISTS.name:
            self._see_playlist(list(read.by_id))
        return counts

    @property
    def _seed(self) -> Any:
        return seed_value(self.page)

    def _write_kind(self, crawl_id: int, read: Records) -> Counts:
        kind = LISTED[self.page.request.seed.listing.name].kind
        states = [kind.state(r, self._received_at, crawl_id) for r in read.in_order()]
        written = StoredRecords(self.connection, self.statements, kind).write(states)
        if kind is USER:
            write_history(self.connection, self.statements, written)
        differ = kind.comparison.differ
        return (
            sum(before is None for before, _, _ in written),
            sum(before is not None and differ(before, after) for before, _, after in written),
        )

    @property
    def _received_at(self) -> str:
        return time_text(self.page.received_at)

    def _see_relations(self, usernames: Sequence[str]) -> None:
        """Write who follows whom: pairs of the accounts of the page with that of the seed."""
        is_followed = self.page.request.seed.listing.name == FOLLOWERS.name
        ids = self.statements.find_names(
            self.connection, Account.__table__.c.username, tuple(usernames)
        )
        seed_id = ids[self._seed]
        listed = [ids[name] for name in usernames if name != self._seed]
        pairs = [(id_, seed_id) if is_followed else (seed_id, id_) for id_ in listed]
        self._see(UserRelation, sorted(pairs))

    def _see_videos(self, kind: VideoList, video_ids: Sequence[int]) -> None:
        first = self.page.request.place.received + 1
        places = sorted((id_, first + place) for place, id_ in enumerate(video_ids))
        self._see(UserVideo, [(self._seed, kind.value, *place) for place in places])

    def _see_playlist(self, playlist_ids: Sequence[int]) -> None:
        first, video_ids = self.page.request.place.cursor + 1, playlist_video_ids(self.page)
        places = sorted((id_, first + place) for place, id_ in enumerate(video_ids))
        for playlist_id in playlist_ids:
            self._see(PlaylistVideo, [(playlist_id, *place) for place in places])

    def _see(self, model: Any, rows: Sequence[tuple[Any, ...]]) -> None:
        times = (self._received_at, self._received_at)
        columns = tuple(model.__table__.columns)
        self.statements.upsert_sightings(self.connection, columns, [(*row, *times) for row in rows])
