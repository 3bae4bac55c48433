"""The form in which keywords are sent.

Until now that was EQ for a single keyword.

Revision ID: 0106
Revises: 0105
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0106"
down_revision = "0105"
branch_labels = None
depends_on = None

FILL = {
    "sqlite": """
        UPDATE crawl_window SET keywords_as = 'EQ' WHERE query_id IN (
            SELECT query.id
            FROM query, json_each(canonical_json) AS part, json_each(part.value) AS condition
            WHERE json_extract(condition.value, '$.field_name') = 'keyword'
            GROUP BY query.id
            HAVING min(json_array_length(condition.value, '$.field_values')) = 1
        )
    """,
    "postgresql": """
        UPDATE crawl_window SET keywords_as = 'EQ' WHERE query_id IN (
            SELECT query.id
            FROM query, jsonb_each(CAST(canonical_json AS jsonb)) AS part,
                 jsonb_array_elements(part.value) AS condition
            WHERE condition ->> 'field_name' = 'keyword'
            GROUP BY query.id
            HAVING min(jsonb_array_length(condition -> 'field_values')) = 1
        )
    """,
}
"""Windows of queries that have a condition about a single keyword."""

BEFORE = "The query as it is sent to the API, in canonical form."
AFTER = "The query in canonical form; single keywords are sent as crawl_window.keywords_as."


def upgrade() -> None:
    op.add_column(
        "crawl_window",
        sa.Column(
            "keywords_as",
            sa.Text(),
            nullable=True,
            comment="IN or EQ: how single keywords are sent; NULL: the query has none.",
        ),
    )
    op.execute(FILL[op.get_context().dialect.name])
    _explain_query(AFTER)


def downgrade() -> None:
    op.drop_column("crawl_window", "keywords_as")
    _explain_query(BEFORE)


def _explain_query(comment: str) -> None:
    """Set the comment of a column, where the database keeps comments."""
    if op.get_context().dialect.supports_comments:
        op.alter_column("query", "canonical_json", comment=comment, existing_nullable=False)
