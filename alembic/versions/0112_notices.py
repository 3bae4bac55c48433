"""What was told to whom of that which needs a person.

Revision ID: 0112
Revises: 0111
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from tiktok_crawler.storage.models.column_types import UtcDateTime

revision = "0112"
down_revision = "0111"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "notice",
        sa.Column(
            "address",
            sa.Text(),
            nullable=False,
            comment="Stands for an address of TIKTOK_NOTIFY, which cannot be read from it.",
        ),
        sa.Column("need", sa.Text(), nullable=False, comment="What it is, such as `parked:7`."),
        sa.Column("text", sa.Text(), nullable=False, comment="What was told of it."),
        sa.Column("told_at", UtcDateTime(), nullable=False, comment="When, UTC."),
        sa.PrimaryKeyConstraint("address", "need", name=op.f("pk_notice")),
        comment="One row a thing that needs a person and an address that was told so: the next message "
        "has what has changed.",
    )


def downgrade() -> None:
    op.drop_table("notice")
