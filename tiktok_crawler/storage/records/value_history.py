"""Writes what new values of records replaced: the rows of `video_revision` and the like."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import JSON, Boolean, literal, select

from tiktok_crawler.storage.models.column_types import dump_json
from tiktok_crawler.storage.records.comparison import replaced_keys
from tiktok_crawler.storage.records.names import NAME_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import Column, Connection

    from tiktok_crawler.storage.engine.statements import Statements
    from tiktok_crawler.storage.records.comparison import Change, State
    from tiktok_crawler.storage.records.record_type import RecordType

    Replaced = Iterator[tuple[Change, str, str]]


@dataclass(frozen=True, slots=True)
class ValueHistory:
    """The replaced values of records that are locked, inside a transaction.

    The columns of its table: a number, the record's key, field, old_value, until, crawl_id.
    """

    connection: Connection
    statements: Statements
    type: RecordType

    def write(self, changes: Sequence[Change]) -> None:
        """Write what answers replaced; what a late one says has replaced nothing."""
        table = self.type.value_history
        if table is None:
            return
        updates = [change for change in changes if change.is_update and not change.is_late]
        replaced = [each for change in updates for each in self._replaced_values(change)]
        for place, field in enumerate(self.type.names):
            replaced += self._replaced_names(updates, place, field)
        rows = [
            (change.after.key, field, old, change.seen.first_at, change.seen.crawl_id)
            for change, field, old in replaced
        ]
        self.statements.insert_missing(self.connection, tuple(table.columns)[1:], rows)

    def unlinked_since(self, late: Sequence[State]) -> set[tuple[Any, str]]:
        """Find the records that lost links after a late page, which must not give them new ones.

        Returns:
            The keys of the records with the field.
        """
        table = self.type.value_history
        if not late or table is None or not self.type.names:
            return set()
        _, key, field, _, until, _ = table.columns
        lost = select(key, field).where(
            self.statements.among(key, [state.key for state in late]),
            field.in_(list(self.type.names)),
            self.statements.as_text(until) > literal(late[0].first_at),
        )
        return {(found, name) for found, name in self.connection.execute(lost)}

    def _replaced_values(self, change: Change) -> Replaced:
        """The fields, other than counters and links, that lost a value, and the value as JSON."""
        if not change.before:
            return
        for place, old in self.type.comparison.replaced(change):
            if place >= len(self.type.counters):
                column = self.type.value_columns[place]
                yield change, column.name, _as_json(column, old)
        for key, old in replaced_keys(change.before, change.after):
            yield change, f"extra_data.{key}", dump_json(old)

    def _replaced_names(self, updates: Sequence[Change], place: int, field: str) -> Replaced:
        links = [(change, *change.links(place)) for change in updates]
        replaced = [
            (change, before) for change, before, after in links if before and before != after
        ]
        names = self._names(NAME_COLUMNS[field], {id_ for _, before in replaced for id_ in before})
        for change, before in replaced:
            yield change, field, dump_json(sorted(names[id_] for id_ in before))

    def _names(self, column: Column[str], ids: set[int]) -> dict[int, str]:
        if not ids:
            return {}
        key = column.table.c.id
        found = self.connection.execute(select(key, column).where(self.statements.among(key, ids)))
        return {id_: name for id_, name in found}  # noqa: C416 - dict() of Rows


def _as_json(column: Column[Any], value: Any) -> str:
    if isinstance(column.type, JSON):
        return str(value)
    # SQLite has booleans as numbers.
    return dump_json(bool(value) if isinstance(column.type, Boolean) else value)
