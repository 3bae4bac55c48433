"""Writes records inside a transaction: their rows, names, and what is kept of the past."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from tiktok_crawler.storage.models.column_types import dump_json
from tiktok_crawler.storage.models.ledger import CRAWLS_TO_QUERY_TAGS
from tiktok_crawler.storage.records.comparison import Change, is_late
from tiktok_crawler.storage.records.counter_history import CounterHistory
from tiktok_crawler.storage.records.existence import note_returned
from tiktok_crawler.storage.records.names import TAGS
from tiktok_crawler.storage.records.value_history import ValueHistory

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sqlalchemy import Connection

    from tiktok_crawler.storage.engine.statements import Statements, Values
    from tiktok_crawler.storage.records.comparison import State
    from tiktok_crawler.storage.records.record_type import Ids, RecordType
    from tiktok_crawler.storage.records.shape import Record

    States = Mapping[Any, State]


@dataclass(frozen=True, slots=True)
class RecordWriter:
    """The records of one type in a database.

    All writers go through the tables in one order and write rows in sorted order. A record's row,
    which every writer who changes the record locks, guards what belongs to it.
    """

    connection: Connection
    statements: Statements
    type: RecordType

    def write(self, seen: Sequence[State]) -> list[Change]:
        """Write records, which come sorted by key, as far as they are new or have changed.

        Returns:
            The changes in the same order.
        """
        changes = self._changes(seen)
        self.statements.upsert(self.connection, self.type.table_columns, self._rewritten(changes))
        self._link(changes)
        CounterHistory(self.connection, self.statements, self.type).write(changes)
        self._values.write(changes)
        return changes

    def _changes(self, seen: Sequence[State]) -> list[Change]:
        """Insert the records that are new, and lock those that may have changed.

        The new ones come first: a writer who waits for another one's holds no lock then that the
        other could be waiting for. Of two writers the second one sees what the first has written.
        """
        stored = self.read([state.key for state in seen])
        new = [self.type.row(state) for state in seen if state.key not in stored]
        columns, repeats = self.type.table_columns, self.type.comparison.repeats
        new_keys = self.statements.insert_new(self.connection, columns, new)
        suspects = [
            state
            for state in seen
            if state.key not in new_keys
            and not (state.key in stored and repeats(stored[state.key], state))
        ]
        changes = [Change(None, state, state) for state in seen if state.key in new_keys]
        changes += self.compare(suspects, self._read_again(suspects, stored))
        return sorted(changes, key=lambda change: change.seen.key)

    def compare(self, seen: Sequence[State], stored: States) -> Iterator[Change]:
        """Tell what becomes of records that are stored; nothing is written."""
        late = [state for state in seen if is_late(stored[state.key], state)]
        unlinked = self._values.unlinked_since(late)
        for state in seen:
            links = zip(self.type.names, state.links, strict=True)
            known = [None if (state.key, name) in unlinked else ids for name, ids in links]
            state_then = state._replace(links=tuple(known)) if unlinked else state
            yield self.type.comparison.changed(stored[state.key], state_then)

    def read(self, keys: Sequence[Any]) -> States:
        """Read the records that are there, by their keys."""
        found = self.statements.read(self.connection, self.type.states, tuple(keys))
        to_ours = canonical if self.statements.rewrites_json else None
        return {row[0]: self.type.stored_state(row, canonical=to_ours) for row in found}

    def _read_again(self, states: Sequence[State], stored: States) -> States:
        """These records as they are now, and as nobody else changes them until the end."""
        if not states or not self.statements.has_many_writers:
            return stored
        keys = [state.key for state in states]
        self.statements.read(self.connection, self.type.locks, tuple(keys))
        return self.read(keys)

    def _rewritten(self, changes: Sequence[Change]) -> list[Values]:
        """The rows that were there and become other ones."""
        row = self.type.row
        rows = ((row(change.before), row(change.after)) for change in changes if change.before)
        return [after for before, after in rows if before != after]

    def _link(self, changes: Sequence[Change]) -> None:
        """Make the links what they have become, in the order of ids."""
        for place, pairs in enumerate(self.type.names.values()):
            columns = tuple(pairs.columns)
            added, removed = [], []
            for change in changes:
                before, after = change.links(place)
                if before != after:
                    added += _pairs(change.after.key, after, before)
                    removed += _pairs(change.after.key, before, after)
            self.statements.insert(self.connection, columns, added)
            self.statements.remove(self.connection, columns, removed)

    @property
    def _values(self) -> ValueHistory:
        return ValueHistory(self.connection, self.statements, self.type)


def write_page(
    writer: RecordWriter, crawl_id: int, at: str, records: Sequence[Record], ids: Ids
) -> Sequence[Change]:
    """Write the records of a page, which come sorted by key, and that it brought them.

    Its row is `crawl_id`.
    """
    kind, statements, connection = writer.type, writer.statements, writer.connection
    states = [kind.state(record, at, crawl_id, ids) for record in records]
    changes = writer.write(states)
    note_returned(connection, statements, kind, _noted(kind, records, changes), at)
    if kind.pages is not None:
        brought = [(crawl_id, state.key) for state in states]
        statements.insert(connection, tuple(kind.pages.columns), brought)
    return changes


def tag_page(writer: RecordWriter, crawl_id: int, keys: Sequence[Any], ids: Ids) -> None:
    """Give the tags among the `ids` to a page that is written, and to records by sorted keys."""
    kind, statements, connection = writer.type, writer.statements, writer.connection
    tag_ids = sorted(ids[TAGS].values())
    of_page = [(crawl_id, tag_id) for tag_id in tag_ids]
    statements.insert_missing(connection, tuple(CRAWLS_TO_QUERY_TAGS.columns), of_page)
    if kind.tags is not None:
        of_records = [(tag_id, key) for tag_id in tag_ids for key in keys]
        statements.insert_missing(connection, tuple(kind.tags.columns), of_records)


def _noted(kind: RecordType, records: Sequence[Record], changes: Sequence[Change]) -> list[Any]:
    """The keys of records whose return is stored: of videos those that were missing.

    An imported record may say that the API did not return it.
    """
    if kind.notes_returns:
        came = kind.always.items()
        return [record.id for record in records if came <= record.values.items()]
    return [change.seen.key for change in changes if change.before and change.before.is_missing]


def _pairs(key: Any, ids: Sequence[int], others: Sequence[int]) -> list[Values]:
    """A record with each of the sorted ids that is not among the others."""
    if others:
        ids = sorted(set(ids).difference(others))
    return [(key, id_) for id_ in ids]


@lru_cache(maxsize=1024)
def canonical(text: str | None) -> str | None:
    """JSON as PostgreSQL writes it, in our way. Labels and the like are the same ones mostly."""
    return None if text is None else dump_json(json.loads(text))
