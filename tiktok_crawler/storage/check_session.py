"""A run's hold on the checks of existence: what to ask about, and what comes of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from itertools import chain
from typing import TYPE_CHECKING

from tiktok_crawler.date_range import midnight
from tiktok_crawler.planning.checks import (
    MOST_MISSED,
    REQUESTS_OF_CHECK,
    CheckState,
    Judgement,
    judge_first,
    judge_second,
    tonight,
    without,
)
from tiktok_crawler.research_api.checks import CHECKS, Category, read_ids
from tiktok_crawler.storage.engine import database
from tiktok_crawler.storage.engine.statements import statements_for
from tiktok_crawler.storage.ledger.checks import CHECKED, CheckRows
from tiktok_crawler.storage.ledger.existence import held_checks
from tiktok_crawler.storage.session import Session

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime, timedelta

    from sqlalchemy import Connection

    from tiktok_crawler.planning.checks import RecordKind, Segment
    from tiktok_crawler.planning.quota import QuotaAccount
    from tiktok_crawler.research_api.checks import Checks, CheckStep
    from tiktok_crawler.research_api.tasks import PageRequest
    from tiktok_crawler.storage.ledger.checks import Begun, Checked
    from tiktok_crawler.storage.ledger.existence import HeldCheck

DELETED_MEANWHILE = "records that it asks about were deleted, so that their order is not known"

MOST_FAILURES = 3
"""After so many checks of a kind that failed or proved nothing, others wait for a later run."""


@dataclass(frozen=True, slots=True)
class ChecksPlan:
    """The checks that a run has to do: those that were begun, and how many are due at least.

    With `has_candidates` there are records that did not come back.
    """

    unfinished: tuple[CheckStep, ...]
    has_candidates: bool
    due: int

    @property
    def requests(self) -> int:
        """The number of requests that it takes at least, with one second check."""
        firsts = max(self.due, int(self.has_candidates))
        checks = firsts + bool(firsts)
        return REQUESTS_OF_CHECK * checks + (REQUESTS_OF_CHECK - 1) * len(self.unfinished)

    @property
    def is_empty(self) -> bool:
        """True if there is nothing to ask about."""
        return not (self.unfinished or self.has_candidates or self.due)


@dataclass(slots=True)
class ChecksResult:
    """The result of a run's checks: so many ended so, so many were `left` to a later run.

    `gone` counts the records that were found to be so; `held` is what a person has to decide. With
    `is_decided` the run came as far as that.
    """

    done: int = 0
    failed: int = 0
    left: int = 0
    is_decided: bool = False
    gone: dict[RecordKind, int] = field(default_factory=dict)
    held: tuple[HeldCheck, ...] = ()

    @property
    def is_unfinished(self) -> bool:
        """True if a later run has something to go on with, or a person to decide."""
        return bool(self.left or self.held) or not self.is_decided


class CheckSession(Session):
    """Holds the lock of checks from `open` to `release`.

    Without a `max_age`, only records that did not come back are checked. More than the share
    `limit` gone at once is held.
    """

    def __init__(
        self,
        url: str,
        *,
        origin: str,
        account: QuotaAccount | None,
        max_age: timedelta | None,
        limit: float,
    ) -> None:
        super().__init__(url, origin=origin, account=account, tags=())
        self.max_age = max_age
        self.limit = limit
        self.result = ChecksResult()
        self._segments: dict[Category, list[Segment]] = {category: [] for category in Category}
        self._oldest: dict[Category, Segment | None] = {}
        self._begun: set[int] = set()
        self._open: set[int] = set()
        self._failures = Counter[Category]()
        self._doubtful: dict[Category, set[int]] = {category: set() for category in Category}

    @property
    def subject(self) -> Checks:
        """The subject that these steps belong to."""
        return CHECKS

    @property
    def lock_name(self) -> tuple[str, str]:
        return sha256(b"checks").hexdigest(), str(CHECKS)

    def plan(self, now: datetime) -> ChecksPlan:
        """Decide what to ask about in this run."""
        self._write(lambda on: self._rows(on).give_up(now))
        return self._read(lambda on: self._planned(self._rows(on), now))

    def next_check(self, now: datetime, *, nothing_open: bool) -> CheckStep | None:
        """Begin the next check; None if there is none now.

        What first checks did not list is asked about together, as soon as nothing else is open.

        Raises:
            QueryLockedError: the lock was lost.
        """
        for category in Category:
            if self._failures[category] >= MOST_FAILURES:
                continue
            begin = partial(self._next, category, now, nothing_open=nothing_open)
            if begun := self._write(begin, needs_lock=True):
                self._begun.add(begun.step.row_id)
                self._open.add(begun.step.row_id)
                if begun.first is not None and begun.last is not None:
                    self._asked_about(category, begun.first, begun.last)
                return begun.step
        return None

    def created(self, step: CheckStep, task_id: str) -> None:
        """Write down by which name the API knows a check.

        Raises:
            TaskTakenError: another run has created it, or ended it.
        """
        self._write(lambda on: self._rows(on).created(step, task_id))

    def fail(self, step: CheckStep, reason: str, log_id: str | None, now: datetime) -> None:
        """End a check that proves nothing.

        Raises:
            TaskTakenError: another run has ended it, or created it anew.
        """
        self._write(lambda on: self._rows(on).fail(step, reason, log_id, now))
        self.result.failed += 1
        self._open.discard(step.row_id)
        self._failures[step.category] += 1

    def leave(self, step: CheckStep, *, is_failure: bool) -> None:
        """Count a check that is left to a later run."""
        self.result.left += 1
        self._open.discard(step.row_id)
        self._failures[step.category] += is_failure

    def refuse(self, step: CheckStep) -> None:
        """Ask about no more records of this kind in this run: the API does not take them."""
        self._failures[step.category] = MOST_FAILURES

    def came(self, step: CheckStep, file: bytes, now: datetime) -> Judgement:
        """Judge the file of a check, and keep what it says.

        Raises:
            TaskTakenError: another run has ended it, or created it anew.
        """
        state, is_second, sent = self._read(lambda on: self._rows(on).standing(step))
        if state is not CheckState.PROCESSING:
            self._open.discard(step.row_id)
            return Judgement()  # It was kept, though the commit was in doubt.
        asked, controls = self._read(lambda on: self._rows(on).asked(step))
        found = read_ids(file)
        if not is_second:
            judged = judge_first(asked, found)
        elif len(asked) == sent:
            judged = judge_second(asked, controls, found)
        else:
            judged = Judgement(problem=DELETED_MEANWHILE)
        if judged.problem:
            self.fail(step, judged.problem, None, now)
            return judged
        self._write(lambda on: self._rows(on).came(step, judged, now))
        self.result.done += 1
        self._open.discard(step.row_id)
        self._doubtful[step.category] |= judged.doubtful
        if is_second and judged.listed - controls:
            # The file before was cut off; so may this one be.
            self._failures[step.category] += 1
        return judged

    def decide(self, now: datetime) -> ChecksResult:
        """Decide on what was missed twice; what is too much waits for a person.

        Raises:
            QueryLockedError: the lock was lost.
        """
        for checked in CHECKED.values():
            if gone := self._write(partial(self._decide, checked, now), needs_lock=True):
                self.result.gone[checked.kind] = gone
        self.result.held = self._read(held_checks)
        self.result.is_decided = True
        return self.result

    def conclude(self) -> ChecksResult:
        """Count the checks that the run has not ended, such as one that is interrupted."""
        self.result.left += len(self._open)
        self._open.clear()
        return self.result

    def _planned(self, rows: CheckRows, now: datetime) -> ChecksPlan:
        segments = _segments(rows, self.max_age, now)
        self._oldest = {category: _oldest(of_kind) for category, of_kind in segments.items()}
        self._segments = _due(rows, segments, self.max_age, now)
        plan = _plan(rows, self._segments)
        self._begun = {step.row_id for step in plan.unfinished}
        self._open = set(self._begun)
        return plan

    def _decide(self, checked: Checked, now: datetime, connection: Connection) -> int:
        return self._rows(connection).decide(checked, self.limit, now)

    def _next(
        self, category: Category, now: datetime, connection: Connection, *, nothing_open: bool
    ) -> Begun | None:
        rows, checked = self._rows(connection), CHECKED[category]
        assert self.run_id is not None
        if begun := rows.begun_unseen(checked, self._begun):
            return begun
        # Others fill a check up, and show that its file says something.
        candidates = rows.candidates(checked, MOST_MISSED, but=self._doubtful[category])
        fills = [self._oldest.get(category)] if candidates else []
        for segment in [*self._segments[category], *fills]:
            if begun := rows.add_first(checked, self.run_id, candidates, segment, now):
                return begun
        for run_id, count in rows.waiting(checked).items():
            if nothing_open or count >= MOST_MISSED:
                return rows.add_second(checked, run_id, now)
        return None

    def _asked_about(self, category: Category, first: int, last: int) -> None:
        """Leave out of what is to be asked about what a check asks about."""
        self._segments[category] = without(self._segments[category], first, last)

    def _register(self, connection: Connection, now: datetime) -> None:
        """Checks are registered one by one."""

    def _book(self, connection: Connection, request: PageRequest, now: datetime) -> None:
        self._rows(connection).book(request.step, now)

    def _rows(self, connection: Connection) -> CheckRows:
        return CheckRows(connection, self._statements)


def look_up_checks(url: str, origin: str, max_age: timedelta | None, now: datetime) -> ChecksPlan:
    """Read what a run would check now, without changing anything.

    Raises:
        ConfigurationError: the database cannot be used as it is.
    """
    with database.reading_data(url, origin) as connection:
        if connection is None:
            return ChecksPlan((), has_candidates=False, due=0)
        rows = CheckRows(connection, statements_for(connection.dialect))
        segments = _segments(rows, max_age, now)
        return _plan(rows, _due(rows, segments, max_age, now))


def _segments(
    rows: CheckRows, max_age: timedelta | None, now: datetime
) -> dict[Category, list[Segment]]:
    """What there is to choose from, as it was at midnight; reading it takes a while.

    Where only what is missing is checked, it is needed to fill checks up.
    """
    return {
        category: rows.segments(checked, midnight(now.date()))
        if max_age is not None or rows.candidates(checked, 1)
        else []
        for category, checked in CHECKED.items()
    }


def _oldest(segments: Sequence[Segment]) -> Segment | None:
    return min(segments, key=lambda segment: segment.confirmed_at, default=None)


def _due(
    rows: CheckRows,
    segments: Mapping[Category, Sequence[Segment]],
    max_age: timedelta | None,
    now: datetime,
) -> dict[Category, list[Segment]]:
    """What is left of a night's share, as it was at midnight."""
    if max_age is None:
        return {category: [] for category in segments}
    due = {}
    for category, of_kind in segments.items():
        due[category] = tonight(of_kind, now.date(), max_age)
        for first, last in rows.asked_since(CHECKED[category], midnight(now.date())):
            due[category] = without(due[category], first, last)
    return due


def _plan(rows: CheckRows, segments: Mapping[Category, Sequence[Segment]]) -> ChecksPlan:
    due = sum(segment.checks for segment in chain.from_iterable(segments.values()))
    has_candidates = any(rows.candidates(checked, 1) for checked in CHECKED.values())
    return ChecksPlan(tuple(rows.unfinished()), has_candidates, due)
