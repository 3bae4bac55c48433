"""Who is at work on what, so that several machines can share a query.

Revision ID: 0113
Revises: 0112
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from tiktok_crawler.storage.models.column_types import INT64, NAME, UtcDateTime

revision = "0113"
down_revision = "0112"
branch_labels = None
depends_on = None

TASKS = ("crawl_window", "seed")


def upgrade() -> None:
    op.create_table(
        "worker",
        sa.Column("id", INT64, nullable=False, comment="Given by this database."),
        sa.Column(
            "purpose",
            NAME,
            nullable=False,
            comment="What it is at work on: the first 16 digits of a SHA-256.",
        ),
        sa.Column(
            "is_alone",
            sa.Boolean(),
            nullable=False,
            comment="Whether nobody else may be at work on that.",
        ),
        sa.Column(
            "name",
            sa.Text(),
            nullable=False,
            comment="Its session's name, with machine and process.",
        ),
        sa.Column(
            "process",
            sa.Text(),
            nullable=True,
            comment="Its process, for others of the same machine: boot, namespace, number, start, "
            "and a mark of its own; NULL: not known.",
        ),
        sa.Column(
            "begun_at",
            UtcDateTime(),
            nullable=False,
            comment="When it began, UTC, by the server's clock.",
        ),
        sa.Column(
            "alive_until",
            UtcDateTime(),
            nullable=False,
            comment="From when on it counts as gone, UTC, by the server's clock: it is renewed "
            "every 30 seconds.",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_worker")),
        comment="One row a crawl or command that is at work on a query, a listing or the like, on "
        "PostgreSQL: others leave it what it works on. (SQLite: a file beside the database.)",
    )
    op.create_index(op.f("ix_worker_purpose"), "worker", ["purpose"])
    for task in TASKS:
        op.add_column(
            task,
            sa.Column(
                "worker_id",
                INT64,
                nullable=True,
                comment="`worker.id`: who works on it, or was the last to; NULL: nobody who is at "
                "work now.",
            ),
        )
        some = sa.text("worker_id IS NOT NULL")
        op.create_index(
            op.f(f"ix_{task}_worker_id"),
            task,
            ["worker_id"],
            postgresql_where=some,
            sqlite_where=some,
        )


def downgrade() -> None:
    for task in TASKS:
        op.drop_index(op.f(f"ix_{task}_worker_id"), task)
        op.drop_column(task, "worker_id")
    op.drop_table("worker")
