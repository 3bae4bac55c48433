"""Tells what an import would do to a database, and writes nothing there.

What it would have stored so far is kept in a temporary file, which SQLite removes: records can
come again.
"""

from __future__ import annotations

import pickle
import sqlite3
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from tiktok_crawler.storage.engine.statements import statements_for
from tiktok_crawler.storage.engine.transactions import reading
from tiktok_crawler.storage.ledger.imports import find_import, new_import
from tiktok_crawler.storage.models.column_types import time_text
from tiktok_crawler.storage.records.comparison import Change
from tiktok_crawler.storage.records.imported import Tally, all_names
from tiktok_crawler.storage.records.names import NAME_COLUMNS
from tiktok_crawler.storage.records.record_writer import RecordWriter

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import Connection, Engine

    from tiktok_crawler.storage.ledger.imports import Import, ImportStart
    from tiktok_crawler.storage.records.comparison import State
    from tiktok_crawler.storage.records.imported import ImportedPage
    from tiktok_crawler.storage.records.names import Ids


class ImportRehearsal:
    """Does as if it imported into a database, or into a new one, where there is no engine."""

    def __init__(self, engine: Engine | None, start: ImportStart) -> None:
        self._engine = engine
        self._start = start
        # Its name is empty: a file that nobody else sees, and that goes with the connection.
        self._written = sqlite3.connect("")
        self._written.execute("CREATE TABLE state (record BLOB PRIMARY KEY, pickled BLOB)")

    def find(self, now: datetime) -> Import:
        """Find out how far it has come."""
        known = None
        if self._engine:
            with reading(self._engine) as connection:
                known = find_import(connection, self._start.sha256)
        return known or new_import(self._start, now)

    def save(self, import_: Import, pages: Sequence[ImportedPage]) -> Import:
        """Compare the next batch of an import with what is stored."""
        tally = Tally()
        if self._engine is None:
            for page in pages:
                tally.add(page, list(self._changes(page, page.own(_made_up(pages)), None)))
            return import_.with_batch(tally.outcomes())
        with reading(self._engine) as connection:
            ids = self._ids(connection, pages)
            for page in pages:
                tally.add(page, list(self._changes(page, page.own(ids), connection)))
        return import_.with_batch(tally.outcomes())

    def close(self) -> None:
        self._written.close()

    def _ids(self, connection: Connection, pages: Sequence[ImportedPage]) -> Ids:
        """The ids of names that are there; others get one that none of these has."""
        statements, ids = statements_for(connection.dialect), _made_up(pages)
        return {
            key: names | statements.find_names(connection, NAME_COLUMNS[key], tuple(names))
            for key, names in ids.items()
        }

    def _changes(
        self, page: ImportedPage, ids: Ids, connection: Connection | None
    ) -> Iterator[Change]:
        kind, at = page.kind.type, time_text(page.at)
        states = [kind.state(record, at, None, ids) for record in page.records]
        there = self._there(page, [state.key for state in states], connection)
        yield from (Change(None, each, each) for each in states if each.key not in there)
        known = [state for state in states if state.key in there]
        for change in self._compared(page, known, there, connection):
            yield change
            self._keep(page, change.after)
        for state in states:
            if state.key not in there:
                self._keep(page, state)

    def _compared(
        self,
        page: ImportedPage,
        seen: Sequence[State],
        there: Mapping[Any, State],
        connection: Connection | None,
    ) -> Iterator[Change]:
        if connection is None:
            compare = page.kind.type.comparison.changed
            return (compare(there[state.key], state) for state in seen)
        writer = RecordWriter(connection, statements_for(connection.dialect), page.kind.type)
        return writer.compare(seen, there)

    def _there(
        self, page: ImportedPage, keys: Sequence[Any], connection: Connection | None
    ) -> dict[Any, State]:
        """The records as they would be by now."""
        found: dict[Any, State] = {}
        if connection is not None:
            statements = statements_for(connection.dialect)
            found |= RecordWriter(connection, statements, page.kind.type).read(keys)
        for key in keys:
            row = self._written.execute(
                "SELECT pickled FROM state WHERE record = ?", (_name(page, key),)
            ).fetchone()
            if row:
                found[key] = pickle.loads(row[0])  # noqa: S301 - it is our own
        return found

    def _keep(self, page: ImportedPage, state: State) -> None:
        values = (_name(page, state.key), pickle.dumps(state))
        self._written.execute("INSERT OR REPLACE INTO state VALUES (?, ?)", values)


def _made_up(pages: Sequence[ImportedPage]) -> dict[str, dict[str, int]]:
    """Give each name a number below all ids, the same whenever it comes."""
    return {key: {name: _number(name) for name in names} for key, names in all_names(pages).items()}


def _number(name: str) -> int:
    digest = blake2b(name.encode(), digest_size=7).digest()
    return -1 - int.from_bytes(digest)


def _name(page: ImportedPage, key: Any) -> bytes:
    return f"{page.kind.value} {key}".encode()
