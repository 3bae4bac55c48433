"""Tells in numbers what was deleted from a database: how many records, when, why."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from tiktok_crawler.storage.models.existence import ArchiveRemoval, KeptOut, Removal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime

    from sqlalchemy import Connection

    from tiktok_crawler.planning.checks import RecordKind, RemovalReason


@dataclass(frozen=True, slots=True)
class DayOfRemovals:
    """The deletions of a day, of records of one kind and for one reason.

    `checks` found what was gone; `rows` went, by table. One that is `unfinished` was interrupted,
    or goes on.
    """

    day: date
    kind: RecordKind
    why: RemovalReason
    records: int
    checks: tuple[int, ...] = ()
    rows: Mapping[str, int] = field(default_factory=dict)
    unfinished: bool = False


@dataclass(frozen=True, slots=True)
class Removals:
    """All deletions of a database, day by day, and what persons asked to be kept out.

    `awaiting_archive` are deletions that files of the archive do not know of yet.
    """

    days: tuple[DayOfRemovals, ...] = ()
    kept_out: Mapping[RecordKind, int] = field(default_factory=dict)
    awaiting_archive: int = 0
    last_at: datetime | None = None
    last_id: int = 0

    def __bool__(self) -> bool:
        return bool(self.days)

    @property
    def mark(self) -> str:
        """A text that is another one as soon as something more was deleted."""
        return f"{self.last_id}: {sum(day.records for day in self.days)}"

    @property
    def totals(self) -> Mapping[tuple[RecordKind, RemovalReason], int]:
        """The records that were deleted, by kind and reason."""
        found = Counter[Any]()
        for day in self.days:
            found[day.kind, day.why] += day.records
        return {key: count for key, count in found.items() if count}


def read_removals(connection: Connection) -> Removals:
    """Read what was deleted."""
    table = Removal.__table__
    days: dict[tuple[Any, ...], DayOfRemovals] = {}
    last_at, last_id = None, 0
    for row in connection.execute(select(table).order_by(table.c.begun_at, table.c.id)):
        key = (row.begun_at.date(), row.kind, row.why)
        known = days.get(key) or DayOfRemovals(*key, records=0)
        checks = {*known.checks, *([row.check_id] if row.check_id else [])}
        counts = {name: count for name, count in row.rows.items() if isinstance(count, int)}
        rows = Counter(known.rows) + Counter(counts)
        unfinished = known.unfinished or row.ended_at is None
        days[key] = DayOfRemovals(
            *key, known.records + row.records, tuple(sorted(checks)), rows, unfinished
        )
        last_at, last_id = row.ended_at or row.begun_at, max(last_id, row.id)
    kept = select(KeptOut.kind, func.count()).group_by(KeptOut.kind)
    waiting = select(func.count(ArchiveRemoval.removal_id.distinct()))
    return Removals(
        tuple(day for day in days.values() if day.records or day.rows),
        {kind: count for kind, count in connection.execute(kept)},  # noqa: C416 - dict() of Rows
        connection.scalar(waiting) or 0,
        last_at,
        last_id,
    )
