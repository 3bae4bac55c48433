"""Reads and writes records of listings: the rows of `comment`, `user_info`, `shop` and so on."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import JSON, select

from tiktok_crawler.storage.records.comparison import State
from tiktok_crawler.storage.records.stored_videos import canonical

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy import Connection, Row, Select

    from tiktok_crawler.storage.engine.statements import Statements, Values
    from tiktok_crawler.storage.records.record_type import RecordType


class Written(NamedTuple):
    """A record before an answer, None of a new one, what the answer says of it, and the result."""

    before: State | None
    seen: State
    after: State


@dataclass(frozen=True, slots=True)
class StoredRecords:
    """The records of one kind in a database, inside a transaction."""

    connection: Connection
    statements: Statements
    kind: RecordType

    def write(self, seen: Sequence[State]) -> list[Written]:
        """Write records, which come sorted by key.

        The new ones come first; the others are locked before they are compared, so that of two
        writers the second one sees what the first has written.
        """
        stored = self._read([state.key for state in seen])
        new_keys = self.statements.insert_new(
            self.connection,
            self.kind.table_columns,
            [self.kind.row(state) for state in seen if state.key not in stored],
        )
        known = [state for state in seen if state.key not in new_keys]
        stored = self._read_again([state.key for state in known], stored)
        merged = self.kind.comparison.merged
        changes = [Written(stored[s.key], s, merged(stored[s.key], s)) for s in known]
        changed = [
            self.kind.row(change.after) for change in changes if change.before != change.after
        ]
        self.statements.upsert(self.connection, self.kind.table_columns, changed)
        return [*(Written(None, s, s) for s in seen if s.key in new_keys), *changes]

    def _read(self, keys: Sequence[Any]) -> dict[Any, State]:
        found = self.statements.read(self.connection, _states(self.kind), tuple(keys)).all()
        return {row[0]: self._state(row) for row in found}

    def _read_again(self, keys: Sequence[Any], stored: dict[Any, State]) -> dict[Any, State]:
        """The records as they are now, and as nobody else changes them until the end."""
        if not keys or not self.statements.has_many_writers:
            return stored
        self.statements.read(self.connection, _locks(self.kind), tuple(keys))
        return self._read(keys)

    def _state(self, row: Row[Any]) -> State:
        raw: Values = tuple(row)
        if self.statements.rewrites_json:
            columns = zip(self.kind.columns, raw, strict=True)
            raw = tuple([canonical(v) if isinstance(c.type, JSON) else v for c, v in columns])
        key, first_at, updated_at, crawl_id, extra_data, *values = raw
        return State(key, first_at, updated_at, crawl_id, extra_data, tuple(values))


@cache
def _states(kind: RecordType) -> Callable[[Statements], Select[*tuple[Any, ...]]]:
    def build(statements: Statements) -> Select[*tuple[Any, ...]]:
        columns = map(statements.as_text, kind.columns)
        return select(*columns).where(statements.listed(kind.columns[0]))

    return build


@cache
def _locks(kind: RecordType) -> Callable[[Statements], Select[Any]]:
    def build(statements: Statements) -> Select[Any]:
        key = kind.columns[0]
        rows = select(key).where(statements.listed(key)).order_by(key)
        return rows.with_for_update(key_share=True)

    return build
