"""The keys and values of a secrets file. No message quotes any of it: all may be a secret."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tiktok_crawler.query_file.mistakes import Mistakes
from tiktok_crawler.query_file.yaml_text import TOO_DEEP, TOO_MANY, MapNode, TextNode, parse

if TYPE_CHECKING:
    from pathlib import Path

    from tiktok_crawler.query_file.mistakes import Place

NAMES = ("client_key", "client_secret")


def parse_secrets(path: Path, text: str) -> dict[str, str]:
    """Read the keys that have one value each, as typed; `path` is for messages.

    Raises:
        QueryFileError: something in it is not as it must be, with its place.
    """
    root = parse(text, _SecretMistakes(path))
    entries = root.entries.values() if isinstance(root, MapNode) else ()
    return {e.key: e.value.text for e in entries if isinstance(e.value, TextNode)}


class _SecretMistakes(Mistakes):
    """Ends reading at the first mistake, and says what it is where that quotes nothing."""

    def mistake(self, place: Place, key: str, words: str) -> None:
        if key not in NAMES and words not in (TOO_DEEP, TOO_MANY):
            key = ""
            words = "is not YAML as simple as a secrets file needs; try to put values in quotes"
        super().mistake(place, key, words)
        self.stop()
