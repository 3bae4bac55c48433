"""What deleting needs: finding the links of a video, and what an archive has yet to lose.

Revision ID: 0110
Revises: 0109
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0110"
down_revision = "0109"
branch_labels = None
depends_on = None

INT64 = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
NAME = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

LINKED = ("playlist_video", "user_video", "videos_to_crawls", "videos_to_query_tags")


def upgrade() -> None:
    for table in LINKED:
        op.create_index(op.f(f"ix_{table}_video_id"), table, ["video_id"])
    op.add_column(
        "database_origin",
        sa.Column(
            "deletions",
            INT64,
            server_default=sa.text("0"),
            nullable=False,
            comment="How often names, such as hashtags, were deleted: crawls that remember some "
            "look them up anew when it has grown.",
        ),
    )
    op.add_column(
        "removal",
        sa.Column(
            "salt",
            sa.Text(),
            nullable=True,
            comment="Random, hexadecimal: what `archive_removal.digest` begins with; NULL: every "
            "file of the archive is without the records.",
        ),
    )
    op.add_column(
        "removal",
        sa.Column(
            "archives",
            JSON,
            nullable=True,
            comment="List of text: the folders of the archive that may have the records yet; NULL: "
            "none.",
        ),
    )
    op.create_table(
        "archive_removal",
        sa.Column("removal_id", INT64, nullable=False, comment="The deletion."),
        sa.Column(
            "digest",
            NAME,
            nullable=False,
            comment="SHA-256, hexadecimal, of the deletion's salt, a blank, the kind, a blank, and "
            "the id or username.",
        ),
        sa.ForeignKeyConstraint(
            ["removal_id"], ["removal.id"], name=op.f("fk_archive_removal_removal_id")
        ),
        sa.PrimaryKeyConstraint("removal_id", "digest", name=op.f("pk_archive_removal")),
        comment="One row a deleted record that a file of the archive may still have: one that a "
        "crawl was writing, or that was not reached yet. Rows go when no file has it.",
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    op.drop_table("archive_removal")
    with op.batch_alter_table("removal") as batch:
        batch.drop_column("archives")
        batch.drop_column("salt")
    with op.batch_alter_table("database_origin") as batch:
        batch.drop_column("deletions")
    for table in LINKED:
        op.drop_index(op.f(f"ix_{table}_video_id"), table)
