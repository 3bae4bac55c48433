"""What the two databases write differently: many rows at once, without a round trip for each.

SQLite repeats a finished statement for each row; PostgreSQL gets all rows as arrays, one a column.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

from sqlalchemy import ARRAY, Text, any_, bindparam, cast, delete, func, literal, or_, select
from sqlalchemy.dialects import postgresql, sqlite

from tiktok_crawler.storage.column_types import dump_json
from tiktok_crawler.storage.models import Video

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from sqlalchemy import Column, ColumnElement, Connection, CursorResult, Dialect, Executable
    from sqlalchemy.sql.base import ReadOnlyColumnCollection
    from sqlalchemy.types import TypeEngine

    Columns = tuple[Column[Any], ...]
    Values = tuple[Any, ...]
    Insert = sqlite.Insert | postgresql.Insert
    Excluded = ReadOnlyColumnCollection[str, ColumnElement[Any]]

VIDEO = Video.__table__
VIDEO_COLUMNS = tuple(VIDEO.columns)
OWN_COLUMNS = frozenset({"id", "crawled_at", "crawled_updated_at"})
"""The columns of a video that the API's newer values do not replace."""


class Statements(ABC):
    """The statements of one dialect.

    Columns are in the order of their table, and rows hold their values in that order. Writers that
    share rows do not wait for each other in a circle as long as all of them write in sorted order.
    """

    names_apart: ClassVar[bool]
    """Whether new names have to be committed before the page: others may be waiting for them."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._texts: dict[tuple[str, Columns], str] = {}

    def add(self, connection: Connection, columns: Columns, rows: Sequence[Values]) -> None:
        """Insert the rows that are not there yet."""
        if rows:
            self._execute(connection, self._text(self._add, columns), columns, rows)

    def remove(self, connection: Connection, columns: Columns, rows: Sequence[Values]) -> None:
        """Delete the rows that have exactly these values."""
        if rows:
            self._execute(connection, self._text(self._remove, columns), columns, rows)

    def upsert_videos(self, connection: Connection, rows: Sequence[Values]) -> tuple[set[int], int]:
        """Write rows of all columns of `video`: new values win, but none is replaced by NULL.

        Returns:
            The ids that were not there before, and how many of the other videos changed.
        """
        return self._upsert_rows(connection, rows) if rows else (set(), 0)

    @abstractmethod
    def insert(self, table: Any) -> Insert:
        """An insert that has `on_conflict_do_nothing` and `on_conflict_do_update`."""

    @abstractmethod
    def among(self, column: Column[Any], values: Collection[Any]) -> ColumnElement[bool]:
        """Whether the column has one of the values, of which there may be any number."""

    @abstractmethod
    def _upsert_rows(
        self, connection: Connection, rows: Sequence[Values]
    ) -> tuple[set[int], int]: ...

    @abstractmethod
    def _insert_rows(self, columns: Columns) -> Insert: ...

    @abstractmethod
    def _remove(self, columns: Columns) -> Executable: ...

    @abstractmethod
    def _merged(self, old: ColumnElement[Any], new: ColumnElement[Any]) -> ColumnElement[Any]:
        """Two JSON objects as one, in which the values of the second win; NULL if one is NULL."""

    @abstractmethod
    def _execute(
        self, connection: Connection, text: str, columns: Columns, rows: Sequence[Values]
    ) -> CursorResult[*tuple[Any, ...]]: ...

    def _add(self, columns: Columns) -> Executable:
        return self._insert_rows(columns).on_conflict_do_nothing()

    def _upsert(self, columns: Columns) -> Insert:
        insert = self._insert_rows(columns)
        values = {
            column.name: self._latest(column, insert.excluded)
            for column in columns
            if column.name not in OWN_COLUMNS
        }
        return insert.on_conflict_do_update(
            index_elements=[VIDEO.c.id],
            set_={**values, "crawled_updated_at": insert.excluded.crawled_at},
            where=or_(*(VIDEO.c[name].is_distinct_from(value) for name, value in values.items())),
        )

    def _latest(self, column: Column[Any], excluded: Excluded) -> ColumnElement[Any]:
        new = excluded[column.name]
        if column.name == "extra_data":
            return func.coalesce(self._merged(column, new), new, column)
        return func.coalesce(new, column)

    def _text(self, build: Callable[[Columns], Executable], columns: Columns) -> str:
        """The SQL of a statement, which is made once: making it takes longer than running it."""
        key = (build.__name__, columns)
        if key not in self._texts:
            self._texts[key] = str(build(columns).compile(dialect=self._dialect))  # type: ignore[attr-defined]
        return self._texts[key]

    def _for_driver(self, columns: Columns, rows: Sequence[Values]) -> list[list[Any]]:
        """The rows as the driver takes them: times and JSON as their column types have it."""
        adapted = [list(row) for row in rows]
        for index, column in enumerate(columns):
            process = column.type.dialect_impl(self._dialect).bind_processor(self._dialect)
            if process:
                for row in adapted:
                    row[index] = process(row[index])
        return adapted


class SqliteStatements(Statements):
    names_apart = False

    def insert(self, table: Any) -> Insert:
        return sqlite.insert(table)

    def among(self, column: Column[Any], values: Collection[Any]) -> ColumnElement[bool]:
        listed = func.json_each(dump_json(list(values))).table_valued("value")
        return column.in_(select(listed.c.value))

    def _upsert_rows(self, connection: Connection, rows: Sequence[Values]) -> tuple[set[int], int]:
        ids = {row[0] for row in rows}
        known = connection.scalars(select(VIDEO.c.id).where(self.among(VIDEO.c.id, ids)))
        new_ids = ids.difference(known)
        text = self._text(self._upsert, VIDEO_COLUMNS)
        written = self._execute(connection, text, VIDEO_COLUMNS, rows).rowcount
        return new_ids, written - len(new_ids)

    def _insert_rows(self, columns: Columns) -> Insert:
        return sqlite.insert(columns[0].table).values(
            {column.name: bindparam(column.name) for column in columns}
        )

    def _remove(self, columns: Columns) -> Executable:
        conditions = (column == bindparam(column.name) for column in columns)
        return delete(columns[0].table).where(*conditions)

    def _merged(self, old: ColumnElement[Any], new: ColumnElement[Any]) -> ColumnElement[Any]:
        return func.merge_objects(old, new)

    def _execute(
        self, connection: Connection, text: str, columns: Columns, rows: Sequence[Values]
    ) -> CursorResult[*tuple[Any, ...]]:
        adapted = [tuple(row) for row in self._for_driver(columns, rows)]
        return connection.exec_driver_sql(text, adapted)


class PostgresqlStatements(Statements):
    names_apart = True

    def insert(self, table: Any) -> Insert:
        return postgresql.insert(table)

    def among(self, column: Column[Any], values: Collection[Any]) -> ColumnElement[bool]:
        return column == any_(cast(literal(list(values), ARRAY(Text())), self._array(column)))

    def _upsert_rows(self, connection: Connection, rows: Sequence[Values]) -> tuple[set[int], int]:
        text = self._text(self._upsert_returning, VIDEO_COLUMNS)
        written = self._execute(connection, text, VIDEO_COLUMNS, rows).all()
        new_ids = {row[0] for row in written if row[1]}
        return new_ids, len(written) - len(new_ids)

    def _upsert_returning(self, columns: Columns) -> Executable:
        return self._upsert(columns).returning(VIDEO.c.id, VIDEO.c.crawled_updated_at.is_(None))

    def _insert_rows(self, columns: Columns) -> Insert:
        insert = postgresql.insert(columns[0].table)
        rows = self._rows(columns)
        return insert.from_select([column.name for column in columns], select(*rows))

    def _remove(self, columns: Columns) -> Executable:
        rows = self._rows(columns)
        conditions = (column == rows[column.name] for column in columns)
        return delete(columns[0].table).where(*conditions)

    def _rows(self, columns: Columns) -> ReadOnlyColumnCollection[str, Any]:
        """The arrays as a table, whose rows come in the order of the arrays."""
        arrays = (cast(bindparam(column.name), self._array(column)) for column in columns)
        names = [column.name for column in columns]
        return func.unnest(*arrays).table_valued(*names).render_derived().c

    def _array(self, column: Column[Any]) -> TypeEngine[Any]:
        item = column.type.dialect_impl(self._dialect)
        # A collation is no part of a type that something can be cast to.
        return ARRAY(Text() if isinstance(item, Text) else item)

    def _merged(self, old: ColumnElement[Any], new: ColumnElement[Any]) -> ColumnElement[Any]:
        return old.op("||")(new)

    def _execute(
        self, connection: Connection, text: str, columns: Columns, rows: Sequence[Values]
    ) -> CursorResult[*tuple[Any, ...]]:
        by_column = zip(*self._for_driver(columns, rows), strict=True)
        arrays = (list(values) for values in by_column)
        names = (column.name for column in columns)
        return connection.exec_driver_sql(text, dict(zip(names, arrays, strict=True)))


def statements_for(dialect: Dialect) -> Statements:
    """The statements of an engine's or a connection's dialect."""
    return (SqliteStatements if dialect.name == "sqlite" else PostgresqlStatements)(dialect)
