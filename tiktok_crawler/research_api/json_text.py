"""Reads the JSON of an answer, also where some of its bytes are no text."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

_MARK = "\ufffd"


@dataclass(frozen=True, slots=True)
class JsonObject:
    """An answer's body; `replaced_count` is how many of its places were no text, and are � now."""

    content: dict[str, Any]
    replaced_count: int = 0


def read_json_object(
    body: bytes, object_of: Callable[[list[tuple[str, Any]]], Any] | None = None
) -> JsonObject | None:
    """Return the object that a body holds; None if it holds none.

    `object_of` makes an object of its pairs; without it, the last value of a key counts.
    Bytes that are not UTF-8 are replaced, and control characters inside a text are its characters:
    neither says anything against the rest.
    """
    text, replaced_count = _decode(body)
    try:
        content = json.loads(text, strict=False, object_pairs_hook=object_of)
    except (ValueError, RecursionError):
        return None
    return JsonObject(content, replaced_count) if isinstance(content, dict) else None


def _decode(body: bytes) -> tuple[str, int]:
    """The body as text, and in how many places it was none."""
    encoding = json.detect_encoding(body)
    try:
        return body.decode(encoding, "surrogatepass"), 0
    except UnicodeDecodeError:
        text = body.decode(encoding, "replace")
        # The mark may also stand there as a character of its own.
        return text, text.count(_MARK) - body.decode(encoding, "ignore").count(_MARK)
