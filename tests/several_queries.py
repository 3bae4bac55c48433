"""Queries beside a document's own: in the same database, and with many of the same videos."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from processes import scrapy

from tiktok_crawler.sandbox import Sandbox

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

OTHERS = {
    "butter": """
start_date: 2024-01-01
end_date: 2024-01-20
tags: [other]
include: {any_hashtags: [butter]}
""",
    "bread_and_cheese": """
start_date: 2024-01-05
end_date: 2024-01-31
tags: [other, more]
include: {any_hashtags: [bread, cheese]}
""",
}


def collect(folder: Path, text: str, *arguments: str, status: int = 0, **variables: str) -> None:
    """Collect what a query file asks for from the sandbox."""
    (folder / "collected.yaml").write_text(text)
    query = ("-a", "query=collected.yaml", *arguments, "-s", "TIKTOK_SANDBOX=True")
    run = scrapy(folder, "crawl", "videos", *query, **variables)
    assert run.returncode == status, run.stderr


def collect_others(folder: Path, **variables: str) -> None:
    for text in OTHERS.values():
        collect(folder, text, **variables)


def truth(query: dict[str, Any], start: date, end: date) -> list[dict[str, Any]]:
    """The videos of a query, as the sandbox has them."""
    return Sandbox().matches(query, start, end)


def one_of(field: str, *values: str) -> dict[str, Any]:
    """A condition of a query."""
    return {"operation": "IN", "field_name": field, "field_values": list(values)}
