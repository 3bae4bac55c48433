"""The first tables.

Revision ID: 0001
Revises:
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

INT64 = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
NAME = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
TIME = sa.DateTime(timezone=True)
STATE = sa.Enum(
    "open", "complete", "split", "parked", name="state", native_enum=False, create_constraint=True
)


def upgrade() -> None:
    op.create_table(
        "database_origin",
        sa.Column("id", INT64, nullable=False, autoincrement=False, comment="Always 1."),
        sa.Column(
            "origin",
            sa.Text(),
            nullable=False,
            comment="URL of the API that all data came from, or `sandbox`.",
        ),
        sa.Column("created_at", TIME, nullable=False, comment="When the first crawl set it, UTC."),
        sa.CheckConstraint("id = 1", name=op.f("ck_database_origin_ck_database_origin_single_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_database_origin")),
        comment="One row: data of the real API and of the sandbox never mix.",
    )
    op.create_table(
        "effect",
        sa.Column("id", INT64, nullable=False, comment="Given by this database."),
        sa.Column(
            "effect_id",
            NAME,
            nullable=False,
            comment="API (effect_ids). The effect's id, which is text.",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_effect")),
        sa.UniqueConstraint("effect_id", name=op.f("uq_effect_effect_id")),
        comment="One row an effect.",
    )
    op.create_table(
        "hashtag",
        sa.Column("id", INT64, nullable=False, comment="Given by this database."),
        sa.Column(
            "name", NAME, nullable=False, comment="API (hashtag_names). Without #, as delivered."
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hashtag")),
        sa.UniqueConstraint("name", name=op.f("uq_hashtag_name")),
        comment="One row a hashtag.",
    )
    op.create_table(
        "query",
        sa.Column("id", INT64, nullable=False, comment="Given by this database."),
        sa.Column(
            "fingerprint",
            sa.Text(),
            nullable=False,
            comment="SHA-256 of canonical_json, hexadecimal.",
        ),
        sa.Column(
            "canonical_json",
            sa.Text(),
            nullable=False,
            comment="The query as it is sent to the API, in canonical form.",
        ),
        sa.Column("first_used_at", TIME, nullable=False, comment="When a run first used it, UTC."),
        sa.Column("last_used_at", TIME, nullable=False, comment="When a run last used it, UTC."),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_query")),
        sa.UniqueConstraint("fingerprint", name=op.f("uq_query_fingerprint")),
        comment="One row a query, whatever dates, tags and fields it was used with.",
    )
    op.create_table(
        "query_tag",
        sa.Column("id", INT64, nullable=False, comment="Given by this database."),
        sa.Column("name", NAME, nullable=False, comment="The tag, as typed."),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_query_tag")),
        sa.UniqueConstraint("name", name=op.f("uq_query_tag_name")),
        comment="One row a tag, which a query file gives to what it collects.",
    )
    op.create_table(
        "video",
        sa.Column(
            "id",
            INT64,
            nullable=False,
            autoincrement=False,
            comment="API. id >> 32 is a Unix time shortly before create_time.",
        ),
        sa.Column(
            "create_time", TIME, nullable=True, comment="API. When the video was published, UTC."
        ),
        sa.Column(
            "username",
            sa.Text(),
            nullable=True,
            comment="API. Handle of the author without @; handles change, and the API has no "
            "author id.",
        ),
        sa.Column(
            "region_code",
            sa.Text(),
            nullable=True,
            comment="API. Country in which the author registered, two letters in upper case.",
        ),
        sa.Column(
            "video_description",
            sa.Text(),
            nullable=True,
            comment="API. Caption, with hashtags and mentions.",
        ),
        sa.Column("music_id", INT64, nullable=True, comment="API. The music of the video."),
        sa.Column("like_count", INT64, nullable=True, comment="API. Number of likes."),
        sa.Column("comment_count", INT64, nullable=True, comment="API. Number of comments."),
        sa.Column("share_count", INT64, nullable=True, comment="API. Number of shares."),
        sa.Column("view_count", INT64, nullable=True, comment="API. Number of views."),
        sa.Column(
            "favorites_count",
            INT64,
            nullable=True,
            comment="API. Number of users who keep the video among their favorites.",
        ),
        sa.Column(
            "playlist_id", INT64, nullable=True, comment="API. The playlist that the video is in."
        ),
        sa.Column(
            "voice_to_text",
            sa.Text(),
            nullable=True,
            comment="API. Transcript; most videos have none.",
        ),
        sa.Column(
            "is_stem_verified",
            sa.Boolean(),
            nullable=True,
            comment="API. Whether the video was verified as good science and technology content.",
        ),
        sa.Column("video_duration", INT64, nullable=True, comment="API. Length in seconds."),
        sa.Column(
            "hashtag_info_list",
            JSON,
            nullable=True,
            comment="API. List of objects: the hashtags with their ids and descriptions.",
        ),
        sa.Column(
            "sticker_info_list",
            JSON,
            nullable=True,
            comment="API. List of objects: the stickers with their ids and names.",
        ),
        sa.Column(
            "effect_info_list",
            JSON,
            nullable=True,
            comment="API. List of objects: the effects with their ids and names.",
        ),
        sa.Column(
            "video_mention_list",
            JSON,
            nullable=True,
            comment="API. List of text: users who are tagged in the video.",
        ),
        sa.Column(
            "video_label",
            JSON,
            nullable=True,
            comment="API. Object: the label that is shown on the video, such as a warning.",
        ),
        sa.Column(
            "video_tag",
            JSON,
            nullable=True,
            comment="API. Object: what the video is marked as: AI-generated, paid partnership.",
        ),
        sa.Column(
            "extra_data",
            JSON,
            nullable=True,
            comment="API. Object: fields that have no column, and values that do not fit their "
            "column.",
        ),
        sa.Column(
            "crawled_at",
            TIME,
            nullable=False,
            comment="When the API first delivered the video, UTC.",
        ),
        sa.Column(
            "crawled_updated_at",
            TIME,
            nullable=True,
            comment="When the API last delivered other values than before, UTC; NULL: never.",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_video")),
        comment="One row a video: the latest values that the API delivered.",
    )
    op.create_index(op.f("ix_video_create_time"), "video", ["create_time"], unique=False)
    op.create_table(
        "collection",
        sa.Column("id", INT64, nullable=False, comment="Given by this database."),
        sa.Column("query_id", INT64, nullable=False, comment="The query."),
        sa.Column(
            "start_written",
            sa.Text(),
            nullable=False,
            comment="First day as the user wrote it, such as `3 days ago`.",
        ),
        sa.Column(
            "end_written", sa.Text(), nullable=False, comment="Last day as the user wrote it."
        ),
        sa.Column("start_date", sa.Date(), nullable=False, comment="First day wanted, UTC."),
        sa.Column(
            "end_date", sa.Date(), nullable=False, comment="Last day wanted, UTC, inclusive."
        ),
        sa.Column("tags", JSON, nullable=False, comment="List of text: the tags, sorted."),
        sa.Column(
            "first_run_at", TIME, nullable=False, comment="When a run first asked for it, UTC."
        ),
        sa.Column(
            "last_run_at", TIME, nullable=False, comment="When a run last asked for it, UTC."
        ),
        sa.ForeignKeyConstraint(["query_id"], ["query.id"], name=op.f("fk_collection_query_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_collection")),
        comment="What runs were asked for; the days wanted of a query are those of all rows.",
    )
    op.create_index(op.f("ix_collection_query_id"), "collection", ["query_id"], unique=False)
    op.create_table(
        "crawl_window",
        sa.Column("id", INT64, nullable=False, comment="Given by this database."),
        sa.Column("query_id", INT64, nullable=False, comment="The query."),
        sa.Column("start_date", sa.Date(), nullable=False, comment="First day, UTC."),
        sa.Column("end_date", sa.Date(), nullable=False, comment="Last day, UTC, inclusive."),
        sa.Column(
            "state",
            STATE,
            nullable=False,
            comment="open: begun; complete: all pages are stored; split: replaced by other windows; "
            "parked: given up for now.",
        ),
        sa.Column(
            "fields",
            JSON,
            nullable=False,
            comment="List of text: the fields of videos that are asked for.",
        ),
        sa.Column(
            "cursor",
            INT64,
            nullable=False,
            comment="API. Where the next page starts; 0: at the start of a new search.",
        ),
        sa.Column(
            "search_id", sa.Text(), nullable=True, comment="API. The search that the cursor is in."
        ),
        sa.Column(
            "searched_at",
            TIME,
            nullable=True,
            comment="When the first page of the search was asked for, UTC.",
        ),
        sa.Column("pages", INT64, nullable=False, comment="Pages stored of the search."),
        sa.Column("videos", INT64, nullable=False, comment="Records received in these pages."),
        sa.Column(
            "requests",
            INT64,
            nullable=False,
            comment="Requests sent for the window, all searches, failures included.",
        ),
        sa.Column(
            "attempts",
            INT64,
            nullable=False,
            comment="Requests sent for a first page, failures included.",
        ),
        sa.Column(
            "retry_at", TIME, nullable=True, comment="When a parked window may be tried again, UTC."
        ),
        sa.Column(
            "suspicious",
            sa.Boolean(),
            nullable=False,
            server_default=sa.false(),
            comment="Whether the window is complete only because the API never said otherwise.",
        ),
        sa.Column("error", sa.Text(), nullable=True, comment="Why the window was parked."),
        sa.Column(
            "error_log_id",
            sa.Text(),
            nullable=True,
            comment="API (log_id). The answer for which it was parked.",
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
            comment="When the last page of all was received, UTC.",
        ),
        sa.CheckConstraint(
            "start_date <= end_date", name=op.f("ck_crawl_window_ck_crawl_window_dates")
        ),
        sa.ForeignKeyConstraint(["query_id"], ["query.id"], name=op.f("fk_crawl_window_query_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_crawl_window")),
        comment="One row a window: days that are searched as one, and how far that has come.",
    )
    op.create_index(
        op.f("ix_crawl_window_query_id_state"), "crawl_window", ["query_id", "state"], unique=False
    )
    op.create_table(
        "videos_to_effect_ids",
        sa.Column("video_id", INT64, nullable=False, comment="The video."),
        sa.Column(
            "effect_id",
            INT64,
            nullable=False,
            comment="An effect of it (effect.id), at the last observation.",
        ),
        sa.ForeignKeyConstraint(
            ["effect_id"], ["effect.id"], name=op.f("fk_videos_to_effect_ids_effect_id")
        ),
        sa.ForeignKeyConstraint(
            ["video_id"], ["video.id"], name=op.f("fk_videos_to_effect_ids_video_id")
        ),
        sa.PrimaryKeyConstraint("video_id", "effect_id", name=op.f("pk_videos_to_effect_ids")),
        comment="The effects of each video.",
        sqlite_with_rowid=False,
    )
    op.create_table(
        "videos_to_hashtags",
        sa.Column("video_id", INT64, nullable=False, comment="The video."),
        sa.Column(
            "hashtag_id", INT64, nullable=False, comment="A hashtag of it, at the last observation."
        ),
        sa.ForeignKeyConstraint(
            ["hashtag_id"], ["hashtag.id"], name=op.f("fk_videos_to_hashtags_hashtag_id")
        ),
        sa.ForeignKeyConstraint(
            ["video_id"], ["video.id"], name=op.f("fk_videos_to_hashtags_video_id")
        ),
        sa.PrimaryKeyConstraint("video_id", "hashtag_id", name=op.f("pk_videos_to_hashtags")),
        comment="The hashtags of each video.",
        sqlite_with_rowid=False,
    )
    op.create_table(
        "videos_to_query_tags",
        sa.Column("query_tag_id", INT64, nullable=False, comment="The tag."),
        sa.Column("video_id", INT64, nullable=False, comment="A video that was collected with it."),
        sa.ForeignKeyConstraint(
            ["query_tag_id"], ["query_tag.id"], name=op.f("fk_videos_to_query_tags_query_tag_id")
        ),
        sa.ForeignKeyConstraint(
            ["video_id"], ["video.id"], name=op.f("fk_videos_to_query_tags_video_id")
        ),
        sa.PrimaryKeyConstraint("query_tag_id", "video_id", name=op.f("pk_videos_to_query_tags")),
        comment="The tags of each video.",
        sqlite_with_rowid=False,
    )
    op.create_table(
        "crawl",
        sa.Column("id", INT64, nullable=False, comment="Given by this database."),
        sa.Column("crawl_window_id", INT64, nullable=False, comment="The window."),
        sa.Column("query_id", INT64, nullable=False, comment="The query."),
        sa.Column(
            "cursor", INT64, nullable=False, comment="Where the page starts; 0: the first page."
        ),
        sa.Column(
            "next_cursor",
            INT64,
            nullable=False,
            comment="API (cursor). Where the next page starts; on the last page the number of "
            "matches.",
        ),
        sa.Column("search_id", sa.Text(), nullable=True, comment="API. The search."),
        sa.Column(
            "has_more", sa.Boolean(), nullable=False, comment="API. Whether there are more pages."
        ),
        sa.Column("max_count", INT64, nullable=False, comment="Records that were asked for."),
        sa.Column(
            "video_count",
            INT64,
            nullable=False,
            comment="Records received: fewer where videos were deleted or made private.",
        ),
        sa.Column(
            "log_id", sa.Text(), nullable=True, comment="API. Names the answer to TikTok's support."
        ),
        sa.Column(
            "crawl_started_at", TIME, nullable=False, comment="When the page was received, UTC."
        ),
        sa.ForeignKeyConstraint(
            ["crawl_window_id"], ["crawl_window.id"], name=op.f("fk_crawl_crawl_window_id")
        ),
        sa.ForeignKeyConstraint(["query_id"], ["query.id"], name=op.f("fk_crawl_query_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_crawl")),
        sa.UniqueConstraint(
            "crawl_window_id",
            "cursor",
            "crawl_started_at",
            name=op.f("uq_crawl_crawl_window_id_cursor_crawl_started_at"),
        ),
        comment="One row a page: each answer of the API that is stored.",
    )
    op.create_table(
        "crawls_to_query_tags",
        sa.Column("crawl_id", INT64, nullable=False, comment="The page."),
        sa.Column(
            "query_tag_id", INT64, nullable=False, comment="A tag that it was collected with."
        ),
        sa.ForeignKeyConstraint(
            ["crawl_id"], ["crawl.id"], name=op.f("fk_crawls_to_query_tags_crawl_id")
        ),
        sa.ForeignKeyConstraint(
            ["query_tag_id"], ["query_tag.id"], name=op.f("fk_crawls_to_query_tags_query_tag_id")
        ),
        sa.PrimaryKeyConstraint("crawl_id", "query_tag_id", name=op.f("pk_crawls_to_query_tags")),
        comment="The tags of each page.",
        sqlite_with_rowid=False,
    )
    op.create_table(
        "videos_to_crawls",
        sa.Column("crawl_id", INT64, nullable=False, comment="The page."),
        sa.Column("video_id", INT64, nullable=False, comment="A video on it."),
        sa.ForeignKeyConstraint(
            ["crawl_id"], ["crawl.id"], name=op.f("fk_videos_to_crawls_crawl_id")
        ),
        sa.ForeignKeyConstraint(
            ["video_id"], ["video.id"], name=op.f("fk_videos_to_crawls_video_id")
        ),
        sa.PrimaryKeyConstraint("crawl_id", "video_id", name=op.f("pk_videos_to_crawls")),
        comment="Which page brought which video.",
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    op.drop_table("videos_to_crawls")
    op.drop_table("crawls_to_query_tags")
    op.drop_table("crawl")
    op.drop_table("videos_to_query_tags")
    op.drop_table("videos_to_hashtags")
    op.drop_table("videos_to_effect_ids")
    op.drop_table("crawl_window")
    op.drop_table("collection")
    op.drop_table("video")
    op.drop_table("query_tag")
    op.drop_table("query")
    op.drop_table("hashtag")
    op.drop_table("effect")
    op.drop_table("database_origin")
