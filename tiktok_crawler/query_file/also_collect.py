"""Reads what a query file wants besides its videos: `also_collect`, and the stages for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tiktok_crawler.query_file.yaml_text import ListNode, MapNode, TextNode
from tiktok_crawler.research_api.endpoints import LISTINGS
from tiktok_crawler.spelling import did_you_mean, nearest, quoted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tiktok_crawler.query_file.mistakes import Mistakes
    from tiktok_crawler.query_file.node_reader import NodeReader
    from tiktok_crawler.query_file.yaml_text import Node
    from tiktok_crawler.research_api.endpoints import Listing

KEY = "also_collect"

COLLECTABLE = {
    name: listing
    for name, listing in LISTINGS.items()
    if listing.has_spider and listing.seed_key.is_told_by_videos
}
"""Listings of the users and the playlists of videos, and of videos themselves."""

SWITCH = {"yes": 1, "no": 0, "true": 1, "false": 0}


@dataclass(frozen=True, slots=True)
class AlsoCollect:
    """One listing to be collected of what a query's videos name.

    `max_seeds` is of how many seeds it is wanted at most, and `limit` how many records of each;
    `min_comment_count` leaves out videos with fewer comments; `switches` are listings of what this
    one lists, each with how many records of a seed are wanted at most.
    """

    listing: Listing
    limit: int | None = None
    max_seeds: int | None = None
    min_comment_count: int = 0
    switches: tuple[tuple[Listing, int | None], ...] = ()


def read_also_collect(
    node: Node, reader: NodeReader, findings: Mistakes
) -> tuple[AlsoCollect, ...]:
    """The wishes of a list of names, with or without limits: `[users, comments: {...}]`."""
    wishes = {}
    for name, limits in _named(node, reader):
        listing = COLLECTABLE.get(name.text.strip())
        if listing is None:
            meant = did_you_mean(nearest(name.text, COLLECTABLE))
            words = f"{quoted(name.text)} cannot be collected; allowed: {', '.join(COLLECTABLE)}"
            findings.mistake(name.place, KEY, words + meant)
        elif listing.name in wishes:
            findings.mistake(name.place, KEY, f"{quoted(listing.name)} stands there twice")
        else:
            wishes[listing.name] = _wish(listing, limits, reader, findings)
    return tuple(wishes.values())


def _named(node: Node, reader: NodeReader) -> Iterator[tuple[TextNode, Node | None]]:
    """The names that stand there, each with the limits behind it, if there are any."""
    if isinstance(node, TextNode):
        yield from ((text, None) for text in reader.texts(node, KEY))
        return
    items: Iterable[Node] = [node] if isinstance(node, MapNode) else reader.items(node, KEY)
    for item in items:
        if isinstance(item, MapNode):
            for entry in item.entries.values():
                yield TextNode(entry.place, entry.key), entry.value
        elif isinstance(item, ListNode):
            reader.text(item, KEY)
        else:
            yield item, None


def _wish(
    listing: Listing, limits: Node | None, reader: NodeReader, findings: Mistakes
) -> AlsoCollect:
    path, found = f"{KEY}.{listing.name}", {}
    if limits is not None and not _is_empty(limits):
        entries = reader.entries(limits, path, tuple(_limit_keys(listing)))
        found = {entry.key: entry.value for entry in entries}
    read = {
        key: _switch(node, f"{path}.{key}", reader, findings)
        if key in listing.switches
        else reader.number(node, f"{path}.{key}")
        for key, node in found.items()
    }
    for name, one in listing.switches.items():
        if one.limit_argument in found and not read.get(name):
            place = found[one.limit_argument].place
            findings.mistake(place, f"{path}.{one.limit_argument}", f"requires {name}: yes")
    return AlsoCollect(
        listing,
        limit=read.get(listing.limit_argument or ""),
        max_seeds=read.get("max_seeds"),
        min_comment_count=read.get("min_comment_count") or listing.min_comment_count or 0,
        switches=tuple(
            (one, read.get(one.limit_argument or ""))
            for name, one in listing.switches.items()
            if read.get(name)
        ),
    )


def _is_empty(node: Node) -> bool:
    match node:
        case TextNode():
            return node.is_missing
        case MapNode():
            return not node.entries
    return False


def _limit_keys(listing: Listing) -> Iterator[str]:
    if listing.limit_argument:
        yield listing.limit_argument
    if listing.min_comment_count is not None:
        yield "min_comment_count"
    for name, one in listing.switches.items():
        yield name
        if one.limit_argument:
            yield one.limit_argument
    yield "max_seeds"


def _switch(node: Node, key: str, reader: NodeReader, findings: Mistakes) -> int | None:
    """Whether a switch is on, 1 or 0."""
    text = reader.text(node, key)
    if text is None:
        return None
    written = text.text.strip()
    if written not in SWITCH:
        words = f"{quoted(written)} is neither; allowed: {', '.join(SWITCH)}"
        findings.mistake(text.place, key, words)
    return SWITCH.get(written)
