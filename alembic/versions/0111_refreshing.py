"""How fresh the data of a query file is kept, and what was spent on it.

Revision ID: 0111
Revises: 0110
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0111"
down_revision = "0110"
branch_labels = None
depends_on = None

JSON = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")


def upgrade() -> None:
    op.add_column(
        "collection",
        sa.Column(
            "refreshing",
            JSON,
            nullable=True,
            comment="Object of texts: refresh_after, revisit and keep_fresh of the query file, as "
            "the last run had them; NULL: none.",
        ),
    )
    op.add_column(
        "api_quota",
        sa.Column(
            "refreshes",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            server_default=sa.text("0"),
            nullable=False,
            comment="Those of the requests that asked for newer values of what is there.",
        ),
    )


def downgrade() -> None:
    op.drop_column("api_quota", "refreshes")
    op.drop_column("collection", "refreshing")
