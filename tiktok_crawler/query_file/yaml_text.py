"""YAML as nodes that keep each value as the text typed, with its place.

YAML's own types, anchors, aliases, tags and merge keys are not used: nothing in a file is turned
into anything but text, lists and keys with values.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias

import yaml

from tiktok_crawler.query_file.mistakes import Place, Position
from tiktok_crawler.spelling import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tiktok_crawler.query_file.mistakes import Mistakes

MAX_DEPTH = 8
"""Lists and mappings inside one another; the format itself needs five."""
MAX_NODES = 100_000
"""Values, lists and mappings in all: far more than a search takes, and quickly read."""
MAX_OPEN_BRACKETS = 100
"""Open at once: a parser looks so far ahead before it tells of the first of them."""
TOO_DEEP = f"more than {MAX_DEPTH} lists or keys inside one another"
TOO_MANY = f"more than {MAX_NODES:,} values"

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the first is 20 times as fast

_ESCAPED_PAIR = re.compile(
    r"(?<!\\)((?:\\\\)*)\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})"
)
_BRACKET = re.compile(
    r"""(?<!\S)\#[^\n]* | (?<![^\s,:\[{]) (?: "(?:[^"\\]|\\.)*+"? | '[^']*+'? ) | [][{}]""",
    re.DOTALL | re.VERBOSE,
)
"""Comments and quoted text are found too, so that the brackets in them are not."""
_COMMENT_IN_LIST = re.compile(r"[\[,]\s*#")


@dataclass(frozen=True, slots=True)
class TextNode:
    """One value; `is_missing` where nothing at all is written."""

    place: Place
    text: str
    is_missing: bool = False


@dataclass(frozen=True, slots=True)
class ListNode:
    place: Place
    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class MapNode:
    place: Place
    entries: Mapping[str, Entry]


@dataclass(frozen=True, slots=True)
class Entry:
    """A key of a mapping, at its place, and what it holds."""

    key: str
    place: Place
    value: Node


Node: TypeAlias = TextNode | ListNode | MapNode


class _Mark(Protocol):
    line: int
    column: int


def parse(text: str, findings: Mistakes) -> Node | None:
    """The nodes of the one document in a text, or None if it holds none.

    Raises:
        QueryFileError: what stands there cannot be read on, with the mistakes found up to there.
    """
    source = _without_json_peculiarities(text) if text.lstrip().startswith("{") else text
    if too_deep := _unreadable_nesting(source):
        findings.fatal(too_deep, TOO_DEEP)
    events = yaml.parse(source, Loader=_LOADER)
    try:
        return _Document(events, findings).root()
    except yaml.MarkedYAMLError as exc:
        findings.fatal(_position(exc.problem_mark), _syntax_words(exc, text))
    except (yaml.YAMLError, ValueError, OverflowError) as exc:
        findings.fatal(Position(1, 1), f"is not valid YAML: {exc}")


def _unreadable_nesting(text: str) -> Position | None:
    """Find where brackets are nested so deeply that a parser may fail on them.

    At which depth, and whether with an error or a crash, depends on its version. What is nested
    less deeply is refused by the parser's events.
    """
    depth = 0
    for found in _BRACKET.finditer(text):
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(found[0], 0)
        if depth > MAX_OPEN_BRACKETS:
            before = text[: found.start()]
            return Position(before.count("\n") + 1, len(before) - before.rfind("\n"))
    return None


def _without_json_peculiarities(text: str) -> str:
    """The text with what JSON allows and YAML does not: tabs as blanks, halves of characters."""
    return _ESCAPED_PAIR.sub(_joined_pair, text.replace("\t", " "))


def _joined_pair(found: re.Match[str]) -> str:
    backslashes, high, low = found.groups()
    return backslashes + bytes.fromhex(high + low).decode("utf-16-be")


def _position(mark: _Mark | None) -> Position:
    return Position(mark.line + 1, mark.column + 1) if mark else Position(1, 1)


def _syntax_words(exc: yaml.MarkedYAMLError, text: str) -> str:
    position = _position(exc.problem_mark)
    context = _position(exc.context_mark or exc.problem_mark)
    within = f", {exc.context} that begins in line {context.line}" if exc.context else ""
    hint = _syntax_hint(text.splitlines()[max(context.line - 3, 0) : position.line], position)
    return f"is not valid YAML: {exc.problem}{within}{hint}"


def _syntax_hint(lines: Sequence[str], position: Position) -> str:
    """Name the usual mistake where YAML cannot be read on; that is in the last of the lines."""
    found = lines[-1][position.column - 1 : position.column] if lines else ""
    if found == "\t":
        return "; indent with blanks, not with tabs"
    if found in ("@", "`", "%"):
        return f"; put a value that begins with {found} in quotes"
    if any(_COMMENT_IN_LIST.search(line) for line in lines):
        return "; # starts a comment: write hashtags without it"
    return ""


class _Document:
    """Makes nodes of the parser's events, one by one and never deeper than MAX_DEPTH."""

    def __init__(self, events: Iterator[yaml.Event], findings: Mistakes) -> None:
        self._events = events
        self._findings = findings
        self._count = 0

    def root(self) -> Node | None:
        next(self._events)  # the stream starts
        if isinstance(next(self._events), yaml.StreamEndEvent):
            return None
        root = self._node(next(self._events), 0)
        next(self._events)  # the document ends
        following = next(self._events)
        if isinstance(following, yaml.DocumentStartEvent):
            place = _position(following.start_mark)
            self._findings.mistake(place, "", "a second document begins; a query file has one")
        return root

    def _node(self, event: yaml.Event, depth: int) -> Node:
        place = _position(event.start_mark)
        self._count += 1
        if self._count > MAX_NODES:
            self._findings.fatal(place, TOO_MANY)
        if isinstance(event, yaml.AliasEvent):
            self._findings.fatal(place, "aliases (*name) are not allowed; write the value out")
        self._refuse_extras(event, place)
        if isinstance(event, yaml.ScalarEvent):
            return TextNode(place, event.value, is_missing=not (event.value or event.style))
        if depth == MAX_DEPTH:
            self._findings.fatal(place, TOO_DEEP)
        if isinstance(event, yaml.SequenceStartEvent):
            return ListNode(place, tuple(self._items(depth + 1)))
        return MapNode(place, self._entries(depth + 1))

    def _items(self, depth: int) -> Iterator[Node]:
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            yield self._node(event, depth)

    def _entries(self, depth: int) -> dict[str, Entry]:
        entries: dict[str, Entry] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key = self._node(event, depth)
            value = self._node(next(self._events), depth)
            if not isinstance(key, TextNode):
                self._findings.mistake(key.place, "", "a list or keys with values cannot be a key")
            elif words := _key_problem(key.text, entries):
                self._findings.mistake(key.place, key.text, words)
            else:
                entries[key.text] = Entry(key.text, key.place, value)
        return entries

    def _refuse_extras(self, event: yaml.Event, place: Position) -> None:
        if getattr(event, "anchor", None):
            self._findings.mistake(place, "", "anchors (&name) are not allowed")
        if tag := getattr(event, "tag", None):
            self._findings.mistake(place, "", f"tags ({quoted(tag)}) are not allowed")


def _key_problem(key: str, entries: Mapping[str, Entry]) -> str | None:
    if key == "<<":
        return "merge keys are not allowed; write out what is to be merged"
    if earlier := entries.get(key):
        return f"stands twice, the first time in {earlier.place}"
    return None
