"""Parameters that requests of all kinds have, and what the API refuses of them (api_facts.md 1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tiktok_crawler.sandbox.protocol.errors import INVALID_CURSOR, ApiError, invalid_params

if TYPE_CHECKING:
    from collections.abc import Iterable


def parse_fields(text: str | None, known: Iterable[str]) -> frozenset[str]:
    """The names, with or without blanks around them (api_facts.md 1.8, 1.9, 1.9a).

    Raises:
        ApiError: there are none, or one is unknown.
    """
    if not text:
        raise invalid_params("fields is required")
    names = frozenset(name.strip() for name in text.split(","))
    unknown = sorted(names.difference(known))
    if unknown:
        raise invalid_params(f"Invalid fields: {','.join(unknown)}")
    return names


def parse_number(
    value: object, *, default: int, lowest: int = 0, highest: int | None = None
) -> int:
    """A count or a cursor, also as text; null means the default (api_facts.md 1.14, 1.15).

    Raises:
        ApiError: it is none, or out of its bounds.
    """
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise ApiError(INVALID_CURSOR)
    try:
        number = int(value)
    except ValueError as exc:
        raise ApiError(INVALID_CURSOR) from exc
    if number < lowest or (highest is not None and number > highest):
        raise ApiError(INVALID_CURSOR)
    return number
