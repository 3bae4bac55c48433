"""Copies all tables of a SQLite database into an empty one of PostgreSQL: all of them, or nothing.

In memory there are never more than a block of rows. What was written is read again, and compared.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import JSON, Boolean, func, inspect, select
from sqlalchemy.exc import DBAPIError

from tiktok_crawler.exceptions import ConfigurationError, CopyError
from tiktok_crawler.spelling import number_of
from tiktok_crawler.storage.engine import database, migrations, postgresql, sqlite
from tiktok_crawler.storage.engine.outage import explain
from tiktok_crawler.storage.engine.revision import HEAD, REVISION_TABLE, revision
from tiktok_crawler.storage.engine.statements import statements_for
from tiktok_crawler.storage.engine.transactions import reading
from tiktok_crawler.storage.models import METADATA
from tiktok_crawler.storage.models.column_types import UtcDateTime, dump_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sqlalchemy import Column, Connection, Engine, Table

    Tell = Callable[[str], None]

ROWS_AT_ONCE = 1_000

TABLES: Sequence[Table] = METADATA.sorted_tables
"""What rows refer to comes before them."""

MADE_BY_MIGRATION = frozenset({REVISION_TABLE})

SPELT_DIFFERENTLY = re.compile(r"\d[.eE]|\d{19}")
"""Of JSON: numbers that PostgreSQL may write otherwise, such as 1e16."""


@dataclass(slots=True)
class Content:
    """The rows of a table, as far as they were seen, in whatever order: their number and a sum."""

    table: Table
    rows: int = 0
    checksum: int = 0
    _normalisers: list[tuple[int, Callable[[Any], Any]]] = field(init=False, compare=False)

    def __post_init__(self) -> None:
        normalisers = map(_normaliser, self.table.columns)
        self._normalisers = [(place, each) for place, each in enumerate(normalisers) if each]

    def add(self, rows: Sequence[Sequence[Any]]) -> None:
        for row in rows:
            values = list(row)
            for place, normalise in self._normalisers:
                if values[place] is not None:
                    values[place] = normalise(values[place])
            digest = blake2b(orjson.dumps(values), digest_size=16).digest()
            self.checksum = (self.checksum + int.from_bytes(digest)) % 2**128
        self.rows += len(rows)


def transfer(source: Engine, target: Engine, tell: Tell) -> list[Content]:
    """Copy everything in one transaction; `tell` is told how far that is.

    Returns:
        What was copied, by table.

    Raises:
        ConfigurationError: the source is no SQLite database of this version with data, or the
            target no PostgreSQL database without.
        CopyError: it failed, what came out is not the same, or the source has changed meanwhile;
            the target is as it was.
    """
    _check_source(source)
    _check_target(target)
    try:
        with (
            source.connect() as watching,
            reading(source) as from_,
            migrations.exclusively(target) as to,
        ):
            before = sqlite.version(watching)
            _prepare(to, target)
            copied = [_copy(table, from_, to, tell) for table in TABLES]
            for content in copied:
                _compare(content, to, tell)
                _set_sequence(content.table, to)
            if sqlite.version(watching) != before:
                raise CopyError(
                    f"a crawl has stored something in {database.describe(source.url)} meanwhile, "
                    "which the copy would lack: nothing was kept of it. Run the same command again "
                    "while no crawl runs"
                )
    except DBAPIError as exc:
        raise CopyError(
            f"the copy failed: {explain(exc, target.url)}. {database.describe(target.url)} is as "
            "it was before"
        ) from None
    return copied


def left_out(source: Engine) -> list[str]:
    """The tables of others, which are not copied."""
    names = set(inspect(source).get_table_names())
    return sorted(names - set(METADATA.tables) - MADE_BY_MIGRATION)


def _check_source(source: Engine) -> None:
    if source.dialect.name != "sqlite":
        raise ConfigurationError(
            f"`scrapy copy` copies a SQLite database, and not {database.describe(source.url)}: "
            "name it, such as -s TIKTOK_DATABASE_URL=sqlite:///tiktok.db"
        )
    if database.stored_origin(source) is None:
        raise ConfigurationError(f"{database.describe(source.url)} has nothing to copy yet")


def _check_target(target: Engine) -> None:
    if target.dialect.name != "postgresql":
        raise ConfigurationError("`scrapy copy` copies into a PostgreSQL database: name one")
    with database.explained(target), reading(target) as connection:
        postgresql.check_encoding(connection)


def _prepare(to: Connection, target: Engine) -> None:
    """Make the tables, unless they are there and empty."""
    found = revision(to)
    if found is None:
        with database.explained(target):
            migrations.upgrade_in(to)
    elif found != HEAD or any(to.execute(select(table).limit(1)).first() for table in TABLES):
        raise ConfigurationError(
            f"{database.describe(target.url)} is not empty: name a new database, as made by "
            "CREATE DATABASE"
        )


def _copy(table: Table, from_: Connection, to: Connection, tell: Tell) -> Content:
    content, columns = Content(table), tuple(table.columns)
    statements = statements_for(to.dialect)
    for rows in _blocks(table, from_):
        content.add(rows)
        statements.insert(to, columns, rows)
        tell(f"copied {number_of(content.rows, 'rows')} of {table.name}")
    return content


def _compare(copied: Content, to: Connection, tell: Tell) -> None:
    there = Content(copied.table)
    for rows in _blocks(copied.table, to):
        there.add(rows)
        tell(f"compared {number_of(there.rows, 'rows')} of {there.table.name}")
    if there != copied:
        raise CopyError(
            f"table {copied.table.name} is not the same after it was copied ({copied.rows:,} rows, "
            f"{there.rows:,} there): nothing was kept of the copy"
        )


def _blocks(table: Table, connection: Connection) -> Iterator[Sequence[tuple[Any, ...]]]:
    statements = statements_for(connection.dialect)
    everything = select(*map(statements.as_text, table.columns))
    documents = [n for n, column in enumerate(table.columns) if isinstance(column.type, JSON)]
    for rows in statements.stream(connection, everything, ROWS_AT_ONCE):
        yield [_with_text(row, documents) for row in rows] if documents else rows


def _with_text(row: Sequence[Any], documents: Sequence[int]) -> tuple[Any, ...]:
    """Return a row with its JSON as text: SQLite makes a number of a document that is one."""
    values = list(row)
    for place in documents:
        if isinstance(values[place], (int, float)):
            values[place] = dump_json(values[place])
    return tuple(values)


def _set_sequence(table: Table, to: Connection) -> None:
    """Let the next row that gets a number get one that is free."""
    column = table.autoincrement_column
    if column is not None:
        last = func.max(column)
        sequence = func.pg_get_serial_sequence(table.name, column.name)
        to.execute(select(func.setval(sequence, func.coalesce(last, 1), last.is_not(None))))


def _normaliser(column: Column[Any]) -> Callable[[Any], Any] | None:
    """Return what makes equal values of both databases the same."""
    if isinstance(column.type, JSON):
        return _json_text
    if isinstance(column.type, Boolean):
        return bool
    if isinstance(column.type, UtcDateTime):
        return datetime.fromisoformat
    return None


def _json_text(text: str) -> str:
    if SPELT_DIFFERENTLY.search(text):
        return dump_json(json.loads(text, parse_float=_number))
    return dump_json(orjson.loads(text))


def _number(text: str) -> int | float:
    number = Decimal(text)
    return int(number) if number == number.to_integral_value() else float(text)
