"""The first tables, and a view.

Revision ID: 0101
Revises:
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0101"
down_revision = None
branch_labels = None
depends_on = None

INT64 = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
NAME = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
TIME = sa.DateTime(timezone=True)

DAILY = """
CREATE VIEW video_statistics_daily AS
SELECT seen.video_id, seen.day, known.like_count, known.comment_count, known.share_count,
       known.view_count, known.favorites_count
FROM (
    SELECT DISTINCT videos_to_crawls.video_id, {crawl_day} AS day
    FROM videos_to_crawls JOIN crawl ON crawl.id = videos_to_crawls.crawl_id
) AS seen
LEFT JOIN video_statistics AS known
    ON known.video_id = seen.video_id AND known.observed_at = (
        SELECT max(observed_at) FROM video_statistics
        WHERE video_statistics.video_id = seen.video_id AND {observed_day} <= seen.day
    )
"""

UTC_DAY = {"sqlite": "date({})", "postgresql": "date({} AT TIME ZONE 'UTC')"}
"""Only PostgreSQL reads times in a time zone of the session's."""


def upgrade() -> None:
    op.create_table(
        "api_quota",
        sa.Column(
            "client",
            sa.Text(),
            nullable=False,
            comment="SHA-256 of the client key, hexadecimal; the key itself is stored nowhere.",
        ),
        sa.Column(
            "pool",
            sa.Text(),
            nullable=False,
            comment="research: 1,000 requests a day; follow: 20,000, for followers and following.",
        ),
        sa.Column("day", sa.Date(), nullable=False, comment="Day of the quota, UTC."),
        sa.Column(
            "requests",
            INT64,
            nullable=False,
            comment="Requests sent by all crawls on this database.",
        ),
        sa.Column(
            "is_used_up",
            sa.Boolean(),
            server_default=sa.false(),
            nullable=False,
            comment="Whether the API said that the day's quota is used up, whoever has spent it.",
        ),
        sa.Column(
            "second_tries",
            INT64,
            server_default=sa.text("0"),
            nullable=False,
            comment="Those of the requests that tried a parked or suspicious window again.",
        ),
        sa.PrimaryKeyConstraint("client", "pool", "day", name=op.f("pk_api_quota")),
        comment="One row a client key, pool and day: the requests of all crawls here.",
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
        comment="One row a client key, pool, day and kind of request: its part of api_quota.",
    )
    op.create_table(
        "journal_mark",
        sa.Column(
            "journal", sa.Text(), nullable=False, comment="Names the crawl's files in the archive."
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
        "database_origin",
        sa.Column("id", INT64, autoincrement=False, nullable=False, comment="Always 1."),
        sa.Column(
            "origin",
            sa.Text(),
            nullable=False,
            comment="URL of the API that all data came from, or `sandbox`.",
        ),
        sa.Column("created_at", TIME, nullable=False, comment="When the first crawl set it, UTC."),
        sa.CheckConstraint("id = 1", name=op.f("ck_database_origin_single_row")),
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
        "run",
        sa.Column("id", INT64, nullable=False, comment="Given by this database."),
        sa.Column("spider", sa.Text(), nullable=False, comment="Its name."),
        sa.Column(
            "arguments",
            JSON,
            nullable=False,
            comment="Object: the arguments (`-a`) as given; secrets are hidden.",
        ),
        sa.Column("job", sa.Text(), nullable=True, comment="Scrapyd's name for the run (`_job`)."),
        sa.Column("version", sa.Text(), nullable=False, comment="The version of tiktok_crawler."),
        sa.Column("begun_at", TIME, nullable=False, comment="When it began, UTC."),
        sa.Column(
            "ended_at",
            TIME,
            nullable=True,
            comment="When it ended, UTC; NULL: it is still running, or was killed.",
        ),
        sa.Column(
            "close_reason",
            sa.Text(),
            nullable=True,
            comment="Why the spider was closed, such as `finished`.",
        ),
        sa.Column(
            "exit_status",
            INT64,
            nullable=True,
            comment="0: all that was asked for is stored; 75: run it again to go on; others are faults.",
        ),
        sa.Column(
            "requests",
            INT64,
            nullable=False,
            comment="Research requests sent, known when it has ended.",
        ),
        sa.Column(
            "faults",
            JSON,
            nullable=False,
            comment="Object: how often what went wrong, such as `fault` (the API failed) or `no_answer`.",
        ),
        sa.Column(
            "feeds",
            JSON,
            nullable=False,
            comment="List of text: the feeds that were written (`-O`).",
        ),
        sa.Column(
            "exports", JSON, nullable=False, comment="List of text: the exports that were written."
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_run")),
        comment="One row a run of a spider that has begun on this database.",
    )
    op.create_table(
        "seed",
        sa.Column("id", INT64, nullable=False, comment="Given by this database."),
        sa.Column(
            "listing",
            NAME,
            nullable=False,
            comment="What is listed: comments, replies, users, followers and so on.",
        ),
        sa.Column(
            "seed",
            NAME,
            nullable=False,
            comment="Whose: a video id, comment id, username, playlist id, shop name and so on.",
        ),
        sa.Column(
            "state",
            _one_of("open", "complete", "refused", "parked", name="state"),
            nullable=False,
            comment="open: wanted, or begun; complete: all that was wanted is stored; refused: the API lists nothing of it; parked: postponed to a later run.",
        ),
        sa.Column(
            "status",
            _one_of("not_found", "withheld", "refused", name="status"),
            nullable=True,
            comment="Of a refused seed: not_found, withheld (private, or a minor's), or refused for another reason.",
        ),
        sa.Column(
            "has_more",
            sa.Boolean(),
            nullable=True,
            comment="API. Whether there is more than is stored; NULL: no page is. A complete seed of which there is more has reached the limit of its run.",
        ),
        sa.Column(
            "cursor",
            INT64,
            nullable=False,
            comment="API. Where the next page starts; 0: at the start.",
        ),
        sa.Column(
            "begun_at", TIME, nullable=True, comment="When the first page was asked for last, UTC."
        ),
        sa.Column("pages", INT64, nullable=False, comment="Pages stored since it was begun last."),
        sa.Column("position", INT64, nullable=False, comment="Records received in these pages."),
        sa.Column(
            "requests",
            INT64,
            nullable=False,
            comment="Requests sent for it ever, failures included.",
        ),
        sa.Column(
            "attempts",
            INT64,
            nullable=False,
            comment="Requests sent for a first page, failures included.",
        ),
        sa.Column(
            "parked_count",
            INT64,
            server_default=sa.text("0"),
            nullable=False,
            comment="How often it was parked.",
        ),
        sa.Column("parked_at", TIME, nullable=True, comment="When it was parked last, UTC."),
        sa.Column(
            "retry_at",
            TIME,
            nullable=True,
            comment="When it may be tried again, if it is parked, UTC.",
        ),
        sa.Column(
            "suspicious",
            sa.Boolean(),
            server_default=sa.false(),
            nullable=False,
            comment="Whether it may lack something though it is complete: the API sent no data at all, or never said that there is no more, or the days before had many videos.",
        ),
        sa.Column(
            "error", sa.Text(), nullable=True, comment="Why it was parked, split or refused."
        ),
        sa.Column(
            "error_log_id",
            sa.Text(),
            nullable=True,
            comment="API (log_id). The answer for which it was.",
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
            comment="When the answer was received that completed or refused it, UTC.",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_seed")),
        sa.UniqueConstraint("listing", "seed", name=op.f("uq_seed_listing_seed")),
        comment="One row a seed and listing: what something is listed of, and how far that has come.",
    )
    op.create_table(
        "video",
        sa.Column(
            "id",
            INT64,
            autoincrement=False,
            nullable=False,
            comment="API. id >> 32 is a Unix time shortly before create_time.",
        ),
        sa.Column(
            "create_time", TIME, nullable=True, comment="API. When the video was published, UTC."
        ),
        sa.Column(
            "username",
            sa.Text(),
            nullable=True,
            comment="API. Handle of the author without @; handles change, and the API has no author id.",
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
            comment="API. Object: fields that have no column, and values that do not fit their column.",
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
            _one_of("open", "complete", "split", "parked", name="state"),
            nullable=False,
            comment="open: begun; complete: all pages are stored; split: replaced by other windows; parked: postponed to a later run.",
        ),
        sa.Column(
            "fields",
            JSON,
            nullable=False,
            comment="List of text: the fields of videos that are asked for.",
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
        sa.Column(
            "videos", INT64, nullable=False, comment="Records received in the search's pages."
        ),
        sa.Column(
            "cursor",
            INT64,
            nullable=False,
            comment="API. Where the next page starts; 0: at the start.",
        ),
        sa.Column("pages", INT64, nullable=False, comment="Pages stored since it was begun last."),
        sa.Column(
            "requests",
            INT64,
            nullable=False,
            comment="Requests sent for it ever, failures included.",
        ),
        sa.Column(
            "attempts",
            INT64,
            nullable=False,
            comment="Requests sent for a first page, failures included.",
        ),
        sa.Column(
            "parked_count",
            INT64,
            server_default=sa.text("0"),
            nullable=False,
            comment="How often it was parked.",
        ),
        sa.Column("parked_at", TIME, nullable=True, comment="When it was parked last, UTC."),
        sa.Column(
            "retry_at",
            TIME,
            nullable=True,
            comment="When it may be tried again, if it is parked, UTC.",
        ),
        sa.Column(
            "suspicious",
            sa.Boolean(),
            server_default=sa.false(),
            nullable=False,
            comment="Whether it may lack something though it is complete: the API sent no data at all, or never said that there is no more, or the days before had many videos.",
        ),
        sa.Column(
            "error", sa.Text(), nullable=True, comment="Why it was parked, split or refused."
        ),
        sa.Column(
            "error_log_id",
            sa.Text(),
            nullable=True,
            comment="API (log_id). The answer for which it was.",
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
            comment="When the answer was received that completed or refused it, UTC.",
        ),
        sa.CheckConstraint("start_date <= end_date", name=op.f("ck_crawl_window_dates")),
        sa.ForeignKeyConstraint(["query_id"], ["query.id"], name=op.f("fk_crawl_window_query_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_crawl_window")),
        comment="One row a window: days that are searched as one, and how far that has come.",
    )
    op.create_index(
        op.f("ix_crawl_window_query_id_state"), "crawl_window", ["query_id", "state"], unique=False
    )
    op.create_table(
        "user_video",
        sa.Column("username", NAME, nullable=False, comment="Whose list it is."),
        sa.Column(
            "kind",
            _one_of("liked", "pinned", "reposted", name="kind"),
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
        sa.Column(
            "crawl_window_id",
            INT64,
            nullable=True,
            comment="The window, if the page is one of a search.",
        ),
        sa.Column(
            "query_id", INT64, nullable=True, comment="The query, if the page is one of a search."
        ),
        sa.Column(
            "seed_id", INT64, nullable=True, comment="The seed, if the page is one of a listing."
        ),
        sa.Column(
            "run_id",
            INT64,
            nullable=True,
            comment="The run that asked for the page; NULL: it is not known.",
        ),
        sa.Column(
            "cursor", INT64, nullable=False, comment="Where the page starts; 0: the first page."
        ),
        sa.Column(
            "next_cursor",
            INT64,
            nullable=False,
            comment="API (cursor). Where the next page starts; on the last page the number of matches.",
        ),
        sa.Column("search_id", sa.Text(), nullable=True, comment="API. The search."),
        sa.Column(
            "has_more", sa.Boolean(), nullable=False, comment="API. Whether there are more pages."
        ),
        sa.Column("max_count", INT64, nullable=False, comment="Records that were asked for."),
        sa.Column(
            "record_count",
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
        sa.CheckConstraint(
            "(crawl_window_id IS NULL) <> (seed_id IS NULL)", name=op.f("ck_crawl_window_or_seed")
        ),
        sa.ForeignKeyConstraint(
            ["crawl_window_id"], ["crawl_window.id"], name=op.f("fk_crawl_crawl_window_id")
        ),
        sa.ForeignKeyConstraint(["query_id"], ["query.id"], name=op.f("fk_crawl_query_id")),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_crawl_run_id")),
        sa.ForeignKeyConstraint(["seed_id"], ["seed.id"], name=op.f("fk_crawl_seed_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_crawl")),
        sa.UniqueConstraint(
            "crawl_window_id",
            "cursor",
            "crawl_started_at",
            name=op.f("uq_crawl_crawl_window_id_cursor_crawl_started_at"),
        ),
        sa.UniqueConstraint(
            "seed_id",
            "cursor",
            "crawl_started_at",
            name=op.f("uq_crawl_seed_id_cursor_crawl_started_at"),
        ),
        comment="One row a page: each answer of the API that is stored.",
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
            comment="API. Object: fields that have no column, and values that do not fit their column.",
        ),
        sa.Column(
            "crawled_at", TIME, nullable=False, comment="When the API first delivered the row, UTC."
        ),
        sa.Column(
            "crawled_updated_at",
            TIME,
            nullable=True,
            comment="When the API last delivered other values than before, UTC; NULL: never.",
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
            comment="API. Numbers of phones and cards, and addresses, are masked by the API.",
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
            comment="API. The author's display name, if delivered; the API has no handle.",
        ),
        sa.Column(
            "extra_data",
            JSON,
            nullable=True,
            comment="API. Object: fields that have no column, and values that do not fit their column.",
        ),
        sa.Column(
            "crawled_at", TIME, nullable=False, comment="When the API first delivered the row, UTC."
        ),
        sa.Column(
            "crawled_updated_at",
            TIME,
            nullable=True,
            comment="When the API last delivered other values than before, UTC; NULL: never.",
        ),
        sa.Column(
            "crawl_id",
            INT64,
            nullable=False,
            comment="The page that last changed the row, or first brought it.",
        ),
        sa.ForeignKeyConstraint(["crawl_id"], ["crawl.id"], name=op.f("fk_comment_crawl_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_comment")),
        comment="One row a comment or reply: the latest values that the API delivered.",
    )
    op.create_index(
        op.f("ix_comment_parent_comment_id"), "comment", ["parent_comment_id"], unique=False
    )
    op.create_index(op.f("ix_comment_video_id"), "comment", ["video_id"], unique=False)
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
            comment="API (playlist_last_updated). A Unix time, as delivered: its unit is not known.",
        ),
        sa.Column(
            "extra_data",
            JSON,
            nullable=True,
            comment="API. Object: fields that have no column, and values that do not fit their column.",
        ),
        sa.Column(
            "crawled_at", TIME, nullable=False, comment="When the API first delivered the row, UTC."
        ),
        sa.Column(
            "crawled_updated_at",
            TIME,
            nullable=True,
            comment="When the API last delivered other values than before, UTC; NULL: never.",
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
            comment="API. Object: fields that have no column, and values that do not fit their column.",
        ),
        sa.Column(
            "crawled_at", TIME, nullable=False, comment="When the API first delivered the row, UTC."
        ),
        sa.Column(
            "crawled_updated_at",
            TIME,
            nullable=True,
            comment="When the API last delivered other values than before, UTC; NULL: never.",
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
            comment="A fingerprint of product, author, time, rating and text: the API gives no id.",
        ),
        sa.Column(
            "product_id",
            NAME,
            nullable=False,
            comment="The product that was asked for, which need not be in `product`.",
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
            comment="API. Object: fields that have no column, and values that do not fit their column.",
        ),
        sa.Column(
            "crawled_at", TIME, nullable=False, comment="When the API first delivered the row, UTC."
        ),
        sa.Column(
            "crawled_updated_at",
            TIME,
            nullable=True,
            comment="When the API last delivered other values than before, UTC; NULL: never.",
        ),
        sa.Column(
            "crawl_id",
            INT64,
            nullable=False,
            comment="The page that last changed the row, or first brought it.",
        ),
        sa.ForeignKeyConstraint(["crawl_id"], ["crawl.id"], name=op.f("fk_review_crawl_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review")),
        comment="One row a review of a product: the latest values that the API delivered.",
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
            comment="API. Object: fields that have no column, and values that do not fit their column.",
        ),
        sa.Column(
            "crawled_at", TIME, nullable=False, comment="When the API first delivered the row, UTC."
        ),
        sa.Column(
            "crawled_updated_at",
            TIME,
            nullable=True,
            comment="When the API last delivered other values than before, UTC; NULL: never.",
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
            _one_of("found", "not_found", "withheld", "refused", name="status"),
            nullable=False,
            comment="What the API said last: found; not_found; withheld: private, or a minor's; refused: for another reason. Values that it delivered before are kept.",
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
            comment="API. Object: fields that have no column, and values that do not fit their column.",
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
            comment="The page that last changed the row, or first brought it. NULL: there is none.",
        ),
        sa.ForeignKeyConstraint(["crawl_id"], ["crawl.id"], name=op.f("fk_user_info_crawl_id")),
        sa.PrimaryKeyConstraint("username", name=op.f("pk_user_info")),
        comment="One row a user whose profile was asked for: the latest values.",
    )
    op.create_table(
        "video_revision",
        sa.Column("id", INT64, nullable=False, comment="Given by this database."),
        sa.Column("video_id", INT64, nullable=False, comment="The video."),
        sa.Column(
            "field",
            sa.Text(),
            nullable=False,
            comment="What was replaced: a column of video, hashtag_names, effect_ids, or a key of extra_data, such as `extra_data.novelty`.",
        ),
        sa.Column(
            "old_value",
            JSON,
            nullable=False,
            comment="Any JSON: the value before; of hashtag_names and effect_ids the sorted names, of create_time text.",
        ),
        sa.Column(
            "until",
            TIME,
            nullable=False,
            comment="When the page that replaced it was received, UTC.",
        ),
        sa.Column("crawl_id", INT64, nullable=False, comment="The page that replaced it."),
        sa.ForeignKeyConstraint(
            ["crawl_id"], ["crawl.id"], name=op.f("fk_video_revision_crawl_id")
        ),
        sa.ForeignKeyConstraint(
            ["video_id"], ["video.id"], name=op.f("fk_video_revision_video_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_video_revision")),
        comment="One row a value, other than a counter, that a later page replaced.",
    )
    op.create_index(
        op.f("ix_video_revision_video_id"), "video_revision", ["video_id"], unique=False
    )
    op.create_table(
        "video_statistics",
        sa.Column("video_id", INT64, nullable=False, comment="The video."),
        sa.Column(
            "observed_at",
            TIME,
            nullable=False,
            comment="When the page with these values was received, UTC.",
        ),
        sa.Column("crawl_id", INT64, nullable=False, comment="The page."),
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
        sa.ForeignKeyConstraint(
            ["crawl_id"], ["crawl.id"], name=op.f("fk_video_statistics_crawl_id")
        ),
        sa.ForeignKeyConstraint(
            ["video_id"], ["video.id"], name=op.f("fk_video_statistics_video_id")
        ),
        sa.PrimaryKeyConstraint("video_id", "observed_at", name=op.f("pk_video_statistics")),
        comment="One row a video and time at which one of its counters had changed, with the values known from then on. NULL: the API had not delivered one yet.",
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
    op.create_table(
        "playlist_video",
        sa.Column("playlist_id", INT64, nullable=False, comment="The playlist."),
        sa.Column(
            "video_id",
            INT64,
            autoincrement=False,
            nullable=False,
            comment="API (playlist_video_ids). The video, which need not be in `video`.",
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
            comment="What was replaced: a column of user_info, or a key of extra_data, such as `extra_data.novelty`. A new signature in avatar_url is no change.",
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
        comment="One row a value of a profile, counters too, that a later answer replaced.",
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
    _create_view()


def downgrade() -> None:
    op.execute("DROP VIEW video_statistics_daily")
    op.drop_table("user_relation")
    op.drop_table("user_info_history")
    op.drop_table("playlist_video")
    op.drop_table("videos_to_crawls")
    op.drop_table("video_statistics")
    op.drop_table("video_revision")
    op.drop_table("user_info")
    op.drop_table("shop")
    op.drop_table("review")
    op.drop_table("product")
    op.drop_table("playlist")
    op.drop_table("crawls_to_query_tags")
    op.drop_table("comment")
    op.drop_table("account")
    op.drop_table("crawl")
    op.drop_table("videos_to_query_tags")
    op.drop_table("videos_to_hashtags")
    op.drop_table("videos_to_effect_ids")
    op.drop_table("user_video")
    op.drop_table("crawl_window")
    op.drop_table("collection")
    op.drop_table("video")
    op.drop_table("seed")
    op.drop_table("run")
    op.drop_table("query_tag")
    op.drop_table("query")
    op.drop_table("hashtag")
    op.drop_table("effect")
    op.drop_table("database_origin")
    op.drop_table("journal_mark")
    op.drop_table("api_quota_share")
    op.drop_table("api_quota")


def _create_view() -> None:
    day = UTC_DAY[op.get_context().dialect.name]
    op.execute(
        DAILY.format(
            crawl_day=day.format("crawl.crawl_started_at"), observed_day=day.format("observed_at")
        )
    )


def _one_of(*words: str, name: str) -> sa.Enum:
    return sa.Enum(*words, name=name, native_enum=False, create_constraint=True)
