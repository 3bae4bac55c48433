"""Options of a query - dates, tags, refreshing - from the query file and spider arguments."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Generic, TypeVar

from tiktok_crawler.query_file.argument_lists import list_node
from tiktok_crawler.query_file.mistakes import Argument, Place, Position
from tiktok_crawler.query_file.refreshing import parse_keep_fresh
from tiktok_crawler.query_file.written_dates import NEVER, parse_age, parse_date
from tiktok_crawler.query_file.yaml_text import TextNode
from tiktok_crawler.research_api.conditions import text_problem
from tiktok_crawler.spelling import quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import date, timedelta

    from tiktok_crawler.query_file.mistakes import Mistakes
    from tiktok_crawler.query_file.node_reader import NodeReader
    from tiktok_crawler.query_file.refreshing import KeepFresh
    from tiktok_crawler.query_file.yaml_text import Entry, Node

OPTIONS = ("start_date", "end_date", "tags", "refresh_after", "revisit", "keep_fresh")
LISTS = ("tags", "revisit")
"""Options that are lists."""
MAX_TAG_LENGTH = 100

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Given(Generic[T]):
    """The value of an option, how it was written, and where."""

    key: str
    value: T
    written: str
    place: Place

    def __str__(self) -> str:
        value = str(self.value)
        return value if self.written == value else f"{value} ({quoted(self.written)})"

    @property
    def is_argument(self) -> bool:
        return isinstance(self.place, Argument)


class OptionReader:
    """Reads what stands in the file or was given as spider argument; arguments beat the file.

    Args:
        entries: the known entries of the file.
        arguments: the options among the spider arguments.
        reader: reads the nodes.
        findings: takes the mistakes, those in values that an argument beats too.
    """

    def __init__(
        self,
        entries: Mapping[str, Entry],
        arguments: Mapping[str, str],
        *,
        reader: NodeReader,
        findings: Mistakes,
    ) -> None:
        self._sources = (
            {key: entry.value for key, entry in entries.items()},
            {key: _argument_node(key, arguments[key]) for key in OPTIONS if key in arguments},
        )
        self._reader = reader
        self._findings = findings

    def date(self, key: str, *, today: date, is_needed: bool = True) -> Given[date] | None:
        """The date of that key, which must be given somewhere if it is needed."""
        nodes = [node for node in self._nodes(key) if not _is_blank(node)]
        if is_needed and not nodes:
            words = f"is missing; write {key}: 2024-01-31 or give the argument -a {key}=2024-01-31"
            self._findings.mistake(Position(1, 1), key, words)
        return self._last(nodes, key, partial(parse_date, today=today))

    def age(self, key: str) -> Given[timedelta] | None:
        return self._last(self._nodes(key), key, parse_age)

    def ages(self, key: str) -> list[Given[timedelta]]:
        """The ages of a list, the lowest first; `never` says that there are none."""
        given: list[Given[timedelta]] = []
        for node in self._nodes(key):
            texts = self._reader.texts(node, key)
            given = [age for text in texts if (age := self._given(text, key, parse_age))]
            self._report_repeats(given)
        ages = (age for age in given if age.value != NEVER)
        return sorted(ages, key=lambda age: age.value)

    def keep_fresh(self, key: str) -> Given[KeepFresh] | None:
        return self._last(self._nodes(key), key, parse_keep_fresh)

    def tags(self, key: str) -> tuple[str, ...]:
        """The tags in their order, without repeats."""
        tags: list[str | None] = []
        for node in self._nodes(key):
            tags = [self._parsed(text, key, parse_tag) for text in self._reader.texts(node, key)]
        return tuple(dict.fromkeys(tag for tag in tags if tag))

    def _nodes(self, key: str) -> list[Node]:
        """Return the nodes that give the option; the last one counts."""
        return [nodes[key] for nodes in self._sources if key in nodes]

    def _last(self, nodes: Iterable[Node], key: str, parse: Callable[[str], T]) -> Given[T] | None:
        given = None
        for node in nodes:
            if text := self._reader.text(node, key):
                given = self._given(text, key, parse)
        return given

    def _given(self, text: TextNode, key: str, parse: Callable[[str], T]) -> Given[T] | None:
        value = self._parsed(text, key, parse)
        return None if value is None else Given(key, value, text.text.strip(), text.place)

    def _report_repeats(self, ages: Sequence[Given[timedelta]]) -> None:
        """Report ages that are as high as one before, and `never` beside others."""
        seen: dict[timedelta, str] = {}
        for age in ages:
            if age.value in seen:
                words = f"{quoted(age.written)} is the same as {quoted(seen[age.value])}"
                self._findings.mistake(age.place, age.key, f"{words}; take one of them out")
            elif age.value == NEVER and len(ages) > 1:
                words = f"{quoted(age.written)} cannot stand beside other ages"
                self._findings.mistake(age.place, age.key, words)
            seen.setdefault(age.value, age.written)

    def _parsed(self, node: TextNode, key: str, parse: Callable[[str], T]) -> T | None:
        try:
            return parse(node.text)
        except ValueError as exc:
            self._findings.mistake(node.place, key, f"{quoted(node.text)} {exc}")
            return None


def _argument_node(key: str, value: str) -> Node:
    place = Argument(key, value)
    return list_node(place) if key in LISTS else TextNode(place, value)


def _is_blank(node: Node) -> bool:
    return isinstance(node, TextNode) and node.is_missing


def parse_tag(text: str) -> str:
    """A tag without the blanks around it.

    Raises:
        ValueError: the text is empty, unprintable or too long.
    """
    tag = text.strip()
    if problem := text_problem(tag):
        raise ValueError(problem)
    if len(tag) > MAX_TAG_LENGTH:
        raise ValueError(f"is too long: {len(tag)} characters, allowed: {MAX_TAG_LENGTH}")
    return tag
