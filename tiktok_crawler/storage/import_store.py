"""Keeps records that others have collected: each as of the time at which that was.

They count as searched or listed nowhere: pages of an import are neither a window's nor a seed's.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam

from tiktok_crawler.storage.engine.statements import statements_for
from tiktok_crawler.storage.engine.transactions import reading, transaction
from tiktok_crawler.storage.ledger.imports import (
    begin_import,
    find_import,
    keep_progress,
    new_import,
)
from tiktok_crawler.storage.ledger.kept_out import admitted, passed_gate
from tiktok_crawler.storage.models.column_types import time_text
from tiktok_crawler.storage.models.ledger import Crawl
from tiktok_crawler.storage.records.imported import Tally, all_names
from tiktok_crawler.storage.records.names import Names
from tiktok_crawler.storage.records.record_writer import RecordWriter, tag_page, write_page

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import Connection, Engine, Executable

    from tiktok_crawler.storage.engine.statements import Statements
    from tiktok_crawler.storage.ledger.imports import Import, ImportStart
    from tiktok_crawler.storage.ledger.kept_out import Gate
    from tiktok_crawler.storage.records.imported import ImportedPage
    from tiktok_crawler.storage.records.names import Ids

MOST_PAGES = 100_000
"""In a batch: the pages of an import are numbered, batch after batch."""


class ImportStore:
    """Writes an import to a database. For one thread at a time; crawls may be writing, too.

    Each batch begins with `verify`, which makes sure that nobody else imports the same.
    """

    def __init__(
        self,
        engine: Engine,
        start: ImportStart,
        verify: Callable[[Connection], None] = lambda _: None,
    ) -> None:
        self._engine = engine
        self._verify = verify
        self._start = start
        self._statements = statements_for(engine.dialect)
        self._names = Names(self._statements)
        self._deletions: int | None = None
        self.left_out = 0
        """The records that are not stored, as persons have asked."""

    def find(self, now: datetime) -> Import:
        """Find out how far it has come; it is begun when there is something to store."""
        with reading(self._engine) as connection:
            known = find_import(connection, self._start.sha256)
        return known or new_import(self._start, now)

    def save(self, import_: Import, pages: Sequence[ImportedPage]) -> Import:
        """Store the next batch in one transaction."""
        if not pages and not import_.id:
            return import_.with_batch({})
        came = pages

        def write(connection: Connection) -> tuple[Import, Ids, int]:
            self._verify(connection)
            gate = passed_gate(connection)
            pages, left_out = admitted(connection, gate, came)
            self._forget_deleted(gate)
            ids = self._names.resolve(connection, all_names(pages))
            begun = import_ if import_.id else begin_import(connection, self._start, import_)
            tally = Tally()
            for number, page in enumerate(pages, start=begun.batches * MOST_PAGES):
                crawl_id = self._add_page(connection, begun, page, number)
                writer = RecordWriter(connection, self._statements, page.kind.type)
                at, own = time_text(page.at), page.own(ids)
                tally.add(page, write_page(writer, crawl_id, at, page.records, own))
                tag_page(writer, crawl_id, [record.id for record in page.records], own)
            moved = begun.with_batch(tally.outcomes())
            keep_progress(connection, moved)
            return moved, ids, left_out

        if self._statements.has_many_writers:
            transaction(self._engine, lambda on: self._resolve(on, came), flushed_later=True)
        moved, ids, left_out = transaction(self._engine, write)
        self._names.remember(ids)
        self.left_out += left_out
        return moved

    def _resolve(self, connection: Connection, came: Sequence[ImportedPage]) -> None:
        """Add names ahead, where others may wait for new ones."""
        pages, _ = admitted(connection, passed_gate(connection), came)
        self._names.resolve(connection, all_names(pages))

    def _forget_deleted(self, gate: Gate) -> None:
        if gate.deletions != self._deletions:
            self._names, self._deletions = Names(self._statements), gate.deletions

    def end(self, import_: Import, refused: int, now: datetime) -> Import:
        """Write down that all of an import is stored."""
        ended = replace(import_, ended_at=now, refused=refused)
        transaction(self._engine, lambda on: keep_progress(on, ended))
        return ended

    def _add_page(
        self, connection: Connection, import_: Import, page: ImportedPage, number: int
    ) -> int:
        count = len(page.records)
        values: Mapping[str, Any] = {
            "import_id": import_.id,
            "cursor": number,
            "next_cursor": number + 1,
            "has_more": False,
            "max_count": count,
            "record_count": count,
            "received_at": time_text(page.at),
        }
        crawl_id: int = self._statements.run(connection, _new_page, values).scalar_one()
        return crawl_id


_PAGE_COLUMNS = (
    *("import_id", "cursor", "next_cursor", "has_more", "max_count", "record_count"),
    "received_at",
)


def _new_page(statements: Statements) -> Executable:
    given: dict[str, Any] = {name: bindparam(name) for name in _PAGE_COLUMNS}
    return statements.insert_into(Crawl.__table__).values(given).returning(Crawl.id)
