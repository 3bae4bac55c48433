"""An SQL function of both databases: the values of some rows as one JSON list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Text, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import GenericFunction

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Select
    from sqlalchemy.sql.compiler import SQLCompiler


class json_list(GenericFunction[str]):  # noqa: N801 - functions of SQL are in lower case
    """The text of a JSON list; NULL if there are no rows."""

    type = Text()
    inherit_cache = True


@compiles(json_list, "sqlite")
def _of_sqlite(element: json_list, compiler: SQLCompiler, **options: Any) -> str:
    return f"nullif(json_group_array({compiler.process(element.clauses, **options)}), '[]')"


@compiles(json_list, "postgresql")
def _of_postgresql(element: json_list, compiler: SQLCompiler, **options: Any) -> str:
    return f"CAST(json_agg({compiler.process(element.clauses, **options)}) AS TEXT)"


def sorted_list(values: Select[Any]) -> ColumnElement[str]:
    """Return the values of a select with one column, which may refer to the row that is read."""
    (value,) = values.selected_columns
    rows = values.order_by(value).subquery()
    return select(json_list(*rows.c)).scalar_subquery()
