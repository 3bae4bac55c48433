"""Queries without a file: the keys of the friendly form as spider arguments. Pure.

What stands under `include` is called by its own name, all else by its path: `any_hashtags`,
`exclude.any_hashtags`, `view_count.gte`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from tiktok_crawler.query_file.argument_lists import list_node, named_file
from tiktok_crawler.query_file.friendly_form import FORM, OPERATIONS, Bounds, Values
from tiktok_crawler.query_file.mistakes import Argument
from tiktok_crawler.query_file.node_reader import FILE
from tiktok_crawler.query_file.options import LISTS, OPTIONS
from tiktok_crawler.query_file.yaml_text import Entry, MapNode, TextNode

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tiktok_crawler.query_file.friendly_form import Form
    from tiktok_crawler.query_file.yaml_text import Node

    Nested = Mapping[str, "Nested | Argument"]


def _paths(form: Form, above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for key, kind in form.items():
        match kind:
            case Values():
                yield (*above, key)
            case Bounds():
                yield from ((*above, key, operation) for operation in OPERATIONS)
            case inner:
                yield from _paths(inner, (*above, key))


_PATHS = {".".join(path).removeprefix("include."): path for path in _paths(FORM)}
QUERY_ARGUMENTS = tuple(_PATHS)
"""The names of all arguments that are a part of a query."""


def query_node(arguments: Mapping[str, str]) -> MapNode:
    """Make what a query file would hold of the arguments that are a part of a query."""
    return _map_node(_nested(arguments))


def query_file_text(arguments: Mapping[str, str]) -> str:
    """Write the query file that says the same as the arguments, dates and tags among them."""
    options = {name: Argument(name, arguments[name]) for name in OPTIONS if name in arguments}
    content = _content({**options, **_nested(arguments)})
    return yaml.safe_dump(
        content, sort_keys=False, allow_unicode=True, default_flow_style=None, width=100
    ).strip()


def _nested(arguments: Mapping[str, str]) -> Nested:
    """The arguments, each under the keys of its path, in the order of the form."""
    root: dict[str, Any] = {}
    for name in filter(arguments.__contains__, QUERY_ARGUMENTS):
        *above, key = _PATHS[name]
        inner = root
        for part in above:
            inner = inner.setdefault(part, {})
        inner[key] = Argument(name, arguments[name])
    return root


def _map_node(nested: Nested) -> MapNode:
    nodes = {
        key: _value_node(inner) if isinstance(inner, Argument) else _map_node(inner)
        for key, inner in nested.items()
    }
    return MapNode(
        next(iter(nodes.values())).place,
        {key: Entry(key, node.place, node) for key, node in nodes.items()},
    )


def _value_node(argument: Argument) -> Node:
    if _is_list(argument.name):
        return list_node(argument)
    return TextNode(argument, argument.value)


def _content(nested: Nested) -> dict[str, Any]:
    return {
        key: _written(inner) if isinstance(inner, Argument) else _content(inner)
        for key, inner in nested.items()
    }


def _written(argument: Argument) -> str | list[str] | dict[str, str]:
    """Return the value, the values between commas, or the file that an argument names."""
    if not _is_list(argument.name):
        return argument.value.strip()
    if name := named_file(argument.value):
        return {FILE: name}
    return [value.strip() for value in argument.value.split(",")]


def _is_list(name: str) -> bool:
    if name in OPTIONS:
        return name in LISTS
    last = _PATHS[name][-1]
    return last not in OPERATIONS or last == "in"
