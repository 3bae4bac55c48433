"""The kinds of records that listings bring, other than videos, and the tables that hold them."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from sqlalchemy import JSON

from tiktok_crawler.storage.models.column_types import UtcDateTime, dump_json, time_text
from tiktok_crawler.storage.models.records import (
    Account,
    Comment,
    Playlist,
    Product,
    Review,
    Shop,
    UserInfo,
)
from tiktok_crawler.storage.records.comparison import (
    Comparison,
    State,
    equal,
    same_address,
    same_document,
)
from tiktok_crawler.storage.records.field_readers import (
    boolean,
    id_number,
    id_text,
    integer,
    long_time,
    nothing,
    structure,
    text,
    time,
    words,
)
from tiktok_crawler.storage.records.shape import Shape

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sqlalchemy import Column, Table

    from tiktok_crawler.storage.engine.statements import Values
    from tiktok_crawler.storage.records.comparison import Same
    from tiktok_crawler.storage.records.shape import Record


@dataclass(frozen=True, eq=False)
class RecordType:
    """Records of one kind: what they look like, and the table with a row for each.

    `key` is the column that tells them apart; `times` are the columns with the times of the first
    answer and of the last change or, with `marks_sightings`, of the last answer. `renamed` are
    fields whose column has another name; `same` compares values that are not simply equal or not.
    """

    shape: Shape
    table: Table
    key: str = "id"
    times: tuple[str, str] = ("crawled_at", "crawled_updated_at")
    marks_sightings: bool = False
    renamed: Mapping[str, str] = field(default_factory=dict)
    same: Mapping[str, Same] = field(default_factory=dict)

    @cached_property
    def columns(self) -> tuple[Column[Any], ...]:
        """The columns in the order of a state's values."""
        head = (self.key, *self.times, "crawl_id", "extra_data")
        return (*(self.table.c[name] for name in head), *self.value_columns)

    @cached_property
    def table_columns(self) -> tuple[Column[Any], ...]:
        """The same in the order of the table; the key is the first of them, too."""
        return tuple(column for column in self.table.columns if column in set(self.columns))

    def row(self, state: State) -> Values:
        """A state as a row of the table."""
        parts = dict(zip(self.columns, (*state[:-1], *state.values), strict=True))
        return tuple([parts[column] for column in self.table_columns])

    @cached_property
    def value_columns(self) -> tuple[Column[Any], ...]:
        others = {"id", self.key, *self.times, "crawl_id", "extra_data"}
        return tuple(column for column in self.table.columns if column.name not in others)

    @cached_property
    def comparison(self) -> Comparison:
        same = [self.same.get(c.name, _same_by_type(c)) for c in self.value_columns]
        return Comparison(tuple(same), self.marks_sightings)

    def state(self, record: Record, received_at: str, crawl_id: int | None) -> State:
        """A record as an answer has it."""
        values = {self.renamed.get(key, key): value for key, value in record.values.items()}
        return State(
            record.id,
            received_at,
            received_at if self.marks_sightings else None,
            crawl_id,
            dump_json(record.extra_data) if record.extra_data else None,
            tuple([convert(values.get(name)) for name, convert in self._converters]),
        )

    @cached_property
    def _converters(self) -> tuple[tuple[str, Callable[[Any], Any]], ...]:
        return tuple((column.name, partial(_as_stored, column)) for column in self.value_columns)


def _same_by_type(column: Column[Any]) -> Same:
    return same_document if isinstance(column.type, JSON) else equal


def _as_stored(column: Column[Any], value: Any) -> Any:
    """A value as both databases take it."""
    if value is None:
        return None
    if isinstance(column.type, UtcDateTime):
        return time_text(value, column.type.precision)
    return dump_json(value) if isinstance(column.type, JSON) else value


COMMENT = RecordType(
    Shape(
        "comment",
        {
            "video_id": id_number,
            "parent_comment_id": id_number,
            "text": text,
            "like_count": integer,
            "reply_count": integer,
            "create_time": time,
            "display_name": text,
        },
        id_keys=("id", "comment_id"),
    ),
    Comment.__table__,
)

USER = RecordType(
    Shape(
        "user",
        {
            "display_name": text,
            "bio_description": text,
            "avatar_url": text,
            "is_verified": boolean,
            "follower_count": integer,
            "following_count": integer,
            "likes_count": integer,
            "video_count": integer,
            "bio_url": text,
            "bio_URL": text,
        },
        id_keys=("username",),
        read_id=id_text,
    ),
    UserInfo.__table__,
    key="username",
    times=("first_seen_at", "last_seen_at"),
    marks_sightings=True,
    renamed={"bio_URL": "bio_url"},
    same={"avatar_url": same_address},
)

ACCOUNT = RecordType(
    Shape("account", {"display_name": text}, id_keys=("username",), read_id=id_text),
    Account.__table__,
    key="username",
)

PLAYLIST = RecordType(
    Shape(
        "playlist",
        {
            "playlist_name": text,
            "playlist_item_total": integer,
            "playlist_last_updated": integer,
            "playlist_video_ids": nothing,
        },
        id_keys=("playlist_id",),
    ),
    Playlist.__table__,
    renamed={
        "playlist_name": "name",
        "playlist_item_total": "item_total",
        "playlist_last_updated": "last_updated",
    },
)

SHOP = RecordType(
    Shape(
        "shop",
        {
            "shop_name": text,
            "shop_rating": words,
            "shop_review_count": integer,
            "item_sold_count": integer,
            "shop_performance_value": words,
        },
        id_keys=("shop_id",),
    ),
    Shop.__table__,
)

PRODUCT = RecordType(
    Shape(
        "product",
        {
            "shop_id": id_number,
            "shop_name": text,
            "product_name": text,
            "product_description": text,
            "product_price": structure,
            "product_sold_count": integer,
            "product_review_count": integer,
            "product_rating": words,
            **{f"product_rating_{stars}_count": integer for stars in range(1, 6)},
        },
        id_keys=("product_id",),
        read_id=id_text,
    ),
    Product.__table__,
)

REVIEW = RecordType(
    Shape(
        "review",
        {
            "product_id": id_text,
            "product_name": text,
            "display_name": text,
            "review_text": text,
            "review_like_count": integer,
            "review_rating": words,
            "create_time": long_time,
        },
    ),
    Review.__table__,
)
