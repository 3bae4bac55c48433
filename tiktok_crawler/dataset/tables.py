"""Lists the tables that leave the database, and what each of their columns is.

They have the names and columns of the database's own where those are fit to be read, and names in
the place of numbers that only this database knows.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, select

from tiktok_crawler.dataset.columns import Column, Kind, columns_of, described
from tiktok_crawler.dataset.persons import Holds
from tiktok_crawler.spelling import did_you_mean, nearest, quoted
from tiktok_crawler.storage.engine.json_list import sorted_list
from tiktok_crawler.storage.models.ledger import (
    VIDEOS_TO_CRAWLS,
    VIDEOS_TO_QUERY_TAGS,
    Crawl,
    ImportRow,
    QueryRow,
    QueryTag,
    RunRow,
    SeedRow,
)
from tiktok_crawler.storage.models.records import (
    VIDEOS_TO_EFFECT_IDS,
    VIDEOS_TO_HASHTAGS,
    Account,
    Comment,
    Effect,
    Hashtag,
    Playlist,
    PlaylistVideo,
    Product,
    Review,
    Shop,
    UserInfo,
    UserInfoHistory,
    UserRelation,
    UserVideo,
    Video,
    VideoRevision,
    VideoStatistics,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Column as ModelColumn
    from sqlalchemy import ColumnElement, FromClause, Table

ONE_ROW = re.compile("^One row an? ")
"""How comments of the database's tables begin."""

VIDEO = Video.__table__.c
FOLLOWER, FOLLOWED = (Account.__table__.alias(name) for name in ("follower", "followed"))


@dataclass(frozen=True)
class DataTable:
    """A table that leaves the database.

    `rows` is what is read, in the order of the columns `order`; without them the rows are made of
    something else. `belongs_by` leads from videos that are selected to the rows that belong to
    them: a column here, and that of `video` with its values. Rows are kept apart by the month or
    day of `dated_by`; those `beside_video` are read together with their video, and kept in its
    month or day. Some of these are the texts that its column `lists` has.
    """

    name: str
    meaning: str
    columns: tuple[Column, ...]
    rows: FromClause | None = None
    order: tuple[ModelColumn[Any], ...] = ()
    belongs_by: tuple[ModelColumn[Any], ModelColumn[Any]] | None = None
    dated_by: str | None = None
    beside_video: bool = False
    lists: str = ""
    by_name: Mapping[str, Column] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_name", {column.name: column for column in self.columns})

    @property
    def is_dated(self) -> bool:
        return self.beside_video or self.dated_by is not None

    @property
    def dated_word(self) -> str:
        """Return what the months or days are of: `create` or `received`."""
        return (self.dated_by or "create_time").partition("_")[0]

    def column(self, name: str) -> Column:
        """Return a column by its name.

        Raises:
            LookupError: there is none; the message names the nearest one.
        """
        if name not in self.by_name:
            hint = did_you_mean(nearest(name, self.by_name))
            raise LookupError(f"the table {self.name} has no column {quoted(name)}{hint}")
        return self.by_name[name]

    def with_columns(self, columns: tuple[Column, ...]) -> DataTable:
        return replace(self, columns=columns)


def _table(model: Any, *, name: str = "", meaning: str = "", **more: Any) -> DataTable:
    """A table of the database with all its columns, in the order of its key."""
    table = getattr(model, "__table__", model)
    given = {
        "columns": columns_of(table),
        "rows": table,
        "order": tuple(table.primary_key.columns),
        **more,
    }
    described = ONE_ROW.sub("One row for each ", str(table.comment))
    return DataTable(name or table.name, meaning or described, **given)


def _names_of_video(links: Table, name: ModelColumn[Any]) -> ColumnElement[str]:
    """Return the names that a video is linked with, as a list."""
    joined = select(name).select_from(links.join(name.table))
    return sorted_list(joined.where(links.c.video_id == VIDEO.id).correlate(VIDEO.id.table))


def _list_of_videos(name: str, lists: str, value: Column, meaning: str) -> DataTable:
    """Make a table of pairs: videos, and the texts of a list that they have."""
    return DataTable(
        name,
        meaning,
        (described(VIDEOS_TO_HASHTAGS.c.video_id), value),
        belongs_by=(VIDEO.id, VIDEO.id),
        beside_video=True,
        lists=lists,
    )


def _made(name: str, meaning: str) -> Column:
    return Column(name, Kind.TEXT, meaning, Holds.ADDRESS)


def _after(columns: tuple[Column, ...], name: str, *more: Column) -> tuple[Column, ...]:
    place = next(n for n, column in enumerate(columns, 1) if column.name == name)
    return (*columns[:place], *more, *columns[place:])


URL = _made("url", "The address of the video on TikTok, made of username and id.")
AUTHOR_URL = _made("author_url", "The address of the author's profile, made of username.")
PROFILE_URL = _made("url", "The address of the profile on TikTok, made of username.")

HASHTAG_NAMES = Column(
    "hashtag_names",
    Kind.NESTED,
    "API. List of text: the hashtags at the last observation, without #; missing: none is known.",
    Holds.LABEL,
    _names_of_video(VIDEOS_TO_HASHTAGS, Hashtag.__table__.c.name),
)
EFFECT_IDS = Column(
    "effect_ids",
    Kind.NESTED,
    "API. List of text: the effects at the last observation; missing: none is known.",
    Holds.NOTHING,
    _names_of_video(VIDEOS_TO_EFFECT_IDS, Effect.__table__.c.effect_id),
)
MISFIT_DATA = Column(
    "misfit_data",
    Kind.JSON,
    "Object: lists and objects of the API that do not have the type of their column here, by "
    "column; the column is missing then.",
    Holds.TEXT,
)

VIDEOS = _table(
    Video,
    columns=(
        *_after(
            _after(columns_of(Video.__table__), "username", URL, AUTHOR_URL),
            "video_duration",
            HASHTAG_NAMES,
            EFFECT_IDS,
        ),
        MISFIT_DATA,
    ),
    belongs_by=(VIDEO.id, VIDEO.id),
    dated_by="create_time",
)

VIDEO_HASHTAGS = _list_of_videos(
    "video_hashtag",
    "hashtag_names",
    described(Hashtag.__table__.c.name, "hashtag_name"),
    "One row for each video and hashtag of it, at the last observation.",
)
VIDEO_MENTIONS = _list_of_videos(
    "video_mention",
    "video_mention_list",
    Column("username", Kind.TEXT, "API (video_mention_list). Who is tagged.", Holds.NAME),
    "One row for each video and user who is tagged in it.",
)
VIDEO_EFFECTS = _list_of_videos(
    "video_effect",
    "effect_ids",
    described(Effect.__table__.c.effect_id, "effect_id"),
    "One row for each video and effect of it, at the last observation.",
)
IS_OF_A_TAG = and_(
    VIDEOS_TO_QUERY_TAGS.c.query_tag_id == QueryTag.__table__.c.id,
    VIDEOS_TO_QUERY_TAGS.c.query_tag_id.in_(select(QueryTag.__table__.c.id)),
)
"""The key of the links begins with the tag: SQLite looks up the videos of each, instead of reading
all links for some videos."""

VIDEO_TAGS = _table(
    VIDEOS_TO_QUERY_TAGS,
    name="video_query_tag",
    meaning="One row for each video and tag of a query file that it was collected with.",
    columns=(
        described(VIDEOS_TO_QUERY_TAGS.c.video_id),
        described(QueryTag.__table__.c.name, "tag"),
    ),
    rows=VIDEOS_TO_QUERY_TAGS.join(QueryTag.__table__, IS_OF_A_TAG),
    order=(VIDEOS_TO_QUERY_TAGS.c.video_id, QueryTag.__table__.c.name),
    belongs_by=(VIDEOS_TO_QUERY_TAGS.c.video_id, VIDEO.id),
    beside_video=True,
)

SOURCES = _table(
    VIDEOS_TO_CRAWLS,
    name="video_source",
    meaning="One row for each video and page that brought it: when, for what, and in which run.",
    columns=(
        described(VIDEOS_TO_CRAWLS.c.video_id),
        described(VIDEOS_TO_CRAWLS.c.crawl_id),
        described(Crawl.__table__.c.received_at, "received_at"),
        described(Crawl.__table__.c.query_id),
        described(SeedRow.__table__.c.listing),
        described(SeedRow.__table__.c.seed),
        described(Crawl.__table__.c.run_id),
        described(Crawl.__table__.c.import_id),
    ),
    rows=VIDEOS_TO_CRAWLS.join(Crawl.__table__).outerjoin(SeedRow.__table__),
    belongs_by=(VIDEOS_TO_CRAWLS.c.video_id, VIDEO.id),
    dated_by="received_at",
)

RELATIONS = _table(
    UserRelation,
    columns=(
        replace(described(Account.__table__.c.username, "follower_username"),
                meaning="Who follows.", expression=FOLLOWER.c.username),
        replace(described(Account.__table__.c.username, "followed_username"),
                meaning="Who is followed.", expression=FOLLOWED.c.username),
        described(UserRelation.__table__.c.first_seen_at),
        described(UserRelation.__table__.c.last_seen_at),
    ),
    rows=UserRelation.__table__.join(
        FOLLOWER, FOLLOWER.c.id == UserRelation.__table__.c.follower_id
    ).join(FOLLOWED, FOLLOWED.c.id == UserRelation.__table__.c.followed_id),
)  # fmt: skip

COVERAGE = DataTable(
    "coverage",
    "One row for each query and day that was wanted of it: how it stands, and what came of it. "
    "Values of a list that the API refuses together are searched by other queries: of theirs, the "
    "days that were not searched have no rows.",
    (
        Column("query_id", Kind.ID, "The query (`query.id`)."),
        Column("day", Kind.DATE, "Day, UTC."),
        Column(
            "state",
            Kind.TEXT,
            "covered: searched to its end; sampled: videos of it were drawn at random; due: "
            "covered, and to be searched once more by now; open: searched in part; parked: "
            "postponed; gap: not searched yet.",
        ),
        Column(
            "settled",
            Kind.BOOLEAN,
            "Whether it was searched when all its videos can have appeared.",
        ),
        Column(
            "suspicious",
            Kind.BOOLEAN,
            "Whether it brought so little that it is hard to believe.",
        ),
        Column("videos", Kind.INTEGER, "Videos that its last search brought; missing: not known."),
        Column(
            "withheld",
            Kind.INTEGER,
            "Matches that the API counted and did not deliver; missing: not known, as of a sample.",
        ),
        Column("refused", Kind.INTEGER, "Records without a usable id, which are not stored."),
        Column("repeated", Kind.INTEGER, "Records that the same search had brought before."),
    ),
)

TABLES: Mapping[str, DataTable] = {
    table.name: table
    for table in (
        VIDEOS,
        VIDEO_HASHTAGS,
        VIDEO_MENTIONS,
        VIDEO_EFFECTS,
        _table(
            VideoStatistics,
            belongs_by=(VideoStatistics.__table__.c.video_id, VIDEO.id),
            beside_video=True,
        ),
        _table(
            VideoRevision,
            order=(VideoRevision.__table__.c.video_id, VideoRevision.__table__.c.id),
            belongs_by=(VideoRevision.__table__.c.video_id, VIDEO.id),
            beside_video=True,
        ),
        VIDEO_TAGS,
        SOURCES,
        _table(
            Comment, belongs_by=(Comment.__table__.c.video_id, VIDEO.id), dated_by="create_time"
        ),
        _table(
            UserInfo,
            columns=_after(columns_of(UserInfo.__table__), "username", PROFILE_URL),
            belongs_by=(UserInfo.__table__.c.username, VIDEO.username),
        ),
        _table(UserInfoHistory, belongs_by=(UserInfoHistory.__table__.c.username, VIDEO.username)),
        _table(Account),
        RELATIONS,
        _table(UserVideo, belongs_by=(UserVideo.__table__.c.video_id, VIDEO.id)),
        _table(Playlist, belongs_by=(Playlist.__table__.c.id, VIDEO.playlist_id)),
        _table(PlaylistVideo, belongs_by=(PlaylistVideo.__table__.c.video_id, VIDEO.id)),
        _table(Shop),
        _table(Product, columns=(*columns_of(Product.__table__), MISFIT_DATA)),
        _table(Review),
        COVERAGE,
        _table(SeedRow),
        _table(QueryRow),
        _table(RunRow),
        _table(ImportRow),
    )
}
"""By name, in the order in which they are shown and written."""
