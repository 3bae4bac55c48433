"""The raw form of a query: the API's own object, checked and never rewritten."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tiktok_crawler.query_file.node_reader import joined
from tiktok_crawler.query_file.parsed_conditions import PARTS, Location, ParsedCondition, Value
from tiktok_crawler.query_file.yaml_text import ListNode
from tiktok_crawler.research_api.query import GROUPS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tiktok_crawler.query_file.node_reader import NodeReader
    from tiktok_crawler.query_file.yaml_text import Node
    from tiktok_crawler.research_api.query import Group

RAW_HINTS: dict[str, str] = dict.fromkeys(GROUPS, "it stands under query")
"""Hints for groups that stand elsewhere."""


def raw_drafts(node: Node, reader: NodeReader) -> Iterator[ParsedCondition]:
    """The conditions of the object under the key `query`."""
    groups = {entry.key: entry.value for entry in reader.entries(node, "query", GROUPS)}
    for group in GROUPS:
        if group in groups:
            path = joined("query", group)
            for item in reader.items(groups[group], path):
                yield from _draft(item, group, path, reader)


def _draft(item: Node, group: Group, path: str, reader: NodeReader) -> Iterator[ParsedCondition]:
    if not (nodes := reader.all_entries(item, path, PARTS)):
        return
    spots = {part: Location(joined(path, part), nodes[part].place) for part in PARTS}
    field_name = reader.text(nodes["field_name"], spots["field_name"].key)
    operation = reader.text(nodes["operation"], spots["operation"].key)
    listed = nodes["field_values"]
    of = field_name.text if field_name else ""
    texts = reader.texts(listed, spots["field_values"].key, of=of, with_commas=True)
    is_whole = texts or listed == ListNode(listed.place, ())
    if field_name and operation and is_whole:
        values = tuple(Value(text.text, text.text, text.place) for text in texts)
        yield ParsedCondition(
            group, field_name.text, operation.text, values, spots, is_literal=True
        )
