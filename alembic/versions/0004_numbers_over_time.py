"""The counters of videos over time, and what other values were before they changed.

Revision ID: 0004
Revises: 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

INT64 = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
TIME = sa.DateTime(timezone=True)

FIRST_ROWS = """
INSERT INTO video_statistics
    (video_id, observed_at, crawl_id,
     like_count, comment_count, share_count, view_count, favorites_count)
SELECT video_id, changed_at, crawl_id,
       like_count, comment_count, share_count, view_count, favorites_count
FROM (
    SELECT video.id AS video_id,
           coalesce(video.crawled_updated_at, video.crawled_at) AS changed_at,
           crawl.id AS crawl_id,
           video.like_count, video.comment_count, video.share_count, video.view_count,
           video.favorites_count,
           row_number() OVER (
               PARTITION BY video.id ORDER BY crawl.crawl_started_at DESC, crawl.id DESC
           ) AS place
    FROM video
    JOIN videos_to_crawls ON videos_to_crawls.video_id = video.id
    JOIN crawl ON crawl.id = videos_to_crawls.crawl_id
    WHERE crawl.crawl_started_at <= coalesce(video.crawled_updated_at, video.crawled_at)
      AND coalesce(video.like_count, video.comment_count, video.share_count, video.view_count,
                   video.favorites_count) IS NOT NULL
) AS brought
WHERE place = 1
ORDER BY video_id
"""
"""The newest page that brought the values which a video has now; earlier values are not known."""

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
        comment="One row a video and time at which one of its counters had changed, with "
        "the values known from then on. NULL: the API had not delivered one yet.",
        sqlite_with_rowid=False,
    )
    op.create_table(
        "video_revision",
        sa.Column("id", INT64, nullable=False, comment="Given by this database."),
        sa.Column("video_id", INT64, nullable=False, comment="The video."),
        sa.Column(
            "field",
            sa.Text(),
            nullable=False,
            comment="What was replaced: a column of video, hashtag_names, effect_ids, or a key of "
            "extra_data, such as `extra_data.novelty`.",
        ),
        sa.Column(
            "old_value",
            JSON,
            nullable=False,
            comment="Any JSON: the value before; of hashtag_names and effect_ids the sorted names, "
            "of create_time text.",
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
    op.execute(FIRST_ROWS)
    day = UTC_DAY[op.get_context().dialect.name]
    op.execute(
        DAILY.format(
            crawl_day=day.format("crawl.crawl_started_at"), observed_day=day.format("observed_at")
        )
    )


def downgrade() -> None:
    op.execute("DROP VIEW video_statistics_daily")
    op.drop_index(op.f("ix_video_revision_video_id"), table_name="video_revision")
    op.drop_table("video_revision")
    op.drop_table("video_statistics")
