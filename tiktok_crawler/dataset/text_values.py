"""Spells values for formats of text: ids as text, times in ISO 8601 with Z, documents as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tiktok_crawler.dataset.columns import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tiktok_crawler.dataset.columns import Column
    from tiktok_crawler.dataset.reading import Block


def columns_of_text(columns: Sequence[Column], block: Block) -> list[list[Any]]:
    """Return the values of each column, spelled: text, whole numbers, booleans, None if missing."""
    return [list(map(SPELLINGS.get(c.kind, _as_it_is), block[c.name])) for c in columns]


def _as_it_is(value: Any) -> Any:
    return value


def _id(value: int | None) -> str | None:
    return None if value is None else str(value)


def _time(value: str | None) -> str | None:
    return value and f"{value[:10]}T{value[11:]}Z"


def _boolean(value: int | None) -> bool | None:
    """SQLite has numbers."""
    return None if value is None else bool(value)


SPELLINGS: dict[Kind, Callable[[Any], Any]] = {
    Kind.ID: _id,
    Kind.TIME: _time,
    Kind.BOOLEAN: _boolean,
}
