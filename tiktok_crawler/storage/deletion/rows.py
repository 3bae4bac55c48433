"""Deletes records, and all rows that hang on them, inside a transaction."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, delete, or_, select, update
from sqlalchemy.orm import aliased

from tiktok_crawler.planning.checks import RecordKind
from tiktok_crawler.planning.task_states import UNFINISHED, WindowState
from tiktok_crawler.research_api.endpoints import LISTINGS, SeedKey
from tiktok_crawler.storage.models.existence import ComplianceCheck, ComplianceCheckRecord
from tiktok_crawler.storage.models.ledger import (
    VIDEOS_TO_CRAWLS,
    VIDEOS_TO_QUERY_TAGS,
    Crawl,
    CrawlWindow,
    SeedRow,
)
from tiktok_crawler.storage.models.records import (
    VIDEOS_TO_EFFECT_IDS,
    VIDEOS_TO_HASHTAGS,
    Account,
    Comment,
    Playlist,
    PlaylistVideo,
    UserInfo,
    UserInfoHistory,
    UserRelation,
    UserVideo,
    Video,
    VideoRevision,
    VideoStatistics,
)
from tiktok_crawler.storage.records.leaving_out import Key, playlist, seed_stand_in, user

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from sqlalchemy import Column, Connection, Table

    from tiktok_crawler.storage.engine.statements import Statements
    from tiktok_crawler.storage.records.leaving_out import Deleted

OF_VIDEOS: tuple[Table, ...] = (
    VideoStatistics.__table__,
    VideoRevision.__table__,
    VIDEOS_TO_HASHTAGS,
    VIDEOS_TO_EFFECT_IDS,
    VIDEOS_TO_CRAWLS,
    VIDEOS_TO_QUERY_TAGS,
    UserVideo.__table__,
    PlaylistVideo.__table__,
)
"""The tables whose rows are about a video, in the order in which they are emptied."""

SPEAKS_FOR_DAYS = or_(
    CrawlWindow.state == WindowState.COMPLETE,
    and_(CrawlWindow.state.in_(UNFINISHED), CrawlWindow.pages > 0),
)
"""A window covers its days, or those down to which its pages have come."""

EDGES = 10_000
"""So many edges of an account go in one transaction."""


@dataclass(slots=True)
class Names:
    """The numbers of the hashtags and effects that deleted videos had."""

    hashtags: set[int] = field(default_factory=set)
    effects: set[int] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Rows:
    """Deletes rows, counted by table; `deleted` gives what stays in the place of seeds."""

    connection: Connection
    statements: Statements
    deleted: Deleted
    names: Names
    counts: Counter[str] = field(default_factory=Counter)

    def videos(self, ids: Sequence[int]) -> int:
        """Delete videos, which come sorted, with the comments under them.

        Returns:
            How many were there.
        """
        self._note_names(ids)
        comments = Comment.__table__.c
        under = or_(
            self._among(comments.video_id, ids), self._among(comments.parent_comment_id, ids)
        )
        found = self.connection.scalars(select(comments.id).where(under))
        self.comments(sorted(found))
        for table in OF_VIDEOS:
            self._delete(table, table.c.video_id, ids)
        self._rename_seeds(SeedKey.VIDEO_ID, partial(Key, RecordKind.VIDEO), ids)
        self._forget_checks(RecordKind.VIDEO, ids)
        return self._delete(Video.__table__, Video.__table__.c.id, ids)

    def comments(self, ids: Sequence[int]) -> int:
        """Delete comments, which come sorted, with the replies to them.

        Returns:
            How many were there, without the replies.
        """
        table = Comment.__table__
        own, count = set(ids), 0
        generation = list(ids)
        while generation:
            replies = select(table.c.id).where(self._among(table.c.parent_comment_id, generation))
            following = sorted(set(self.connection.scalars(replies)) - own)
            deleted = self._delete(table, table.c.id, generation)
            count = count or deleted
            self._rename_seeds(SeedKey.COMMENT_ID, partial(Key, RecordKind.COMMENT), generation)
            self._forget_checks(RecordKind.COMMENT, generation)
            own.update(following)
            generation = following
        return count

    def still_gone(self, key: Column[Any], values: Sequence[Any]) -> list[Any]:
        """Return those of some records that are gone yet, and let nobody bring them back now."""
        table = key.table.c
        is_gone = table.missing_since.is_not(None), table.gone_at.is_not(None)
        found = select(key).where(self._among(key, values), *is_gone).order_by(key)
        return list(self.connection.scalars(found.with_for_update()))

    def not_brought_since(self, ids: Sequence[int], page: int) -> list[int]:
        """Return those of some videos that no page after one has brought."""
        pages = VIDEOS_TO_CRAWLS.c
        later = select(pages.video_id).where(self._among(pages.video_id, ids))
        brought = set(self.connection.scalars(later.where(pages.crawl_id > page)))
        return [id_ for id_ in ids if id_ not in brought]

    def not_under_brought(self, ids: Sequence[int], page: int) -> list[int]:
        """Return those of some comments that are not under videos that a page after one brought."""
        pages, comments = VIDEOS_TO_CRAWLS.c, Comment.__table__.c
        brought = select(pages.video_id).where(pages.crawl_id > page)
        under = select(comments.id).where(
            self._among(comments.id, ids), comments.video_id.in_(brought)
        )
        stay = set(self.connection.scalars(under))
        return [id_ for id_ in ids if id_ not in stay]

    def edges(self, username: str) -> int:
        """Delete the next edges of an account; they are no records."""
        table = UserRelation.__table__
        id_ = select(Account.id).where(Account.username == username).scalar_subquery()
        pairs: list[Any] = []
        for column in (table.c.follower_id, table.c.followed_id):
            edges = select(table.c.follower_id, table.c.followed_id).where(column == id_)
            pairs += self.connection.execute(edges.order_by(*table.primary_key).limit(EDGES))
        rows = sorted(set(map(tuple, pairs)))[:EDGES]
        columns = (table.c.follower_id, table.c.followed_id)
        self.statements.remove(self.connection, columns, rows)
        self.counts[table.name] += len(rows)
        return 0

    def user(self, username: str) -> int:
        """Delete what is left of a user: the profile, the account without its edges, the lists.

        Returns:
            How many rows that were.
        """
        names, records = [username], (UserInfoHistory, UserInfo, Account, UserVideo)
        tables = (record.__table__ for record in records)
        count = sum(self._delete(table, table.c.username, names) for table in tables)
        self._rename_seeds(SeedKey.USERNAME, user, names)
        return count

    def playlists(self, ids: Sequence[int]) -> None:
        """Delete playlists, with the ids of their videos, whether these were collected or not."""
        self._delete(PlaylistVideo.__table__, PlaylistVideo.__table__.c.playlist_id, ids)
        self._delete(Playlist.__table__, Playlist.__table__.c.id, ids)
        self._rename_seeds(SeedKey.PLAYLIST_ID, playlist, ids)

    def profile(self, username: str) -> int:
        """Delete a profile alone, with the past of its values.

        Returns:
            How many were there.
        """
        names = [username]
        self._delete(UserInfoHistory.__table__, UserInfoHistory.__table__.c.username, names)
        return self._delete(UserInfo.__table__, UserInfo.__table__.c.username, names)

    def accounts(self, usernames: Sequence[str]) -> None:
        """Delete accounts that have no edges any more."""
        self._delete(Account.__table__, Account.__table__.c.username, usernames)

    def _delete(self, table: Table, column: Column[Any], values: Collection[Any]) -> int:
        count = self.connection.execute(delete(table).where(self._among(column, values))).rowcount
        self.counts[table.name] += count
        return count

    def _note_names(self, ids: Sequence[int]) -> None:
        """Note which hashtags and effects may be nobody's from now on."""
        for table, noted in (
            (VIDEOS_TO_HASHTAGS, self.names.hashtags),
            (VIDEOS_TO_EFFECT_IDS, self.names.effects),
        ):
            video_id, name_id = table.columns
            linked = select(name_id).where(self._among(video_id, ids)).distinct()
            noted.update(self.connection.scalars(linked))

    def _rename_seeds(
        self, key: SeedKey, record_of: Callable[[str], Key], values: Iterable[Any]
    ) -> None:
        """Let seeds stand for nobody: their pages stay, and what these say of others."""
        table = SeedRow.__table__
        listings = [listing.name for listing in LISTINGS.values() if listing.seed_key is key]
        texts = [str(value) for value in values]
        named = select(table.c.id, table.c.seed).where(
            table.c.listing.in_(listings), self._among(table.c.seed, texts)
        )
        for row_id, seed in self.connection.execute(named.order_by(table.c.id)).all():
            stand_in = seed_stand_in(record_of(seed), self.deleted)
            if self._is_seed(row_id, stand_in):
                # The same name, spelled in another way.
                stand_in = f"{stand_in}-{row_id}"
            rename = update(table).where(table.c.id == row_id).values(seed=stand_in)
            self.connection.execute(rename)
            self.counts[f"{table.name}.changed"] += 1

    def _is_seed(self, row_id: int, text: str) -> bool:
        """Tell whether the listing of a row has another seed that is called so."""
        table = SeedRow.__table__
        listing = select(table.c.listing).where(table.c.id == row_id).scalar_subquery()
        found = select(table.c.id).where(table.c.listing == listing, table.c.seed == text)
        return self.connection.scalar(found) is not None

    def _forget_checks(self, kind: RecordKind, ids: Sequence[int]) -> None:
        """Let no check ask about what is deleted."""
        table = ComplianceCheckRecord.__table__
        checks = select(ComplianceCheck.id).where(ComplianceCheck.kind == kind)
        forget = delete(table).where(
            table.c.check_id.in_(checks), self._among(table.c.record_id, ids)
        )
        self.connection.execute(forget)

    def _among(self, column: Any, values: Collection[Any]) -> Any:
        return self.statements.among(column, values)


def windows_of(connection: Connection, statements: Statements, ids: Sequence[int]) -> set[int]:
    """Return the windows that speak for days because of pages that brought some videos.

    Pages of a search that the API has lost have brought the days of another window.
    """
    pages, part = VIDEOS_TO_CRAWLS.c, aliased(CrawlWindow)
    brought = (
        select(Crawl.crawl_window_id)
        .join(VIDEOS_TO_CRAWLS, pages.crawl_id == Crawl.id)
        .where(statements.among(pages.video_id, ids), Crawl.crawl_window_id.is_not(None))
    )
    own = select(CrawlWindow.id).where(CrawlWindow.id.in_(brought), SPEAKS_FOR_DAYS)
    of_lost = (
        select(part.id)
        .join(CrawlWindow, CrawlWindow.query_id == part.query_id)
        .where(
            CrawlWindow.id.in_(brought),
            CrawlWindow.state == WindowState.SPLIT,
            part.state == WindowState.COMPLETE,
            part.pages == 0,
            part.start_date >= CrawlWindow.start_date,
            part.end_date <= CrawlWindow.end_date,
        )
    )
    return {*connection.scalars(own), *connection.scalars(of_lost)}
