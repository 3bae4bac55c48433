"""Keeps pages: all that a page brings, and how far its task has come, in one transaction."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import bindparam, select

from tiktok_crawler.planning.checks import RecordKind
from tiktok_crawler.research_api.tasks import Seed, Window
from tiktok_crawler.research_api.verdicts import SeedStatus
from tiktok_crawler.storage.engine.statements import statements_for
from tiktok_crawler.storage.engine.text import clean_text
from tiktok_crawler.storage.engine.transactions import transaction
from tiktok_crawler.storage.ledger.kept_out import passed_gate
from tiktok_crawler.storage.ledger.query_values import QueryValues
from tiktok_crawler.storage.ledger.tagging import Tagging
from tiktok_crawler.storage.ledger.tasks import Tasks
from tiktok_crawler.storage.ledger.window_days import SearchesUnderWay, add_page
from tiktok_crawler.storage.models.column_types import time_text
from tiktok_crawler.storage.models.ledger import Crawl, CrawlWindow
from tiktok_crawler.storage.records.all_types import brought_by, seed_of
from tiktok_crawler.storage.records.existence import note_missing_comments, note_user_not_found
from tiktok_crawler.storage.records.leaving_out import (
    is_stand_in,
    seed_key,
    seed_stand_in,
    without,
)
from tiktok_crawler.storage.records.links import StoredPage
from tiktok_crawler.storage.records.names import TAGS, Names
from tiktok_crawler.storage.records.record_writer import RecordWriter, tag_page, write_page

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from datetime import datetime

    from sqlalchemy import Connection, Engine, Executable, Row

    from tiktok_crawler.date_range import DateRange
    from tiktok_crawler.planning.query_values import QueryValue
    from tiktok_crawler.planning.task_states import Refused
    from tiktok_crawler.research_api.endpoints import Listing
    from tiktok_crawler.research_api.pages import Page
    from tiktok_crawler.research_api.tasks import PageRequest
    from tiktok_crawler.storage.engine.statements import Statements
    from tiktok_crawler.storage.ledger.window_days import Searched
    from tiktok_crawler.storage.records.comparison import Change
    from tiktok_crawler.storage.records.leaving_out import Deleted
    from tiktok_crawler.storage.records.names import Ids
    from tiktok_crawler.storage.records.record_type import Listed
    from tiktok_crawler.storage.records.shape import Records


@dataclass(frozen=True, slots=True)
class Saved:
    """The result of storing a page, and what has to be said about its records as they were `read`.

    `page` is the page without the records that persons asked to delete, `left_out` of them.
    `updated_count` are records that were there before, with other values; of followers and
    following, accounts are counted. `first_count` are videos that no page of the query file had
    before, where its session counts them.
    """

    new_count: int
    updated_count: int
    read: Records
    page: Page
    left_out: int = 0
    first_count: int = 0


class PageStore:
    """Writes pages to a database. For one thread at a time; other processes may be writing too.

    A page that has moved its task on is told to `note`, in its transaction. Whoever shares tasks
    with others has a `worker_id`, which may change. Where a window reaches beyond the `days` of its
    run, each run of the query gives its tags to the videos of its own days.
    """

    def __init__(
        self,
        engine: Engine,
        note: Callable[[Connection, Page], None] | None = None,
        *,
        days: DateRange | None = None,
        worker_id: Callable[[], int | None] = lambda: None,
    ) -> None:
        self._engine = engine
        self._days = days
        self._note = note
        self._worker_id = worker_id
        self._statements = statements_for(engine.dialect)
        self._names = Names(self._statements)
        self._deletions: int | None = None
        self._searches = SearchesUnderWay()
        self._query_values = QueryValues(self._statements)

    def save(
        self,
        page: Page,
        *,
        tags: Collection[str],
        run_id: int | None = None,
        moves_task: bool = True,
        mark: Callable[[Connection], None] | None = None,
    ) -> Saved:
        """Store a page, and move its task on, unless that is to stay or is somewhere else.

        Its transaction makes the mark, too. A page that is stored already, because its commit was
        in doubt, is left as it is.
        """
        came = _Came.of(page)
        known = self._searches.take(page)
        values = self._values_of(came)
        ahead = self._resolve_ahead(came, tags)

        def write(connection: Connection) -> _Written:
            if mark:
                mark(connection)
            kept = self._admitted(connection, ahead.came)
            ids = ahead.ids if ahead.deletions == self._deletions else {}
            ids = ids or self._names.resolve(connection, kept.names(tags))
            tasks = Tasks(connection, self._statements, self._worker_id())
            writer = _PageWriter(tasks, ids, kept, run_id, self._days)
            written = writer.write(known, moves_task=moves_task)
            found_values = values if kept is came else self._values_of(kept)
            if written.crawl:
                self._query_values.write(connection, written.crawl, found_values)
            if self._note and written.is_moved:
                self._note(connection, kept.page)
            return written._replace(values=frozenset(found_values))

        written = transaction(self._engine, write)
        kept = written.came
        self._query_values.remember(kept.page, set(written.values))
        self._names.remember(written.ids)
        if written.searched:
            self._searches.remember(page, written.searched, kept.read.ids)
        return Saved(
            new_count=sum(change.before is None for change in written.changes),
            updated_count=sum(change.is_update for change in written.changes),
            read=kept.read,
            page=kept.page,
            left_out=kept.left_out,
        )

    def refuse(
        self, connection: Connection, request: PageRequest, event: Refused, now: datetime
    ) -> None:
        """Write what a refusal says of a seed itself, for types of records that keep that."""
        kind = brought_by(request.task).type
        key = seed_key(request.seed.listing, request.seed.key)
        gate = passed_gate(connection)
        is_kept_out = key and gate.found(connection, lambda deleted: key in deleted)
        if kind.when_refused and not is_kept_out and not is_stand_in(request.seed.key):
            record = kind.when_refused(request.seed.key, event.status)
            state = kind.state(record, time_text(now), None, {})
            RecordWriter(connection, self._statements, kind).write([state])
            if event.status is SeedStatus.NOT_FOUND:
                note_user_not_found(connection, record.id, now)

    def _resolve_ahead(self, came: _Came, tags: Collection[str]) -> _Ahead:
        """Look up names in a transaction of their own, where others may wait for new ones.

        What the next commit flushes to disk has these before it.
        """
        if not self._statements.has_many_writers or self._names.remembers(came.names(tags)):
            return _Ahead(came)

        def resolve(connection: Connection) -> _Ahead:
            kept = self._admitted(connection, came)
            ids = self._names.resolve(connection, kept.names(tags))
            return _Ahead(kept, ids, self._deletions)

        return transaction(self._engine, resolve, flushed_later=True)

    def _admitted(self, connection: Connection, came: _Came) -> _Came:
        """Pass the gate with a page: without what is kept out, and without names of the past."""
        gate = passed_gate(connection)
        if gate.deletions != self._deletions:
            self._names = Names(self._statements)
            self._deletions = gate.deletions
        found = gate.found(connection, came.look)
        return came.without(found) if found else came

    def _values_of(self, came: _Came) -> set[QueryValue]:
        return self._query_values.found(came.page, came.read.by_id.values())


@dataclass(frozen=True, slots=True)
class _Came:
    """A page as it came, or without what was `left_out`; its seed is as columns hold it."""

    page: Page
    brought: Listed
    seed: Any
    read: Records
    left_out: int = 0

    @classmethod
    def of(cls, page: Page, seed: Any = None, left_out: int = 0) -> _Came:
        brought = brought_by(page.request.task)
        seed = seed or seed_of(page.request.task)
        return cls(page, brought, seed, brought.read(page.records, seed), left_out)

    def names(self, tags: Collection[str]) -> dict[str, set[str]]:
        """All names of the page by their kind, and the tags."""
        return {key: self.read.names(key) for key in self.brought.type.names} | {TAGS: set(tags)}

    def look(self, deleted: Deleted) -> None:
        """Ask of all that could be left out whether it is."""
        listing, seed = self._of
        without(listing, seed, self.page.records, deleted)
        if key := seed_key(listing, seed):
            _ = key in deleted

    def without(self, deleted: Deleted) -> _Came:
        listing, seed = self._of
        records, count = without(listing, seed, self.page.records, deleted)
        key = seed_key(listing, seed)
        stand_in: Any = None
        if key and key.kind is RecordKind.USER and key in deleted:
            stand_in = seed_stand_in(key, deleted)
        page = replace(self.page, records=records)
        return _Came.of(page, stand_in, self.left_out + count)

    @property
    def _of(self) -> tuple[Listing | None, str | None]:
        task = self.page.request.task
        return (task.listing, task.key) if isinstance(task, Seed) else (None, None)


@dataclass(frozen=True, slots=True)
class _Ahead:
    """A page, and the ids of its names as they were found before its own transaction, if at all."""

    came: _Came
    ids: Ids = field(default_factory=dict)
    deletions: int | None = None


class _Written(NamedTuple):
    """What became of a page's records, what its search has brought, and the ids of its names."""

    came: _Came
    ids: Ids
    crawl: Row[Any] | None = None
    changes: Sequence[Change] = ()
    searched: Searched | None = None
    is_moved: bool = False
    values: frozenset[QueryValue] = frozenset()


@dataclass(frozen=True, slots=True)
class _PageWriter:
    """Writes a page inside a transaction, with the ids of its names."""

    tasks: Tasks
    ids: Ids
    came: _Came
    run_id: int | None
    days: DateRange | None

    def write(self, known: Searched | None, *, moves_task: bool) -> _Written:
        """Write the page and its records, and move its task on.

        Returns:
            What became of it; of a page that is stored already, nothing.
        """
        crawl = self._add_crawl()
        if crawl is None:
            return _Written(self.came, self.ids)
        read, brought = self.came.read, self.came.brought
        writer = RecordWriter(self.connection, self.statements, brought.type)
        at = time_text(self.page.received_at)
        changes = write_page(writer, crawl.id, at, read.in_order(), self.ids)
        self._tag(writer, crawl)
        stored = self._stored(crawl.id, read.places())
        for link in brought.links:
            link.write(stored, at)
        searched = None
        is_moved = moves_task and self.tasks.page_came(self.page)
        if is_moved and isinstance(self.page.request.task, Window):
            searched = add_page(stored, read, known)
        elif is_moved:
            note_missing_comments(self.connection, self.page)
        return _Written(self.came, self.ids, crawl, changes, searched, is_moved)

    @property
    def connection(self) -> Connection:
        return self.tasks.connection

    @property
    def statements(self) -> Statements:
        return self.tasks.statements

    @property
    def page(self) -> Page:
        return self.came.page

    def _tag(self, writer: RecordWriter, crawl: Row[Any]) -> None:
        """Give the run's tags to the page and its records, or each run's to what it wanted."""
        task = self.page.request.task
        if self.days and isinstance(task, Window) and not task.days.is_in(self.days):
            tag_page(writer, crawl.id, (), self.ids)
            Tagging(self.connection, self.statements, crawl.query_id).tag_page(crawl.id, task.days)
        else:
            tag_page(writer, crawl.id, sorted(self.came.read.by_id), self.ids)

    def _stored(self, crawl_id: int, keys: Sequence[Any]) -> StoredPage:
        return StoredPage(
            self.connection, self.statements, self.page, crawl_id, self.came.seed, keys
        )

    def _add_crawl(self) -> Row[Any] | None:
        page, request = self.page, self.page.request
        row_id, is_window = request.task.row_id, isinstance(request.task, Window)
        values = {
            "crawl_window_id": row_id if is_window else None,
            "seed_id": None if is_window else row_id,
            "run_id": self.run_id,
            "cursor": request.place.cursor,
            "max_count": request.max_count,
            "search_id": clean_text(page.search_id) if is_window else None,
            "next_cursor": page.cursor,
            "has_more": page.has_more,
            "record_count": len(page.records),
            "log_id": clean_text(page.log_id),
            "received_at": time_text(page.received_at),
        }
        return self.statements.run(self.connection, _new_crawl, values).first()


def _new_crawl(statements: Statements) -> Executable:
    window = CrawlWindow.id == bindparam("crawl_window_id")
    given: dict[str, Any] = {
        column.key: bindparam(column.key)
        for column in Crawl.__table__.columns
        if column.key not in ("id", "query_id", "import_id")
    }
    query_id = select(CrawlWindow.query_id).where(window).scalar_subquery()
    crawl = statements.insert_into(Crawl.__table__).values(given | {"query_id": query_id})
    return crawl.on_conflict_do_nothing().returning(Crawl.id, Crawl.query_id)
