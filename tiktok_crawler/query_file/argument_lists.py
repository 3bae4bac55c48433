"""Lists in spider arguments: values between commas, or `@` and the name of a file. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tiktok_crawler.query_file.node_reader import FILE
from tiktok_crawler.query_file.yaml_text import Entry, ListNode, MapNode, TextNode

if TYPE_CHECKING:
    from tiktok_crawler.query_file.mistakes import Argument


def named_file(value: str) -> str | None:
    """Return the name of the file that an argument names in place of a list."""
    return value[1:] if value.startswith("@") and "," not in value else None


def list_node(argument: Argument) -> ListNode | MapNode:
    """Make what a query file would hold of an argument that is a list."""
    if name := named_file(argument.value):
        return MapNode(argument, {FILE: Entry(FILE, argument, TextNode(argument, name))})
    values = argument.value.split(",")
    return ListNode(argument, tuple(TextNode(argument, value) for value in values))
