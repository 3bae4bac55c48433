"""What the API no longer has, which checks found that, and what was deleted.

Comments and profiles that are there were last returned when they last changed, or were last seen.

Revision ID: 0109
Revises: 0108
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0109"
down_revision = "0108"
branch_labels = None
depends_on = None

INT64 = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
NAME = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
TIME = sa.DateTime(timezone=True)

OF_RECORDS = ("video", "comment", "user_info")
INDEXED = ("video", "comment")
WHERE_MISSING = sa.text("missing_since IS NOT NULL")

RETURNED = (
    "UPDATE comment SET last_returned_at = coalesce(crawled_updated_at, crawled_at)",
    "UPDATE user_info SET last_returned_at = last_seen_at WHERE status = 'found'",
)


def one_of(name: str, *words: str) -> sa.Enum:
    return sa.Enum(*words, name=name, native_enum=False, create_constraint=True)


def kind() -> sa.Enum:
    return one_of("kind", "video", "comment", "user")


def upgrade() -> None:
    for table in OF_RECORDS:
        if table != "video":
            op.add_column(
                table,
                sa.Column(
                    "last_returned_at",
                    TIME,
                    comment="When the API last delivered it, UTC; NULL: never.",
                ),
            )
        op.add_column(
            table,
            sa.Column(
                "missing_since",
                TIME,
                comment="When the first search, list or check began that should have brought it "
                "and did not, UTC; NULL: it came when it was asked for last. It may exist all "
                "the same.",
            ),
        )
        op.add_column(
            table,
            sa.Column(
                "gone_at",
                TIME,
                comment="When it was found that the API no longer has it, UTC; NULL: nothing "
                "says so.",
            ),
        )
    for table in INDEXED:
        op.create_index(
            f"ix_{table}_missing_since",
            table,
            ["missing_since"],
            sqlite_where=WHERE_MISSING,
            postgresql_where=WHERE_MISSING,
        )
    for statement in RETURNED:
        op.execute(statement)
    op.add_column(
        "crawl_window",
        sa.Column(
            "compared_at",
            TIME,
            comment="When the videos of the complete window were compared with those that its "
            "query had of the same days, UTC; NULL: not yet.",
        ),
    )
    op.add_column(
        "database_origin",
        sa.Column(
            "salt",
            sa.Text(),
            comment="Random, hexadecimal: what `kept_out.digest` begins with; NULL: nothing is "
            "kept out.",
        ),
    )
    create_checks()
    create_deletions()


def create_checks() -> None:
    op.create_table(
        "compliance_check",
        sa.Column("id", INT64, nullable=False, comment="Given by this database."),
        sa.Column("kind", kind(), nullable=False, comment="What the ids are of: video or comment."),
        sa.Column(
            "first_run_id",
            INT64,
            nullable=False,
            comment="The run that began the check or, of a second check, those whose misses it "
            "asks about. What its checks find is decided together.",
        ),
        sa.Column(
            "is_second",
            sa.Boolean(),
            nullable=False,
            comment="Whether it asks once more about what first checks did not list.",
        ),
        sa.Column(
            "state",
            one_of("state", "open", "processing", "done", "failed"),
            nullable=False,
            comment="open: to be created; processing: the API works on it; done: its file has "
            "come; failed: it proves nothing, and its ids are asked about again.",
        ),
        sa.Column(
            "task_id",
            sa.Text(),
            comment="API. Names the check; text, since it has 20 digits.",
        ),
        sa.Column("ids", INT64, nullable=False, comment="Ids asked about."),
        sa.Column(
            "candidates",
            INT64,
            nullable=False,
            comment="Those of them that had been missing before; in a second check all but the "
            "controls: ids that a first check had listed, which show that the file is whole.",
        ),
        sa.Column(
            "first_id",
            INT64,
            comment="From this id on all that was stored and not missing was asked about; NULL: "
            "none.",
        ),
        sa.Column("last_id", INT64, comment="Up to this one, inclusive."),
        sa.Column("created_at", TIME, nullable=False, comment="When its ids were chosen, UTC."),
        sa.Column("sent_at", TIME, comment="When the API was last asked to create it, UTC."),
        sa.Column("requests", INT64, nullable=False, comment="Requests that it took."),
        sa.Column("ended_at", TIME, comment="When its file came, or when it failed, UTC."),
        sa.Column("listed", INT64, comment="Of the ids, those that the file lists."),
        sa.Column(
            "missed",
            INT64,
            comment="Of the ids without the controls, those that the file does not list.",
        ),
        sa.Column(
            "missed_candidates",
            INT64,
            comment="Those of them that had been missing before.",
        ),
        sa.Column("unknown", INT64, comment="Lines of the file that are none of the ids."),
        sa.Column("error", sa.Text(), comment="Why it proves nothing."),
        sa.Column("error_log_id", sa.Text(), comment="API (log_id). That answer."),
        sa.Column(
            "verdict",
            one_of("verdict", "gone", "held", "rejected"),
            comment="Of a second check, what becomes of what it did not list, either: gone; held: "
            "too much at once, so that a person has to say; rejected: a person said no. NULL: not "
            "decided.",
        ),
        sa.Column("verdict_at", TIME, comment="When that was decided, UTC."),
        sa.ForeignKeyConstraint(
            ["first_run_id"], ["run.id"], name=op.f("fk_compliance_check_first_run_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_compliance_check")),
        comment="One row a check of existence: up to 10,000 ids about which TikTok's batch "
        "compliance was asked.",
    )
    op.create_index(op.f("ix_compliance_check_kind_state"), "compliance_check", ["kind", "state"])
    op.create_table(
        "compliance_check_record",
        sa.Column("check_id", INT64, nullable=False, comment="The check."),
        sa.Column(
            "record_id",
            INT64,
            autoincrement=False,
            nullable=False,
            comment="The video or comment.",
        ),
        sa.Column(
            "is_candidate",
            sa.Boolean(),
            nullable=False,
            comment="Whether it had been missing before the first check.",
        ),
        sa.Column(
            "is_control",
            sa.Boolean(),
            nullable=False,
            comment="Whether it was asked about only to see that the file is whole.",
        ),
        sa.ForeignKeyConstraint(
            ["check_id"],
            ["compliance_check.id"],
            name=op.f("fk_compliance_check_record_check_id"),
        ),
        sa.PrimaryKeyConstraint("check_id", "record_id", name=op.f("pk_compliance_check_record")),
        comment="One row a check and id that matters yet: all of a check that is not done; of one "
        "that is, those that it did not list, until that is decided.",
        sqlite_with_rowid=False,
    )


def create_deletions() -> None:
    op.create_table(
        "removal",
        sa.Column("id", INT64, nullable=False, comment="Given by this database."),
        sa.Column(
            "kind", kind(), nullable=False, comment="What was deleted: video, comment or user."
        ),
        sa.Column(
            "why",
            one_of("why", "gone", "asked", "query", "tag", "age"),
            nullable=False,
            comment="gone: the API has it no longer; asked: it was named; query, tag: the data of "
            "one was deleted; age: it was collected too long ago.",
        ),
        sa.Column("check_id", INT64, comment="The check that found it gone."),
        sa.Column("query_id", INT64, comment="The query whose data was deleted (`query.id`)."),
        sa.Column("begun_at", TIME, nullable=False, comment="When it began, UTC."),
        sa.Column(
            "ended_at",
            TIME,
            comment="When all was deleted, UTC; NULL: it is still running, or was interrupted.",
        ),
        sa.Column("records", INT64, nullable=False, comment="Videos, comments or users deleted."),
        sa.Column(
            "rows",
            JSON,
            nullable=False,
            comment="Object: by table, how many rows went with them.",
        ),
        sa.ForeignKeyConstraint(
            ["check_id"], ["compliance_check.id"], name=op.f("fk_removal_check_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_removal")),
        comment="One row a deletion: how many records, when, why. It names none of them.",
    )
    op.create_table(
        "kept_out",
        sa.Column("kind", kind(), nullable=False, comment="What it is: video, comment or user."),
        sa.Column(
            "digest",
            NAME,
            nullable=False,
            comment="SHA-256, hexadecimal, of the database's salt, a blank, the kind, a blank, "
            "and the id or username.",
        ),
        sa.Column("deleted_on", sa.Date(), nullable=False, comment="Day, UTC."),
        sa.PrimaryKeyConstraint("kind", "digest", name=op.f("pk_kept_out")),
        comment="One row a record that a person asked to delete, and that is not stored again.",
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    op.drop_table("kept_out")
    op.drop_table("removal")
    op.drop_table("compliance_check_record")
    op.drop_table("compliance_check")
    op.drop_column("database_origin", "salt")
    op.drop_column("crawl_window", "compared_at")
    for table in INDEXED:
        op.drop_index(f"ix_{table}_missing_since", table)
    for table in OF_RECORDS:
        op.drop_column(table, "gone_at")
        op.drop_column(table, "missing_since")
        if table != "video":
            op.drop_column(table, "last_returned_at")
