"""Reads how much a query file may take of a run that has several: its priority and its limits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tiktok_crawler.query_file.whole_numbers import parse_whole_number
from tiktok_crawler.spelling import quoted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tiktok_crawler.query_file.mistakes import Mistakes
    from tiktok_crawler.query_file.node_reader import NodeReader
    from tiktok_crawler.query_file.yaml_text import Entry

LIMITS = ("priority", "max_requests", "max_videos")

HIGHEST_PRIORITY = 100


@dataclass(frozen=True, slots=True)
class Limits:
    """The share of a query in a run, and what it may have at most.

    Of two queries, one of `priority` 3 gets three requests where one of 1 gets one. `max_requests`
    are of a run, for the videos; `max_videos` are of the query, those of earlier runs included.
    """

    priority: int = 1
    max_requests: int | None = None
    max_videos: int | None = None


NO_LIMITS = Limits()


def read_limits(entries: Mapping[str, Entry], reader: NodeReader, findings: Mistakes) -> Limits:
    """Read the limits among the entries of a file."""
    found = {}
    for key in entries.keys() & set(LIMITS):
        text = reader.text(entries[key].value, key)
        if text is None:
            continue
        number = parse_whole_number(text.text.strip())
        most = HIGHEST_PRIORITY if key == "priority" else None
        if number is None or (most and number > most):
            allowed = f"from 1 to {most}" if most else "of at least 1"
            words = f"{quoted(text.text)} is no whole number {allowed}"
            findings.mistake(text.place, key, words)
        else:
            found[key] = number
    return Limits(**found)
