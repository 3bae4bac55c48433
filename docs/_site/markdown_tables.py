"""Tables in Markdown."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


SPECIAL = re.compile(r"`[^`]+`|([\\`*_<>|\[\]])")


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return "\n".join([row(head), "|---" * len(head) + "|", *map(row, rows)])


def row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def plain(text: str) -> str:
    """Text that stands in Markdown as it is, but for code between backticks."""
    words = " ".join(text.split())
    return SPECIAL.sub(lambda found: rf"\{found[1]}" if found[1] else found[0], words)


def code(text: str) -> str:
    return f"`{text}`".replace("|", r"\|")
