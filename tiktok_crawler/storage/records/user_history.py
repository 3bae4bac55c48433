"""Writes what new values of profiles replaced: the rows of `user_info_history`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Boolean

from tiktok_crawler.storage.models.column_types import dump_json
from tiktok_crawler.storage.models.records import UserInfoHistory
from tiktok_crawler.storage.records.comparison import replaced_keys
from tiktok_crawler.storage.records.record_type import USER

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import Connection

    from tiktok_crawler.storage.engine.statements import Statements
    from tiktok_crawler.storage.records.comparison import State
    from tiktok_crawler.storage.records.stored_records import Written

HISTORY = UserInfoHistory.__table__
COLUMNS = tuple(HISTORY.c[name] for name in ("username", "field", "old_value", "until", "crawl_id"))


def write_history(
    connection: Connection, statements: Statements, written: Sequence[Written]
) -> None:
    """Write what an answer replaced in profiles; a late one has replaced nothing."""
    rows = [
        (seen.key, field, old, seen.first_at, seen.crawl_id)
        for before, seen, after in written
        if before
        for field, old in _replaced(before, after)
    ]
    statements.insert_missing(connection, COLUMNS, rows)


def _replaced(before: State, after: State) -> Iterator[tuple[str, str]]:
    """The fields that lost a value, and the value as JSON."""
    for place, old in USER.comparison.replaced(before, after):
        column = USER.value_columns[place]
        # SQLite has booleans as numbers.
        value: Any = bool(old) if isinstance(column.type, Boolean) else old
        yield column.name, dump_json(value)
    for key, old in replaced_keys(before, after):
        yield f"extra_data.{key}", dump_json(old)
