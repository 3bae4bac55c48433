"""Listings: their seeds, comments, users, relations, playlists and shops; and shares of the quota.

Revision ID: 0005
Revises: 0004
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

if TYPE_CHECKING:
    from collections.abc import Iterator

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

INT64 = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
NAME = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
TIME = sa.DateTime(timezone=True)

TABLES = (
    "api_quota_share",
    "journal_mark",
    "seed",
    "user_video",
    "account",
    "comment",
    "playlist",
    "product",
    "review",
    "shop",
    "user_info",
    "playlist_video",
    "user_info_history",
    "user_relation",
)
"""In the order in which they refer to each other."""

COMMENTS = {
    "crawl_window_id": ("The window.", "The window, if the page is one of a search."),
    "query_id": ("The query.", "The query, if the page is one of a search."),
}
"""Of columns of `crawl`, before and after."""

OF_LISTINGS = "crawl_id IN (SELECT id FROM crawl WHERE seed_id IS NOT NULL)"

VIEW = "video_statistics_daily"


def upgrade() -> None:
    op.create_table(
        "journal_mark",
        sa.Column(
            "journal",
            sa.Text(),
            nullable=False,
            comment="Names the crawl's files in the archive.",
        ),
        sa.Column(
            "line",
            INT64,
            nullable=False,
            comment="The last line of these files whose deed is in this database.",
        ),
        sa.PrimaryKeyConstraint("journal", name=op.f("pk_journal_mark")),
        comment="One row a crawl with TIKTOK_ARCHIVE that is running, or was killed.",
    )
    op.create_table(
        "api_quota_share",
        sa.Column("client", sa.Text(), nullable=False, comment="As in api_quota."),
        sa.Column("pool", sa.Text(), nullable=False, comment="As in api_quota."),
        sa.Column("day", sa.Date(), nullable=False, comment="Day of the quota, UTC."),
        sa.Column(
            "part",
            sa.Text(),
            nullable=False,
            comment="The spider whose requests they are, such as videos.",
        ),
        sa.Column(
            "requests",
            INT64,
            nullable=False,
            comment="Requests sent by all crawls on this database.",
        ),
        sa.PrimaryKeyConstraint("client", "pool", "day", "part", name=op.f("pk_api_quota_share")),
        comment=("One row a client key, pool, day and kind of request: its part of api_quota."),
    )
    op.create_table(
        "seed",
        sa.Column("id", INT64, nullable=False, comment="Given by this database."),
        sa.Column(
            "listing",
            NAME,
            nullable=False,
            comment=("What is listed: comments, replies, users, followers and so on."),
        ),
        sa.Column(
            "seed",
            NAME,
            nullable=False,
            comment=("Whose: a video id, comment id, username, playlist id, shop name and so on."),
        ),
        sa.Column(
            "state",
            sa.Enum(
                "open",
                "complete",
                "refused",
                "parked",
                name="state",
                native_enum=False,
                create_constraint=True,
            ),
            nullable=False,
            comment=(
                "open: wanted, or begun; complete: all that was wanted is stored; refused: "
                "the API lists nothing of it; parked: given up for now."
            ),
        ),
        sa.Column(
            "cursor",
            INT64,
            nullable=False,
            comment="API. Where the next page starts; 0: at the start.",
        ),
        sa.Column(
            "position",
            INT64,
            nullable=False,
            comment="Records received since the listing was begun last.",
        ),
        sa.Column(
            "pages", INT64, nullable=False, comment="Pages stored since the listing was begun last."
        ),
        sa.Column(
            "requests",
            INT64,
            nullable=False,
            comment="Requests sent for the seed ever, failures included.",
        ),
        sa.Column(
            "attempts",
            INT64,
            nullable=False,
            comment="Requests sent for a first page, failures included.",
        ),
        sa.Column(
            "has_more",
            sa.Boolean(),
            nullable=True,
            comment=(
                "API. Whether there is more than is stored; NULL: no page is. A complete "
                "seed of which there is more has reached the limit of its run."
            ),
        ),
        sa.Column(
            "suspicious",
            sa.Boolean(),
            server_default=sa.false(),
            nullable=False,
            comment=(
                "Whether the listing may lack something though it is complete: the API "
                "never said that there is no more."
            ),
        ),
        sa.Column(
            "status",
            sa.Enum(
                "not_found",
                "withheld",
                "refused",
                name="status",
                native_enum=False,
                create_constraint=True,
            ),
            nullable=True,
            comment=(
                "Of a refused seed: not_found, withheld (private, or a minor's), or refused "
                "for another reason."
            ),
        ),
        sa.Column(
            "parked_count",
            INT64,
            server_default=sa.text("0"),
            nullable=False,
            comment="How often the seed was parked.",
        ),
        sa.Column("parked_at", TIME, nullable=True, comment="When the seed was parked last, UTC."),
        sa.Column(
            "retry_at", TIME, nullable=True, comment="When a parked seed may be tried again, UTC."
        ),
        sa.Column("error", sa.Text(), nullable=True, comment="Why the seed was parked or refused."),
        sa.Column(
            "error_log_id",
            sa.Text(),
            nullable=True,
            comment="API (log_id). The answer for which it was.",
        ),
        sa.Column(
            "begun_at",
            TIME,
            nullable=True,
            comment="When the listing's first page was asked for last, UTC.",
        ),
        sa.Column("created_at", TIME, nullable=False, comment="When the row was made, UTC."),
        sa.Column("updated_at", TIME, nullable=False, comment="When the row last changed, UTC."),
        sa.Column(
            "last_page_at",
            TIME,
            nullable=True,
            comment="When the last page that is stored was received, UTC.",
        ),
        sa.Column(
            "completed_at",
            TIME,
            nullable=True,
            comment=("When the answer was received that completed or refused the seed, UTC."),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_seed")),
        sa.UniqueConstraint("listing", "seed", name=op.f("uq_seed_listing_seed")),
        comment=(
            "One row a seed and listing: what something is listed of, and how far that has come."
        ),
    )
    op.create_table(
        "user_video",
        sa.Column("username", NAME, nullable=False, comment="Whose list it is."),
        sa.Column(
            "kind",
            sa.Enum(
                "liked",
                "pinned",
                "reposted",
                name="kind",
                native_enum=False,
                create_constraint=True,
            ),
            nullable=False,
            comment="Which list: liked, pinned or reposted.",
        ),
        sa.Column("video_id", INT64, nullable=False, comment="The video."),
        sa.Column(
            "position",
            INT64,
            nullable=False,
            comment="Place in the list when it was seen last; 1: the first.",
        ),
        sa.Column(
            "first_seen_at", TIME, nullable=False, comment="When the API first delivered it, UTC."
        ),
        sa.Column(
            "last_seen_at", TIME, nullable=False, comment="When the API last delivered it, UTC."
        ),
        sa.ForeignKeyConstraint(["video_id"], ["video.id"], name=op.f("fk_user_video_video_id")),
        sa.PrimaryKeyConstraint("username", "kind", "video_id", name=op.f("pk_user_video")),
        comment="One row a video in a list of a user's.",
        sqlite_with_rowid=False,
    )
    op.create_table(
        "account",
        sa.Column("id", INT64, nullable=False, comment="Given by this database."),
        sa.Column("username", NAME, nullable=False, comment="API. Handle without @."),
        sa.Column(
            "display_name",
            sa.Text(),
            nullable=True,
            comment="API. Name that is shown, as delivered last.",
        ),
        sa.Column(
            "extra_data",
            JSON,
            nullable=True,
            comment=(
                "API. Object: fields that have no column, and values that do not fit their column."
            ),
        ),
        sa.Column(
            "crawled_at", TIME, nullable=False, comment="When the API first delivered the row, UTC."
        ),
        sa.Column(
            "crawled_updated_at",
            TIME,
            nullable=True,
            comment=("When the API last delivered other values than before, UTC; NULL: never."),
        ),
        sa.Column(
            "crawl_id",
            INT64,
            nullable=False,
            comment="The page that last changed the row, or first brought it.",
        ),
        sa.ForeignKeyConstraint(["crawl_id"], ["crawl.id"], name=op.f("fk_account_crawl_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account")),
        sa.UniqueConstraint("username", name=op.f("uq_account_username")),
        comment="One row a user who follows, or is followed by, another one.",
    )
    op.create_table(
        "comment",
        sa.Column("id", INT64, autoincrement=False, nullable=False, comment="API."),
        sa.Column(
            "video_id",
            INT64,
            nullable=True,
            comment="API. The video, which need not be in `video`.",
        ),
        sa.Column(
            "parent_comment_id",
            INT64,
            nullable=True,
            comment="API. Of a reply the comment; otherwise the video.",
        ),
        sa.Column(
            "text",
            sa.Text(),
            nullable=True,
            comment=("API. Numbers of phones and cards, and addresses, are masked by the API."),
        ),
        sa.Column("like_count", INT64, nullable=True, comment="API. Number of likes."),
        sa.Column("reply_count", INT64, nullable=True, comment="API. Number of replies."),
        sa.Column(
            "create_time", TIME, nullable=True, comment="API. When the comment was written, UTC."
        ),
        sa.Column(
            "display_name",
            sa.Text(),
            nullable=True,
            comment=("API. The author's display name, if delivered; the API has no handle."),
        ),
        sa.Column(
            "extra_data",
            JSON,
            nullable=True,
            comment=(
                "API. Object: fields that have no column, and values that do not fit their column."
            ),
        ),
        sa.Column(
            "crawled_at", TIME, nullable=False, comment="When the API first delivered the row, UTC."
        ),
        sa.Column(
            "crawled_updated_at",
            TIME,
            nullable=True,
            comment=("When the API last delivered other values than before, UTC; NULL: never."),
        ),
        sa.Column(
            "crawl_id",
            INT64,
            nullable=False,
            comment="The page that last changed the row, or first brought it.",
        ),
        sa.ForeignKeyConstraint(["crawl_id"], ["crawl.id"], name=op.f("fk_comment_crawl_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_comment")),
        comment=("One row a comment or reply: the latest values that the API delivered."),
    )
    op.create_index(
        op.f("ix_comment_parent_comment_id"), "comment", ["parent_comment_id"], unique=False
    )
    op.create_index(op.f("ix_comment_video_id"), "comment", ["video_id"], unique=False)
    op.create_table(
        "playlist",
        sa.Column("id", INT64, autoincrement=False, nullable=False, comment="API (playlist_id)."),
        sa.Column("name", sa.Text(), nullable=True, comment="API (playlist_name)."),
        sa.Column(
            "item_total",
            INT64,
            nullable=True,
            comment="API (playlist_item_total). Number of videos.",
        ),
        sa.Column(
            "last_updated",
            INT64,
            nullable=True,
            comment=(
                "API (playlist_last_updated). A Unix time, as delivered: its unit is not known."
            ),
        ),
        sa.Column(
            "extra_data",
            JSON,
            nullable=True,
            comment=(
                "API. Object: fields that have no column, and values that do not fit their column."
            ),
        ),
        sa.Column(
            "crawled_at", TIME, nullable=False, comment="When the API first delivered the row, UTC."
        ),
        sa.Column(
            "crawled_updated_at",
            TIME,
            nullable=True,
            comment=("When the API last delivered other values than before, UTC; NULL: never."),
        ),
        sa.Column(
            "crawl_id",
            INT64,
            nullable=False,
            comment="The page that last changed the row, or first brought it.",
        ),
        sa.ForeignKeyConstraint(["crawl_id"], ["crawl.id"], name=op.f("fk_playlist_crawl_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_playlist")),
        comment="One row a playlist: the latest values that the API delivered.",
    )
    op.create_table(
        "product",
        sa.Column("id", NAME, nullable=False, comment="API (product_id). Text."),
        sa.Column(
            "shop_id",
            INT64,
            nullable=True,
            comment="The shop that was asked for, which need not be in `shop`.",
        ),
        sa.Column("shop_name", sa.Text(), nullable=True, comment="API."),
        sa.Column("product_name", sa.Text(), nullable=True, comment="API."),
        sa.Column("product_description", sa.Text(), nullable=True, comment="API."),
        sa.Column(
            "product_price", JSON, nullable=True, comment="API. List of text, such as `20.79GBP`."
        ),
        sa.Column("product_sold_count", INT64, nullable=True, comment="API. Number of items sold."),
        sa.Column("product_review_count", INT64, nullable=True, comment="API. Number of reviews."),
        sa.Column("product_rating", sa.Text(), nullable=True, comment="API. Text, as delivered."),
        sa.Column(
            "product_rating_1_count",
            INT64,
            nullable=True,
            comment="API. Number of reviews with one star.",
        ),
        sa.Column("product_rating_2_count", INT64, nullable=True, comment="API. With two stars."),
        sa.Column("product_rating_3_count", INT64, nullable=True, comment="API. With three stars."),
        sa.Column("product_rating_4_count", INT64, nullable=True, comment="API. With four stars."),
        sa.Column("product_rating_5_count", INT64, nullable=True, comment="API. With five stars."),
        sa.Column(
            "extra_data",
            JSON,
            nullable=True,
            comment=(
                "API. Object: fields that have no column, and values that do not fit their column."
            ),
        ),
        sa.Column(
            "crawled_at", TIME, nullable=False, comment="When the API first delivered the row, UTC."
        ),
        sa.Column(
            "crawled_updated_at",
            TIME,
            nullable=True,
            comment=("When the API last delivered other values than before, UTC; NULL: never."),
        ),
        sa.Column(
            "crawl_id",
            INT64,
            nullable=False,
            comment="The page that last changed the row, or first brought it.",
        ),
        sa.ForeignKeyConstraint(["crawl_id"], ["crawl.id"], name=op.f("fk_product_crawl_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_product")),
        comment="One row a product: the latest values that the API delivered.",
    )
    op.create_index(op.f("ix_product_shop_id"), "product", ["shop_id"], unique=False)
    op.create_table(
        "review",
        sa.Column(
            "id",
            INT64,
            autoincrement=False,
            nullable=False,
            comment=(
                "A fingerprint of product, author, time, rating and text: the API gives no id."
            ),
        ),
        sa.Column(
            "product_id",
            NAME,
            nullable=False,
            comment=("The product that was asked for, which need not be in `product`."),
        ),
        sa.Column("product_name", sa.Text(), nullable=True, comment="API."),
        sa.Column(
            "display_name", sa.Text(), nullable=True, comment="API. The author's, if delivered."
        ),
        sa.Column("review_text", sa.Text(), nullable=True, comment="API."),
        sa.Column("review_like_count", INT64, nullable=True, comment="API. Number of likes."),
        sa.Column(
            "review_rating", sa.Text(), nullable=True, comment="API. A word, such as `FIVE`."
        ),
        sa.Column(
            "create_time", TIME, nullable=True, comment="API. When the review was written, UTC."
        ),
        sa.Column(
            "extra_data",
            JSON,
            nullable=True,
            comment=(
                "API. Object: fields that have no column, and values that do not fit their column."
            ),
        ),
        sa.Column(
            "crawled_at", TIME, nullable=False, comment="When the API first delivered the row, UTC."
        ),
        sa.Column(
            "crawled_updated_at",
            TIME,
            nullable=True,
            comment=("When the API last delivered other values than before, UTC; NULL: never."),
        ),
        sa.Column(
            "crawl_id",
            INT64,
            nullable=False,
            comment="The page that last changed the row, or first brought it.",
        ),
        sa.ForeignKeyConstraint(["crawl_id"], ["crawl.id"], name=op.f("fk_review_crawl_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review")),
        comment=("One row a review of a product: the latest values that the API delivered."),
    )
    op.create_index(op.f("ix_review_product_id"), "review", ["product_id"], unique=False)
    op.create_table(
        "shop",
        sa.Column("id", INT64, autoincrement=False, nullable=False, comment="API (shop_id)."),
        sa.Column("shop_name", sa.Text(), nullable=True, comment="API."),
        sa.Column("shop_rating", sa.Text(), nullable=True, comment="API. Text, as delivered."),
        sa.Column("shop_review_count", INT64, nullable=True, comment="API. Number of reviews."),
        sa.Column("item_sold_count", INT64, nullable=True, comment="API. Number of items sold."),
        sa.Column(
            "shop_performance_value", sa.Text(), nullable=True, comment="API. Text, as delivered."
        ),
        sa.Column(
            "extra_data",
            JSON,
            nullable=True,
            comment=(
                "API. Object: fields that have no column, and values that do not fit their column."
            ),
        ),
        sa.Column(
            "crawled_at", TIME, nullable=False, comment="When the API first delivered the row, UTC."
        ),
        sa.Column(
            "crawled_updated_at",
            TIME,
            nullable=True,
            comment=("When the API last delivered other values than before, UTC; NULL: never."),
        ),
        sa.Column(
            "crawl_id",
            INT64,
            nullable=False,
            comment="The page that last changed the row, or first brought it.",
        ),
        sa.ForeignKeyConstraint(["crawl_id"], ["crawl.id"], name=op.f("fk_shop_crawl_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shop")),
        comment="One row a shop: the latest values that the API delivered.",
    )
    op.create_table(
        "user_info",
        sa.Column(
            "username", NAME, nullable=False, comment="The handle that was asked for, without @."
        ),
        sa.Column(
            "status",
            sa.Enum(
                "found",
                "not_found",
                "withheld",
                "refused",
                name="status",
                native_enum=False,
                create_constraint=True,
            ),
            nullable=False,
            comment=(
                "What the API said last: found; not_found; withheld: private, or a minor's; "
                "refused: for another reason. Values that it delivered before are kept."
            ),
        ),
        sa.Column("display_name", sa.Text(), nullable=True, comment="API. Name that is shown."),
        sa.Column("bio_description", sa.Text(), nullable=True, comment="API. What the user says."),
        sa.Column(
            "avatar_url",
            sa.Text(),
            nullable=True,
            comment="API. Address of the picture, which works for some days.",
        ),
        sa.Column(
            "is_verified",
            sa.Boolean(),
            nullable=True,
            comment="API. Whether TikTok vouches for the account.",
        ),
        sa.Column("follower_count", INT64, nullable=True, comment="API. Number of followers."),
        sa.Column(
            "following_count", INT64, nullable=True, comment="API. Number of users followed."
        ),
        sa.Column(
            "likes_count",
            INT64,
            nullable=True,
            comment="API. Number of likes that the user's videos have.",
        ),
        sa.Column("video_count", INT64, nullable=True, comment="API. Number of videos."),
        sa.Column("bio_url", sa.Text(), nullable=True, comment="API. Link that the user shows."),
        sa.Column(
            "extra_data",
            JSON,
            nullable=True,
            comment=(
                "API. Object: fields that have no column, and values that do not fit their column."
            ),
        ),
        sa.Column(
            "first_seen_at",
            TIME,
            nullable=False,
            comment="When the API first answered for the user, UTC.",
        ),
        sa.Column(
            "last_seen_at",
            TIME,
            nullable=False,
            comment="When the API last answered for the user, UTC.",
        ),
        sa.Column(
            "crawl_id",
            INT64,
            nullable=True,
            comment=(
                "The page that last changed the row, or first brought it. NULL: there is none."
            ),
        ),
        sa.ForeignKeyConstraint(["crawl_id"], ["crawl.id"], name=op.f("fk_user_info_crawl_id")),
        sa.PrimaryKeyConstraint("username", name=op.f("pk_user_info")),
        comment=("One row a user whose profile was asked for: the latest values."),
    )
    op.create_table(
        "playlist_video",
        sa.Column("playlist_id", INT64, nullable=False, comment="The playlist."),
        sa.Column(
            "video_id",
            INT64,
            autoincrement=False,
            nullable=False,
            comment=("API (playlist_video_ids). The video, which need not be in `video`."),
        ),
        sa.Column(
            "position",
            INT64,
            nullable=False,
            comment="Place in the list when it was seen last; 1: the first.",
        ),
        sa.Column(
            "first_seen_at", TIME, nullable=False, comment="When the API first delivered it, UTC."
        ),
        sa.Column(
            "last_seen_at", TIME, nullable=False, comment="When the API last delivered it, UTC."
        ),
        sa.ForeignKeyConstraint(
            ["playlist_id"], ["playlist.id"], name=op.f("fk_playlist_video_playlist_id")
        ),
        sa.PrimaryKeyConstraint("playlist_id", "video_id", name=op.f("pk_playlist_video")),
        comment="One row a video of a playlist.",
        sqlite_with_rowid=False,
    )
    op.create_table(
        "user_info_history",
        sa.Column("id", INT64, nullable=False, comment="Given by this database."),
        sa.Column("username", NAME, nullable=False, comment="The user."),
        sa.Column(
            "field",
            sa.Text(),
            nullable=False,
            comment=(
                "What was replaced: a column of user_info, or a key of extra_data, such as "
                "`extra_data.novelty`. A new signature in avatar_url is no change."
            ),
        ),
        sa.Column("old_value", JSON, nullable=False, comment="Any JSON: the value before."),
        sa.Column(
            "until",
            TIME,
            nullable=False,
            comment="When the answer that replaced it was received, UTC.",
        ),
        sa.Column(
            "crawl_id",
            INT64,
            nullable=True,
            comment="The page that replaced it; NULL: the API refused one.",
        ),
        sa.ForeignKeyConstraint(
            ["crawl_id"], ["crawl.id"], name=op.f("fk_user_info_history_crawl_id")
        ),
        sa.ForeignKeyConstraint(
            ["username"], ["user_info.username"], name=op.f("fk_user_info_history_username")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_info_history")),
        comment=("One row a value of a profile, counters too, that a later answer replaced."),
    )
    op.create_index(
        op.f("ix_user_info_history_username"), "user_info_history", ["username"], unique=False
    )
    op.create_table(
        "user_relation",
        sa.Column("follower_id", INT64, nullable=False, comment="Who follows."),
        sa.Column("followed_id", INT64, nullable=False, comment="Who is followed."),
        sa.Column(
            "first_seen_at", TIME, nullable=False, comment="When the API first delivered it, UTC."
        ),
        sa.Column(
            "last_seen_at", TIME, nullable=False, comment="When the API last delivered it, UTC."
        ),
        sa.ForeignKeyConstraint(
            ["followed_id"], ["account.id"], name=op.f("fk_user_relation_followed_id")
        ),
        sa.ForeignKeyConstraint(
            ["follower_id"], ["account.id"], name=op.f("fk_user_relation_follower_id")
        ),
        sa.PrimaryKeyConstraint("follower_id", "followed_id", name=op.f("pk_user_relation")),
        comment="One row a pair of users: who follows whom.",
        sqlite_with_rowid=False,
    )
    op.create_index(
        op.f("ix_user_relation_followed_id"), "user_relation", ["followed_id"], unique=False
    )
    with _replacing_crawl(), op.batch_alter_table("crawl") as crawl:
        for column, (before, after) in COMMENTS.items():
            crawl.alter_column(
                column,
                existing_type=INT64,
                nullable=True,
                existing_comment=before,
                comment=after,
            )
        crawl.add_column(
            sa.Column("seed_id", INT64, comment="The seed, if the page is one of a listing.")
        )
        crawl.create_foreign_key(op.f("fk_crawl_seed_id"), "seed", ["seed_id"], ["id"])
        crawl.create_unique_constraint(
            op.f("uq_crawl_seed_id_cursor_crawl_started_at"),
            ["seed_id", "cursor", "crawl_started_at"],
        )
        crawl.create_check_constraint(
            op.f("ck_crawl_window_or_seed"),
            "(crawl_window_id IS NULL) <> (seed_id IS NULL)",
        )


def downgrade() -> None:
    for table in reversed(TABLES):
        if table != "seed":
            op.drop_table(table)
    for table in ("videos_to_crawls", "crawls_to_query_tags", "video_statistics", "video_revision"):
        op.execute(f"DELETE FROM {table} WHERE {OF_LISTINGS}")  # noqa: S608 - names of our own
    op.execute("DELETE FROM crawl WHERE seed_id IS NOT NULL")
    with _replacing_crawl(), op.batch_alter_table("crawl") as crawl:
        crawl.drop_constraint(op.f("ck_crawl_window_or_seed"), type_="check")
        crawl.drop_constraint(op.f("uq_crawl_seed_id_cursor_crawl_started_at"), type_="unique")
        crawl.drop_constraint(op.f("fk_crawl_seed_id"), type_="foreignkey")
        crawl.drop_column("seed_id")
        for column, (before, after) in COMMENTS.items():
            crawl.alter_column(
                column,
                existing_type=INT64,
                nullable=False,
                existing_comment=after,
                comment=before,
            )
    op.drop_table("seed")


@contextmanager
def _replacing_crawl() -> Iterator[None]:
    """SQLite changes a table by replacing it, which views of it forbid."""
    if op.get_context().dialect.name != "sqlite":
        yield
        return
    view = sa.text("SELECT sql FROM sqlite_master WHERE name = :name").bindparams(name=VIEW)
    definition = op.get_bind().scalar(view)
    op.execute(f"DROP VIEW {VIEW}")
    yield
    op.execute(definition)
