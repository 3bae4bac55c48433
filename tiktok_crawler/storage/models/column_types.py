"""Column types that mean the same on SQLite and PostgreSQL: integers, JSON, names, UTC times."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

import orjson
from sqlalchemy import JSON, BigInteger, DateTime, Integer, Text, TypeDecorator
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.postgresql import JSONB

if TYPE_CHECKING:
    from sqlalchemy import Dialect
    from sqlalchemy.types import TypeEngine

Precision = Literal["seconds", "microseconds"]

INT64 = BigInteger().with_variant(Integer(), "sqlite")
"""SQLite's integers have 64 bits, and only a key declared INTEGER is the number of its row."""

JSON_DOCUMENT = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
"""A list or an object; None is NULL."""

NAME = Text().with_variant(Text(collation="C"), "postgresql")
"""Text that both databases compare byte by byte."""


class UtcDateTime(TypeDecorator[datetime]):
    """An aware datetime in UTC; a naive one is refused.

    PostgreSQL holds `timestamptz`, SQLite text such as `2024-01-31 12:00:00`. All times of a column
    have the same precision, so that they sort and compare as text.
    """

    impl = DateTime
    cache_ok = True

    def __init__(self, precision: Precision = "microseconds") -> None:
        super().__init__(timezone=True)
        self.precision = precision

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "sqlite":
            truncate = self.precision == "seconds"
            return sqlite.DATETIME(truncate_microseconds=truncate)  # type: ignore[no-untyped-call]
        return super().load_dialect_impl(dialect)

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a time without its time zone cannot be stored: {value}")
        in_utc = value.astimezone(UTC)
        return in_utc.replace(tzinfo=None) if dialect.name == "sqlite" else in_utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if dialect.name == "sqlite" else value.astimezone(UTC)


def time_text(value: datetime, precision: Precision = "microseconds") -> str:
    """An aware time as `UtcDateTime` stores it in SQLite."""
    return value.astimezone(UTC).isoformat(" ", precision).removesuffix("+00:00")


_LARGE_NUMBERS_ENCODER = json.JSONEncoder(
    ensure_ascii=False,
    check_circular=False,
    allow_nan=False,
    sort_keys=True,
    separators=(",", ":"),
)


def dump_json(value: object) -> str:
    """The text of a JSON value: the same for equal values, in whatever order their keys came."""
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
    except orjson.JSONEncodeError:  # integers of more than 64 bits
        return _LARGE_NUMBERS_ENCODER.encode(value)
