"""The rows of tasks: the one place where they are made, booked and moved on.

A row exists from before the first request of its task on. Its state changes by `move` alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, bindparam, insert, or_, select, update

from tiktok_crawler.date_range import DAY, DateRange
from tiktok_crawler.exceptions import TaskTakenError
from tiktok_crawler.planning.task_states import (
    MOVES,
    UNFINISHED,
    Cause,
    Cut,
    Emptied,
    Halved,
    Lost,
    Parked,
    Refused,
    Unusable,
    WindowState,
    retry_at,
)
from tiktok_crawler.research_api.paging import START, Place
from tiktok_crawler.research_api.tasks import Seed, Window
from tiktok_crawler.storage.engine.text import clean_text
from tiktok_crawler.storage.ledger.window_days import give_days
from tiktok_crawler.storage.models.ledger import CrawlWindow, QueryRow, SeedRow

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime

    from sqlalchemy import BindParameter, ColumnElement, Connection, Row, Update

    from tiktok_crawler.planning.task_states import Event
    from tiktok_crawler.research_api.pages import Page
    from tiktok_crawler.research_api.tasks import PageRequest, Task
    from tiktok_crawler.storage.engine.statements import Statements

TaskRow = type[CrawlWindow | SeedRow]

TAKEN = "another crawl works on {}, or has done so meanwhile"

SUSPECTED = "searched once more, because it was suspiciously empty"


def row_of(task: Task) -> TaskRow:
    """Return the table that has a task's row."""
    return CrawlWindow if isinstance(task, Window) else SeedRow


@dataclass(frozen=True, slots=True)
class Standing:
    """The progress of a task."""

    is_begun: bool
    is_unfinished: bool
    is_parked: bool
    is_complete: bool
    place: Place
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class Tasks:
    """Changes the rows of tasks, inside a transaction.

    What is done again with the same time, because the commit was in doubt, changes nothing; only a
    booking counts twice. What another worker than `worker_id` works on stays as it is.
    """

    connection: Connection
    statements: Statements
    worker_id: int | None = None

    def find(self, task: Task, opened_at: datetime | None) -> int | None:
        """Find a task by what it is in any database; windows are told apart by `opened_at`, too.

        Returns:
            The row's id, None if there is none.
        """
        if isinstance(task, Seed):
            seed = {"listing": task.listing.name, "seed": clean_text(task.key)}
            return self.connection.scalar(select(SeedRow.id).filter_by(**seed))
        assert isinstance(task, Window)
        windows = select(CrawlWindow.id).filter_by(**_days(task.days), created_at=opened_at)
        is_same = QueryRow.fingerprint == task.query.fingerprint
        return self.connection.scalar(windows.join(QueryRow).where(is_same))

    def opened_at(self, window_id: int) -> datetime:
        """Read when a window was opened."""
        opened_at = select(CrawlWindow.created_at).where(CrawlWindow.id == window_id)
        return self.connection.execute(opened_at).scalar_one()

    def changed_at(self, task: Task) -> datetime | None:
        """Read when a task's row last changed, by the clock of who changed it."""
        row = row_of(task)
        return self.connection.scalar(select(row.updated_at).where(row.id == task.row_id))

    def is_at(self, request: PageRequest) -> bool:
        """Tell whether a task is at the place of a request."""
        row = row_of(request.task)
        is_there = select(row.id).where(row.id == request.task.row_id, *_is_at(row, request.place))
        return self.connection.scalar(is_there) is not None

    def standing(self, task: Task) -> Standing:
        """Read how far a task has come."""
        row = row_of(task)
        stored = row.__table__
        found = self.connection.execute(select(stored).where(stored.c.id == task.row_id)).one()
        if row is CrawlWindow:
            place = Place(found.cursor, found.search_id, found.videos)
        else:
            place = Place(found.cursor, None, found.position)
        is_parked = found.state == WindowState.PARKED
        return Standing(
            is_begun=found.begun_at is not None,
            is_unfinished=found.state in UNFINISHED,
            is_parked=is_parked,
            is_complete=found.state == WindowState.COMPLETE,
            place=place,
            ended_at=found.completed_at,
        )

    def open_window(self, query_id: int, request: PageRequest, now: datetime) -> int:
        """Make the row of a window; that of a second try is parked until a page comes.

        Returns:
            The row's id.
        """
        window = request.window
        identity = {"query_id": query_id, **_days(window.days), "created_at": now}
        state = WindowState.PARKED if request.second_try else WindowState.OPEN
        made = select(CrawlWindow.id).filter_by(**identity).where(CrawlWindow.state == state)
        return self.connection.scalar(made) or self._add(
            identity,
            state=state,
            fields=list(window.fields),
            keywords_as=window.keyword_form,
            error=SUSPECTED if request.second_try else None,
            parked_at=now if request.second_try else None,
            worker_id=self.worker_id,
            updated_at=now,
        )

    def open_seed(self, request: PageRequest, now: datetime) -> int:
        """Make the row of a seed, or find it.

        Returns:
            The row's id.

        Raises:
            TaskTakenError: another worker has it, or has had it since the request was planned.
        """
        seed = request.seed
        identity = {"listing": seed.listing.name, "seed": clean_text(seed.key)}
        new = self.statements.insert_into(SeedRow.__table__).values(
            **identity, state=WindowState.OPEN, created_at=now, updated_at=now
        )
        self.connection.execute(new.on_conflict_do_nothing())
        found = select(SeedRow.id).filter_by(**identity)
        row_id = self.connection.execute(found).scalar_one()
        if self.worker_id is not None:
            self._claim_seed(row_id, request)
        return row_id

    def claim_windows(self, row_ids: Collection[int]) -> None:
        """Keep other workers from unfinished windows, which nobody has."""
        rows = update(CrawlWindow).where(CrawlWindow.id.in_(row_ids))
        self.connection.execute(rows.values(worker_id=self.worker_id))

    def _claim_seed(self, row_id: int, request: PageRequest) -> None:
        row = SeedRow
        is_at = () if request.ended_at else _is_at(row, request.place)
        is_as_planned = (*is_at, row.completed_at.is_not_distinct_from(request.ended_at))
        claim = update(row).where(row.id == row_id, self._is_free(row), *is_as_planned)
        if not self.connection.execute(claim.values(worker_id=self.worker_id)).rowcount:
            raise TaskTakenError(TAKEN.format(request))

    def book(self, request: PageRequest, now: datetime) -> None:
        """Count a request that is about to be sent; that for a first page discards the past.

        A parked task stays so until a page comes. A seed that had ended is open again, unless it
        has ended once more since the request was planned.

        Raises:
            TaskTakenError: the task is not where the request found it any more, or another
                worker's.
        """
        row, row_id = row_of(request.task), request.task.row_id
        where = () if request.starts_task else _is_at(row, request.place)
        unfinished = and_(row.id == row_id, row.state.in_(UNFINISHED), self._is_free(row), *where)
        values = _booking(row, request, now) | {row.worker_id: self.worker_id}
        if self.connection.execute(update(row).where(unfinished).values(values)).rowcount:
            return
        had_ended = (*where, row.completed_at.is_not_distinct_from(request.ended_at))
        may_reopen = row is SeedRow
        if not (may_reopen and self.move(row, row_id, Cause.REOPENED, now, values, *had_ended)):
            raise TaskTakenError(TAKEN.format(request))

    def page_came(self, page: Page) -> bool:
        """Move a task on by its page, unless it is not where the page's request found it.

        Returns:
            Whether the task was moved.
        """
        row, place = row_of(page.request.task), page.request.place
        is_over = page.next_request is None
        values = {
            "row": page.request.task.row_id,
            "worker": self.worker_id,
            "from_cursor": place.cursor,
            "from_count": place.received,
            "from_search": clean_text(place.search_id),
            "to_cursor": page.cursor,
            "to_count": page.received,
            "to_search": clean_text(page.search_id),
            "now": page.received_at,
            "more": page.has_more,
            "doubt": page.suspicious,
            "limit": is_over and row is SeedRow and page.is_at_api_limit,
        }
        change = _page_change(row, Cause.LAST_PAGE if is_over else Cause.PAGE)
        return bool(self.connection.execute(change, values).rowcount)

    def end(self, request: PageRequest, event: Event, now: datetime) -> int | None:
        """Change a task by an event.

        Returns:
            Of a lost search the row of the window that is left to search.

        Raises:
            TaskTakenError: another worker has it, or has ended it.
        """
        row, row_id = row_of(request.task), request.task.row_id
        match event:
            case Parked(at=at):
                self._park(row, row_id, event, at, now)
            case Unusable():
                self._park(row, row_id, event, START, now)
            case Halved():
                # Its width is not to blame: no reason, so that it does not count as too wide.
                self._move(row, row_id, event, now, _WITHOUT_REASON)
            case Refused(status=status):
                values = {SeedRow.status: status, row.retry_at: None, row.completed_at: now}
                self._move(row, row_id, event, now, values | _reason(row, event))
            case Cut():
                self._move(row, row_id, event, now, _reason(row, event))
            case Emptied():
                self._move(row, row_id, event, now, _AS_NEW)
            case Lost(passed=passed):
                return self._split_off(row_id, passed, event, now)
        return None

    def move(
        self,
        row: TaskRow,
        row_id: int | None,
        cause: Cause | type[Event],
        now: datetime,
        values: Mapping[Any, Any],
        *where: ColumnElement[bool],
    ) -> bool:
        """Change a task's state, and what goes with it, at a time.

        Returns:
            Whether it was in a state that allows this.
        """
        change = _change(row, row_id, cause, now, self.worker_id)
        change = change.where(*where).values(dict(values))
        return bool(self.connection.execute(change).rowcount)

    def _move(
        self, row: TaskRow, row_id: int | None, event: Event, now: datetime, values: dict[Any, Any]
    ) -> None:
        cause = type(event)
        if self.move(row, row_id, cause, now, values):
            return
        of_now = select(row.id).where(row.id == row_id, row.updated_at == now)
        if self.connection.scalar(of_now.where(row.state == MOVES[cause].to)) is not None:
            return
        if self.worker_id is not None:
            raise TaskTakenError(TAKEN.format(f"{row.__tablename__} {row_id}"))
        raise LookupError(f"{row.__tablename__} {row_id} is neither open nor parked")

    def _is_free(self, row: TaskRow) -> ColumnElement[bool]:
        return _is_free(row, self.worker_id)

    def _park(
        self, row: TaskRow, row_id: int | None, event: Parked | Unusable, at: Place, now: datetime
    ) -> None:
        before = select(row.parked_count, row.parked_at).where(row.id == row_id)
        parked_count, parked_at = self.connection.execute(before).one()
        if parked_at == now and parked_count:
            return
        values: dict[Any, Any] = {
            row.cursor: at.cursor,
            row.record_count: at.received,
            row.completed_at: None,
            row.suspicious: False,
            row.parked_count: parked_count + 1,
            row.parked_at: now,
            row.retry_at: retry_at(parked_count + 1, now),
            row.worker_id: None,
        }
        if row is CrawlWindow:
            values[CrawlWindow.search_id] = clean_text(at.search_id)
        self._move(row, row_id, event, now, values | _reason(row, event))

    def _split_off(
        self, row_id: int | None, passed: DateRange, event: Lost, now: datetime
    ) -> int | None:
        """Split a window into a complete one for the days passed, and one for the rest.

        The rest is open, or parked for what the window was parked for.
        """
        table = CrawlWindow.__table__
        window = self.connection.execute(select(table).where(table.c.id == row_id)).one()
        rest = DateRange(window.start_date, passed.start - DAY)
        if window.state is WindowState.SPLIT and window.updated_at == now:
            return self._find_part(window, rest, now)
        self._move(CrawlWindow, row_id, event, now, _WITHOUT_REASON)
        parts = {"query_id": window.query_id, "created_at": now}
        shared = {
            "fields": window.fields,
            "keywords_as": window.keywords_as,
            "worker_id": self.worker_id,
            "updated_at": now,
        }
        searched = {"begun_at": window.begun_at, "last_page_at": window.last_page_at}
        passed_id = self._add(
            parts | _days(passed),
            state=WindowState.COMPLETE,
            completed_at=now,
            **searched,
            **shared,
        )
        give_days(self.connection, row_id, passed_id, passed.start)
        why = {
            name: getattr(window, name)
            for name in ("parked_count", "parked_at", "retry_at", "error", "error_log_id")
        }
        return self._add(parts | _days(rest), state=window.state, **why, **shared)

    def _find_part(self, window: Row[Any], days: DateRange, now: datetime) -> int | None:
        part = {"query_id": window.query_id, "created_at": now, **_days(days)}
        return self.connection.scalar(select(CrawlWindow.id).filter_by(**part))

    def _add(self, identity: Mapping[str, Any], **values: Any) -> int:
        window = insert(CrawlWindow).values(**identity, **values).returning(CrawlWindow.id)
        return self.connection.execute(window).scalar_one()


_WITHOUT_REASON: dict[Any, Any] = {CrawlWindow.error: None, CrawlWindow.error_log_id: None}
"""Days that other windows have are left to these, whatever the window was parked for."""

_AS_NEW: dict[Any, Any] = {
    SeedRow.cursor: 0,
    SeedRow.begun_at: None,
    SeedRow.pages: 0,
    SeedRow.record_count: 0,
    SeedRow.status: None,
    SeedRow.has_more: None,
    SeedRow.at_api_limit: False,
    SeedRow.suspicious: False,
    SeedRow.last_page_at: None,
    SeedRow.completed_at: None,
    SeedRow.parked_count: 0,
    SeedRow.parked_at: None,
    SeedRow.retry_at: None,
    SeedRow.error: None,
    SeedRow.error_log_id: None,
    SeedRow.worker_id: None,
}
"""What a new seed has; the requests that were sent for this one stay counted."""


def leave_to_others(tasks: Tasks, window_id: int, now: datetime) -> None:
    """Split a window whose days other windows have, or have to search again."""
    tasks.move(CrawlWindow, window_id, Cause.LEFT, now, _WITHOUT_REASON)


def _change(
    row: TaskRow, row_id: Any, cause: Cause | type[Event], now: Any, worker_id: Any
) -> Update:
    """Build the change of a task's state, if it is in one that allows this, and free."""
    move = MOVES[cause]
    is_free = _is_free(row, worker_id)
    change = update(row).where(row.id == row_id, row.state.in_(move.of), is_free)
    return change.values({row.state: move.to, row.updated_at: now})


@cache
def _page_change(row: TaskRow, cause: Cause) -> Update:
    """Build the change that a page makes, once: that takes longer than to do it."""
    now: BindParameter[Any] = bindparam("now")
    values: dict[Any, Any] = {
        row.cursor: bindparam("to_cursor"),
        row.record_count: bindparam("to_count"),
        row.pages: row.pages + 1,
        row.error: None,
        row.error_log_id: None,
        row.retry_at: None,
        row.last_page_at: now,
    }
    where = _stands_at(row, *map(bindparam, ("from_cursor", "from_count", "from_search")))
    if row is SeedRow:
        values |= {SeedRow.has_more: bindparam("more"), SeedRow.status: None}
    else:
        values[CrawlWindow.search_id] = bindparam("to_search")
    if cause is Cause.LAST_PAGE:
        values |= {row.suspicious: bindparam("doubt"), row.completed_at: now}
        values |= {SeedRow.at_api_limit: bindparam("limit")} if row is SeedRow else {}
    change = _change(row, bindparam("row"), cause, now, bindparam("worker"))
    return change.where(*where).values(values)


def _is_free(row: TaskRow, worker_id: Any) -> ColumnElement[bool]:
    """Build the condition that no other worker works on a task."""
    has_ended = row.state.not_in(UNFINISHED)
    return or_(row.worker_id.is_(None), row.worker_id == worker_id, has_ended)


def _days(days: DateRange) -> dict[str, Any]:
    return {"start_date": days.start, "end_date": days.end}


def _is_at(row: TaskRow, place: Place) -> tuple[ColumnElement[bool], ...]:
    """Build the conditions that a task is at a place."""
    return _stands_at(row, place.cursor, place.received, clean_text(place.search_id))


def _stands_at(
    row: TaskRow, cursor: Any, received: Any, search_id: Any
) -> tuple[ColumnElement[bool], ...]:
    is_there = (row.cursor == cursor, row.record_count == received)
    if row is SeedRow:
        return is_there
    return (*is_there, CrawlWindow.search_id.is_not_distinct_from(search_id))


def _booking(row: TaskRow, request: PageRequest, now: datetime) -> dict[Any, Any]:
    values: dict[Any, Any] = {row.requests: row.requests + 1, row.updated_at: now}
    if row is SeedRow:
        values |= {SeedRow.status: None, row.completed_at: None}
    if not request.starts_task:
        return values
    values |= {
        row.attempts: row.attempts + 1,
        row.begun_at: now,
        row.cursor: 0,
        row.record_count: 0,
        row.pages: 0,
    }
    if row is SeedRow:
        fresh = {SeedRow.has_more: None, SeedRow.at_api_limit: False, row.suspicious: False}
        return values | fresh
    return values | {
        CrawlWindow.search_id: None,
        CrawlWindow.keywords_as: request.window.keyword_form,
    }


def _reason(row: TaskRow, event: Parked | Refused | Cut | Unusable) -> dict[Any, Any]:
    return {row.error: clean_text(event.reason), row.error_log_id: clean_text(event.log_id)}
