"""What has been spent of the API's quota.

Revision ID: 0002
Revises: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

INT64 = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


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
            comment="Requests sent; at least the whole quota once the API said that it is used up.",
        ),
        sa.PrimaryKeyConstraint("client", "pool", "day", name=op.f("pk_api_quota")),
        comment="One row a client key, pool and day: the requests of all crawls here.",
    )


def downgrade() -> None:
    op.drop_table("api_quota")
