"""Builds a database from journals: each deed is done once more, on an ordinary session.

Pages are read again from the raw answers. Of what is not in the archives, no session is told: where
a page lacks one before it, it is stored, and its task is postponed at the place where that is. What
no session can have done there is left out.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from tiktok_crawler.archive.lines import (
    CORRECTIONS,
    Asked,
    Begin,
    Deed,
    Kind,
    RawAnswer,
    WindowName,
)
from tiktok_crawler.archive.values import LineError
from tiktok_crawler.exceptions import ConfigurationError
from tiktok_crawler.planning.coverage import Freshness
from tiktok_crawler.planning.plan import Wanted
from tiktok_crawler.planning.seeds import GivenSeeds, Stage
from tiktok_crawler.planning.task_states import Emptied, Halved, Lost, Parked, Unusable
from tiktok_crawler.research_api.pages import read_page, stands_for_page
from tiktok_crawler.research_api.paging import START
from tiktok_crawler.research_api.query import Query
from tiktok_crawler.research_api.tasks import PageRequest, Window
from tiktok_crawler.research_api.verdicts import classify
from tiktok_crawler.storage.engine import database
from tiktok_crawler.storage.engine.open_files import Hold
from tiktok_crawler.storage.engine.statements import statements_for
from tiktok_crawler.storage.engine.transactions import reading, transaction
from tiktok_crawler.storage.ledger.coverage import Corrections, StoredWindow
from tiktok_crawler.storage.ledger.kept_out import read_list, take_list
from tiktok_crawler.storage.ledger.tasks import Tasks
from tiktok_crawler.storage.search_session import SearchSession
from tiktok_crawler.storage.stage_session import StageSession

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime

    from tiktok_crawler.archive.lines import Line, Subject
    from tiktok_crawler.research_api.pages import Page
    from tiktok_crawler.storage.engine.lock import QueryLock
    from tiktok_crawler.storage.ledger.kept_out import KeptOutList
    from tiktok_crawler.storage.page_store import Saved

T = TypeVar("T")

SIDE_BY_SIDE = 10
"""So many crawls are taken to be at work at a time: those that were killed do not say so."""

GAP = "pages before are missing from the archive that this database was built from"


@dataclass(slots=True)
class Counts:
    """Counts of what a replay has read and done; before `stray_pages`, others are missing.

    Of `lost_pages` the answers are missing. Records are those of listings; `left_out` are those
    that persons asked to delete.
    """

    lines: int = 0
    answers: int = 0
    pages: int = 0
    stray_pages: int = 0
    lost_pages: int = 0
    videos: int = 0
    updated_videos: int = 0
    records: int = 0
    updated_records: int = 0
    left_out: int = 0

    def page_stored(self, page: Page, saved: Saved) -> None:
        self.pages += 1
        self.left_out += saved.left_out
        if isinstance(page.request.task, Window):
            self.videos += saved.new_count
            self.updated_videos += saved.updated_count
        else:
            self.records += saved.new_count
            self.updated_records += saved.updated_count


def read_kept_out(url: str) -> KeptOutList | None:
    """Read which records a database keeps out, as persons have asked; None if there are none.

    Raises:
        ConfigurationError: it cannot be read, or has no data: perhaps it is not the one meant.
    """
    with database.reading_data(url) as connection:
        if connection is None:
            place = database.describe(database.database_url(url))
            raise ConfigurationError(
                f"--deleted-from: {place} has no data; name the database from which persons asked "
                "to be deleted"
            )
        return read_list(connection)


def take_along(url: str, origin: str, kept_out: KeptOutList) -> None:
    """Keep the same records out of a new database."""
    with database.opened(url) as engine:
        database.prepare(engine, origin)
        transaction(engine, lambda on: take_list(on, kept_out))


def require_new(url: str) -> None:
    """Make sure that a database has no data.

    Raises:
        ConfigurationError: it has, or it cannot be reached.
    """
    with database.opened(url) as engine:
        if not database.is_new(engine):
            raise ConfigurationError(
                f"{database.describe(engine.url)} has data already, and archives are replayed into "
                "a new database only: name another one, such as "
                "-s TIKTOK_DATABASE_URL=sqlite:///replayed.db"
            )


class Replay:
    """Does deeds once more, in the order of their lines; `close` lets go of the database."""

    def __init__(self, url: str, origin: str) -> None:
        self.counts = Counts()
        self._url = url
        self._origin = origin
        self._hold = Hold()
        self._locks: dict[Subject, QueryLock] = {}
        self._sessions: dict[tuple[str, Subject], _ReplayedSession] = {}

    def run(self, lines: Iterable[Line], leave_out: Callable[[Line, LineError], None]) -> None:
        """Do the deeds of lines, and leave out, with the reason, what cannot be done.

        Raises:
            TemporaryError: a crawl is running on the database.
        """
        for line in lines:
            try:
                self._do(line)
                self.counts.lines += 1
            except LineError as exc:
                leave_out(line, exc)

    def close(self) -> None:
        for session in self._sessions.values():
            session.session.release()
        self._sessions.clear()
        for lock in self._locks.values():
            lock.release()
        self._locks.clear()

    def _do(self, line: Line) -> None:
        key = (line.journal, line.subject)
        session = self._sessions.pop(key, None)
        if session:
            self._sessions[key] = session  # The one with the last line is the last.
        if line.deed.kind is Kind.BEGIN:
            if session is None or session.begun != line.deed:
                self._release(key)
                self._begin(key, line.deed)
        elif line.deed.kind is Kind.CLOSE:
            self._release(key)
        elif session:
            session.do(line.deed)
        else:
            raise LineError("stands where its session has not begun, or has ended")

    def _begin(self, key: tuple[str, Subject], deed: Deed) -> None:
        """Begin a session; those of crawls that were at work side by side share a lock."""
        assert deed.now
        assert isinstance(deed.what, Begin)
        _, subject = key
        if len(self._sessions) == SIDE_BY_SIDE:
            self._release(next(iter(self._sessions)))
        session = self._session(subject, deed.what)
        session.hold = self._hold
        self._sessions[key] = _ReplayedSession(session, deed, self.counts)
        session.open(self._locks.get(subject))
        self._locks[subject] = session.keep_lock()
        session.begin(deed.now)

    def _release(self, key: tuple[str, Subject]) -> None:
        if key in self._sessions:
            self._sessions.pop(key).session.release()

    def _session(self, subject: Subject, begin: Begin) -> SearchSession | StageSession:
        if not isinstance(subject, Query):
            stage = Stage(subject, GivenSeeds(()))
            return StageSession(
                self._url, origin=self._origin, stage=stage, tags=begin.tags, account=None
            )
        assert begin.collection
        wanted = Wanted(subject, begin.collection.dates, begin.fields, Freshness(timedelta(0)))
        return SearchSession(
            self._url,
            origin=self._origin,
            collection=begin.collection,
            wanted=wanted,
            account=None,
        )


@dataclass(slots=True)
class _ReplayedSession:
    """A session of one run; it knows the rows of its tasks, and what they were answered last.

    A task that was `opened` has a row to rely on once it was asked for: until then another crawl of
    the query, which the first one was at work beside, drops it when it begins.
    """

    session: SearchSession | StageSession
    begun: Deed
    counts: Counts
    _opened: dict[WindowName | str, PageRequest] = field(default_factory=dict)
    _rows: dict[WindowName | str, int] = field(default_factory=dict)
    _answers: dict[WindowName | str, Deed] = field(default_factory=dict)

    def do(self, deed: Deed) -> None:
        """Do what a line says, other than beginning and closing."""
        now, asked = deed.now, deed.asked
        assert now
        if asked is None:
            self._correct(deed, now)
            return
        match deed.kind:
            case Kind.OPEN:
                self._open(asked.request, now)
                self._opened[asked.name] = asked.request
            case Kind.ASK:
                self._answers.pop(asked.name, None)
                request = self._find(asked, now)
                if request.starts_task or not self._strays(request, now):
                    self.session.book(self._as_planned(request), now)
            case Kind.ANSWER:
                self.counts.answers += 1
                self._answers[asked.name] = deed
            case Kind.PAGE:
                self._save(asked, now)
            case Kind.END:
                self._answers.pop(asked.name, None)
                self._end(self._find(asked, now), deed.what, now)

    def _correct(self, deed: Deed, now: datetime) -> None:
        assert isinstance(self.session, SearchSession)
        assert isinstance(deed.what, dict)
        windows = {key: tuple(self._stored(deed.what[key])) for key in CORRECTIONS}
        self.session.correct(Corrections(**windows), now)

    def _save(self, asked: Asked, received_at: datetime) -> None:
        """Store the page that the last answer brought, if it is there, and not stored already."""
        answered = self._answers.pop(asked.name, None)
        if answered is None or answered.now != received_at:
            self.counts.lost_pages += 1
            return
        assert isinstance(answered.what, RawAnswer)
        request = self._find(asked, received_at)
        verdict = classify(answered.what.status, answered.what.body, request.endpoint)
        if not stands_for_page(request, verdict):
            raise LineError("takes for a page what the API has answered otherwise")
        is_stray = self._strays(request, received_at)
        page = read_page(request, verdict, received_at=received_at)
        saved = self.session.save_page(page, moves_task=not is_stray)
        self.counts.page_stored(page, saved)
        self.counts.stray_pages += is_stray
        if page.next_request is None:
            self._rows.pop(asked.name, None)

    def _end(self, request: PageRequest, event: Any, now: datetime) -> None:
        standing = self._tasks(lambda tasks: tasks.standing(request.task))
        may_have_ended = isinstance(event, Emptied) or (
            standing.is_complete and isinstance(event, Halved | Unusable)
        )
        if not (standing.is_unfinished or may_have_ended):
            return
        if isinstance(event, Lost) and self._strays(request, now):
            return
        if isinstance(event, Parked) and event.at not in (standing.place, START):
            event = replace(event, at=standing.place)
        self.session.end(request, event, now)

    def _as_planned(self, request: PageRequest) -> PageRequest:
        """Return a request as it was planned: its line says that its task was as found."""
        standing = self._tasks(lambda tasks: tasks.standing(request.task))
        if isinstance(request.task, Window) and not standing.is_unfinished:
            raise LineError("asks for a window that has ended before")
        return replace(request, ended_at=standing.ended_at)

    def _strays(self, request: PageRequest, now: datetime) -> bool:
        """Tell whether a task is not where a request has found it; then postpone it where it is."""
        standing = self._tasks(lambda tasks: tasks.standing(request.task))
        if standing.is_begun and self._tasks(lambda tasks: tasks.is_at(request)):
            return False
        if standing.is_unfinished and not standing.is_parked:
            self.session.end(request, Parked(GAP, None, standing.place), now)
        return True

    def _find(self, asked: Asked, now: datetime) -> PageRequest:
        """Return a request whose task has its row, which is made if it is not there."""
        request, opened = asked.request, self._opened.pop(asked.name, None)
        if asked.name not in self._rows:
            row_id = self._tasks(lambda tasks: tasks.find(request.task, asked.opened_at))
            if row_id is None:
                request = request if opened else replace(request, second_try=False)
                row_id = self._open(opened or request, asked.opened_at or now)
            self._rows[asked.name] = row_id
        return request.opened(self._rows[asked.name])

    def _open(self, request: PageRequest, now: datetime) -> int:
        row_id = self.session.open_task(request, now).task.row_id
        assert row_id
        return row_id

    def _stored(self, names: Iterable[WindowName]) -> Iterator[StoredWindow]:
        assert isinstance(self.session, SearchSession)
        for name in names:
            window = Window(self.session.subject, name.days, ())
            row_id = self._tasks(partial(Tasks.find, task=window, opened_at=name.opened_at))
            if row_id is not None:
                yield StoredWindow(row_id, name.days, name.opened_at)

    def _tasks(self, read: Callable[[Tasks], T]) -> T:
        with reading(self.session.engine) as connection:
            return read(Tasks(connection, statements_for(connection.dialect)))
