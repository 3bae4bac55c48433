"""The tables that hold what the API delivered: videos, users, comments and so on, over time.

A column that says "API" holds the API's field of the same name (api_facts.md 3.7); NULL in it means
that the API has not delivered one.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Column, Date, ForeignKey, Index, MetaData, Table, and_, text
from sqlalchemy.orm import Mapped, mapped_column

from tiktok_crawler.date_range import DAY, midnight
from tiktok_crawler.storage.models.base import (
    CRAWL_ID,
    EXTRA_DATA,
    POSITION,
    Base,
    UserStatus,
    VideoList,
    association,
    reference,
)
from tiktok_crawler.storage.models.column_types import INT64, JSON_DOCUMENT, NAME, UtcDateTime

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement

    from tiktok_crawler.date_range import DateRange


class Existence:
    """The last columns of records that the API may no longer have."""

    missing_since: Mapped[datetime | None] = mapped_column(
        sort_order=6,
        comment="When the first search, list or check began that should have brought it and did "
        "not, UTC; NULL: it came when it was asked for last. It may exist all the same.",
    )
    gone_at: Mapped[datetime | None] = mapped_column(
        sort_order=7,
        comment="When it was found that the API no longer has it, UTC; NULL: nothing says so.",
    )

    @classmethod
    def is_candidate(cls) -> ColumnElement[bool]:
        """Build the condition that it did not come, and that nothing says why."""
        return and_(cls.missing_since.is_not(None), cls.gone_at.is_(None))

    @classmethod
    def is_gone(cls) -> ColumnElement[bool]:
        """Build the condition that it is gone; by the index, since what is gone is missing."""
        return and_(cls.missing_since.is_not(None), cls.gone_at.is_not(None))


class Returned(Existence):
    """The last columns of such records whose pages are not kept one by one."""

    last_returned_at: Mapped[datetime | None] = mapped_column(
        sort_order=5, comment="When the API last delivered it, UTC; NULL: never."
    )


_WHERE_MISSING: dict[str, Any] = dict.fromkeys(
    ("sqlite_where", "postgresql_where"), text("missing_since IS NOT NULL")
)
"""Few records are missing: the index has those alone."""

EXISTENCE = frozenset({"missing_since", "gone_at", "last_returned_at"})
"""Columns that say nothing of a record's values."""


class Video(Existence, Base):
    __tablename__ = "video"
    __table_args__ = (
        Index("ix_video_missing_since", "missing_since", **_WHERE_MISSING),
        {"comment": "One row a video: the latest values that the API delivered."},
    )

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
    extra_data: Mapped[dict[str, Any] | None] = mapped_column(comment=EXTRA_DATA)
    crawled_at: Mapped[datetime] = mapped_column(
        comment="When the API first delivered the video, UTC."
    )
    crawled_updated_at: Mapped[datetime | None] = mapped_column(
        comment="When the API last delivered other values than before, UTC; NULL: never."
    )

    @classmethod
    def is_published_on(cls, days: DateRange) -> ColumnElement[bool]:
        """Build the condition that it was published on one of the days."""
        begin, end = midnight(days.start), midnight(days.end + DAY)
        return and_(cls.create_time >= begin, cls.create_time < end)


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
    crawled_at: Mapped[datetime] = mapped_column(
        sort_order=2, comment="When the API first delivered the row, UTC."
    )
    crawled_updated_at: Mapped[datetime | None] = mapped_column(
        sort_order=3,
        comment="When the API last delivered other values than before, UTC; NULL: never.",
    )
    crawl_id: Mapped[int] = mapped_column(ForeignKey("crawl.id"), comment=CRAWL_ID, sort_order=4)


class Sighting:
    """The last columns of what is only known to have been listed."""

    first_seen_at: Mapped[datetime] = mapped_column(
        sort_order=1, comment="When the API first delivered it, UTC."
    )
    last_seen_at: Mapped[datetime] = mapped_column(
        sort_order=2, comment="When the API last delivered it, UTC."
    )


class Comment(ListedRecord, Returned, Base):
    __tablename__ = "comment"
    __table_args__ = (
        Index("ix_comment_missing_since", "missing_since", **_WHERE_MISSING),
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


class UserInfo(Returned, Base):
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


class UserRelation(Sighting, Base):
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


class UserVideo(Sighting, Base):
    __tablename__ = "user_video"
    __table_args__ = (
        {"comment": "One row a video in a list of a user's.", "sqlite_with_rowid": False},
    )

    username: Mapped[str] = mapped_column(NAME, primary_key=True, comment="Whose list it is.")
    kind: Mapped[VideoList] = mapped_column(
        primary_key=True, comment="Which list: liked, pinned or reposted."
    )
    video_id: Mapped[int] = mapped_column(
        ForeignKey("video.id"), primary_key=True, index=True, comment="The video."
    )
    position: Mapped[int] = mapped_column(comment=POSITION)


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


class PlaylistVideo(Sighting, Base):
    __tablename__ = "playlist_video"
    __table_args__ = ({"comment": "One row a video of a playlist.", "sqlite_with_rowid": False},)

    playlist_id: Mapped[int] = mapped_column(
        ForeignKey("playlist.id"), primary_key=True, comment="The playlist."
    )
    video_id: Mapped[int] = mapped_column(
        primary_key=True,
        autoincrement=False,
        index=True,
        comment="API (playlist_video_ids). The video, which need not be in `video`.",
    )
    position: Mapped[int] = mapped_column(comment=POSITION)


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


VIDEOS_TO_HASHTAGS = association(
    "videos_to_hashtags",
    reference("video_id", "video.id", "The video."),
    reference("hashtag_id", "hashtag.id", "A hashtag of it, at the last observation."),
    "The hashtags of each video.",
)
VIDEOS_TO_EFFECT_IDS = association(
    "videos_to_effect_ids",
    reference("video_id", "video.id", "The video."),
    reference("effect_id", "effect.id", "An effect of it (effect.id), at the last observation."),
    "The effects of each video.",
)

VIEWS = MetaData()
"""Views are made by migrations, and are nothing that Alembic compares."""

VIDEO_STATISTICS_DAILY = Table(
    "video_statistics_daily",
    VIEWS,
    Column("video_id", INT64, comment="The video."),
    Column("day", Date(), comment="Day on which a page brought the video, UTC."),
    *(Column(c.name, INT64, comment=c.comment) for c in [*VideoStatistics.__table__.c][3:]),
    comment="A view, for reading: one row a video and day on which it was seen, with the values "
    "known at the end of that day (`video_statistics`).",
)
