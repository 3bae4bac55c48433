"""Whether a complete seed has all that the API gives of one.

Of seeds that are complete already it is told by where they ended. Of comments and replies that went
beyond the cap it is not known whether the API refused to go on: they count as if it had.

Revision ID: 0105
Revises: 0104
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0105"
down_revision = "0104"
branch_labels = None
depends_on = None

ENDED = """
UPDATE seed SET at_api_limit = {true}
WHERE state = 'complete' AND NOT coalesce(has_more, {false}) AND NOT suspicious AND (
    (listing IN ('comments', 'replies') AND cursor >= 1000)
    OR (listing = 'followers' AND position >= 4000)
    OR (listing = 'shops' AND position >= 10)
)
"""


def upgrade() -> None:
    op.add_column(
        "seed",
        sa.Column(
            "at_api_limit",
            sa.Boolean(),
            server_default=sa.false(),
            nullable=False,
            comment="Whether a complete seed has all that the API gives of one, such as 1,000 "
            "comments of a video: there may be more.",
        ),
    )
    is_sqlite = op.get_context().dialect.name == "sqlite"
    words = {"true": "1", "false": "0"} if is_sqlite else {"true": "true", "false": "false"}
    op.execute(ENDED.format(**words))


def downgrade() -> None:
    op.drop_column("seed", "at_api_limit")
