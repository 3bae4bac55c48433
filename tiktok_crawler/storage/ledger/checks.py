"""The rows of checks of existence: which ids are asked about, what came of them, what is decided.

Each id stands in `compliance_check_record` once at most: with the check that asks about it, then,
if that did not list it, until a second check has, or until it is decided.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, delete, false, func, insert, not_, null, or_, select, true, update

from tiktok_crawler.date_range import DateRange
from tiktok_crawler.exceptions import TaskTakenError
from tiktok_crawler.planning.checks import (
    LEAST_GONE,
    MOST_MISSED,
    UNFINISHED_CHECKS,
    CheckState,
    CheckVerdict,
    GoneAtOnce,
    RecordKind,
    Segment,
    in_order,
    too_much,
)
from tiktok_crawler.research_api.checks import MOST_IDS, Category, CheckStep
from tiktok_crawler.research_api.endpoints import CHECK_STATUS, CREATE_CHECK
from tiktok_crawler.storage.engine.text import clean_text
from tiktok_crawler.storage.ledger.tasks import TAKEN
from tiktok_crawler.storage.models.existence import ComplianceCheck, ComplianceCheckRecord
from tiktok_crawler.storage.models.records import Comment, Video
from tiktok_crawler.storage.records.existence import was_brought_since

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from datetime import date, datetime

    from sqlalchemy import ColumnElement, Connection, Row, Select

    from tiktok_crawler.planning.checks import Judgement
    from tiktok_crawler.storage.engine.statements import Statements

Check, Asked = ComplianceCheck, ComplianceCheckRecord

GIVEN_UP_AFTER = timedelta(days=7)
"""A check that the API still works on then is never completed."""

KNOWN_FOR = timedelta(days=120)
"""What older checks have confirmed is not known any more."""

CONTROLS = Check.ids - Check.candidates
"""Of a second check."""

IS_CONCLUSIVE = and_(Check.is_second, Check.listed == CONTROLS)
"""It listed all controls and nothing else: what it missed is missing twice."""


@dataclass(frozen=True, slots=True)
class Checked:
    """The records of a kind that can be checked."""

    category: Category
    record: type[Video | Comment]
    confirmed_at: ColumnElement[Any]

    @property
    def kind(self) -> RecordKind:
        return RecordKind(self.category.value)

    @property
    def exists(self) -> ColumnElement[bool]:
        """Nothing says that it does not."""
        return and_(self.record.missing_since.is_(None), self.record.gone_at.is_(None))

    def was_returned_since(self, at: datetime) -> ColumnElement[bool]:
        """Build the condition that a page has brought it at a time, or later."""
        if self.category is Category.COMMENT:
            return func.coalesce(Comment.last_returned_at >= at, false())
        return was_brought_since(at)


CHECKED = {
    Category.VIDEO: Checked(
        Category.VIDEO, Video, func.coalesce(Video.crawled_updated_at, Video.crawled_at)
    ),
    Category.COMMENT: Checked(
        Category.COMMENT, Comment, func.coalesce(Comment.last_returned_at, Comment.crawled_at)
    ),
}


@dataclass(frozen=True, slots=True)
class Begun:
    """A check that was begun, and from which id to which it asks about all, if it does."""

    step: CheckStep
    first: int | None = None
    last: int | None = None


@dataclass(frozen=True, slots=True)
class CheckRows:
    """The checks of a database, inside a transaction."""

    connection: Connection
    statements: Statements

    def give_up(self, now: datetime) -> None:
        """Let go of checks that the API has worked on for too long."""
        old = Check.state.in_(UNFINISHED_CHECKS), Check.created_at < now - GIVEN_UP_AFTER
        for row in self.connection.execute(select(Check.id).where(*old)).all():
            self._update(row.id, **_failed("the API never completed it", None, now))
            self._free(row.id)

    def unfinished(self) -> list[CheckStep]:
        """Return the steps that go on with checks that were begun."""
        rows = self.connection.execute(
            select(Check.__table__).where(Check.state.in_(UNFINISHED_CHECKS)).order_by(Check.id)
        )
        return [self._step(row) for row in rows.all()]

    def begun_unseen(self, checked: Checked, seen: Collection[int]) -> Begun | None:
        """Return a check that is to be created and was not seen yet: its commit was in doubt."""
        rows = self.connection.execute(
            select(Check.__table__)
            .where(Check.kind == checked.kind, Check.state == CheckState.OPEN)
            .order_by(Check.id)
        )
        row = next((row for row in rows if row.id not in seen), None)
        return Begun(self._step(row), row.first_id, row.last_id) if row else None

    def segments(self, checked: Checked, at: datetime) -> list[Segment]:
        """Return all stored ids of a kind, as it was known at a time since when they exist.

        What was never asked about is known to exist since it came, the oldest of a segment.
        """
        done = self.connection.execute(
            select(Check.first_id, Check.last_id, Check.ids - Check.candidates, Check.created_at)
            .where(
                Check.kind == checked.kind,
                Check.first_id.is_not(None),
                Check.state != CheckState.FAILED,
                Check.created_at > at - KNOWN_FOR,
                Check.created_at < at,
            )
            .order_by(Check.created_at.desc(), Check.id.desc())
        )
        found: list[Segment] = []
        gaps = self._reach(checked)
        rows: list[tuple[int, int, int, datetime]] = [tuple(row) for row in done]  # type: ignore[misc]
        for first, last, ids, created_at in rows:
            rest: list[tuple[int, int]] = []
            for low, high in gaps:
                start, end = max(low, first), min(high, last)
                if start > end:
                    rest.append((low, high))
                    continue
                is_whole = (start, end) == (first, last)
                count = ids if is_whole else self._count(checked, start, end)[0]
                found.append(Segment(start, end, count, created_at))
                rest += [(low, start - 1)] if low < start else []
                rest += [(end + 1, high)] if end < high else []
            gaps = rest
        for low, high in gaps:
            count, oldest = self._count(checked, low, high)
            if count:
                found.append(Segment(low, high, count, oldest))
        return sorted(found, key=lambda segment: segment.first)

    def asked_since(self, checked: Checked, at: datetime) -> list[tuple[int, int]]:
        """Return from which ids to which all was asked about since a time."""
        asked = select(Check.first_id, Check.last_id).where(
            Check.kind == checked.kind,
            Check.first_id.is_not(None),
            Check.state != CheckState.FAILED,
            Check.created_at >= at,
        )
        rows = self.connection.execute(asked.order_by(Check.id))
        return [(row[0], row[1]) for row in rows if row[0] is not None and row[1] is not None]

    def candidates(self, checked: Checked, most: int, *, but: Collection[int] = ()) -> list[int]:
        """Return records that did not come back, and that no check asks about."""
        id_ = checked.record.id
        # In the order of an expression: SQLite reads what is missing then, and not all there is.
        in_order = id_ + 0
        new = select(id_).where(
            checked.record.is_candidate(),
            in_order > 0,
            id_.not_in(_known(checked)),
            not_(self.statements.among(checked.record.__table__.c.id, sorted(but))),
        )
        return list(self.connection.scalars(new.order_by(in_order).limit(most)))

    def add_first(
        self,
        checked: Checked,
        run_id: int,
        candidates: Sequence[int],
        segment: Segment | None,
        now: datetime,
    ) -> Begun | None:
        """Begin a check of candidates, filled up with what a segment begins with.

        Returns:
            None if there is nothing to ask about.
        """
        room = MOST_IDS - len(candidates)
        others: list[int] = []
        if segment and room:
            rows = self._ids(checked).where(
                checked.exists,
                checked.record.id >= segment.first,
                checked.record.id.not_in(_in_question(checked)),
            )
            others = list(self.connection.scalars(rows.limit(room)))
        if not candidates and not others:
            return None
        values: dict[str, Any] = {"is_second": False, "candidates": len(candidates)}
        if segment and others:
            values |= {"first_id": min(segment.first, others[0]), "last_id": others[-1]}
            if len(others) < room:
                values["last_id"] = max(segment.last, others[-1])
        asked = dict.fromkeys(candidates, (True, False)) | dict.fromkeys(others, (False, False))
        return self._add(checked, run_id, asked, values, now)

    def waiting(self, checked: Checked) -> Mapping[int, int]:
        """Count what was not listed and no check asks about, by the run that began with it."""
        counts = select(Check.first_run_id, func.count()).join(Asked, Asked.check_id == Check.id)
        rows = self.connection.execute(
            counts.where(*_waits(checked)).group_by(Check.first_run_id).order_by(Check.first_run_id)
        )
        return {row[0]: row[1] for row in rows}

    def add_second(self, checked: Checked, run_id: int, now: datetime) -> Begun | None:
        """Begin a check of what others did not list, with records that exist as controls.

        Returns:
            None if there are none of either.
        """
        rows = self.connection.execute(
            select(Asked.check_id, Asked.record_id, Asked.is_candidate)
            .join(Check, Asked.check_id == Check.id)
            .where(*_waits(checked), Check.first_run_id == run_id)
            .order_by(Asked.record_id)
            .limit(MOST_MISSED)
        ).all()
        if not rows:
            return None
        missed = {row.record_id: (row.is_candidate, False) for row in rows}
        controls = self._controls(checked, MOST_IDS - len(missed))
        if not controls:
            return None
        self._forget(rows)
        values = {"is_second": True, "candidates": len(missed)}
        asked = missed | dict.fromkeys(controls, (False, True))
        return self._add(checked, run_id, asked, values, now)

    def book(self, step: CheckStep, now: datetime) -> None:
        """Count a request, and when the check was sent.

        Raises:
            TaskTakenError: the check is not where the step found it any more.
        """
        values: dict[Any, Any] = {Check.requests: Check.requests + 1}
        if step.endpoint is CREATE_CHECK:
            values |= {Check.sent_at: now, Check.ids: len(step.ids)}
        self._move(step, values)

    def created(self, step: CheckStep, task_id: str) -> None:
        """Write down by which name the API knows a check; once more, it changes nothing.

        Raises:
            TaskTakenError: another run has created it, or ended it.
        """
        if not self._stands(step.status(task_id), CheckState.PROCESSING):
            self._move(step, {Check.state: CheckState.PROCESSING, Check.task_id: task_id})

    def fail(self, step: CheckStep, reason: str, log_id: str | None, now: datetime) -> None:
        """End a check that proves nothing; what a second one asked about waits for another.

        Once more, it changes nothing.

        Raises:
            TaskTakenError: the check is not where the step found it any more.
        """
        if not self._stands(step, CheckState.FAILED):
            self._move(step, _failed(reason, log_id, now))
            self._free(step.row_id)

    def asked(self, step: CheckStep) -> tuple[tuple[int, ...], frozenset[int]]:
        """Return the ids of a check in the order in which it asks, and the controls among them."""
        rows = self.connection.execute(
            select(Asked.record_id, Asked.is_control).where(Asked.check_id == step.row_id)
        ).all()
        controls = frozenset(row.record_id for row in rows if row.is_control)
        others = [row.record_id for row in rows if not row.is_control]
        return in_order(others, controls, step.row_id), controls

    def standing(self, step: CheckStep) -> tuple[CheckState, bool, int]:
        """Return the state of a check, whether it is a second one, and how many ids were sent.

        Raises:
            TaskTakenError: another run has created it anew.
        """
        columns = select(Check.state, Check.is_second, Check.ids)
        found = self.connection.execute(columns.where(*_is_named_by(step))).one_or_none()
        if found is None:
            raise TaskTakenError(TAKEN.format(step))
        state, is_second, ids = found
        return state, is_second, ids

    def came(self, step: CheckStep, judged: Judgement, now: datetime) -> None:
        """Keep what a file says: what it lists exists, what it misses waits.

        What is doubtful becomes a candidate, and is asked about again by a later run. What was
        deleted since the check began counts no more.

        Raises:
            TaskTakenError: the check is not where the step found it any more.
        """
        checked, row_id = CHECKED[step.category], step.row_id
        check = self.connection.execute(select(Check.__table__).where(Check.id == row_id)).one()
        asked = self.connection.execute(
            select(Asked.__table__).where(Asked.check_id == row_id)
        ).all()
        candidates = {row.record_id for row in asked if row.is_candidate}
        controls = sum(row.is_control for row in asked)
        self._exists(checked, sorted(candidates & judged.listed), check.sent_at or check.created_at)
        self._is_missing(checked, sorted(judged.doubtful), check.created_at)
        settled = sorted(judged.listed | judged.doubtful)
        self.connection.execute(
            delete(Asked).where(
                Asked.check_id == row_id,
                self.statements.among(Asked.__table__.c.record_id, settled),
            )
        )
        values = {
            "state": CheckState.DONE,
            "ended_at": now,
            "ids": len(asked),
            "candidates": len(asked) - controls if check.is_second else len(candidates),
            "listed": len(judged.listed),
            "missed": len(judged.missed) + len(judged.doubtful),
            "missed_candidates": len(candidates & (judged.missed | judged.doubtful)),
            "unknown": judged.unknown,
        }
        self._move(step, values)

    def decide(self, checked: Checked, limit: float, now: datetime) -> int:
        """Decide on what checks of a run have missed twice, as soon as all of them have ended.

        Returns:
            The number of records that are gone; what is too much at once is held.
        """
        undecided = select(Check.first_run_id).where(_is_undecided(checked)).distinct()
        return sum(
            self._decide(checked, run_id, limit, now)
            for run_id in self.connection.scalars(undecided.order_by(Check.first_run_id)).all()
            if not self._is_under_way(checked, run_id)
        )

    def confirm(self, check_id: int, now: datetime) -> int:
        """Take what a held check says to be so; returns how many records are gone."""
        kind = self.connection.scalar(select(Check.kind).where(Check.id == check_id))
        checked = CHECKED[Category(str(kind))]
        return self._mark_gone(checked, [check_id], now)

    def reject(self, check_id: int, now: datetime) -> None:
        """Forget what a held check says: a later one asks again."""
        self._update(check_id, verdict=CheckVerdict.REJECTED, verdict_at=now)
        self.connection.execute(delete(Asked).where(Asked.check_id == check_id))

    def _decide(self, checked: Checked, run_id: int, limit: float, now: datetime) -> int:
        seconds = select(Check.id).where(Check.first_run_id == run_id, _is_undecided(checked))
        check_ids = list(self.connection.scalars(seconds))
        reason = too_much(self._gone_at_once(checked, run_id, check_ids), limit)
        if reason is None:
            return self._mark_gone(checked, check_ids, now)
        for check_id in check_ids:
            self._update(check_id, verdict=CheckVerdict.HELD, verdict_at=now, error=reason)
        return 0

    def _gone_at_once(self, checked: Checked, run_id: int, check_ids: Sequence[int]) -> GoneAtOnce:
        asked = select(func.sum(Check.ids - Check.candidates)).where(
            Check.first_run_id == run_id,
            Check.kind == checked.kind,
            Check.is_second.is_(False),
            Check.state == CheckState.DONE,
        )
        new = [Asked.check_id.in_(check_ids), Asked.is_candidate.is_(False)]
        if checked.category is Category.COMMENT:
            # What goes with its video is no wonder.
            missing = select(Video.id).where(Video.missing_since.is_not(None))
            under_missing = select(Comment.id).where(Comment.video_id.in_(missing))
            new.append(Asked.record_id.not_in(under_missing))
        gone = select(func.count()).where(*new)
        days: Counter[date] = Counter()
        if checked.category is Category.VIDEO:
            times = select(Video.create_time).join(Asked, Asked.record_id == Video.id).where(*new)
            dated = self.connection.scalars(times.where(Video.create_time.is_not(None)))
            days.update(at.date() for at in dated if at)
        many = {day: count for day, count in days.items() if count >= LEAST_GONE}
        return GoneAtOnce(
            asked=int(self.connection.execute(asked).scalar_one() or 0),
            gone=self.connection.execute(gone).scalar_one(),
            days={day: (count, self._stored_on(day)) for day, count in many.items()},
        )

    def _stored_on(self, day: date) -> int:
        count = select(func.count()).where(Video.is_published_on(DateRange(day, day)))
        return self.connection.execute(count).scalar_one()

    def _mark_gone(self, checked: Checked, check_ids: Sequence[int], now: datetime) -> int:
        record, count = checked.record, 0
        for check_id in check_ids:
            created_at, sent_at = self.connection.execute(
                select(Check.created_at, Check.sent_at).where(Check.id == check_id)
            ).one()
            ids = select(Asked.record_id).where(Asked.check_id == check_id)
            has_come_back = checked.was_returned_since(sent_at or created_at)
            gone = update(record).where(
                record.id.in_(ids), record.gone_at.is_(None), not_(has_come_back)
            )
            missing_since = func.coalesce(record.missing_since, created_at)
            values = {"gone_at": now, "missing_since": missing_since}
            count += self.connection.execute(gone.values(values)).rowcount
            self.connection.execute(delete(Asked).where(Asked.check_id == check_id))
            self._update(check_id, verdict=CheckVerdict.GONE, verdict_at=now)
        return count

    def _is_under_way(self, checked: Checked, run_id: int) -> bool:
        of_run = Check.first_run_id == run_id, Check.kind == checked.kind
        unfinished = select(Check.id).where(*of_run, Check.state.in_(UNFINISHED_CHECKS)).limit(1)
        waits = select(Check.id).join(Asked, Asked.check_id == Check.id)
        waiting = waits.where(*_waits(checked), *of_run).limit(1)
        found = (self.connection.scalar(each) for each in (unfinished, waiting))
        return any(each is not None for each in found)

    def _exists(self, checked: Checked, ids: Sequence[int], at: datetime) -> None:
        """What a check lists is missing no more, if it was missing before."""
        record = checked.record
        found = update(record).where(
            self.statements.among(record.__table__.c.id, ids), record.missing_since < at
        )
        if ids:
            self.connection.execute(found.values(missing_since=null()))

    def _is_missing(self, checked: Checked, ids: Sequence[int], at: datetime) -> None:
        record = checked.record
        doubtful = update(record).where(
            self.statements.among(record.__table__.c.id, ids), record.missing_since.is_(None)
        )
        if ids:
            self.connection.execute(doubtful.values(missing_since=at))

    def _controls(self, checked: Checked, most: int) -> list[int]:
        """Choose records that exist from either end of the ids: what lies between is not last."""
        record, half = checked.record, most // 2
        exists = checked.exists, record.id.not_in(_known(checked))
        highest = self._ids(checked, descending=True).where(*exists)
        above = list(self.connection.scalars(highest.limit(most - half)))
        lowest = self._ids(checked).where(*exists)
        if above:
            lowest = lowest.where(record.id < above[-1])
        below = list(self.connection.scalars(lowest.limit(most - len(above))))
        return sorted((*below, *above))

    def _add(
        self,
        checked: Checked,
        run_id: int,
        asked: Mapping[int, tuple[bool, bool]],
        values: Mapping[str, Any],
        now: datetime,
    ) -> Begun:
        row = insert(Check).values(
            kind=checked.kind,
            first_run_id=run_id,
            state=CheckState.OPEN,
            ids=len(asked),
            created_at=now,
            requests=0,
            **values,
        )
        row_id = self.connection.execute(row.returning(Check.id)).scalar_one()
        columns = tuple(Asked.__table__.columns)
        rows = [(row_id, id_, *flags) for id_, flags in sorted(asked.items())]
        self.statements.insert(self.connection, columns, rows)
        step = CheckStep(checked.category, row_id, CREATE_CHECK)
        ids, _ = self.asked(step)
        step = CheckStep(checked.category, row_id, CREATE_CHECK, ids=ids)
        return Begun(step, values.get("first_id"), values.get("last_id"))

    def _step(self, row: Row[Any]) -> CheckStep:
        step = CheckStep(Category(row.kind.value), row.id, CHECK_STATUS, row.task_id)
        if row.task_id is not None:
            return step
        ids, _ = self.asked(step)
        return CheckStep(step.category, row.id, CREATE_CHECK, ids=ids)

    def _forget(self, rows: Iterable[Row[int, int, bool]]) -> None:
        by_check: dict[int, list[int]] = {}
        for row in rows:
            by_check.setdefault(row.check_id, []).append(row.record_id)
        for check_id, ids in by_check.items():
            which = self.statements.among(Asked.__table__.c.record_id, ids)
            self.connection.execute(delete(Asked).where(Asked.check_id == check_id, which))

    def _ids(self, checked: Checked, *, descending: bool = False) -> Select[int]:
        id_ = checked.record.id
        return select(id_).where(id_ > 0).order_by(id_.desc() if descending else id_)

    def _reach(self, checked: Checked) -> list[tuple[int, int]]:
        id_ = checked.record.id
        # Either is looked up alone; for both at once, SQLite reads all ids.
        low, high = (
            self.connection.scalar(select(end(id_)).where(id_ > 0)) for end in (func.min, func.max)
        )
        return [] if low is None or high is None else [(low, high)]

    def _count(self, checked: Checked, low: int, high: int) -> tuple[int, Any]:
        id_ = checked.record.id
        found = select(func.count(), func.min(checked.confirmed_at)).where(
            id_ >= low, id_ <= high, checked.exists
        )
        return tuple(self.connection.execute(found).one())

    def _move(self, step: CheckStep, values: Mapping[Any, Any]) -> None:
        """Change a check that is where a step found it."""
        state = CheckState.OPEN if step.task_id is None else CheckState.PROCESSING
        change = update(Check).where(*_is_named_by(step), Check.state == state)
        if not self.connection.execute(change.values(dict(values))).rowcount:
            raise TaskTakenError(TAKEN.format(step))

    def _stands(self, step: CheckStep, state: CheckState) -> bool:
        """Tell whether a check is in a state by now, so that the commit of that was in doubt."""
        found = select(Check.id).where(*_is_named_by(step), Check.state == state)
        return self.connection.scalar(found) is not None

    def _free(self, row_id: int) -> None:
        """Let others ask about what a check that failed has asked about."""
        is_second = self.connection.scalar(select(Check.is_second).where(Check.id == row_id))
        which = Asked.is_control if is_second else true()
        self.connection.execute(delete(Asked).where(Asked.check_id == row_id, which))

    def _update(self, row_id: int, **values: Any) -> None:
        self.connection.execute(update(Check).where(Check.id == row_id).values(**values))


def _is_named_by(step: CheckStep) -> tuple[ColumnElement[bool], ...]:
    """Build the conditions of the check that a step is about, by the API's name for it, too."""
    return Check.id == step.row_id, Check.task_id.is_not_distinct_from(step.task_id)


def _failed(reason: str, log_id: str | None, now: datetime) -> dict[str, Any]:
    return {
        "state": CheckState.FAILED,
        "ended_at": now,
        "error": clean_text(reason),
        "error_log_id": clean_text(log_id),
    }


def _known(checked: Checked) -> Select[int]:
    """Select the ids that a check asks about, or about which something is not decided yet."""
    known = select(Asked.record_id).join(Check, Asked.check_id == Check.id)
    return known.where(Check.kind == checked.kind, Asked.is_control.is_(False))


def _in_question(checked: Checked) -> Select[int]:
    """Select those of them that some check has not listed."""
    return _known(checked).where(or_(Check.is_second, Check.state == CheckState.DONE))


def _is_undecided(checked: Checked) -> ColumnElement[bool]:
    """Build the condition that a check has missed something twice, and nothing was decided."""
    is_done = and_(Check.kind == checked.kind, Check.state == CheckState.DONE)
    return and_(is_done, Check.verdict.is_(None), IS_CONCLUSIVE, Check.missed > 0)


def _waits(checked: Checked) -> Collection[ColumnElement[bool]]:
    """Build the conditions that a record was not listed, and that nothing else is known yet."""
    is_inconclusive = or_(
        and_(Check.state == CheckState.DONE, Check.is_second.is_(False)),
        and_(Check.state == CheckState.DONE, Check.is_second, Check.listed > CONTROLS),
        and_(Check.state == CheckState.FAILED, Check.is_second),
    )
    return Check.kind == checked.kind, is_inconclusive, Asked.is_control.is_(False)
