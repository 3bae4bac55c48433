"""Records that others have collected: where they come from.

Pages of imports are neither a window's nor a seed's. On the way down, imported pages go, with what hangs on them; videos stay.

Revision ID: 0107
Revises: 0106
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0107"
down_revision = "0106"
branch_labels = None
depends_on = None

INT64 = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
TIME = sa.DateTime(timezone=True)

OF_TWO = "(crawl_window_id IS NULL) <> (seed_id IS NULL)"
OF_THREE = (
    "(crawl_window_id IS NOT NULL AND seed_id IS NULL AND import_id IS NULL) OR "
    "(crawl_window_id IS NULL AND seed_id IS NOT NULL AND import_id IS NULL) OR "
    "(crawl_window_id IS NULL AND seed_id IS NULL AND import_id IS NOT NULL)"
)
CHECK_OF_TWO, CHECK_OF_THREE = "ck_crawl_window_or_seed", "ck_crawl_window_seed_or_import"
ONCE = "uq_crawl_import_id_cursor_crawl_started_at"

COMMENTS = {
    "cursor": (
        "Where the page starts; 0: the first page.",
        "Where the page starts; 0: the first page; of an import a running number.",
    ),
    "crawl_started_at": (
        "When the page was received, UTC.",
        "When the page was received, UTC; of an import, when its records were collected.",
    ),
}
TABLE_COMMENTS = (
    "One row a page: each answer of the API that is stored.",
    "One row a page: an answer of the API, or records of an import that were collected at one time.",
)

FORGOTTEN = (
    "DELETE FROM video_statistics",
    "DELETE FROM video_revision",
    "DELETE FROM comment",
    "DELETE FROM user_info_history",
    "UPDATE user_info SET crawl_id = NULL",
    "DELETE FROM videos_to_crawls",
    "DELETE FROM crawls_to_query_tags",
)
OF_IMPORTS = " WHERE crawl_id IN (SELECT id FROM crawl WHERE import_id IS NOT NULL)"

VALUES = (
    *("cursor", "next_cursor", "search_id", "has_more", "max_count", "record_count", "log_id"),
    "crawl_started_at",
)

VIEWS = {
    "video_statistics_daily": """
        CREATE VIEW video_statistics_daily AS
        SELECT seen.video_id, seen.day, known.like_count, known.comment_count, known.share_count,
               known.view_count, known.favorites_count
        FROM (
            SELECT DISTINCT videos_to_crawls.video_id, date(crawl.crawl_started_at) AS day
            FROM videos_to_crawls JOIN crawl ON crawl.id = videos_to_crawls.crawl_id
        ) AS seen
        LEFT JOIN video_statistics AS known
            ON known.video_id = seen.video_id AND known.observed_at = (
                SELECT max(observed_at) FROM video_statistics
                WHERE video_statistics.video_id = seen.video_id AND date(observed_at) <= seen.day
            )
    """,
    "videos_to_queries": """
        CREATE VIEW videos_to_queries AS
        SELECT videos_to_crawls.video_id, crawl_window.query_id,
               min(crawl.run_id) AS first_run_id, max(crawl.run_id) AS last_run_id
        FROM crawl_window CROSS JOIN crawl CROSS JOIN videos_to_crawls
        WHERE crawl.crawl_window_id = crawl_window.id AND crawl.query_id = crawl_window.query_id
            AND videos_to_crawls.crawl_id = crawl.id
        GROUP BY crawl_window.query_id, videos_to_crawls.video_id
    """,
}
"""As they are on SQLite, whose new table needs them anew."""


def upgrade() -> None:
    op.create_table(
        "import",
        sa.Column("id", INT64, nullable=False, comment="Given by this database."),
        sa.Column(
            "sha256",
            sa.Text(),
            nullable=False,
            comment="SHA-256 of the file, hexadecimal; of a database on a server, of its rows.",
        ),
        sa.Column(
            "file", sa.Text(), nullable=False, comment="The file, or the database on a server."
        ),
        sa.Column("kind", sa.Text(), nullable=False, comment="What it was recognised as."),
        sa.Column(
            "collected_at",
            TIME,
            nullable=True,
            comment="When its records were collected, as the user said (`--collected-at`), UTC; "
            "NULL: it says so itself.",
        ),
        sa.Column(
            "tags",
            JSON,
            nullable=False,
            comment="List of text: the tags that the user gave it (`--tag`), sorted.",
        ),
        sa.Column(
            "queries",
            JSON,
            nullable=False,
            comment="List of objects: the queries by which it was collected, as text, with how many "
            "of their crawls it knows (`crawls`), and how many did not reach their end "
            "(`unfinished`).",
        ),
        sa.Column("version", sa.Text(), nullable=False, comment="The version of tiktok_crawler."),
        sa.Column("begun_at", TIME, nullable=False, comment="When it was first begun, UTC."),
        sa.Column(
            "ended_at",
            TIME,
            nullable=True,
            comment="When all of it was stored, UTC; NULL: it is still running, or was interrupted.",
        ),
        sa.Column(
            "batches",
            INT64,
            nullable=False,
            comment="Parts of it that are stored, each with up to 1,000 records.",
        ),
        sa.Column(
            "counts",
            JSON,
            nullable=False,
            comment="Object: of videos, comments and profiles how many were stored, by what became "
            "of them: new, updated, filled (only what was missing) or unchanged.",
        ),
        sa.Column(
            "refused",
            INT64,
            nullable=False,
            comment="Records that are not stored, known when it has ended.",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import")),
        sa.UniqueConstraint("sha256", name=op.f("uq_import_sha256")),
        comment="One row a file or database of others whose records were brought in.",
    )
    if op.get_context().dialect.name == "sqlite":
        _replace(with_imports=True)
        return
    op.add_column("crawl", _import_id())
    op.create_foreign_key(op.f("fk_crawl_import_id"), "crawl", "import", ["import_id"], ["id"])
    op.create_unique_constraint(op.f(ONCE), "crawl", ["import_id", "cursor", "crawl_started_at"])
    op.drop_constraint(op.f(CHECK_OF_TWO), "crawl", type_="check")
    op.create_check_constraint(op.f(CHECK_OF_THREE), "crawl", OF_THREE)
    _comment(1)


def downgrade() -> None:
    for statement in FORGOTTEN:
        op.execute(statement + OF_IMPORTS)
    op.execute("DELETE FROM crawl WHERE import_id IS NOT NULL")
    if op.get_context().dialect.name == "sqlite":
        _replace(with_imports=False)
    else:
        op.drop_constraint(op.f(CHECK_OF_THREE), "crawl", type_="check")
        op.create_check_constraint(op.f(CHECK_OF_TWO), "crawl", OF_TWO)
        op.drop_column("crawl", "import_id")
        _comment(0)
    op.drop_table("import")


def _import_id() -> sa.Column[int]:
    comment = "The import, if the page is one of records of others."
    return sa.Column("import_id", INT64, nullable=True, comment=comment)


def _comment(which: int) -> None:
    """Set the comments that have become others, on a database that keeps comments."""
    for column, comments in COMMENTS.items():
        op.alter_column("crawl", column, comment=comments[which], existing_nullable=False)
    op.create_table_comment("crawl", TABLE_COMMENTS[which])


def _replace(*, with_imports: bool) -> None:
    """Make the table anew on SQLite, which cannot change a constraint, and the views with it."""
    for view in VIEWS:
        op.execute(f"DROP VIEW {view}")
    keys = ["crawl_window_id", "query_id", "seed_id", *(["import_id"] * with_imports), "run_id"]
    kept = [key for key in keys if key != "import_id"]
    op.create_table(
        "new_crawl",
        sa.Column("id", INT64, nullable=False),
        *(sa.Column(key, INT64, nullable=True) for key in keys),
        sa.Column("cursor", INT64, nullable=False),
        sa.Column("next_cursor", INT64, nullable=False),
        sa.Column("search_id", sa.Text(), nullable=True),
        sa.Column("has_more", sa.Boolean(), nullable=False),
        sa.Column("max_count", INT64, nullable=False),
        sa.Column("record_count", INT64, nullable=False),
        sa.Column("log_id", sa.Text(), nullable=True),
        sa.Column("crawl_started_at", TIME, nullable=False),
        sa.CheckConstraint(
            OF_THREE if with_imports else OF_TWO,
            name=op.f(CHECK_OF_THREE if with_imports else CHECK_OF_TWO),
        ),
        *(
            sa.ForeignKeyConstraint(
                [key], [f"{key.removesuffix('_id')}.id"], name=op.f(f"fk_crawl_{key}")
            )
            for key in keys
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_crawl")),
        *(
            sa.UniqueConstraint(
                key,
                "cursor",
                "crawl_started_at",
                name=op.f(f"uq_crawl_{key}_cursor_crawl_started_at"),
            )
            for key in keys
            if key not in ("query_id", "run_id")
        ),
    )
    columns = ", ".join(("id", *kept, *VALUES))
    op.execute(f"INSERT INTO new_crawl ({columns}) SELECT {columns} FROM crawl")  # noqa: S608 - ours
    op.drop_table("crawl")
    op.rename_table("new_crawl", "crawl")
    for text in VIEWS.values():
        op.execute(text)
