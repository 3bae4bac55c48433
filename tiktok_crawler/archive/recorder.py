"""Keeps the journal of a run: a line for each deed of its sessions, before the database acts.

A deed's own transaction stores the number of its line (`storage/ledger/journal_marks.py`). So it
can be told of each line whether its deed was done: by this run, which says so with `void` if it was
not, or, if it was killed, by the next run, which begins with the marks of all former ones.
"""

from __future__ import annotations

import secrets
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from sqlalchemy.exc import DBAPIError

from tiktok_crawler.archive.lines import (
    CORRECTIONS,
    Asked,
    Begin,
    Deed,
    FileStart,
    Kind,
    Line,
    WindowName,
    dump_line,
    dump_start,
)
from tiktok_crawler.archive.stripping import body_without
from tiktok_crawler.archive.writer import JournalWriter
from tiktok_crawler.clock import utc_now
from tiktok_crawler.exceptions import ArchiveError, DatabaseLostError
from tiktok_crawler.research_api.tasks import Seed, Window
from tiktok_crawler.storage.engine.statements import statements_for
from tiktok_crawler.storage.engine.transactions import reading, transaction
from tiktok_crawler.storage.ledger.journal_marks import (
    behind,
    done_until,
    drop_mark,
    marks,
    set_mark,
)
from tiktok_crawler.storage.ledger.kept_out import KeptOutOf, read_gate
from tiktok_crawler.storage.ledger.tasks import Tasks
from tiktok_crawler.storage.search_session import SearchSession

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from sqlalchemy import Connection, Engine

    from tiktok_crawler.archive.lines import RawAnswer, Subject
    from tiktok_crawler.planning.task_states import Event
    from tiktok_crawler.research_api.pages import Page
    from tiktok_crawler.research_api.tasks import PageRequest
    from tiktok_crawler.storage.ledger.coverage import Corrections, StoredWindow
    from tiktok_crawler.storage.page_store import Saved
    from tiktok_crawler.storage.stage_session import StageSession

T = TypeVar("T")

UNSYNCED = (Kind.OPEN, Kind.ASK)
"""Lines that cost nothing if power fails; they are on the disk with the next one."""


class Journal:
    """The lines that the sessions of one run write, one after another. For one thread at a time.

    Where the machine's clock is behind what others have done before, by theirs, so that a replay
    would do it later, lines have a time behind that.

    A deed that is announced and not known to be done is in doubt. The next deed finds out, by the
    mark: if it is the same once more, the line stands for it.
    """

    def __init__(
        self,
        folder: Path,
        origin: str,
        *,
        beside: Path | None = None,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._clock = clock
        self._origin = origin
        self._name = f"{clock():%Y%m%dT%H%M%SZ}_{secrets.token_hex(4)}"
        self._writer = JournalWriter(folder, self._name, beside=beside)
        self._number = 0
        self._in_doubt: Line | None = None
        self._sessions: dict[Subject, Line | None] = {}
        self._follows = datetime.min.replace(tzinfo=UTC)

    @property
    def has_failed(self) -> bool:
        """True if nothing can be written any more."""
        return self._writer.failure is not None

    def open(self) -> None:
        """Make the folder and the first file, unless they are there.

        Raises:
            ConfigurationError: the folder cannot be used.
            ArchiveError: nothing can be written there.
        """
        if self._writer.day is None:
            now = self._clock()
            self._writer.open(now.date(), self._start(now))

    def enter(self, engine: Engine, subject: Subject) -> tuple[datetime, Mapping[str, int]]:
        """Prepare to write about a session.

        Returns:
            The time, and the marks of other journals by then.
        """
        now = self._clock()
        found = transaction(engine, self._begin_marks)
        with reading(engine) as connection:
            self.follow(done_until(connection, subject))
        self._sessions[subject] = None
        return now, found

    def follow(self, changed_at: datetime | None) -> None:
        """Write from now on behind the lines of what was done by then."""
        self._follows = max(self._follows, behind(changed_at, self._clock()))

    def announce(
        self, engine: Engine, subject: Subject, deed: Deed
    ) -> Callable[[Connection], None]:
        """Write a deed's line, unless it stands there already.

        Returns:
            What marks the deed as done, in its transaction.

        Raises:
            ArchiveError: the line cannot be written.
        """
        self._resolve_doubt(engine, subject, deed)
        if not self._in_doubt:
            self._in_doubt = self.write(subject, deed, synced=deed.kind not in UNSYNCED)
        if deed.kind is Kind.BEGIN:
            self._sessions[subject] = self._in_doubt
        return partial(set_mark, journal=self._name, line=self._in_doubt.number)

    def done(self) -> None:
        """The deed that was announced last is done."""
        self._in_doubt = None

    def write(self, subject: Subject, deed: Deed, *, synced: bool = True) -> Line:
        """Write a line; on a new day into a new file.

        Raises:
            ArchiveError: it cannot be written.
        """
        now = self._clock()
        # Not back to the day before, should the clock be set back: lines keep their order.
        if self._writer.day and now.date() > self._writer.day:
            self._writer.turn_to(now.date(), self._start(now))
        at = max(now, self._follows)
        line = Line(self._name, self._number + 1, at, subject, deed)
        self._writer.append(dump_line(line), synced=synced)
        self._number = line.number
        return line

    def leave(self, engine: Engine, subject: Subject) -> None:
        """End what is written about a session.

        Where that is not possible, the mark says how far it has come.
        """
        if subject not in self._sessions:
            return
        with suppress(ArchiveError, DatabaseLostError, DBAPIError):
            self._resolve_doubt(engine, subject, None)
            self.write(subject, Deed(Kind.CLOSE))
            if len(self._sessions) == 1:
                transaction(engine, partial(drop_mark, journal=self._name))
        del self._sessions[subject]

    def close(self) -> None:
        """End the file."""
        self._writer.close()

    def _begin_marks(self, connection: Connection) -> dict[str, int]:
        found = marks(connection)
        if found.pop(self._name, None) is None:
            set_mark(connection, self._name, self._number)
        return found

    def _resolve_doubt(self, engine: Engine, subject: Subject, next_one: Deed | None) -> None:
        """Find out whether the last deed was done; if not, say so, unless it is done now."""
        doubt = self._in_doubt
        if not doubt:
            return
        with reading(engine) as connection:
            done = marks(connection).get(self._name, 0)
        if done < doubt.number:
            if (doubt.subject, doubt.deed) == (subject, next_one):
                return
            self.write(doubt.subject, Deed(Kind.VOID, what=doubt.number))
        self._in_doubt = None

    def _start(self, now: datetime) -> bytes:
        begun = tuple(line for line in self._sessions.values() if line)
        return dump_start(FileStart(self._name, now, self._origin, begun))


class RecordedSession:
    """Does a session's deeds, each after its line is in the journal.

    Raises ArchiveError where a line cannot be written; then the deed is not done. Judging is left
    to the session itself.
    """

    def __init__(self, session: SearchSession | StageSession, journal: Journal) -> None:
        self._session = session
        self._journal = journal
        self._opened_at: dict[int, datetime] = {}
        self._marked: tuple[datetime, Mapping[str, int]] | None = None

    @property
    def subject(self) -> Subject:
        """The query or listing that these tasks belong to."""
        session = self._session
        return session.subject if isinstance(session, SearchSession) else session.stage.listing

    def open(self) -> str | None:
        """Open the database, and the journal."""
        warning = self._session.open()
        self._journal.open()
        return warning

    def begin(self, now: datetime) -> None:
        session = self._session
        # Once: a deed that is done once more is the same.
        self._marked = self._marked or self._journal.enter(session.engine, self.subject)
        begin = Begin(session.tags, *self._marked)
        if isinstance(session, SearchSession):
            begin = replace(begin, collection=session.collection, fields=session.wanted.fields)
        self._do(Deed(Kind.BEGIN, now, what=begin), lambda: session.begin(now))

    def correct(self, corrections: Corrections, now: datetime) -> None:
        session = self._session
        assert isinstance(session, SearchSession)
        windows = {key: _names(getattr(corrections, key)) for key in CORRECTIONS}
        self._do(Deed(Kind.CORRECT, now, what=windows), lambda: session.correct(corrections, now))

    def open_task(self, request: PageRequest, now: datetime) -> PageRequest:
        if request.task.row_id is not None:
            return self._session.open_task(request, now)
        is_window = isinstance(request.task, Window)
        deed = Deed(Kind.OPEN, now, Asked(request, now if is_window else None))
        opened = self._do(deed, lambda: self._session.open_task(request, now))
        return self._know(opened, now)

    def book(self, request: PageRequest, now: datetime) -> PageRequest:
        self._follow_others(request)
        deed = Deed(Kind.ASK, now, self._asked(request))
        return self._do(deed, lambda: self._session.book(request, now))

    def keep_answer(self, request: PageRequest, answer: RawAnswer, received_at: datetime) -> None:
        """Write down an answer, whatever it says, but for what persons asked to delete."""
        answer = self._without_kept_out(request, answer)
        deed = Deed(Kind.ANSWER, received_at, self._asked(request), answer)
        self._journal.write(self.subject, deed)

    def save_page(self, page: Page) -> Saved:
        deed = Deed(Kind.PAGE, page.received_at, self._asked(page.request))
        return self._do(deed, lambda: self._session.save_page(page))

    def end(self, request: PageRequest, event: Event, now: datetime) -> PageRequest | None:
        deed = Deed(Kind.END, now, self._asked(request), event)
        rest = self._do(deed, lambda: self._session.end(request, event, now))
        return self._know(rest, now) if rest else None

    def release(self) -> None:
        """Let go of the lock and the database."""
        try:
            self._journal.leave(self._session.engine, self.subject)
        finally:
            self._session.release()

    def _do(self, deed: Deed, act: Callable[[], T]) -> T:
        session = self._session
        session.mark = self._journal.announce(session.engine, self.subject, deed)
        try:
            result = act()
        finally:
            session.mark = None
        self._journal.done()
        return result

    def _without_kept_out(self, request: PageRequest, answer: RawAnswer) -> RawAnswer:
        task = request.task
        listing, seed = (task.listing, task.key) if isinstance(task, Seed) else (None, None)
        with reading(self._session.engine) as connection:
            gate = read_gate(connection)
            if gate.salt is None:
                return answer
            found = gate.found(
                connection, lambda deleted: body_without(answer, listing, seed, deleted)
            )
        kept = body_without(answer, listing, seed, found or KeptOutOf(gate.salt))
        return replace(answer, body=kept.body)

    def _asked(self, request: PageRequest) -> Asked:
        row_id = request.task.row_id
        if not isinstance(request.task, Window) or row_id is None:
            return Asked(request, None)
        if row_id not in self._opened_at:
            with reading(self._session.engine) as connection:
                tasks = Tasks(connection, statements_for(connection.dialect))
                self._opened_at[row_id] = tasks.opened_at(row_id)
        return Asked(request, self._opened_at[row_id])

    def _follow_others(self, request: PageRequest) -> None:
        """Let the lines about a task follow those of who had it before."""
        if request.task.row_id is not None:
            with reading(self._session.engine) as connection:
                tasks = Tasks(connection, statements_for(connection.dialect))
                self._journal.follow(tasks.changed_at(request.task))

    def _know(self, request: PageRequest, opened_at: datetime) -> PageRequest:
        """Remember when a window was opened."""
        if isinstance(request.task, Window) and request.task.row_id is not None:
            self._opened_at[request.task.row_id] = opened_at
        return request


def _names(windows: tuple[StoredWindow, ...]) -> tuple[WindowName, ...]:
    return tuple(WindowName(window.days, window.opened_at) for window in windows)
