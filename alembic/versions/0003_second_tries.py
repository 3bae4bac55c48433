"""How often a window was parked and when, what tries of such windows have cost, and full days.

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
REQUESTS = (
    "Requests sent; at least the whole quota once the API said that it is used up.",
    "Requests sent by all crawls on this database.",
)


def upgrade() -> None:
    _comment("crawl_window", "suspicious", *SUSPICIOUS)
    _comment("crawl_window", "error", *ERROR)
    _comment("api_quota", "requests", *REQUESTS)
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
        "crawl_window",
        sa.Column(
            "parked_at", sa.DateTime(timezone=True), comment="When the window was parked last, UTC."
        ),
    )
    op.execute("UPDATE crawl_window SET parked_at = updated_at WHERE state = 'parked'")
    op.add_column(
        "api_quota",
        sa.Column(
            "is_used_up",
            sa.Boolean,
            nullable=False,
            server_default=sa.false(),
            comment="Whether the API said that the day's quota is used up, whoever has spent it.",
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
    _comment("crawl_window", "suspicious", *reversed(SUSPICIOUS))
    _comment("crawl_window", "error", *reversed(ERROR))
    _comment("api_quota", "requests", *reversed(REQUESTS))
    op.drop_column("api_quota", "second_tries")
    op.drop_column("api_quota", "is_used_up")
    op.drop_column("crawl_window", "parked_at")
    op.drop_column("crawl_window", "parked_count")


def _comment(table: str, column: str, before: str, after: str) -> None:
    """Change what a column is said to hold; SQLite keeps no comments."""
    if op.get_bind().dialect.supports_comments:
        op.alter_column(table, column, existing_comment=before, comment=after)
