"""JSON as databases have it: text, None if it is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def as_list(documents: Iterable[str | None]) -> bytes:
    """Return documents as one JSON list, which is parsed faster than each of them."""
    return b"[%b]" % b",".join([each.encode() if each else b"null" for each in documents])
