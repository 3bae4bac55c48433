"""Reads how many videos of each day a query file wants, chosen at random: `sample`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tiktok_crawler.query_file.yaml_text import MapNode
from tiktok_crawler.research_api.endpoints import VIDEO_QUERY
from tiktok_crawler.research_api.query import SAMPLE, Sample

if TYPE_CHECKING:
    from tiktok_crawler.query_file.mistakes import Mistakes
    from tiktok_crawler.query_file.node_reader import NodeReader
    from tiktok_crawler.query_file.yaml_text import Entry

MOST = {"per_day": VIDEO_QUERY.max_count, "draw": 1000}


def read_sample(entry: Entry | None, reader: NodeReader, findings: Mistakes) -> Sample | None:
    """Read `sample: {per_day: 100, draw: 1}`; None if all videos are wanted."""
    if entry is None:
        return None
    found = {
        each.key: reader.number(each.value, f"{SAMPLE}.{each.key}", most=MOST[each.key]) or 1
        for each in reader.entries(entry.value, SAMPLE, tuple(MOST))
    }
    if "per_day" not in found and isinstance(entry.value, MapNode):
        words = "lacks per_day: how many videos of a day are to be drawn, such as {per_day: 100}"
        findings.mistake(entry.place, SAMPLE, words)
    return Sample(**found) if "per_day" in found else None
