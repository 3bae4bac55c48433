"""Describes the columns of tables that leave the database: type, meaning, and what they hold."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from sqlalchemy import JSON, Boolean, Date, Integer

from tiktok_crawler.dataset.persons import Holds, held_by
from tiktok_crawler.storage.models.column_types import UtcDateTime

if TYPE_CHECKING:
    from sqlalchemy import Column as ModelColumn
    from sqlalchemy import ColumnElement, Table


class Kind(StrEnum):
    """The type of a column's values, whatever the format."""

    ID = "id"
    INTEGER = "integer"
    TEXT = "text"
    BOOLEAN = "boolean"
    TIME = "time"
    DATE = "date"
    JSON = "JSON"
    """The text of any JSON."""
    NESTED = "list or object"
    """JSON whose type in Arrow is declared (`dataset.arrow`)."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column: `expression` is what is selected of the database, None if it is made of others."""

    name: str
    kind: Kind
    meaning: str
    holds: Holds = Holds.NOTHING
    expression: ColumnElement[Any] | None = None

    @property
    def source(self) -> str:
        """Tell whose word the value is: the API's, with the name of its field, or the program's."""
        if not self.meaning.startswith("API"):
            return "tiktok_crawler"
        words = self.meaning.removeprefix("API")
        field = words[2 : words.index(")")] if words.startswith(" (") else self.name
        return f"API: {field}"


KINDS: tuple[tuple[type, Kind], ...] = (
    (UtcDateTime, Kind.TIME),
    (Date, Kind.DATE),
    (Boolean, Kind.BOOLEAN),
    (Integer, Kind.INTEGER),
    (JSON, Kind.JSON),
    (object, Kind.TEXT),
)

NESTED = {
    "hashtag_names",
    "effect_ids",
    "hashtag_info_list",
    "sticker_info_list",
    "effect_info_list",
    "video_mention_list",
    "video_label",
    "video_tag",
    "product_price",
}


def columns_of(table: Table) -> tuple[Column, ...]:
    """Describe all columns of a table of the database."""
    return tuple(map(described, table.columns))


def described(column: ModelColumn[Any], name: str = "") -> Column:
    """Describe a column of the database, under another name if need be."""
    found = str(name or column.name)
    return Column(found, _kind(column), str(column.comment), held_by(column), column)


def _kind(column: ModelColumn[Any]) -> Kind:
    if column.name in NESTED:
        return Kind.NESTED
    kind = next(kind for type_, kind in KINDS if isinstance(column.type, type_))
    is_id = column.name == "id" or column.name.endswith("_id")
    return Kind.ID if kind is Kind.INTEGER and is_id else kind
