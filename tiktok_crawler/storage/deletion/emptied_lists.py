"""Finds the seeds whose lists lose records by a deletion: what they list is missing then."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import aliased

from tiktok_crawler.batches import batched
from tiktok_crawler.planning.task_states import SeedState
from tiktok_crawler.research_api.endpoints import (
    COMMENTS,
    FOLLOWERS,
    FOLLOWING,
    LIKED_VIDEOS,
    PINNED_VIDEOS,
    PLAYLISTS,
    REPLIES,
    REPOSTED_VIDEOS,
    USERS,
)
from tiktok_crawler.storage.engine.statements import statements_for
from tiktok_crawler.storage.models.base import VideoList
from tiktok_crawler.storage.models.ledger import SeedRow
from tiktok_crawler.storage.models.records import (
    Account,
    Comment,
    PlaylistVideo,
    UserRelation,
    UserVideo,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Connection, Select

    from tiktok_crawler.research_api.endpoints import Listing

READ_AT_ONCE = 10_000

LISTS = {
    VideoList.LIKED: LIKED_VIDEOS,
    VideoList.PINNED: PINNED_VIDEOS,
    VideoList.REPOSTED: REPOSTED_VIDEOS,
}

HAS_LISTED = or_(
    SeedRow.state == SeedState.COMPLETE,
    SeedRow.pages > 0,
    and_(SeedRow.state == SeedState.REFUSED, SeedRow.listing == USERS.name),
)
"""A seed has brought records; that there is no profile is one, too."""


def emptied_lists(
    connection: Connection,
    videos: Sequence[int],
    comments: Sequence[int] = (),
    profiles: Sequence[str] = (),
) -> frozenset[int]:
    """Return the rows of seeds that have listed some of these records, which come in order.

    Videos and comments that go themselves are no seeds any more.
    """
    lists = _Lists(connection, videos, comments)
    for ids in batched(videos, READ_AT_ONCE):
        lists.with_videos(ids)
    for ids in batched(comments, READ_AT_ONCE):
        lists.with_comments(ids)
    for names in batched(profiles, READ_AT_ONCE):
        lists.with_accounts(names)
    return frozenset(lists.found)


@dataclass(frozen=True, slots=True)
class _Lists:
    """Notes the seeds of records."""

    connection: Connection
    videos: Sequence[int]
    comments: Sequence[int]
    found: set[int] = field(default_factory=set)

    def with_videos(self, ids: Sequence[int]) -> None:
        for kind, listing in LISTS.items():
            listed = self._among(UserVideo.__table__.c.video_id, ids), UserVideo.kind == kind
            self._note(listing, self._texts(select(UserVideo.username).where(*listed)))
        listed = self._among(PlaylistVideo.__table__.c.video_id, ids)
        self._note(PLAYLISTS, self._texts(select(PlaylistVideo.playlist_id).where(listed)))

    def with_comments(self, ids: Sequence[int]) -> None:
        listed = self._among(Comment.__table__.c.id, ids)
        rows = select(Comment.video_id, Comment.parent_comment_id).where(listed).distinct()
        left = [row for row in self.connection.execute(rows) if not has(self.videos, row.video_id)]
        parents = {row.parent_comment_id for row in left} - {None}
        self._note(COMMENTS, {str(row.video_id) for row in left})
        self._note(REPLIES, {str(id_) for id_ in parents if not has(self.comments, id_)})

    def with_accounts(self, names: Sequence[str]) -> None:
        for listing in (USERS, FOLLOWERS, FOLLOWING):
            self._note(listing, names)
        gone, other = Account.__table__.alias(), aliased(Account)
        others = select(other.username).where(self._among(gone.c.username, names))
        ends = (UserRelation.follower_id, UserRelation.followed_id)
        for listing, (gone_id, other_id) in ((FOLLOWERS, ends), (FOLLOWING, ends[::-1])):
            edges = others.join(UserRelation, other.id == other_id)
            self._note(listing, self._texts(edges.join(gone, gone.c.id == gone_id)))

    def _texts(self, seeds: Select[Any]) -> set[str]:
        return set(map(str, self.connection.scalars(seeds.distinct())))

    def _note(self, listing: Listing, seeds: Iterable[str]) -> None:
        for some in batched(seeds, READ_AT_ONCE):
            named = self._among(SeedRow.__table__.c.seed, some)
            rows = select(SeedRow.id).where(SeedRow.listing == listing.name, named, HAS_LISTED)
            self.found.update(self.connection.scalars(rows))

    def _among(self, column: Any, values: Sequence[Any]) -> Any:
        return statements_for(self.connection.dialect).among(column, values)


def has(in_order: Sequence[int], value: int | None) -> bool:
    """Tell whether one of some numbers is this one."""
    if value is None:
        return False
    place = bisect_left(in_order, value)
    return place < len(in_order) and in_order[place] == value
