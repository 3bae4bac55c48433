"""Finds where the fields of others' records name deleted accounts, and takes the names out."""

from __future__ import annotations

import json
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, or_, select, update

from tiktok_crawler.batches import batched
from tiktok_crawler.storage.engine.statements import statements_for
from tiktok_crawler.storage.engine.transactions import reading
from tiktok_crawler.storage.models.records import (
    Account,
    Comment,
    Playlist,
    Product,
    Review,
    Shop,
    UserInfo,
    UserInfoHistory,
    Video,
    VideoRevision,
)
from tiktok_crawler.storage.records.leaving_out import LABELS, without_names, without_names_in

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

    from sqlalchemy import ColumnElement, Connection, Engine, Table

    from tiktok_crawler.storage.records.leaving_out import Deleted

    Change = Callable[[Connection], Counter[str]]
    """Does something inside a transaction, and counts the rows of each table."""

CHANGED = ".changed"
"""Behind the name of a table: rows that stay, without a name or an id."""

MOST_LOOKED_FOR = 20
"""So many names the database looks for itself; where there are more, all rows are read."""

ROWS_AT_ONCE = 500
READ_AT_ONCE = 5_000

DOCUMENTS: dict[Table, tuple[str, ...]] = {
    Video.__table__: ("video_mention_list", "video_label", "video_tag", "extra_data"),
    Comment.__table__: ("extra_data",),
    UserInfo.__table__: ("extra_data",),
    Account.__table__: ("extra_data",),
    Playlist.__table__: ("extra_data",),
    Shop.__table__: ("extra_data",),
    Product.__table__: ("extra_data", "product_price"),
    Review.__table__: ("extra_data",),
}
"""The documents of records in which accounts can be named."""

HISTORIES: tuple[Table, ...] = (VideoRevision.__table__, UserInfoHistory.__table__)
"""The tables with values that were replaced, any of which can name an account."""


def may_name(texts: Iterable[ColumnElement[Any]], names: Collection[str]) -> ColumnElement[bool]:
    """Build the condition that one of some texts may have a name; names are in lower case."""
    if len(names) > MOST_LOOKED_FOR:
        return or_(*(text.is_not(None) for text in texts))
    lower = [func.lower(text) for text in texts]
    return or_(*(text.contains(name, autoescape=True) for text in lower for name in names))


class Mentions:
    """The mentions of some accounts, by their names in lower case."""

    def __init__(self, engine: Engine, deleted: Deleted, names: Sequence[str]) -> None:
        self._engine = engine
        self._statements = statements_for(engine.dialect)
        self._deleted = deleted
        self._names = names

    def changes(self) -> Iterator[Change]:
        """Yield what takes mentions out, some rows after others."""
        for table, columns in DOCUMENTS.items():
            key = next(iter(table.primary_key))
            for keys in batched(self._found(table, columns), ROWS_AT_ONCE):
                yield partial(self._rewrite, table, key, columns, keys)
        for table in HISTORIES:
            for keys in batched(self._found(table, ("old_value",)), ROWS_AT_ONCE):
                yield partial(self._rewrite_history, table, keys)

    def _found(self, table: Table, columns: Sequence[str]) -> list[Any]:
        """Return the keys of rows that name an account, as they are now."""
        key = next(iter(table.primary_key))
        texts = [self._statements.as_text(table.c[name]) for name in columns]
        rows = select(key, *texts).where(may_name(texts, self._names))
        is_history = table in HISTORIES
        found = []
        with reading(self._engine) as connection:
            for block in self._statements.stream(connection, rows, READ_AT_ONCE):
                for id_, *values in block:
                    documents = dict(zip(columns, map(_loaded, values), strict=True))
                    if is_history:
                        is_named = self._without(documents["old_value"]) != documents["old_value"]
                    else:
                        is_named = self._rewritten(documents) != documents
                    if is_named:
                        found.append(id_)
        return found

    def _rewrite(
        self,
        table: Table,
        key: Any,
        columns: Sequence[str],
        keys: Sequence[Any],
        connection: Connection,
    ) -> Counter[str]:
        count = 0
        texts = [self._statements.as_text(table.c[name]) for name in columns]
        rows = select(key, *texts).where(self._statements.among(key, keys)).order_by(key)
        for id_, *values in connection.execute(rows).all():
            documents = dict(zip(columns, map(_loaded, values), strict=True))
            kept = self._rewritten(documents)
            changed = {name: kept[name] for name in columns if kept[name] != documents[name]}
            if changed:
                connection.execute(update(table).where(key == id_).values(changed))
                count += 1
        return Counter({f"{table.name}{CHANGED}": count})

    def _rewritten(self, documents: dict[str, Any]) -> dict[str, Any]:
        kept = {}
        for name, value in documents.items():
            if name == "extra_data" and isinstance(value, dict):
                # What was delivered is as it would be, had it come without the name.
                kept[name] = without_names_in(value, self._deleted) or None
            else:
                kept[name] = without_names_in({name: value}, self._deleted, {name}).get(name)
        return kept

    def _rewrite_history(
        self, table: Table, keys: Sequence[Any], connection: Connection
    ) -> Counter[str]:
        count = 0
        rows = select(table.c.id, table.c.field, self._statements.as_text(table.c.old_value))
        rows = rows.where(self._statements.among(table.c.id, keys)).order_by(table.c.id)
        for id_, field, text in connection.execute(rows).all():
            value = _loaded(text)
            kept = self._without(value)
            if field in LABELS or kept == value:
                continue
            is_row = table.c.id == id_
            if kept is None:
                connection.execute(delete(table).where(is_row))
            else:
                connection.execute(update(table).where(is_row).values(old_value=kept))
            count += 1
        return Counter({f"{table.name}{CHANGED}": count})

    def _without(self, value: Any) -> Any:
        """Return a value without names; None if it is one."""
        (kept,) = without_names([value], self._deleted) or (None,)
        return kept


def _loaded(text: str | None) -> Any:
    return None if text is None else json.loads(text)
