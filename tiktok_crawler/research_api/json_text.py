"""Reads the JSON of an answer, also where some of its bytes are no text."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

_MARK = "\ufffd"


@dataclass(frozen=True, slots=True)
class JsonObject:
    """An answer's body; `replaced_count` is how many of its places were no text, and are � now."""

    content: dict[str, Any]
    replaced_count: int = 0


def read_json_object(body: bytes) -> JsonObject | None:
    """Return the object that a body holds; None if it holds none.

    Bytes that are not UTF-8 are replaced, and control characters inside a text are its characters:
    neither says anything against the rest.
    """
    text, replaced_count = _decode(body)
    try:
        content = json.loads(text, strict=False)
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
