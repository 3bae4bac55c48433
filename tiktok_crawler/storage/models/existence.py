"""The tables that say what the API no longer has, and what was deleted."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from tiktok_crawler.planning.checks import CheckState, CheckVerdict, RecordKind, RemovalReason
from tiktok_crawler.storage.models.base import Base, one_of
from tiktok_crawler.storage.models.column_types import NAME


class ComplianceCheck(Base):
    __tablename__ = "compliance_check"
    __table_args__ = (
        Index(None, "kind", "state"),
        {
            "comment": "One row a check of existence: up to 10,000 ids about which TikTok's batch "
            "compliance was asked."
        },
    )

    id: Mapped[int] = mapped_column(primary_key=True, comment="Given by this database.")
    kind: Mapped[RecordKind] = mapped_column(
        one_of(RecordKind, "kind"), comment="What the ids are of: video or comment."
    )
    first_run_id: Mapped[int] = mapped_column(
        ForeignKey("run.id"),
        comment="The run that began the check or, of a second check, those whose misses it "
        "asks about. What its checks find is decided together.",
    )
    is_second: Mapped[bool] = mapped_column(
        comment="Whether it asks once more about what first checks did not list."
    )
    state: Mapped[CheckState] = mapped_column(
        one_of(CheckState, "state"),
        comment="open: to be created; processing: the API works on it; done: its file has come; "
        "failed: it proves nothing, and its ids are asked about again.",
    )
    task_id: Mapped[str | None] = mapped_column(
        comment="API. Names the check; text, since it has 20 digits."
    )
    ids: Mapped[int] = mapped_column(comment="Ids asked about.")
    candidates: Mapped[int] = mapped_column(
        comment="Those of them that had been missing before; in a second check all but the "
        "controls: ids that a first check had listed, which show that the file is whole."
    )
    first_id: Mapped[int | None] = mapped_column(
        comment="From this id on all that was stored and not missing was asked about; NULL: none."
    )
    last_id: Mapped[int | None] = mapped_column(comment="Up to this one, inclusive.")
    created_at: Mapped[datetime] = mapped_column(comment="When its ids were chosen, UTC.")
    sent_at: Mapped[datetime | None] = mapped_column(
        comment="When the API was last asked to create it, UTC."
    )
    requests: Mapped[int] = mapped_column(default=0, comment="Requests that it took.")
    ended_at: Mapped[datetime | None] = mapped_column(
        comment="When its file came, or when it failed, UTC."
    )
    listed: Mapped[int | None] = mapped_column(comment="Of the ids, those that the file lists.")
    missed: Mapped[int | None] = mapped_column(
        comment="Of the ids without the controls, those that the file does not list."
    )
    missed_candidates: Mapped[int | None] = mapped_column(
        comment="Those of them that had been missing before."
    )
    unknown: Mapped[int | None] = mapped_column(
        comment="Lines of the file that are none of the ids."
    )
    error: Mapped[str | None] = mapped_column(comment="Why it proves nothing.")
    error_log_id: Mapped[str | None] = mapped_column(comment="API (log_id). That answer.")
    verdict: Mapped[CheckVerdict | None] = mapped_column(
        one_of(CheckVerdict, "verdict"),
        comment="Of a second check, what becomes of what it did not list, either: gone; held: too "
        "much at once, so that a person has to say; rejected: a person said no. NULL: not decided.",
    )
    verdict_at: Mapped[datetime | None] = mapped_column(comment="When that was decided, UTC.")


class ComplianceCheckRecord(Base):
    __tablename__ = "compliance_check_record"
    __table_args__ = (
        {
            "comment": "One row a check and id that matters yet: all of a check that is not done; "
            "of one that is, those that it did not list, until that is decided.",
            "sqlite_with_rowid": False,
        },
    )

    check_id: Mapped[int] = mapped_column(
        ForeignKey("compliance_check.id"), primary_key=True, comment="The check."
    )
    record_id: Mapped[int] = mapped_column(
        primary_key=True, autoincrement=False, comment="The video or comment."
    )
    is_candidate: Mapped[bool] = mapped_column(
        comment="Whether it had been missing before the first check."
    )
    is_control: Mapped[bool] = mapped_column(
        comment="Whether it was asked about only to see that the file is whole."
    )


class Removal(Base):
    __tablename__ = "removal"
    __table_args__ = (
        {"comment": "One row a deletion: how many records, when, why. It names none of them."},
    )

    id: Mapped[int] = mapped_column(primary_key=True, comment="Given by this database.")
    kind: Mapped[RecordKind] = mapped_column(
        one_of(RecordKind, "kind"), comment="What was deleted: video, comment or user."
    )
    why: Mapped[RemovalReason] = mapped_column(
        one_of(RemovalReason, "why"),
        comment="gone: the API has it no longer; asked: it was named; query, tag: the data of one "
        "was deleted; age: it was collected too long ago.",
    )
    check_id: Mapped[int | None] = mapped_column(
        ForeignKey("compliance_check.id"), comment="The check that found it gone."
    )
    query_id: Mapped[int | None] = mapped_column(
        comment="The query whose data was deleted (`query.id`)."
    )
    begun_at: Mapped[datetime] = mapped_column(comment="When it began, UTC.")
    ended_at: Mapped[datetime | None] = mapped_column(
        comment="When all was deleted, UTC; NULL: it is still running, or was interrupted."
    )
    records: Mapped[int] = mapped_column(default=0, comment="Videos, comments or users deleted.")
    rows: Mapped[dict[str, Any]] = mapped_column(
        default=dict, comment="Object: by table, how many rows went with them."
    )
    salt: Mapped[str | None] = mapped_column(
        comment="Random, hexadecimal: what `archive_removal.digest` begins with; NULL: every file "
        "of the archive is without the records."
    )
    archives: Mapped[list[str] | None] = mapped_column(
        comment="List of text: the folders of the archive that may have the records yet; NULL: "
        "none."
    )


class ArchiveRemoval(Base):
    __tablename__ = "archive_removal"
    __table_args__ = (
        {
            "comment": "One row a deleted record that a file of the archive may still have: one "
            "that a crawl was writing, or that was not reached yet. Rows go when no file has it.",
            "sqlite_with_rowid": False,
        },
    )

    removal_id: Mapped[int] = mapped_column(
        ForeignKey("removal.id"), primary_key=True, comment="The deletion."
    )
    digest: Mapped[str] = mapped_column(
        NAME,
        primary_key=True,
        comment="SHA-256, hexadecimal, of the deletion's salt, a blank, the kind, a blank, and the "
        "id or username.",
    )


class KeptOut(Base):
    __tablename__ = "kept_out"
    __table_args__ = (
        {
            "comment": "One row a record that a person asked to delete, and that is not stored "
            "again.",
            "sqlite_with_rowid": False,
        },
    )

    kind: Mapped[RecordKind] = mapped_column(
        one_of(RecordKind, "kind"), primary_key=True, comment="What it is: video, comment or user."
    )
    digest: Mapped[str] = mapped_column(
        NAME,
        primary_key=True,
        comment="SHA-256, hexadecimal, of the database's salt, a blank, the kind, a blank, and the "
        "id or username.",
    )
    deleted_on: Mapped[date] = mapped_column(comment="Day, UTC.")
