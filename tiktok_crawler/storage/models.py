"""The tables. docs/schema.md is generated from them: every table and column says what it holds.

A column that says "API" holds the API's field of the same name (API.md 3.7); NULL in it means that
the API has not delivered one.
"""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar

from sqlalchemy import (
    CheckConstraint,
    Column,
    Date,
    Enum,
    ForeignKey,
    Index,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from tiktok_crawler.items import SeedStatus
from tiktok_crawler.storage.column_types import INT64, JSON_DOCUMENT, NAME, UtcDateTime

NAMING_CONVENTION = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class WindowState(StrEnum):
    """What has become of a window."""

    OPEN = "open"
    COMPLETE = "complete"
    SPLIT = "split"
    PARKED = "parked"


UNFINISHED = (WindowState.OPEN, WindowState.PARKED)


class SeedState(StrEnum):
    """What has become of a seed."""

    OPEN = "open"
    COMPLETE = "complete"
    REFUSED = "refused"
    PARKED = "parked"


class UserStatus(StrEnum):
    """What the API said of a user when it was asked last: a profile, or why there is none."""

    FOUND = "found"
    NOT_FOUND = SeedStatus.NOT_FOUND.value
    WITHHELD = SeedStatus.WITHHELD.value
    REFUSED = SeedStatus.REFUSED.value


class VideoList(StrEnum):
    """The lists of videos that a user has."""

    LIKED = "liked"
    PINNED = "pinned"
    REPOSTED = "reposted"


def _one_of(words: type[StrEnum], name: str) -> Enum:
    """Text that is one of some words, as the database checks."""
    return Enum(
        words,
        native_enum=False,
        create_constraint=True,
        name=name,
        values_callable=lambda members: [member.value for member in members],
    )


EXTRA_DATA = "API. Object: fields that have no column, and values that do not fit their column."
CRAWLED_AT = "When the API first delivered the row, UTC."
CRAWLED_UPDATED_AT = "When the API last delivered other values than before, UTC; NULL: never."
CRAWL_ID = "The page that last changed the row, or first brought it."
FIRST_SEEN_AT = "When the API first delivered it, UTC."
LAST_SEEN_AT = "When the API last delivered it, UTC."
POSITION = "Place in the list when it was seen last; 1: the first."


class Base(DeclarativeBase):
    """What the tables have in common: types by annotation, and names for all constraints."""

    if TYPE_CHECKING:
        __table__: ClassVar[Table]

    metadata = MetaData(naming_convention=NAMING_CONVENTION)
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        int: INT64,
        str: Text(),
        datetime: UtcDateTime(),
        list[str]: JSON_DOCUMENT,
        list[Any]: JSON_DOCUMENT,
        dict[str, Any]: JSON_DOCUMENT,
        WindowState: _one_of(WindowState, "state"),
        SeedState: _one_of(SeedState, "state"),
        SeedStatus: _one_of(SeedStatus, "status"),
        UserStatus: _one_of(UserStatus, "status"),
        VideoList: _one_of(VideoList, "kind"),
    }


class Video(Base):
    __tablename__ = "video"
    __table_args__ = ({"comment": "One row a video: the latest values that the API delivered."},)

    id: Mapped[int] = mapped_column(
        primary_key=True,
        autoincrement=False,
        comment="API. id >> 32 is a Unix time shortly before create_time.",
    )
    create_time: Mapped[datetime | None] = mapped_column(
        UtcDateTime("seconds"), index=True, comment="API. When the video was published, UTC."
    )
    username: Mapped[str | None] = mapped_column(
        comment="API. Handle of the author without @; handles change, and the API has no author id."
    )
    region_code: Mapped[str | None] = mapped_column(
        comment="API. Country in which the author registered, two letters in upper case."
    )
    video_description: Mapped[str | None] = mapped_column(
        comment="API. Caption, with hashtags and mentions."
    )
    music_id: Mapped[int | None] = mapped_column(comment="API. The music of the video.")
    like_count: Mapped[int | None] = mapped_column(comment="API. Number of likes.")
    comment_count: Mapped[int | None] = mapped_column(comment="API. Number of comments.")
    share_count: Mapped[int | None] = mapped_column(comment="API. Number of shares.")
    view_count: Mapped[int | None] = mapped_column(comment="API. Number of views.")
    favorites_count: Mapped[int | None] = mapped_column(
        comment="API. Number of users who keep the video among their favorites."
    )
    playlist_id: Mapped[int | None] = mapped_column(
        comment="API. The playlist that the video is in."
    )
    voice_to_text: Mapped[str | None] = mapped_column(
        comment="API. Transcript; most videos have none."
    )
    is_stem_verified: Mapped[bool | None] = mapped_column(
        comment="API. Whether the video was verified as good science and technology content."
    )
    video_duration: Mapped[int | None] = mapped_column(comment="API. Length in seconds.")
    hashtag_info_list: Mapped[list[Any] | None] = mapped_column(
        comment="API. List of objects: the hashtags with their ids and descriptions."
    )
    sticker_info_list: Mapped[list[Any] | None] = mapped_column(
        comment="API. List of objects: the stickers with their ids and names."
    )
    effect_info_list: Mapped[list[Any] | None] = mapped_column(
        comment="API. List of objects: the effects with their ids and names."
    )
    video_mention_list: Mapped[list[Any] | None] = mapped_column(
        comment="API. List of text: users who are tagged in the video."
    )
    video_label: Mapped[dict[str, Any] | None] = mapped_column(
        comment="API. Object: the label that is shown on the video, such as a warning."
    )
    video_tag: Mapped[dict[str, Any] | None] = mapped_column(
        comment="API. Object: what the video is marked as: AI-generated, paid partnership."
    )
    extra_data: Mapped[dict[str, Any] | None] = mapped_column(
        comment="API. Object: fields that have no column, and values that do not fit their column."
    )
    crawled_at: Mapped[datetime] = mapped_column(
        comment="When the API first delivered the video, UTC."
    )
    crawled_updated_at: Mapped[datetime | None] = mapped_column(
        comment="When the API last delivered other values than before, UTC; NULL: never."
    )


class Hashtag(Base):
    __tablename__ = "hashtag"
    __table_args__ = ({"comment": "One row a hashtag."},)

    id: Mapped[int] = mapped_column(primary_key=True, comment="Given by this database.")
    name: Mapped[str] = mapped_column(
        NAME, unique=True, comment="API (hashtag_names). Without #, as delivered."
    )


class Effect(Base):
    __tablename__ = "effect"
    __table_args__ = ({"comment": "One row an effect."},)

    id: Mapped[int] = mapped_column(primary_key=True, comment="Given by this database.")
    effect_id: Mapped[str] = mapped_column(
        NAME, unique=True, comment="API (effect_ids). The effect's id, which is text."
    )


class QueryTag(Base):
    __tablename__ = "query_tag"
    __table_args__ = ({"comment": "One row a tag, which a query file gives to what it collects."},)

    id: Mapped[int] = mapped_column(primary_key=True, comment="Given by this database.")
    name: Mapped[str] = mapped_column(NAME, unique=True, comment="The tag, as typed.")


class Query(Base):
    __tablename__ = "query"
    __table_args__ = (
        {"comment": "One row a query, whatever dates, tags and fields it was used with."},
    )

    id: Mapped[int] = mapped_column(primary_key=True, comment="Given by this database.")
    fingerprint: Mapped[str] = mapped_column(
        unique=True, comment="SHA-256 of canonical_json, hexadecimal."
    )
    canonical_json: Mapped[str] = mapped_column(
        comment="The query as it is sent to the API, in canonical form."
    )
    first_used_at: Mapped[datetime] = mapped_column(comment="When a run first used it, UTC.")
    last_used_at: Mapped[datetime] = mapped_column(comment="When a run last used it, UTC.")


class Collection(Base):
    __tablename__ = "collection"
    __table_args__ = (
        {"comment": "What runs were asked for; the days wanted of a query are those of all rows."},
    )

    id: Mapped[int] = mapped_column(primary_key=True, comment="Given by this database.")
    query_id: Mapped[int] = mapped_column(ForeignKey("query.id"), index=True, comment="The query.")
    start_written: Mapped[str] = mapped_column(
        comment="First day as the user wrote it, such as `3 days ago`."
    )
    end_written: Mapped[str] = mapped_column(comment="Last day as the user wrote it.")
    start_date: Mapped[date] = mapped_column(comment="First day wanted, UTC.")
    end_date: Mapped[date] = mapped_column(comment="Last day wanted, UTC, inclusive.")
    tags: Mapped[list[str]] = mapped_column(comment="List of text: the tags, sorted.")
    first_run_at: Mapped[datetime] = mapped_column(comment="When a run first asked for it, UTC.")
    last_run_at: Mapped[datetime] = mapped_column(comment="When a run last asked for it, UTC.")


class CrawlWindow(Base):
    """A row exists from the window's first request on."""

    __tablename__ = "crawl_window"
    __table_args__ = (
        CheckConstraint("start_date <= end_date", name="dates"),
        Index(None, "query_id", "state"),
        {"comment": "One row a window: days that are searched as one, and how far that has come."},
    )

    id: Mapped[int] = mapped_column(primary_key=True, comment="Given by this database.")
    query_id: Mapped[int] = mapped_column(ForeignKey("query.id"), comment="The query.")
    start_date: Mapped[date] = mapped_column(comment="First day, UTC.")
    end_date: Mapped[date] = mapped_column(comment="Last day, UTC, inclusive.")
    state: Mapped[WindowState] = mapped_column(
        comment="open: begun; complete: all pages are stored; split: replaced by other windows; "
        "parked: given up for now."
    )
    fields: Mapped[list[str]] = mapped_column(
        comment="List of text: the fields of videos that are asked for."
    )
    cursor: Mapped[int] = mapped_column(
        default=0, comment="API. Where the next page starts; 0: at the start of a new search."
    )
    search_id: Mapped[str | None] = mapped_column(comment="API. The search that the cursor is in.")
    searched_at: Mapped[datetime | None] = mapped_column(
        comment="When the first page of the search was asked for, UTC."
    )
    pages: Mapped[int] = mapped_column(default=0, comment="Pages stored of the search.")
    videos: Mapped[int] = mapped_column(default=0, comment="Records received in these pages.")
    requests: Mapped[int] = mapped_column(
        default=0, comment="Requests sent for the window, all searches, failures included."
    )
    attempts: Mapped[int] = mapped_column(
        default=0, comment="Requests sent for a first page, failures included."
    )
    parked_count: Mapped[int] = mapped_column(
        default=0,
        server_default=text("0"),
        comment="How often the window was parked.",
    )
    parked_at: Mapped[datetime | None] = mapped_column(
        comment="When the window was parked last, UTC."
    )
    retry_at: Mapped[datetime | None] = mapped_column(
        comment="When a parked window may be tried again, UTC."
    )
    suspicious: Mapped[bool] = mapped_column(
        default=False,
        server_default=false(),
        comment="Whether the window is complete, but without a video where many were to be "
        "expected: the API sent no data at all, or the days before had many.",
    )
    error: Mapped[str | None] = mapped_column(comment="Why the window was parked or split.")
    error_log_id: Mapped[str | None] = mapped_column(
        comment="API (log_id). The answer for which it was parked."
    )
    created_at: Mapped[datetime] = mapped_column(comment="When the row was made, UTC.")
    updated_at: Mapped[datetime] = mapped_column(comment="When the row last changed, UTC.")
    last_page_at: Mapped[datetime | None] = mapped_column(
        comment="When the last page that is stored was received, UTC."
    )
    completed_at: Mapped[datetime | None] = mapped_column(
        comment="When the last page of all was received, UTC."
    )


class Seed(Base):
    """A row exists from the first run on that wants the seed."""

    __tablename__ = "seed"
    __table_args__ = (
        UniqueConstraint("listing", "seed"),
        {
            "comment": "One row a seed and listing: what something is listed of, and how far that "
            "has come."
        },
    )

    id: Mapped[int] = mapped_column(primary_key=True, comment="Given by this database.")
    listing: Mapped[str] = mapped_column(
        NAME, comment="What is listed: comments, replies, users, followers and so on."
    )
    seed: Mapped[str] = mapped_column(
        NAME, comment="Whose: a video id, comment id, username, playlist id, shop name and so on."
    )
    state: Mapped[SeedState] = mapped_column(
        comment="open: wanted, or begun; complete: all that was wanted is stored; refused: the API "
        "lists nothing of it; parked: given up for now."
    )
    cursor: Mapped[int] = mapped_column(
        default=0, comment="API. Where the next page starts; 0: at the start."
    )
    position: Mapped[int] = mapped_column(
        default=0, comment="Records received since the listing was begun last."
    )
    pages: Mapped[int] = mapped_column(
        default=0, comment="Pages stored since the listing was begun last."
    )
    requests: Mapped[int] = mapped_column(
        default=0, comment="Requests sent for the seed ever, failures included."
    )
    attempts: Mapped[int] = mapped_column(
        default=0, comment="Requests sent for a first page, failures included."
    )
    has_more: Mapped[bool | None] = mapped_column(
        comment="API. Whether there is more than is stored; NULL: no page is. A complete seed of "
        "which there is more has reached the limit of its run."
    )
    suspicious: Mapped[bool] = mapped_column(
        default=False,
        server_default=false(),
        comment="Whether the listing may lack something though it is complete: the API never said "
        "that there is no more.",
    )
    status: Mapped[SeedStatus | None] = mapped_column(
        comment="Of a refused seed: not_found, withheld (private, or a minor's), or refused for "
        "another reason."
    )
    parked_count: Mapped[int] = mapped_column(
        default=0, server_default=text("0"), comment="How often the seed was parked."
    )
    parked_at: Mapped[datetime | None] = mapped_column(
        comment="When the seed was parked last, UTC."
    )
    retry_at: Mapped[datetime | None] = mapped_column(
        comment="When a parked seed may be tried again, UTC."
    )
    error: Mapped[str | None] = mapped_column(comment="Why the seed was parked or refused.")
    error_log_id: Mapped[str | None] = mapped_column(
        comment="API (log_id). The answer for which it was."
    )
    begun_at: Mapped[datetime | None] = mapped_column(
        comment="When the listing's first page was asked for last, UTC."
    )
    created_at: Mapped[datetime] = mapped_column(comment="When the row was made, UTC.")
    updated_at: Mapped[datetime] = mapped_column(comment="When the row last changed, UTC.")
    last_page_at: Mapped[datetime | None] = mapped_column(
        comment="When the last page that is stored was received, UTC."
    )
    completed_at: Mapped[datetime | None] = mapped_column(
        comment="When the answer was received that completed or refused the seed, UTC."
    )


class Crawl(Base):
    __tablename__ = "crawl"
    __table_args__ = (
        # The identity of an answer: a page whose commit was in doubt is stored once.
        UniqueConstraint("crawl_window_id", "cursor", "crawl_started_at"),
        UniqueConstraint("seed_id", "cursor", "crawl_started_at"),
        CheckConstraint("(crawl_window_id IS NULL) <> (seed_id IS NULL)", name="window_or_seed"),
        {"comment": "One row a page: each answer of the API that is stored."},
    )

    id: Mapped[int] = mapped_column(primary_key=True, comment="Given by this database.")
    crawl_window_id: Mapped[int | None] = mapped_column(
        ForeignKey("crawl_window.id"), comment="The window, if the page is one of a search."
    )
    query_id: Mapped[int | None] = mapped_column(
        ForeignKey("query.id"), comment="The query, if the page is one of a search."
    )
    seed_id: Mapped[int | None] = mapped_column(
        ForeignKey("seed.id"), comment="The seed, if the page is one of a listing."
    )
    cursor: Mapped[int] = mapped_column(comment="Where the page starts; 0: the first page.")
    next_cursor: Mapped[int] = mapped_column(
        comment="API (cursor). Where the next page starts; on the last page the number of matches."
    )
    search_id: Mapped[str | None] = mapped_column(comment="API. The search.")
    has_more: Mapped[bool] = mapped_column(comment="API. Whether there are more pages.")
    max_count: Mapped[int] = mapped_column(comment="Records that were asked for.")
    video_count: Mapped[int] = mapped_column(
        comment="Records received: fewer where videos were deleted or made private."
    )
    log_id: Mapped[str | None] = mapped_column(comment="API. Names the answer to TikTok's support.")
    crawl_started_at: Mapped[datetime] = mapped_column(comment="When the page was received, UTC.")


class VideoStatistics(Base):
    """The keys of a video come one after another, so that reading its growth is one step."""

    __tablename__ = "video_statistics"
    __table_args__ = (
        {
            "comment": "One row a video and time at which one of its counters had changed, with "
            "the values known from then on. NULL: the API had not delivered one yet.",
            "sqlite_with_rowid": False,
        },
    )

    video_id: Mapped[int] = mapped_column(
        ForeignKey("video.id"), primary_key=True, comment="The video."
    )
    observed_at: Mapped[datetime] = mapped_column(
        primary_key=True, comment="When the page with these values was received, UTC."
    )
    crawl_id: Mapped[int] = mapped_column(ForeignKey("crawl.id"), comment="The page.")
    like_count: Mapped[int | None] = mapped_column(comment="API. Number of likes.")
    comment_count: Mapped[int | None] = mapped_column(comment="API. Number of comments.")
    share_count: Mapped[int | None] = mapped_column(comment="API. Number of shares.")
    view_count: Mapped[int | None] = mapped_column(comment="API. Number of views.")
    favorites_count: Mapped[int | None] = mapped_column(
        comment="API. Number of users who keep the video among their favorites."
    )


class VideoRevision(Base):
    __tablename__ = "video_revision"
    __table_args__ = (
        {"comment": "One row a value, other than a counter, that a later page replaced."},
    )

    id: Mapped[int] = mapped_column(primary_key=True, comment="Given by this database.")
    video_id: Mapped[int] = mapped_column(ForeignKey("video.id"), index=True, comment="The video.")
    field: Mapped[str] = mapped_column(
        comment="What was replaced: a column of video, hashtag_names, effect_ids, or a key of "
        "extra_data, such as `extra_data.novelty`."
    )
    old_value: Mapped[Any] = mapped_column(
        JSON_DOCUMENT,
        comment="Any JSON: the value before; of hashtag_names and effect_ids the sorted names, "
        "of create_time text.",
    )
    until: Mapped[datetime] = mapped_column(
        comment="When the page that replaced it was received, UTC."
    )
    crawl_id: Mapped[int] = mapped_column(
        ForeignKey("crawl.id"), comment="The page that replaced it."
    )


class ListedRecord:
    """The last columns of records that listings bring."""

    extra_data: Mapped[dict[str, Any] | None] = mapped_column(comment=EXTRA_DATA, sort_order=1)
    crawled_at: Mapped[datetime] = mapped_column(comment=CRAWLED_AT, sort_order=2)
    crawled_updated_at: Mapped[datetime | None] = mapped_column(
        comment=CRAWLED_UPDATED_AT, sort_order=3
    )
    crawl_id: Mapped[int] = mapped_column(ForeignKey("crawl.id"), comment=CRAWL_ID, sort_order=4)


class Comment(ListedRecord, Base):
    __tablename__ = "comment"
    __table_args__ = (
        {"comment": "One row a comment or reply: the latest values that the API delivered."},
    )

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, comment="API.")
    video_id: Mapped[int | None] = mapped_column(
        index=True, comment="API. The video, which need not be in `video`."
    )
    parent_comment_id: Mapped[int | None] = mapped_column(
        index=True, comment="API. Of a reply the comment; otherwise the video."
    )
    text: Mapped[str | None] = mapped_column(
        comment="API. Numbers of phones and cards, and addresses, are masked by the API."
    )
    like_count: Mapped[int | None] = mapped_column(comment="API. Number of likes.")
    reply_count: Mapped[int | None] = mapped_column(comment="API. Number of replies.")
    create_time: Mapped[datetime | None] = mapped_column(
        UtcDateTime("seconds"), comment="API. When the comment was written, UTC."
    )
    display_name: Mapped[str | None] = mapped_column(
        comment="API. The author's display name, if delivered; the API has no handle."
    )


class UserInfo(Base):
    __tablename__ = "user_info"
    __table_args__ = (
        {"comment": "One row a user whose profile was asked for: the latest values."},
    )

    username: Mapped[str] = mapped_column(
        NAME, primary_key=True, comment="The handle that was asked for, without @."
    )
    status: Mapped[UserStatus] = mapped_column(
        comment="What the API said last: found; not_found; withheld: private, or a minor's; "
        "refused: for another reason. Values that it delivered before are kept."
    )
    display_name: Mapped[str | None] = mapped_column(comment="API. Name that is shown.")
    bio_description: Mapped[str | None] = mapped_column(comment="API. What the user says.")
    avatar_url: Mapped[str | None] = mapped_column(
        comment="API. Address of the picture, which works for some days."
    )
    is_verified: Mapped[bool | None] = mapped_column(
        comment="API. Whether TikTok vouches for the account."
    )
    follower_count: Mapped[int | None] = mapped_column(comment="API. Number of followers.")
    following_count: Mapped[int | None] = mapped_column(comment="API. Number of users followed.")
    likes_count: Mapped[int | None] = mapped_column(
        comment="API. Number of likes that the user's videos have."
    )
    video_count: Mapped[int | None] = mapped_column(comment="API. Number of videos.")
    bio_url: Mapped[str | None] = mapped_column(comment="API. Link that the user shows.")
    extra_data: Mapped[dict[str, Any] | None] = mapped_column(comment=EXTRA_DATA)
    first_seen_at: Mapped[datetime] = mapped_column(
        comment="When the API first answered for the user, UTC."
    )
    last_seen_at: Mapped[datetime] = mapped_column(
        comment="When the API last answered for the user, UTC."
    )
    crawl_id: Mapped[int | None] = mapped_column(
        ForeignKey("crawl.id"),
        comment=f"{CRAWL_ID} NULL: there is none.",
    )


class UserInfoHistory(Base):
    __tablename__ = "user_info_history"
    __table_args__ = (
        {"comment": "One row a value of a profile, counters too, that a later answer replaced."},
    )

    id: Mapped[int] = mapped_column(primary_key=True, comment="Given by this database.")
    username: Mapped[str] = mapped_column(
        NAME, ForeignKey("user_info.username"), index=True, comment="The user."
    )
    field: Mapped[str] = mapped_column(
        comment="What was replaced: a column of user_info, or a key of extra_data, such as "
        "`extra_data.novelty`. A new signature in avatar_url is no change."
    )
    old_value: Mapped[Any] = mapped_column(JSON_DOCUMENT, comment="Any JSON: the value before.")
    until: Mapped[datetime] = mapped_column(
        comment="When the answer that replaced it was received, UTC."
    )
    crawl_id: Mapped[int | None] = mapped_column(
        ForeignKey("crawl.id"), comment="The page that replaced it; NULL: the API refused one."
    )


class Account(ListedRecord, Base):
    __tablename__ = "account"
    __table_args__ = ({"comment": "One row a user who follows, or is followed by, another one."},)

    id: Mapped[int] = mapped_column(primary_key=True, comment="Given by this database.")
    username: Mapped[str] = mapped_column(NAME, unique=True, comment="API. Handle without @.")
    display_name: Mapped[str | None] = mapped_column(
        comment="API. Name that is shown, as delivered last."
    )


class UserRelation(Base):
    """Two integers an edge: there may be hundreds of millions."""

    __tablename__ = "user_relation"
    __table_args__ = (
        {"comment": "One row a pair of users: who follows whom.", "sqlite_with_rowid": False},
    )

    follower_id: Mapped[int] = mapped_column(
        ForeignKey("account.id"), primary_key=True, comment="Who follows."
    )
    followed_id: Mapped[int] = mapped_column(
        ForeignKey("account.id"), primary_key=True, index=True, comment="Who is followed."
    )
    first_seen_at: Mapped[datetime] = mapped_column(comment=FIRST_SEEN_AT)
    last_seen_at: Mapped[datetime] = mapped_column(comment=LAST_SEEN_AT)


class UserVideo(Base):
    __tablename__ = "user_video"
    __table_args__ = (
        {"comment": "One row a video in a list of a user's.", "sqlite_with_rowid": False},
    )

    username: Mapped[str] = mapped_column(NAME, primary_key=True, comment="Whose list it is.")
    kind: Mapped[VideoList] = mapped_column(
        primary_key=True, comment="Which list: liked, pinned or reposted."
    )
    video_id: Mapped[int] = mapped_column(
        ForeignKey("video.id"), primary_key=True, comment="The video."
    )
    position: Mapped[int] = mapped_column(comment=POSITION)
    first_seen_at: Mapped[datetime] = mapped_column(comment=FIRST_SEEN_AT)
    last_seen_at: Mapped[datetime] = mapped_column(comment=LAST_SEEN_AT)


class Playlist(ListedRecord, Base):
    __tablename__ = "playlist"
    __table_args__ = ({"comment": "One row a playlist: the latest values that the API delivered."},)

    id: Mapped[int] = mapped_column(
        primary_key=True, autoincrement=False, comment="API (playlist_id)."
    )
    name: Mapped[str | None] = mapped_column(comment="API (playlist_name).")
    item_total: Mapped[int | None] = mapped_column(
        comment="API (playlist_item_total). Number of videos."
    )
    last_updated: Mapped[int | None] = mapped_column(
        comment="API (playlist_last_updated). A Unix time, as delivered: its unit is not known."
    )


class PlaylistVideo(Base):
    __tablename__ = "playlist_video"
    __table_args__ = ({"comment": "One row a video of a playlist.", "sqlite_with_rowid": False},)

    playlist_id: Mapped[int] = mapped_column(
        ForeignKey("playlist.id"), primary_key=True, comment="The playlist."
    )
    video_id: Mapped[int] = mapped_column(
        primary_key=True,
        autoincrement=False,
        comment="API (playlist_video_ids). The video, which need not be in `video`.",
    )
    position: Mapped[int] = mapped_column(comment=POSITION)
    first_seen_at: Mapped[datetime] = mapped_column(comment=FIRST_SEEN_AT)
    last_seen_at: Mapped[datetime] = mapped_column(comment=LAST_SEEN_AT)


class Shop(ListedRecord, Base):
    __tablename__ = "shop"
    __table_args__ = ({"comment": "One row a shop: the latest values that the API delivered."},)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, comment="API (shop_id).")
    shop_name: Mapped[str | None] = mapped_column(comment="API.")
    shop_rating: Mapped[str | None] = mapped_column(comment="API. Text, as delivered.")
    shop_review_count: Mapped[int | None] = mapped_column(comment="API. Number of reviews.")
    item_sold_count: Mapped[int | None] = mapped_column(comment="API. Number of items sold.")
    shop_performance_value: Mapped[str | None] = mapped_column(comment="API. Text, as delivered.")


class Product(ListedRecord, Base):
    __tablename__ = "product"
    __table_args__ = ({"comment": "One row a product: the latest values that the API delivered."},)

    id: Mapped[str] = mapped_column(NAME, primary_key=True, comment="API (product_id). Text.")
    shop_id: Mapped[int | None] = mapped_column(
        index=True, comment="The shop that was asked for, which need not be in `shop`."
    )
    shop_name: Mapped[str | None] = mapped_column(comment="API.")
    product_name: Mapped[str | None] = mapped_column(comment="API.")
    product_description: Mapped[str | None] = mapped_column(comment="API.")
    product_price: Mapped[list[Any] | None] = mapped_column(
        comment="API. List of text, such as `20.79GBP`."
    )
    product_sold_count: Mapped[int | None] = mapped_column(comment="API. Number of items sold.")
    product_review_count: Mapped[int | None] = mapped_column(comment="API. Number of reviews.")
    product_rating: Mapped[str | None] = mapped_column(comment="API. Text, as delivered.")
    product_rating_1_count: Mapped[int | None] = mapped_column(
        comment="API. Number of reviews with one star."
    )
    product_rating_2_count: Mapped[int | None] = mapped_column(comment="API. With two stars.")
    product_rating_3_count: Mapped[int | None] = mapped_column(comment="API. With three stars.")
    product_rating_4_count: Mapped[int | None] = mapped_column(comment="API. With four stars.")
    product_rating_5_count: Mapped[int | None] = mapped_column(comment="API. With five stars.")


class Review(ListedRecord, Base):
    __tablename__ = "review"
    __table_args__ = (
        {"comment": "One row a review of a product: the latest values that the API delivered."},
    )

    id: Mapped[int] = mapped_column(
        primary_key=True,
        autoincrement=False,
        comment="A fingerprint of product, author, time, rating and text: the API gives no id.",
    )
    product_id: Mapped[str] = mapped_column(
        NAME, index=True, comment="The product that was asked for, which need not be in `product`."
    )
    product_name: Mapped[str | None] = mapped_column(comment="API.")
    display_name: Mapped[str | None] = mapped_column(comment="API. The author's, if delivered.")
    review_text: Mapped[str | None] = mapped_column(comment="API.")
    review_like_count: Mapped[int | None] = mapped_column(comment="API. Number of likes.")
    review_rating: Mapped[str | None] = mapped_column(comment="API. A word, such as `FIVE`.")
    create_time: Mapped[datetime | None] = mapped_column(
        comment="API. When the review was written, UTC."
    )


class ApiQuota(Base):
    __tablename__ = "api_quota"
    __table_args__ = (
        {"comment": "One row a client key, pool and day: the requests of all crawls here."},
    )

    client: Mapped[str] = mapped_column(
        primary_key=True,
        comment="SHA-256 of the client key, hexadecimal; the key itself is stored nowhere.",
    )
    pool: Mapped[str] = mapped_column(
        primary_key=True,
        comment="research: 1,000 requests a day; follow: 20,000, for followers and following.",
    )
    day: Mapped[date] = mapped_column(primary_key=True, comment="Day of the quota, UTC.")
    requests: Mapped[int] = mapped_column(comment="Requests sent by all crawls on this database.")
    is_used_up: Mapped[bool] = mapped_column(
        default=False,
        server_default=false(),
        comment="Whether the API said that the day's quota is used up, whoever has spent it.",
    )
    second_tries: Mapped[int] = mapped_column(
        default=0,
        server_default=text("0"),
        comment="Those of the requests that tried a parked or suspicious window again.",
    )


class ApiQuotaShare(Base):
    __tablename__ = "api_quota_share"
    __table_args__ = (
        {"comment": "One row a client key, pool, day and kind of request: its part of api_quota."},
    )

    client: Mapped[str] = mapped_column(primary_key=True, comment="As in api_quota.")
    pool: Mapped[str] = mapped_column(primary_key=True, comment="As in api_quota.")
    day: Mapped[date] = mapped_column(primary_key=True, comment="Day of the quota, UTC.")
    part: Mapped[str] = mapped_column(
        primary_key=True, comment="The spider whose requests they are, such as videos."
    )
    requests: Mapped[int] = mapped_column(comment="Requests sent by all crawls on this database.")


class DatabaseOrigin(Base):
    __tablename__ = "database_origin"
    __table_args__ = (
        CheckConstraint("id = 1", name="single_row"),
        {"comment": "One row: data of the real API and of the sandbox never mix."},
    )

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, comment="Always 1.")
    origin: Mapped[str] = mapped_column(
        comment="URL of the API that all data came from, or `sandbox`."
    )
    created_at: Mapped[datetime] = mapped_column(comment="When the first crawl set it, UTC.")


def _association(name: str, first: Column[int], second: Column[int], comment: str) -> Table:
    """A table of pairs, stored in the order of its key: columns that grow with time come first."""
    return Table(name, Base.metadata, first, second, comment=comment, sqlite_with_rowid=False)


def _reference(name: str, target: str, comment: str) -> Column[int]:
    return Column(name, INT64, ForeignKey(target), primary_key=True, comment=comment)


VIDEOS_TO_HASHTAGS = _association(
    "videos_to_hashtags",
    _reference("video_id", "video.id", "The video."),
    _reference("hashtag_id", "hashtag.id", "A hashtag of it, at the last observation."),
    "The hashtags of each video.",
)
VIDEOS_TO_EFFECT_IDS = _association(
    "videos_to_effect_ids",
    _reference("video_id", "video.id", "The video."),
    _reference("effect_id", "effect.id", "An effect of it (effect.id), at the last observation."),
    "The effects of each video.",
)
VIDEOS_TO_CRAWLS = _association(
    "videos_to_crawls",
    _reference("crawl_id", "crawl.id", "The page."),
    _reference("video_id", "video.id", "A video on it."),
    "Which page brought which video.",
)
VIDEOS_TO_QUERY_TAGS = _association(
    "videos_to_query_tags",
    _reference("query_tag_id", "query_tag.id", "The tag."),
    _reference("video_id", "video.id", "A video that was collected with it."),
    "The tags of each video.",
)
CRAWLS_TO_QUERY_TAGS = _association(
    "crawls_to_query_tags",
    _reference("crawl_id", "crawl.id", "The page."),
    _reference("query_tag_id", "query_tag.id", "A tag that it was collected with."),
    "The tags of each page.",
)

VIEWS = MetaData()
"""Views are made by migrations, and are nothing that Alembic compares."""

VIDEO_STATISTICS_DAILY = Table(
    "video_statistics_daily",
    VIEWS,
    Column("video_id", INT64, comment="The video."),
    Column("day", Date(), comment="Day on which a page brought the video, UTC."),
    Column("like_count", INT64, comment="API. Number of likes."),
    Column("comment_count", INT64, comment="API. Number of comments."),
    Column("share_count", INT64, comment="API. Number of shares."),
    Column("view_count", INT64, comment="API. Number of views."),
    Column(
        "favorites_count",
        INT64,
        comment="API. Number of users who keep the video among their favorites.",
    ),
    comment="A view, for reading: one row a video and day on which it was seen, with the values "
    "known at the end of that day (`video_statistics`).",
)
