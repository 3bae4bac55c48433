"""The table of our own settings, with the names and defaults of the code."""

from __future__ import annotations

import inspect
import re
from itertools import dropwhile, takewhile

from markdown_tables import code, plain, table

from tiktok_crawler import settings
from tiktok_crawler.config.names import PREFIX

HEAD = ("setting", "default", "meaning")
TABLE = re.compile(rf"^{re.escape('| setting | default | meaning |')}\n(?:\|.*\n)+", re.MULTILINE)
ROW = re.compile(r"^\| `(\w+)` \| (.*?) \| (.*) \|$", re.MULTILINE)


def with_settings(document: str) -> str:
    """Return docs/configuration.md with the settings that there are, and their defaults.

    A setting of which the document says nothing has the comment above it as its meaning.
    """
    written = TABLE.search(document)
    assert written
    rows = {name: (default, meaning) for name, default, meaning in ROW.findall(written[0])}
    known = [name for name in vars(settings) if name.startswith(PREFIX)]
    names = [name for name in rows if name in known] + [name for name in known if name not in rows]
    cells = (_cells(name, *rows.get(name, ("none", _comment(name)))) for name in names)
    return document.replace(written[0], f"{table(HEAD, cells)}\n", 1)


def _cells(name: str, default: str, meaning: str) -> tuple[str, str, str]:
    return code(name), _default(getattr(settings, name), default), meaning


def _default(value: object, written: str) -> str:
    """In words where it is nothing: that may mean all, or a file."""
    if value is None or value in ([], {}):
        return written
    if isinstance(value, float):
        return f"{value:g}"
    return code(value) if isinstance(value, str) else str(value)


def _comment(name: str) -> str:
    """What stands above a setting, or above the settings that stand together with it."""
    above = inspect.getsource(settings).partition(f"\n{name}")[0].splitlines()[::-1]
    lines = takewhile(
        lambda line: line.startswith("#"),
        dropwhile(lambda line: line.startswith(PREFIX), above),
    )
    return plain(" ".join(line.removeprefix("#").strip() for line in reversed(list(lines))))
