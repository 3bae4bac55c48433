"""Which values of a list are searched together.

Revision ID: 0108
Revises: 0107
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0108"
down_revision = "0107"
branch_labels = None
depends_on = None

INT64 = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
NAME = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "value_batch",
        sa.Column("query_id", INT64, nullable=False, comment="The query."),
        sa.Column("value", NAME, nullable=False, comment="The value, as in the query."),
        sa.Column(
            "field_name",
            NAME,
            nullable=False,
            comment="What the values are, such as username.",
        ),
        sa.Column(
            "template",
            sa.Text(),
            nullable=False,
            comment="SHA-256, hexadecimal, of field_name, a blank and the query without its "
            "condition on that, in canonical form: the same for all queries of a list.",
        ),
        sa.Column(
            "refused_at",
            TIME,
            nullable=True,
            comment="When the API last refused the query, or answered it without data; NULL: it "
            "takes it. Of a query with this value alone, that is about the value.",
        ),
        sa.Column("error", sa.Text(), nullable=True, comment="Why, in the API's words."),
        sa.Column("error_log_id", sa.Text(), nullable=True, comment="API (log_id). That answer."),
        sa.Column(
            "last_returned_at",
            TIME,
            nullable=True,
            comment="Of ids of videos: when the last search began that has brought the video, UTC.",
        ),
        sa.Column(
            "first_missed_at",
            TIME,
            nullable=True,
            comment="Of ids of videos: when the first search began that has not brought the video, "
            "UTC. It proves nothing: the API often returns nothing for an id.",
        ),
        sa.ForeignKeyConstraint(["query_id"], ["query.id"], name=op.f("fk_value_batch_query_id")),
        sa.PrimaryKeyConstraint("query_id", "value", name=op.f("pk_value_batch")),
        comment="One row a query and value: which values of a list under `each` are searched "
        "together. A value has the days that any of its queries has.",
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_value_batch_template"), "value_batch", ["template"])


def downgrade() -> None:
    op.drop_table("value_batch")
