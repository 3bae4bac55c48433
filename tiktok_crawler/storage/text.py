"""Takes out of the API's values what databases refuse, wherever it stands, and counts it. Pure.

Refused are NUL (U+0000) and lone surrogates in text, and numbers that JSON does not know.
"""

from __future__ import annotations

from math import isfinite
from typing import Any

MAX_DEPTH = 100
"""Lists and objects that are nested deeper become null: a stack has to hold them."""


class Cleaner:
    """Cleans JSON values. `count` is how many of them, keys included, it had to change."""

    def __init__(self) -> None:
        self.count = 0

    def clean(self, value: Any, depth: int = 0) -> Any:
        """The value without what databases refuse."""
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
            return [self.clean(item, depth + 1) for item in value]
        return {self.clean_text(key): self.clean(item, depth + 1) for key, item in value.items()}

    def _nothing(self) -> None:
        self.count += 1


def clean_text(text: str | None) -> str | None:
    """Text without what databases refuse, where nobody counts."""
    return None if text is None else Cleaner().clean_text(text)
