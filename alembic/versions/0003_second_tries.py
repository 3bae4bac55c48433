"""How often a window was parked, and what tries of such windows have cost.

Revision ID: 0003
Revises: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

INT64 = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

SUSPICIOUS = (
    "Whether the window is complete only because the API never said otherwise.",
    (
        "Whether the window is complete, but without a video where many were to be expected: the API "
        "sent no data at all, or the days before had many."
    ),
)
ERROR = ("Why the window was parked.", "Why the window was parked or split.")


def upgrade() -> None:
    _comment("suspicious", *SUSPICIOUS)
    _comment("error", *ERROR)
    op.add_column(
        "crawl_window",
        sa.Column(
            "parked_count",
            INT64,
            nullable=False,
            server_default=sa.text("0"),
            comment="How often the window was parked.",
        ),
    )
    op.add_column(
        "api_quota",
        sa.Column(
            "second_tries",
            INT64,
            nullable=False,
            server_default=sa.text("0"),
            comment="Those of the requests that tried a parked or suspicious window again.",
        ),
    )


def downgrade() -> None:
    _comment("suspicious", *reversed(SUSPICIOUS))
    _comment("error", *reversed(ERROR))
    op.drop_column("api_quota", "second_tries")
    op.drop_column("crawl_window", "parked_count")


def _comment(column: str, before: str, after: str) -> None:
    """Change what a column is said to hold; SQLite keeps no comments."""
    if op.get_bind().dialect.supports_comments:
        op.alter_column("crawl_window", column, existing_comment=before, comment=after)
