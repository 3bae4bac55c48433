"""The warnings and errors that the code logs, and the rows of docs/operations.md about them."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

from markdown_tables import code, row

import tiktok_crawler

PACKAGE = Path(tiktok_crawler.__file__).parent
TITLE = "## Warnings and errors\n"


@cache
def trees() -> dict[str, ast.Module]:
    """The parsed modules of the package by their paths."""
    return {
        path.relative_to(PACKAGE).as_posix(): ast.parse(path.read_text(encoding="utf-8"))
        for path in sorted(PACKAGE.rglob("*.py"))
    }


@cache
def messages() -> list[tuple[str, str]]:
    """The module and the template of each WARNING and ERROR."""
    return [
        (module, node.args[0].value)
        for module, tree in trees().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in {"warning", "error", "exception", "critical"}
        and ast.unparse(node.func.value) in {"logger", "self._log"}
        and isinstance(node.args[0], ast.Constant)
        and isinstance(node.args[0].value, str)
    ]


def is_explained(message: str, document: str) -> bool:
    """Whether a row has the message; where it says `...`, there may be anything."""
    return any(pattern.fullmatch(message) for pattern in _patterns(document))


@cache
def _patterns(document: str) -> list[re.Pattern[str]]:
    patterns = (
        ".*".join(map(re.escape, written.split("..."))).replace(r"\ .*", ".*")
        for written in explained(document)
    )
    return [re.compile(pattern, flags=re.DOTALL) for pattern in patterns]


def explained(document: str) -> list[str]:
    """The messages of which the document has a row."""
    section = document.partition(TITLE)[2].partition("\n## ")[0]
    cells = re.findall(r"^\| (.*?) \|", section, flags=re.MULTILINE)
    return [written for cell in cells for written in re.findall(r"`([^`]+)`", cell)]


def with_messages(document: str) -> str:
    """Return docs/operations.md with a row for each message that has none.

    Those of which all words come from somewhere else have no row of their own.
    """
    said = (message for _, message in messages() if re.search(r"\w", _without_names(message)))
    rows = [
        row((code(_without_names(message)), "not explained yet"))
        for message in dict.fromkeys(said)
        if not is_explained(message, document)
    ]
    before, title, after = document.partition(TITLE)
    section, end, others = after.partition("\n\n## ")
    return "".join([before, title, "\n".join([section, *rows]), end, others])


def _without_names(message: str) -> str:
    return re.sub(r"%\(\w+\)[sd]", "...", message)
