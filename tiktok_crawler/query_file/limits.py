"""Reads how much a query file may take of a run that has several: its priority and its limits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

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


def read_limits(entries: Mapping[str, Entry], reader: NodeReader) -> Limits:
    """Read the limits among the entries of a file."""
    most = {"priority": HIGHEST_PRIORITY}
    found = {
        key: reader.number(entry.value, key, most=most.get(key))
        for key, entry in entries.items()
        if key in LIMITS
    }
    return Limits(**{key: number for key, number in found.items() if number})
