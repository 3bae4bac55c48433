"""Writes that differ between the two databases: many rows at once, no round trip for each.

SQLite repeats a finished statement for each block of rows; PostgreSQL gets all rows as arrays, one
a column.
"""

from __future__ import annotations

import sqlite3
from abc import ABC, abstractmethod
from functools import cache, partial
from itertools import chain, islice, repeat
from typing import TYPE_CHECKING, Any, ClassVar

from sqlalchemy import (
    ARRAY,
    DateTime,
    Enum,
    Text,
    any_,
    bindparam,
    case,
    cast,
    column,
    delete,
    func,
    literal,
    literal_column,
    or_,
    select,
    true,
    type_coerce,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import DatabaseError

from tiktok_crawler.storage.models.column_types import UtcDateTime, dump_json

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from sqlalchemy import (
        Column,
        ColumnElement,
        Connection,
        CursorResult,
        Dialect,
        Executable,
        Select,
    )
    from sqlalchemy.engine.interfaces import Compiled
    from sqlalchemy.types import TypeEngine

    Columns = tuple[Column[Any], ...]
    Values = tuple[Any, ...]
    Insert = sqlite.Insert | postgresql.Insert
    Result = CursorResult[*tuple[Any, ...]]

BLOCK = 100
"""So many rows, those of a page, SQLite gets at once: to begin a statement takes longer than to
write a short row."""

VALUES = "values"
"""The parameter of statements that take one list of values."""

TIME_FORMATS = {
    "seconds": "'YYYY-MM-DD HH24:MI:SS'",
    "microseconds": "'YYYY-MM-DD HH24:MI:SS.US'",
}
"""PostgreSQL's patterns for the times that SQLite writes (`time_text`)."""


class Statements(ABC):
    """The statements of one dialect.

    Columns are in the order of their table. Rows hold their values in that order, as both databases
    take them: times as SQLite writes them, JSON as text. Writers that share rows do not wait for
    each other in a circle as long as all of them write in sorted order.
    """

    has_many_writers: ClassVar[bool]
    """True if others may be writing at the same time, so that rows have to be locked one by one."""

    rewrites_json: ClassVar[bool]
    """True if the database writes JSON in its own way."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._made: dict[tuple[object, ...], Compiled] = {}

    def insert_missing(
        self, connection: Connection, columns: Columns, rows: Sequence[Values]
    ) -> None:
        """Insert the rows that are not there yet."""
        if rows:
            self._write(connection, self._text(self._insert_missing, columns), columns, rows)

    def insert(self, connection: Connection, columns: Columns, rows: Sequence[Values]) -> None:
        """Insert rows that are not there: they belong to one that is locked, or new."""
        if rows:
            self._write(connection, self._text(self._insert, columns), columns, rows)

    def upsert(self, connection: Connection, columns: Columns, rows: Sequence[Values]) -> None:
        """Insert the rows, or replace the ones that have their keys.

        Of a table that numbers its rows, the first column is the key.
        """
        if rows:
            self._write(connection, self._text(self._upsert, columns), columns, rows)

    def upsert_sightings(
        self, connection: Connection, columns: Columns, rows: Sequence[Values]
    ) -> None:
        """Insert sightings: rows with `first_seen_at` and `last_seen_at`, the last columns.

        Of a row that has its key, they become the earliest and the latest time; the other values
        are those of the latest.
        """
        if rows:
            self._write(connection, self._text(self._upsert_sightings, columns), columns, rows)

    def remove(self, connection: Connection, columns: Columns, rows: Sequence[Values]) -> None:
        """Delete the rows that have exactly these values."""
        if rows:
            self._delete(connection, self._text(self._remove, columns), columns, rows)

    def read(
        self, connection: Connection, build: Callable[[Statements], Executable], values: Values
    ) -> Sequence[Values]:
        """Run a statement that has one list of values (`listed`); a function builds it once."""
        return self._read(connection, self._text(build, self), values)

    def run(
        self,
        connection: Connection,
        build: Callable[..., Executable],
        values: Mapping[str, Any],
        *,
        of: tuple[object, ...] = (),
        listed: Collection[Any] | None = None,
    ) -> Result:
        """Run a statement with named values; a function builds it once.

        What it is built `of` goes to the function, too. The statement may have one list of values
        (the condition `listed`).
        """
        compiled = self._compiled(build, self, *of)
        if listed is not None:
            values = {VALUES: self._list(listed), **values}
        names = compiled.positiontup  # type: ignore[attr-defined]
        parameters = tuple([values[name] for name in names]) if names else dict(values)
        return connection.exec_driver_sql(str(compiled), parameters)

    def find_names(
        self, connection: Connection, column: Column[str], names: Values
    ) -> dict[str, int]:
        """The ids of the names, as far as they are there."""
        return dict(self._read(connection, self._text(self._find_names, column), names))

    def add_names(
        self, connection: Connection, column: Column[str], names: Values
    ) -> dict[str, int]:
        """Insert the names that are not there yet.

        Returns:
            The ids of those that were inserted.
        """
        return dict(self._read(connection, self._text(self._add_names, column), names))

    def listed(self, column: Column[Any]) -> ColumnElement[bool]:
        """Build the condition that the column has one of the values of a statement for `read`."""
        return self._is_in(column, bindparam(VALUES, type_=Text()))

    def among(self, column: ColumnElement[Any], values: Collection[Any]) -> ColumnElement[bool]:
        """Build the condition that the column has one of the values, however many there are."""
        return self._is_in(column, literal(self._list(values), Text()))

    @abstractmethod
    def insert_into(self, table: Any) -> Insert:
        """An insert that has `on_conflict_do_nothing` and `on_conflict_do_update`."""

    @abstractmethod
    def as_text(self, column: ColumnElement[Any]) -> ColumnElement[Any]:
        """A column to select, with its values as rows hold them."""

    @abstractmethod
    def stream(
        self, connection: Connection, statement: Select[Any], size: int
    ) -> Iterator[Sequence[Values]]:
        """Read rows, so many at once, without holding those before or behind them."""

    @abstractmethod
    def joined(self, column: ColumnElement[Any]) -> ColumnElement[str]:
        """The values of all rows as one text, with commas in between; NULL if there are none."""

    @abstractmethod
    def insert_new(
        self, connection: Connection, columns: Columns, rows: Sequence[Values]
    ) -> Collection[int]:
        """Insert rows that were not there a moment ago.

        Returns:
            The first values of those that nobody else has inserted since.
        """

    @abstractmethod
    def _list(self, values: Collection[Any]) -> str:
        """Encode many values as one for a statement."""

    @abstractmethod
    def _unlist(self, column: ColumnElement[Any], listed: ColumnElement[Any]) -> ColumnElement[Any]:
        """The values of a list for a column as a column to select."""

    @abstractmethod
    def _is_in(
        self, column: ColumnElement[Any], listed: ColumnElement[Any]
    ) -> ColumnElement[bool]: ...

    @abstractmethod
    def _insert_rows(self, columns: Columns) -> Insert: ...

    @abstractmethod
    def _insert(self, columns: Columns) -> Executable: ...

    @abstractmethod
    def _remove(self, columns: Columns) -> Executable: ...

    @abstractmethod
    def _write(
        self, connection: Connection, text: str, columns: Columns, rows: Sequence[Values]
    ) -> Any: ...

    @abstractmethod
    def _delete(
        self, connection: Connection, text: str, columns: Columns, rows: Sequence[Values]
    ) -> Any: ...

    def _read(self, connection: Connection, text: str, values: Values) -> Sequence[Values]:
        with connection.exec_driver_sql(text, self._listed(values)) as result:
            return _fetched(result.cursor.fetchall)

    @abstractmethod
    def _listed(self, values: Values) -> Any:
        """The parameters of a statement that has one list of values."""

    def _insert_missing(self, columns: Columns) -> Executable:
        return self._insert_rows(columns).on_conflict_do_nothing()

    def _upsert(self, columns: Columns) -> Executable:
        insert, keys = self._insert_rows(columns), _keys(columns)
        return insert.on_conflict_do_update(
            index_elements=keys,
            set_={c.key: insert.excluded[c.key] for c in columns if c not in keys},
        )

    def _upsert_sightings(self, columns: Columns) -> Executable:
        insert, keys = self._insert_rows(columns), _keys(columns)
        new, (first, last) = insert.excluded, columns[-2:]
        is_earlier, is_later = new[first.key] < first, new[last.key] > last
        values = [c for c in columns if c not in (*keys, first)]
        return insert.on_conflict_do_update(
            index_elements=keys,
            set_={c.key: case((is_later, new[c.key]), else_=c) for c in values}
            | {first.key: case((is_earlier, new[first.key]), else_=first)},
            where=or_(is_earlier, is_later),
        )

    def _find_names(self, column: Column[str]) -> Executable:
        return select(column, column.table.c.id).where(self.listed(column))

    def _add_names(self, column: Column[str]) -> Executable:
        # SQLite would read `ON` as a part of the select, did it not end with a condition.
        names = select(self._unlist(column, bindparam(VALUES, type_=Text()))).where(true())
        insert = self.insert_into(column.table).from_select([column.key], names)
        return insert.on_conflict_do_nothing().returning(column, column.table.c.id)

    def _text(self, build: Callable[[Any], Executable], subject: object) -> str:
        return str(self._compiled(build, subject))

    def _compiled(self, build: Callable[..., Executable], *subject: object) -> Compiled:
        """A statement as SQL, which is made once: making it takes longer than running it."""
        key = (build, *subject)
        if key not in self._made:
            statement: Any = build(*subject)
            self._made[key] = statement.compile(dialect=self._dialect)
        return self._made[key]


class SqliteStatements(Statements):
    has_many_writers = False
    rewrites_json = False

    def insert_into(self, table: Any) -> Insert:
        return sqlite.insert(table)

    def as_text(self, column: ColumnElement[Any]) -> ColumnElement[Any]:
        return type_coerce(column, Text())

    def stream(
        self, connection: Connection, statement: Select[Any], size: int
    ) -> Iterator[Sequence[Values]]:
        with connection.execute(statement) as result:
            while rows := _fetched(partial(result.cursor.fetchmany, size)):
                yield rows

    def joined(self, column: ColumnElement[Any]) -> ColumnElement[str]:
        return func.group_concat(column)

    def insert_new(
        self, connection: Connection, columns: Columns, rows: Sequence[Values]
    ) -> Collection[int]:
        if rows:
            self._write(connection, self._text(self._insert_rows, columns), columns, rows)
        return {row[0] for row in rows}

    def _list(self, values: Collection[Any]) -> str:
        return dump_json(list(values))

    def _unlist(
        self, _column: ColumnElement[Any], listed: ColumnElement[Any]
    ) -> ColumnElement[Any]:
        value: ColumnElement[Any] = func.json_each(listed).table_valued("value").c.value
        return value

    def _is_in(self, column: ColumnElement[Any], listed: ColumnElement[Any]) -> ColumnElement[bool]:
        return column.in_(select(self._unlist(column, listed)))

    def _insert_rows(self, columns: Columns) -> Insert:
        return sqlite.insert(columns[0].table).values(
            {column.key: bindparam(column.key) for column in columns}
        )

    def _insert(self, columns: Columns) -> Executable:
        # Who removed a video by hand may have left its links: SQLite checks no keys unless told to.
        return self._insert_missing(columns)

    def _remove(self, columns: Columns) -> Executable:
        conditions = (column == bindparam(column.key) for column in columns)
        return delete(columns[0].table).where(*conditions)

    def _write(
        self, connection: Connection, text: str, columns: Columns, rows: Sequence[Values]
    ) -> None:
        blocks = len(rows) // BLOCK
        if blocks:
            values = chain.from_iterable(rows[: blocks * BLOCK])
            size = BLOCK * len(columns)
            rows_of_blocks = [tuple(islice(values, size)) for _ in range(blocks)]
            connection.exec_driver_sql(_for_blocks(text, len(columns)), rows_of_blocks)
        if len(rows) % BLOCK:
            connection.exec_driver_sql(text, rows[blocks * BLOCK :])

    def _delete(
        self, connection: Connection, text: str, _columns: Columns, rows: Sequence[Values]
    ) -> None:
        connection.exec_driver_sql(text, rows)

    def _listed(self, values: Values) -> Any:
        return (self._list(values),)


class PostgresqlStatements(Statements):
    has_many_writers = True
    rewrites_json = True

    def insert_into(self, table: Any) -> Insert:
        return postgresql.insert(table)

    def as_text(self, column: ColumnElement[Any]) -> ColumnElement[Any]:
        if isinstance(column.type.dialect_impl(self._dialect), JSONB):
            return cast(column, Text)
        if isinstance(column.type, UtcDateTime):
            return func.to_char(
                _in_utc(column), literal_column(TIME_FORMATS[column.type.precision])
            )
        return type_coerce(column, Text()) if isinstance(column.type, Enum) else column

    def stream(
        self, connection: Connection, statement: Select[Any], size: int
    ) -> Iterator[Sequence[Values]]:
        options = {"yield_per": size}
        with connection.execute(statement, execution_options=options) as result:
            yield from result.partitions()

    def rows_of(
        self, columns: Iterable[Column[Any]], rows: Collection[Values]
    ) -> Select[*tuple[Any, ...]]:
        """Select rows that are given, in their order."""
        names = [column(each.key, each.type) for each in columns]
        lists = zip(*rows, strict=True) if rows else repeat((), len(names))
        texts = (literal(self._list(each), Text()) for each in lists)
        arrays = (cast(text, self._array(name)) for text, name in zip(texts, names, strict=True))
        return select(func.unnest(*arrays).table_valued(*names).render_derived())

    def joined(self, column: ColumnElement[Any]) -> ColumnElement[str]:
        return func.string_agg(cast(column, Text), literal_column("','"))

    def insert_new(
        self, connection: Connection, columns: Columns, rows: Sequence[Values]
    ) -> Collection[int]:
        if not rows:
            return ()
        text = self._text(self._add_returning, columns)
        return {row[0] for row in self._write(connection, text, columns, rows)}

    def _add_returning(self, columns: Columns) -> Executable:
        return self._insert_rows(columns).on_conflict_do_nothing().returning(columns[0])

    def _list(self, values: Collection[Any]) -> str:
        if str not in map(type, values):
            # Numbers, booleans and nulls are written as in JSON, by a much faster encoder.
            return "{" + dump_json(list(values))[1:-1] + "}"
        return "{" + ",".join(map(_array_item, values)) + "}"

    def _unlist(self, column: ColumnElement[Any], listed: ColumnElement[Any]) -> ColumnElement[Any]:
        return func.unnest(cast(listed, self._array(column)))

    def _is_in(self, column: ColumnElement[Any], listed: ColumnElement[Any]) -> ColumnElement[bool]:
        return column == any_(cast(listed, self._array(column)))

    def _insert_rows(self, columns: Columns) -> Insert:
        insert = postgresql.insert(columns[0].table)
        rows = self._rows(columns)
        return insert.from_select([*rows], select(*rows.values()))

    def _insert(self, columns: Columns) -> Executable:
        # Looking for conflicts takes a fifth of the time: each row is confirmed after its keys.
        return self._insert_rows(columns)

    def _remove(self, columns: Columns) -> Executable:
        rows = self._rows(columns)
        conditions = (column == rows[column.key] for column in columns)
        return delete(columns[0].table).where(*conditions)

    def _rows(self, columns: Columns) -> dict[str, ColumnElement[Any]]:
        """The arrays as columns of a table, whose rows come in the order of the arrays."""
        arrays = (cast(bindparam(c.key, type_=Text()), self._array(c)) for c in columns)
        names = [column.key for column in columns]
        rows = func.unnest(*arrays).table_valued(*names).render_derived().c
        is_time = {column.key: isinstance(column.type, UtcDateTime) for column in columns}
        return {key: _in_utc(rows[key]) if is_time[key] else rows[key] for key in names}

    def _array(self, column: ColumnElement[Any]) -> TypeEngine[Any]:
        item = column.type.dialect_impl(self._dialect)
        if isinstance(column.type, UtcDateTime):
            # As text it has no zone, and would be in that of the session.
            return ARRAY(DateTime(timezone=False))
        # A collation is no part of a type that something can be cast to.
        return ARRAY(Text() if isinstance(item, Text) else item)

    def _write(
        self, connection: Connection, text: str, columns: Columns, rows: Sequence[Values]
    ) -> Result:
        arrays = map(self._list, zip(*rows, strict=True))
        names = (column.key for column in columns)
        return connection.exec_driver_sql(text, dict(zip(names, arrays, strict=True)))

    _delete = _write

    def _listed(self, values: Values) -> Any:
        return {VALUES: self._list(values)}


def _in_utc(time: ColumnElement[Any]) -> ColumnElement[Any]:
    """A time of UTC without its zone as one of PostgreSQL's times, or the other way round."""
    return func.timezone(literal_column("'UTC'"), time)


def _fetched(fetch: Callable[[], Sequence[Values]]) -> Sequence[Values]:
    """Read the driver's own rows: to make others of them takes longer than to read them.

    What the driver raises is raised as by SQLAlchemy.
    """
    try:
        return fetch()
    except sqlite3.DatabaseError as exc:
        raise DatabaseError(None, None, exc) from exc


def _keys(columns: Columns) -> list[Column[Any]]:
    """The columns that tell rows apart."""
    primary_key = list(columns[0].table.primary_key.columns)
    return primary_key if columns[0] in primary_key else [columns[0]]


@cache
def _for_blocks(text: str, columns: int) -> str:
    """A statement that inserts one row as one that inserts a block of them."""
    row = f"({', '.join('?' * columns)})"
    return text.replace(row, ", ".join([row] * BLOCK), 1)


def _array_item(value: Any) -> str:
    """A value inside the text of an array, which the server reads faster than an expression."""
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return "NULL" if value is None else str(value)


def statements_for(dialect: Dialect) -> Statements:
    """The statements of an engine's or a connection's dialect."""
    return (SqliteStatements if dialect.name == "sqlite" else PostgresqlStatements)(dialect)
