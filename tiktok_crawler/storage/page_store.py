"""Keeps pages: all that a page brings, and how far its task has come, in one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import bindparam, select

from tiktok_crawler.research_api.tasks import Window
from tiktok_crawler.research_api.verdicts import SeedStatus
from tiktok_crawler.storage.engine.statements import statements_for
from tiktok_crawler.storage.engine.text import clean_text
from tiktok_crawler.storage.engine.transactions import transaction
from tiktok_crawler.storage.ledger.query_values import QueryValues
from tiktok_crawler.storage.ledger.tasks import Tasks
from tiktok_crawler.storage.ledger.window_days import SearchesUnderWay, add_page
from tiktok_crawler.storage.models.column_types import time_text
from tiktok_crawler.storage.models.ledger import Crawl, CrawlWindow
from tiktok_crawler.storage.records.all_types import brought_by, seed_of
from tiktok_crawler.storage.records.existence import note_missing_comments, note_user_not_found
from tiktok_crawler.storage.records.links import StoredPage
from tiktok_crawler.storage.records.names import TAGS, Names
from tiktok_crawler.storage.records.record_writer import RecordWriter, write_page

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from datetime import datetime

    from sqlalchemy import Connection, Engine, Executable

    from tiktok_crawler.planning.task_states import Refused
    from tiktok_crawler.research_api.pages import Page
    from tiktok_crawler.research_api.tasks import PageRequest
    from tiktok_crawler.storage.engine.statements import Statements
    from tiktok_crawler.storage.ledger.window_days import Searched
    from tiktok_crawler.storage.records.comparison import Change
    from tiktok_crawler.storage.records.names import Ids
    from tiktok_crawler.storage.records.record_type import Listed
    from tiktok_crawler.storage.records.shape import Records


@dataclass(frozen=True, slots=True)
class Saved:
    """The result of storing a page, and what has to be said about its records as they were `read`.

    `updated_count` are records that were there before, with other values; of followers and
    following, accounts are counted.
    """

    new_count: int
    updated_count: int
    read: Records


class PageStore:
    """Writes pages to a database. For one thread at a time; other processes may be writing too.

    A page that has moved its task on is told to `note`, in its transaction.
    """

    def __init__(
        self, engine: Engine, note: Callable[[Connection, Page], None] | None = None
    ) -> None:
        self._engine = engine
        self._note = note
        self._statements = statements_for(engine.dialect)
        self._names = Names(self._statements)
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
        brought = brought_by(page.request.task)
        read = brought.read(page.records, seed_of(page.request.task))
        names = {key: read.names(key) for key in brought.type.names} | {TAGS: set(tags)}
        found_values = self._query_values.found(page, read.by_id.values())
        ahead = self._names.resolve_ahead(self._engine, names)
        known = self._searches.take(page)

        def write(connection: Connection) -> _Written:
            if mark:
                mark(connection)
            ids = ahead or self._names.resolve(connection, names)
            writer = _PageWriter(connection, self._statements, ids, page, brought, run_id)
            written = writer.write(read, known, moves_task=moves_task)
            self._query_values.write(connection, page, found_values)
            if self._note and written.is_moved:
                self._note(connection, page)
            return written

        changes, searched, ids, _ = transaction(self._engine, write)
        self._query_values.remember(page, found_values)
        self._names.remember(ids)
        if searched:
            self._searches.remember(page, searched, read.ids)
        return Saved(
            new_count=sum(change.before is None for change in changes),
            updated_count=sum(change.is_update for change in changes),
            read=read,
        )

    def refuse(
        self, connection: Connection, request: PageRequest, event: Refused, now: datetime
    ) -> None:
        """Write what a refusal says of a seed itself, for types of records that keep that."""
        kind = brought_by(request.task).type
        if kind.when_refused:
            record = kind.when_refused(request.seed.key, event.status)
            state = kind.state(record, time_text(now), None, {})
            RecordWriter(connection, self._statements, kind).write([state])
            if event.status is SeedStatus.NOT_FOUND:
                note_user_not_found(connection, record.id, now)


class _Written(NamedTuple):
    """What became of a page's records, what its search has brought, and the ids of its names."""

    changes: Sequence[Change]
    searched: Searched | None
    ids: Ids
    is_moved: bool = False


@dataclass(frozen=True, slots=True)
class _PageWriter:
    """Writes a page inside a transaction, with the ids of its names."""

    connection: Connection
    statements: Statements
    ids: Ids
    page: Page
    brought: Listed
    run_id: int | None

    def write(self, read: Records, known: Searched | None, *, moves_task: bool) -> _Written:
        """Write the page and its records, and move its task on.

        Returns:
            What became of it; of a page that is stored already, nothing.
        """
        crawl_id = self._add_crawl()
        if crawl_id is None:
            return _Written((), None, self.ids)
        writer = RecordWriter(self.connection, self.statements, self.brought.type)
        at = time_text(self.page.received_at)
        changes = write_page(writer, crawl_id, at, read.in_order(), self.ids)
        stored = self._stored(crawl_id, list(read.by_id))
        for link in self.brought.links:
            link.write(stored, at)
        searched = None
        is_moved = moves_task and Tasks(self.connection, self.statements).page_came(self.page)
        if is_moved and isinstance(self.page.request.task, Window):
            searched = add_page(stored, read, known)
        elif is_moved:
            note_missing_comments(self.connection, self.page)
        return _Written(changes, searched, self.ids, is_moved)

    def _stored(self, crawl_id: int, keys: Sequence[Any]) -> StoredPage:
        seed = seed_of(self.page.request.task)
        return StoredPage(self.connection, self.statements, self.page, crawl_id, seed, keys)

    def _add_crawl(self) -> int | None:
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
        return self.statements.run(self.connection, _new_crawl, values).scalar()


def _new_crawl(statements: Statements) -> Executable:
    window = CrawlWindow.id == bindparam("crawl_window_id")
    given: dict[str, Any] = {
        column.key: bindparam(column.key)
        for column in Crawl.__table__.columns
        if column.key not in ("id", "query_id", "import_id")
    }
    query_id = select(CrawlWindow.query_id).where(window).scalar_subquery()
    crawl = statements.insert_into(Crawl.__table__).values(given | {"query_id": query_id})
    return crawl.on_conflict_do_nothing().returning(Crawl.id)
