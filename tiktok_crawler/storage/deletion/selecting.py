"""Finds what is to be deleted: what was named, or a query, a tag or an age has; and counts it.

All is read on one connection, which writes nothing.
"""

from __future__ import annotations

from array import array
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, func, or_, select, union

from tiktok_crawler.batches import batched
from tiktok_crawler.planning.checks import RemovalReason
from tiktok_crawler.storage.deletion.authors import count_nameless, playlists_of, works_of
from tiktok_crawler.storage.deletion.deletion import spellings
from tiktok_crawler.storage.deletion.emptied_lists import READ_AT_ONCE, emptied_lists, has
from tiktok_crawler.storage.deletion.rows import OF_VIDEOS, SPEAKS_FOR_DAYS, windows_of
from tiktok_crawler.storage.engine.statements import statements_for
from tiktok_crawler.storage.models.ledger import (
    CRAWLS_TO_QUERY_TAGS,
    VIDEOS_TO_CRAWLS,
    VIDEOS_TO_QUERY_TAGS,
    Crawl,
    CrawlWindow,
    QueryTag,
)
from tiktok_crawler.storage.models.records import (
    Account,
    Comment,
    Playlist,
    PlaylistVideo,
    UserInfo,
    UserInfoHistory,
    UserRelation,
    UserVideo,
    Video,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from datetime import datetime

    from sqlalchemy import Connection, Select, Table


def numbers(ids: Iterable[int] = ()) -> array[int]:
    return array("q", ids)


@dataclass(frozen=True, slots=True)
class Selected:
    """What is to be deleted, and why.

    `videos` and `comments` are in order. `users` are persons with all that is theirs, `profiles`
    what is asked about a name alone. The coverage of `windows` and `seeds` is taken back: what they
    brought is missing then. Videos that a page after `last_page` has brought stay. Of `nameless`
    videos nobody knows whether they are by one of the users.
    """

    why: RemovalReason
    videos: Sequence[int] = field(default_factory=numbers)
    comments: Sequence[int] = field(default_factory=numbers)
    users: Sequence[str] = ()
    profiles: Sequence[str] = ()
    windows: Collection[int] = ()
    seeds: Collection[int] = ()
    query_id: int | None = None
    last_page: int | None = None
    nameless: int = 0

    @property
    def is_empty(self) -> bool:
        return not (self.videos or self.comments or self.users or self.profiles or self.windows)


def named(
    connection: Connection,
    users: Sequence[str],
    videos: Iterable[int],
    comments: Iterable[int],
) -> Selected:
    """Select what persons ask to delete."""
    return Selected(
        RemovalReason.ASKED,
        videos=numbers(sorted(videos)),
        comments=numbers(sorted(comments)),
        users=users,
        nameless=count_nameless(connection, _spelled(connection, users)) if users else 0,
    )


def of_query(connection: Connection, query_ids: Collection[int]) -> Selected:
    """Select what only these queries have, with the coverage of all their days."""
    table, other_page, other = VIDEOS_TO_CRAWLS.c, VIDEOS_TO_CRAWLS.alias("others").c, Crawl
    statements = statements_for(connection.dialect)
    ours = statements.among(Crawl.__table__.c.query_id, query_ids)
    crawls = select(Crawl.id).where(ours)
    elsewhere = (
        select(other_page.video_id)
        .join(other, other.id == other_page.crawl_id)
        .where(
            other_page.video_id == table.video_id,
            or_(other.query_id.is_(None), ~ours),
        )
    )
    videos = select(table.video_id).where(table.crawl_id.in_(crawls), ~elsewhere.exists())
    in_order = videos.distinct().order_by(table.video_id)
    windows = select(CrawlWindow.id).where(
        statements.among(CrawlWindow.__table__.c.query_id, query_ids), SPEAKS_FOR_DAYS
    )
    ids = numbers(_stream(connection, in_order))
    return Selected(
        RemovalReason.QUERY,
        videos=ids,
        windows=frozenset(connection.scalars(windows)),
        seeds=emptied_lists(connection, ids),
        query_id=next(iter(query_ids)) if len(query_ids) == 1 else None,
    )


def of_tag(connection: Connection, tag: str) -> Selected | None:
    """Select the videos that have no other tag, and that no page without it brought.

    Returns:
        None, if there is no such tag.
    """
    tag_id = connection.scalar(select(QueryTag.id).where(QueryTag.name == tag))
    if tag_id is None:
        return None
    tagged, other = VIDEOS_TO_QUERY_TAGS.c, VIDEOS_TO_QUERY_TAGS.alias("others").c
    pages, of_page = VIDEOS_TO_CRAWLS.c, CRAWLS_TO_QUERY_TAGS.c
    has_other = select(other.video_id).where(
        other.video_id == tagged.video_id, other.query_tag_id != tag_id
    )
    with_tag = select(of_page.crawl_id).where(
        of_page.crawl_id == pages.crawl_id, of_page.query_tag_id == tag_id
    )
    without = select(pages.video_id).where(pages.video_id == tagged.video_id, ~with_tag.exists())
    videos = select(tagged.video_id).where(
        tagged.query_tag_id == tag_id, ~has_other.exists(), ~without.exists()
    )
    ids = numbers(_stream(connection, videos.order_by(tagged.video_id)))
    return Selected(
        RemovalReason.TAG,
        videos=ids,
        windows=_windows(connection, ids),
        seeds=emptied_lists(connection, ids),
    )


def older_than(connection: Connection, time: datetime) -> Selected:
    """Select what was first collected before a time: videos, comments, profiles and accounts."""
    videos = select(Video.id).where(Video.crawled_at < time).order_by(Video.id)
    comments = select(Comment.id).where(Comment.crawled_at < time).order_by(Comment.id)
    profiles = select(UserInfo.username).where(UserInfo.first_seen_at < time)
    accounts = select(Account.username).where(Account.crawled_at < time)
    ids, comment_ids = (numbers(_stream(connection, found)) for found in (videos, comments))
    either = union(profiles, accounts).subquery()
    names = list(connection.scalars(select(either.c.username)))
    return Selected(
        RemovalReason.AGE,
        videos=ids,
        comments=comment_ids,
        profiles=names,
        windows=_windows(connection, ids),
        seeds=emptied_lists(connection, ids, comment_ids, names),
    )


def gone(connection: Connection) -> Selected:
    """Select what is gone, however long."""
    videos = select(Video.id).where(Video.is_gone()).order_by(Video.id)
    comments = select(Comment.id).where(Comment.is_gone()).order_by(Comment.id)
    profiles = select(UserInfo.username).where(UserInfo.is_gone())
    return Selected(
        RemovalReason.GONE,
        videos=numbers(_stream(connection, videos)),
        comments=numbers(_stream(connection, comments)),
        profiles=sorted(connection.scalars(profiles)),
    )


def _spelled(connection: Connection, users: Iterable[str]) -> list[str]:
    return [name for some in spellings(connection, users).values() for name in some]


def _stream(connection: Connection, ids: Select[Any]) -> Iterable[int]:
    for block in statements_for(connection.dialect).stream(connection, ids, READ_AT_ONCE):
        for (id_,) in block:
            yield id_


def _windows(connection: Connection, ids: Sequence[int]) -> frozenset[int]:
    statements = statements_for(connection.dialect)
    found: set[int] = set()
    for batch in batched(ids, READ_AT_ONCE):
        found |= windows_of(connection, statements, batch)
    return frozenset(found)


def count(connection: Connection, selected: Selected) -> Counter[str]:
    """Count the rows that would go, by table, as far as that does not take long.

    Mentions in the records of others, and hashtags that nobody has any more, are not counted.
    """
    counts = Counter[str]()
    names = _spelled(connection, selected.users)
    counting = _Counting(connection, counts)
    videos = selected.videos
    if names:
        works = works_of(connection, names)
        videos = numbers(sorted({*videos, *works.videos}))
        counting.add_playlists(playlists_of(connection, works), videos)
    for ids in batched(videos, READ_AT_ONCE):
        for table in (Video.__table__, *OF_VIDEOS):
            column = table.c.id if table is Video.__table__ else table.c.video_id
            counting.add(table, column, ids)
        counting.add(Comment.__table__, Comment.__table__.c.video_id, ids)
    for ids in batched(selected.comments, READ_AT_ONCE):
        counting.add_comments(ids, selected.comments, videos)
    for some in batched((*names, *selected.profiles), READ_AT_ONCE):
        counting.add(UserInfo.__table__, UserInfo.__table__.c.username, some)
        counting.add(UserInfoHistory.__table__, UserInfoHistory.__table__.c.username, some)
        counting.add(UserVideo.__table__, UserVideo.__table__.c.username, some)
        counting.add(Account.__table__, Account.__table__.c.username, some)
        counting.add_edges(some)
    return Counter({name: number for name, number in counts.items() if number})


class _Counting:
    """Adds the rows of tables to counts."""

    def __init__(self, connection: Connection, counts: Counter[str]) -> None:
        self._connection = connection
        self._statements = statements_for(connection.dialect)
        self._counts = counts

    def add(self, table: Table, column: Any, values: Sequence[Any]) -> None:
        rows = select(func.count()).select_from(table)
        self._add(table, rows.where(self._statements.among(column, values)))

    def add_comments(
        self, ids: Sequence[int], comments: Sequence[int], videos: Sequence[int]
    ) -> None:
        """Add some of the comments, with replies that are none of them; none is under a video."""
        table, among = Comment.__table__, self._statements.among
        either = or_(
            among(table.c.id, ids),
            and_(among(table.c.parent_comment_id, ids), table.c.parent_comment_id.is_not(None)),
        )
        rows = self._connection.execute(select(table.c.id, table.c.video_id).where(either))
        own = frozenset(ids)
        self._counts[table.name] += sum(
            (id_ in own or not has(comments, id_)) and not has(videos, video_id)
            for id_, video_id in rows
        )

    def add_playlists(self, ids: Sequence[int], videos: Sequence[int]) -> None:
        """Add playlists, with the ids of videos that do not go themselves."""
        self.add(Playlist.__table__, Playlist.__table__.c.id, ids)
        table, among = PlaylistVideo.__table__, self._statements.among
        links = select(func.count()).select_from(table).where(among(table.c.playlist_id, ids))
        self._add(table, links.where(~among(table.c.video_id, videos)))

    def add_edges(self, names: Sequence[str]) -> None:
        table = UserRelation.__table__
        accounts = select(Account.id).where(
            self._statements.among(Account.__table__.c.username, names)
        )
        either = or_(table.c.follower_id.in_(accounts), table.c.followed_id.in_(accounts))
        self._add(table, select(func.count()).select_from(table).where(either))

    def _add(self, table: Table, rows: Select[Any]) -> None:
        self._counts[table.name] += self._connection.scalar(rows) or 0
