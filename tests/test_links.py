"""Links of the documentation lead somewhere: to a file that there is, and a heading of it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[1]
DOCUMENTS = [
    *(CHECKOUT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")),
    *sorted((CHECKOUT / "docs").glob("*.md")),
]


def text_of(path):
    """What is no example."""
    return re.sub(r"```.*?```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)


def anchors_of(path):
    headings = re.findall(r"^#+ (.*)$", text_of(path), flags=re.MULTILINE)
    words = (re.sub(r"[^\w -]", "", heading) for heading in headings)
    return {heading.strip().lower().replace(" ", "-") for heading in words}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document):
    wrong = []
    for link in re.findall(r"\]\(([^)\s]+)\)", text_of(document)):
        if re.match(r"\w+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (document.parent / name).resolve() if name else document
        is_there = target.exists() and (
            not anchor or target.suffix != ".md" or anchor in anchors_of(target)
        )
        wrong += [] if is_there else [link]
    assert wrong == []
