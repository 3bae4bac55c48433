"""A run's hold on one query or one listing of a database, for one thread at a time.

It judges, which only reads, and it does, which writes. A deed carries what was judged; done once
more with the same time, because the commit was in doubt, it changes nothing.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, TypeVar

from tiktok_crawler.date_range import DAY, DateRange
from tiktok_crawler.exceptions import QueryLockedError, TaskTakenError
from tiktok_crawler.planning.task_states import Lost
from tiktok_crawler.storage.engine import database
from tiktok_crawler.storage.engine.lock import QueryLock
from tiktok_crawler.storage.engine.open_files import Hold, check_in_place
from tiktok_crawler.storage.engine.sqlite import (
    IMPATIENT_SECONDS,
    empty_log,
    network_file_system_warning,
)
from tiktok_crawler.storage.engine.statements import statements_for
from tiktok_crawler.storage.engine.transactions import WAITS_SECONDS, reading, transaction
from tiktok_crawler.storage.ledger import quota
from tiktok_crawler.storage.ledger.tags import register_tags
from tiktok_crawler.storage.ledger.tasks import TAKEN, Tasks
from tiktok_crawler.storage.page_store import PageStore

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sqlalchemy import Connection, Engine

    from tiktok_crawler.planning.quota import QuotaAccount
    from tiktok_crawler.planning.task_states import Event
    from tiktok_crawler.research_api.pages import Page
    from tiktok_crawler.research_api.tasks import PageRequest
    from tiktok_crawler.storage.page_store import Saved

T = TypeVar("T")

QUEUED_SECONDS = 10
"""The longest that a crawl waits at once for rows of others, where writers stand in line for them:
whoever gives up begins behind all."""


class Session(ABC):
    """Opens a database, prepares it, and holds a lock until `release`.

    `fingerprint` and `what` name what the lock is for, to programs and to people. Requests are
    booked on `account`. As long as there is a `mark`, each transaction makes it, too. Sessions
    that are given one `hold` work on one file.
    Pages are those of the run `run_id`. From `open` on, `engine` is the database. One that need
    not be alone shares its work with others like it, where the database lets it (PostgreSQL).
    """

    def __init__(
        self,
        url: str,
        *,
        origin: str,
        account: QuotaAccount | None,
        tags: tuple[str, ...],
    ) -> None:
        self._url = database.database_url(url)
        self._origin = origin
        self._account = account
        self.tags = tags
        self.mark: Callable[[Connection], None] | None = None
        self.hold = Hold()
        self.is_alone = True
        self.lock: QueryLock | None = None
        self._owns_lock = False
        self.begun_at: datetime | None = None
        self._waits = False
        self.run_id: int | None = None

    @property
    @abstractmethod
    def lock_name(self) -> tuple[str, str]:
        """The purpose of the lock: for programs, and in words."""

    def open(self, lock: QueryLock | None = None) -> str | None:
        """Open the database, setting it up if it is empty, and take the lock, if none is given.

        Returns:
            A warning for the user, if there is one.

        Raises:
            ConfigurationError: the database cannot be used as it is.
            QueryLockedError: another crawl of the same is running.
        """
        engine = database.create_engine_for(self._url, self.hold)
        self._use(engine)
        database.prepare(engine, self._origin)
        if lock is None:
            lock = QueryLock(engine, *self.lock_name, alone=self.is_alone)
            lock.acquire()
            self._owns_lock = True
        self.lock = lock
        return network_file_system_warning(self._url)

    def keep_lock(self) -> QueryLock:
        """Leave the lock to the caller, to be released after all sessions that share it."""
        assert self.lock
        self._owns_lock = False
        return self.lock

    def begin(self, now: datetime) -> None:
        """Register that a run works on this, and uses its tags, from now on."""

        def register(connection: Connection) -> None:
            register_tags(connection, self._statements, set(self.tags))
            self._register(connection, now)

        self._write(register)
        self.begun_at = now
        # Wait no longer for others to write than a crawl does between looks at what goes on: what
        # fails then is tried again by the crawl, unless it is interrupted.
        waits = QUEUED_SECONDS if self._statements.has_many_writers else IMPATIENT_SECONDS
        self._use(self.engine.execution_options(**{WAITS_SECONDS: waits}))

    def book(self, request: PageRequest, now: datetime) -> PageRequest:
        """Write down that a request is about to be sent.

        Returns:
            The request, with the time at which its task was begun.

        Raises:
            QueryLockedError: the lock was lost.
            TaskTakenError: another run works on the task, or has done so since.
            DailyBudgetSpentError: the day's budget is spent; nothing is written.
            SecondTriesSpentError: what second tries may cost in a day is spent, likewise.
            DailyShareSpentError: what such requests may cost in a day is spent, likewise.
        """
        self._waits = False

        def write(connection: Connection) -> None:
            self._book(connection, request, now)
            if self._account:
                quota.spend(
                    connection,
                    self._account,
                    now,
                    second_try=request.second_try,
                    refreshes=request.refreshes,
                )

        # The page that the request brings is flushed after it; without one, little is lost.
        self._write(write, needs_lock=True, flushed_later=True)
        return request.booked(now)

    def fill_quota(self, now: datetime) -> None:
        """Write down that the API says that the day's quota is used up.

        A long wait may follow: until something is asked for again, nothing is left in the log.
        """
        self._waits = True
        account = self._account
        self._write(lambda on: quota.fill(on, account, now) if account else None)

    @property
    def _since(self) -> datetime:
        """The time when this run began."""
        assert self.begun_at
        return self.begun_at

    def release(self) -> None:
        """Let go of the lock and the database."""
        if self.lock:
            empty_log(self.engine)
            if self._owns_lock:
                self.lock.release()
        self.engine.dispose()

    @abstractmethod
    def _register(self, connection: Connection, now: datetime) -> None: ...

    @abstractmethod
    def _book(self, connection: Connection, request: PageRequest, now: datetime) -> None:
        """Count a request that is about to be sent where it belongs."""

    def _verify_lock(self, connection: Connection) -> None:
        try:
            for lock in self._locks:
                lock.verify(connection)
        except QueryLockedError:
            # A folder that is gone has taken the lock along: then that is what has to be said.
            check_in_place(connection)
            raise

    @property
    def _locks(self) -> tuple[QueryLock, ...]:
        """What this run has to hold when something is about to be asked for."""
        assert self.lock
        return (self.lock,)

    def _worker_id(self) -> int | None:
        """The number by which other runs know what this one works on; None if it is alone."""
        return self.lock.worker_id if self.lock and not self.is_alone else None

    def _use(self, engine: Engine) -> None:
        self.engine = engine
        self._statements = statements_for(engine.dialect)

    def _read(self, work: Callable[[Connection], T]) -> T:
        with reading(self.engine) as connection:
            return work(connection)

    def _write(
        self,
        work: Callable[[Connection], T],
        *,
        needs_lock: bool = False,
        flushed_later: bool = False,
    ) -> T:
        def marked(connection: Connection) -> T:
            self._begin_writing(connection, needs_lock=needs_lock)
            return work(connection)

        result = transaction(self.engine, marked, flushed_later=flushed_later)
        self._written()
        return result

    def _begin_writing(self, connection: Connection, *, needs_lock: bool = False) -> None:
        """Do what belongs into each transaction that writes; what came is stored without a lock."""
        if needs_lock:
            self._verify_lock(connection)
        elif self.lock:
            self.lock.hold(connection)
        if self.mark:
            self.mark(connection)

    def _written(self) -> None:
        if self._waits:
            empty_log(self.engine)


class TaskSession(Session):
    """A run's hold on tasks, which are paged to their end."""

    def open_task(self, request: PageRequest, now: datetime) -> PageRequest:
        """Make the row of a request's task, if it has none, and keep other runs from it.

        Raises:
            QueryLockedError: the lock was lost.
            TaskTakenError: another run works on the task, or has done so since.
        """
        if request.task.row_id is not None and not self._claims_when_opened:
            return request

        def write(connection: Connection) -> int:
            return self._open_row(connection, request, now)

        # A row that is lost with the power is made again, by the booking that follows.
        return request.opened(self._write(write, needs_lock=True, flushed_later=True))

    def save_page(self, page: Page, *, moves_task: bool = True) -> Saved:
        """Store a page, and move its task on."""
        saved = self._store.save(
            page,
            tags=self.tags,
            run_id=self.run_id,
            moves_task=moves_task,
            mark=self._begin_writing,
        )
        self._written()
        return saved

    def end(self, request: PageRequest, event: Event, now: datetime) -> PageRequest | None:
        """Change a task that brings no page now.

        Returns:
            Of a lost search the request for what is left to search.

        Raises:
            TaskTakenError: another run works on the task, has done so since, or may, as the lock
                was lost.
        """

        def write(connection: Connection) -> int | None:
            self._note_end(connection, request, event, now)
            return self._tasks(connection).end(request, event, now)

        try:
            rest_id = self._write(write, needs_lock=True)
        except QueryLockedError as exc:
            raise TaskTakenError(TAKEN.format(request)) from exc
        if rest_id is None or not isinstance(event, Lost):
            return None
        rest = DateRange(request.window.days.start, event.passed.start - DAY)
        return request.for_days(rest, rest_id)

    @property
    def _claims_when_opened(self) -> bool:
        """Tell whether tasks that have a row are kept from other runs only when they are opened."""
        return False

    @abstractmethod
    def _open_row(self, connection: Connection, request: PageRequest, now: datetime) -> int: ...

    @abstractmethod
    def _note_end(
        self, connection: Connection, request: PageRequest, event: Event, now: datetime
    ) -> None:
        """Write down what an event says besides of its task."""

    def _book(self, connection: Connection, request: PageRequest, now: datetime) -> None:
        self._tasks(connection).book(request, now)

    def _use(self, engine: Engine) -> None:
        super()._use(engine)
        self._store = PageStore(engine, worker_id=self._worker_id)

    def _tasks(self, connection: Connection) -> Tasks:
        return Tasks(connection, self._statements, self._worker_id())
