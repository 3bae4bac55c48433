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
    return [SPELLINGS.get(c.kind, list)(block[c.name]) for c in columns]


def _ids(values: list[int | None]) -> list[str | None]:
    if None in values:
        return [None if value is None else str(value) for value in values]
    return list(map(str, values))


def _times(values: list[str | None]) -> list[str | None]:
    return [value and f"{value.replace(' ', 'T')}Z" for value in values]


def _booleans(values: list[int | None]) -> list[bool | None]:
    """SQLite has numbers."""
    return [None if value is None else bool(value) for value in values]


SPELLINGS: dict[Kind, Callable[[list[Any]], list[Any]]] = {
    Kind.ID: _ids,
    Kind.TIME: _times,
    Kind.BOOLEAN: _booleans,
}
