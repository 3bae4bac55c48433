"""Takes out of the API's values what databases refuse, wherever it stands, and counts it. Pure.

Refused are NUL (U+0000) and lone surrogates in text, and numbers that JSON does not know.
"""

from __future__ import annotations

import json
from math import isfinite
from typing import Any

import orjson

MAX_DEPTH = 254
"""Lists and objects that are nested deeper become null: the encoder's stack has to hold them."""

_STRICT_ENCODER = json.JSONEncoder(check_circular=False, allow_nan=False)


def is_clean(value: Any) -> bool:
    """Tell whether there is certainly nothing to clean; looking is much faster than cleaning.

    The encoder refuses lone surrogates and what is nested too deep, and writes null for numbers
    that JSON does not know; the strict one, which is slower, refuses those.
    """
    try:
        text = orjson.dumps(value)
        if b"null" in text:
            _STRICT_ENCODER.encode(value)
    except (orjson.JSONEncodeError, ValueError):
        return False
    return rb"\u0000" not in text


class Cleaner:
    """Cleans JSON values. `count` is how many of them, keys included, it had to change."""

    def __init__(self) -> None:
        self.count = 0

    def clean(self, value: Any) -> Any:
        """The value without what databases refuse: as a rule, itself."""
        return value if is_clean(value) else self._cleaned(value, 0)

    def _cleaned(self, value: Any, depth: int) -> Any:
        if isinstance(value, str):
            return self.clean_text(value)
        if isinstance(value, list | dict):
            return self._clean_members(value, depth) if depth < MAX_DEPTH else self._nothing()
        if isinstance(value, float) and not isfinite(value):
            return self._nothing()
        return value

    def clean_text(self, text: str) -> str:
        if text.isascii() and "\0" not in text:
            return text
        cleaned = text.encode(errors="ignore").decode().replace("\0", "")
        self.count += cleaned != text
        return cleaned

    def _clean_members(
        self, value: list[Any] | dict[str, Any], depth: int
    ) -> list[Any] | dict[str, Any]:
        if isinstance(value, list):
            return [self._cleaned(item, depth + 1) for item in value]
        return {self.clean_text(key): self._cleaned(item, depth + 1) for key, item in value.items()}

    def _nothing(self) -> None:
        self.count += 1


def clean_text(text: str | None) -> str | None:
    """Text without what databases refuse, where nobody counts."""
    return None if text is None else Cleaner().clean_text(text)
