"""What a database knows of what still exists: what is missing, what is gone, what checks say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from tiktok_crawler.planning.checks import UNFINISHED_CHECKS, CheckState, CheckVerdict, RecordKind
from tiktok_crawler.storage.models.existence import ComplianceCheck, ComplianceCheckRecord
from tiktok_crawler.storage.models.records import Comment, UserInfo, Video

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection

RECORDS: dict[RecordKind, type[Video | Comment | UserInfo]] = {
    RecordKind.VIDEO: Video,
    RecordKind.COMMENT: Comment,
    RecordKind.USER: UserInfo,
}

Check = ComplianceCheck


@dataclass(frozen=True, slots=True)
class HeldCheck:
    """A check that found so much gone at once that a person has to say whether that is true."""

    id: int
    kind: RecordKind
    records: int
    reason: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Existence:
    """What is known of the existence of stored records.

    By kind, `missing` did not come back when they were asked for, and `gone` are no more.
    `under_way` are checks that the API works on, or that are to be sent; the last one that ended
    did at `last_check_at`.
    """

    missing: dict[RecordKind, int]
    gone: dict[RecordKind, int]
    under_way: int
    held: tuple[HeldCheck, ...]
    last_check_at: datetime | None

    @property
    def is_known(self) -> bool:
        """True if there is anything to tell."""
        numbers = (*self.missing.values(), *self.gone.values(), self.under_way)
        return any(numbers) or self.last_check_at is not None


def existence_of(connection: Connection) -> Existence:
    """Read what is known of what still exists."""
    missing, gone = {}, {}
    for kind, record in RECORDS.items():
        missing[kind] = _count(connection, record.is_candidate())
        gone[kind] = _count(connection, record.is_gone())
    unfinished = Check.state.in_(UNFINISHED_CHECKS)
    ended = select(func.max(Check.ended_at)).where(Check.state == CheckState.DONE)
    return Existence(
        missing,
        gone,
        under_way=_count(connection, unfinished),
        held=held_checks(connection),
        last_check_at=connection.scalar(ended),
    )


def held_checks(connection: Connection) -> tuple[HeldCheck, ...]:
    """Read the checks about which a person has to say whether they are right, oldest first."""
    waiting = select(func.count()).where(ComplianceCheckRecord.check_id == Check.id)
    found = (
        select(Check.id, Check.kind, waiting.scalar_subquery(), Check.error, Check.verdict_at)
        .where(Check.verdict == CheckVerdict.HELD)
        .order_by(Check.id)
    )
    rows = connection.execute(found).all()
    return tuple(HeldCheck(row[0], row[1], row[2], row[3] or "", row[4]) for row in rows)


def _count(connection: Connection, *conditions: ColumnElement[bool]) -> int:
    return connection.execute(select(func.count()).where(*conditions)).scalar_one()
