"""Makes Arrow's record batches of blocks, with a fixed type for each column."""

from __future__ import annotations

import json
from collections import defaultdict
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.json as arrow_json

from tiktok_crawler.dataset.columns import Kind
from tiktok_crawler.dataset.documents import as_list
from tiktok_crawler.dataset.tables import MISFIT_DATA
from tiktok_crawler.storage.models.column_types import dump_json

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tiktok_crawler.dataset.columns import Column
    from tiktok_crawler.dataset.reading import Block

MISFIT = MISFIT_DATA.name

UTC_TIME = pa.timestamp("us", "UTC")

TYPES = {
    Kind.ID: pa.int64(),
    Kind.INTEGER: pa.int64(),
    Kind.TEXT: pa.string(),
    Kind.BOOLEAN: pa.bool_(),
    Kind.TIME: UTC_TIME,
    Kind.DATE: pa.date32(),
    Kind.JSON: pa.string(),
}


def _object(**fields: pa.DataType) -> pa.DataType:
    return pa.struct(list(fields.items()))


NESTED_TYPES = {
    "hashtag_names": pa.list_(pa.string()),
    "effect_ids": pa.list_(pa.string()),
    "hashtag_info_list": pa.list_(
        _object(hashtag_id=pa.int64(), hashtag_name=pa.string(), hashtag_description=pa.string())
    ),
    "sticker_info_list": pa.list_(_object(sticker_id=pa.int64(), sticker_name=pa.string())),
    "effect_info_list": pa.list_(
        _object(
            effect_id=pa.string(),
            effect_name=pa.string(),
            effect_photo_url=pa.string(),
            effect_photo_URI=pa.string(),
        )
    ),
    "video_mention_list": pa.list_(pa.string()),
    "video_label": _object(
        content=pa.string(), type=pa.int64(), sink=pa.bool_(), vote=pa.bool_(), warn=pa.bool_()
    ),
    "video_tag": _object(
        type=pa.string(),
        number=pa.int64(),
        video_tag_type=pa.string(),
        video_tag_number=pa.int64(),
    ),
    "product_price": pa.list_(pa.string()),
}
"""What the API is known to deliver (api_facts.md 3.7, 10.2)."""


def schema(columns: Sequence[Column]) -> pa.Schema:
    """Return the schema of some columns; a field's metadata say what the column means."""
    return pa.schema(
        [pa.field(c.name, type_of(c), metadata={"description": c.meaning}) for c in columns]
    )


def type_of(column: Column) -> pa.DataType:
    return NESTED_TYPES[column.name] if column.kind is Kind.NESTED else TYPES[column.kind]


def record_batch(columns: Sequence[Column], block: Block) -> pa.RecordBatch:
    """Make a record batch of a block; what does not fit a nested type goes to `misfit_data`."""
    misfits = defaultdict[int, list[str]](list)
    arrays = {c.name: _column_array(c, block[c.name], misfits) for c in columns if c.name != MISFIT}
    if any(c.name == MISFIT for c in columns):
        rows = range(len(next(iter(block.values()))))
        arrays[MISFIT] = _texts([_object_of(misfits.get(row)) for row in rows])
    return pa.RecordBatch.from_arrays([arrays[c.name] for c in columns], schema=schema(columns))


def _column_array(column: Column, values: list[Any], misfits: dict[int, list[str]]) -> pa.Array:
    if column.kind is not Kind.NESTED:
        return ARRAYS[column.kind](values)
    try:
        return _parsed(values, type_of(column))
    except pa.ArrowInvalid:
        return _fitting(column, values, misfits)


def _array(kind: Kind) -> Callable[[list[Any]], pa.Array]:
    return lambda values: pa.array(values, TYPES[kind])


def _texts(texts: list[str | None]) -> pa.Array:
    return pa.array(texts, pa.string())


def _times(texts: list[Any]) -> pa.Array:
    return pa.array(texts, pa.string()).cast(pa.timestamp("us")).cast(UTC_TIME)


def _dates(texts: list[Any]) -> pa.Array:
    return pa.array(texts, pa.string()).cast(pa.date32())


def _booleans(values: list[Any]) -> pa.Array:
    """SQLite has numbers."""
    return pa.array([None if value is None else bool(value) for value in values], pa.bool_())


ARRAYS = {kind: _array(kind) for kind in TYPES} | {
    Kind.TIME: _times,
    Kind.DATE: _dates,
    Kind.BOOLEAN: _booleans,
}


def _parsed(documents: list[str | None], type_: pa.DataType) -> pa.Array:
    """Let Arrow parse documents, as one list: it refuses what is not of the very type."""
    if not any(documents):
        return pa.nulls(len(documents), type_)
    text = b'{"v":%b}' % as_list(documents)
    table = arrow_json.read_json(
        BytesIO(text),
        read_options=arrow_json.ReadOptions(use_threads=False, block_size=len(text) + 1),
        parse_options=arrow_json.ParseOptions(
            explicit_schema=pa.schema([("v", pa.list_(type_))]), unexpected_field_behavior="error"
        ),
    )
    return table.column("v").combine_chunks().values


def _fitting(
    column: Column, documents: list[str | None], misfits: dict[int, list[str]]
) -> pa.Array:
    """Put each document where it fits: into the array, or among the misfits of its row."""
    type_, values = type_of(column), list[Any]()
    for row, document in enumerate(documents):
        value = document and json.loads(document)
        fits = _fits(value, type_)
        values.append(value if fits else None)
        if not fits:
            misfits[row].append(f'"{column.name}":{dump_json(value)}')
    return pa.array(values, type_)


def _object_of(members: list[str] | None) -> str | None:
    return f"{{{','.join(members)}}}" if members else None


def _fits(value: Any, type_: pa.DataType) -> bool:
    """Tell whether a value of JSON, null included, is one of Arrow's type."""
    if value is None:
        return True
    if pa.types.is_list(type_):
        return isinstance(value, list) and all(_fits(each, type_.value_type) for each in value)
    if pa.types.is_struct(type_):
        fields = {field.name: field.type for field in type_}
        return isinstance(value, dict) and all(
            key in fields and _fits(each, fields[key]) for key, each in value.items()
        )
    if pa.types.is_boolean(type_):
        return isinstance(value, bool)
    if pa.types.is_string(type_):
        return isinstance(value, str)
    return type(value) is int and -(2**63) <= value < 2**63
