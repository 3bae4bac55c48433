"""The shapes that values in a query file can have: one text, several, keys that are known."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TypeGuard, TypeVar

from tiktok_crawler.exceptions import QueryFileError
from tiktok_crawler.query_file.list_file import read_cells
from tiktok_crawler.query_file.mistakes import Argument, ListLine
from tiktok_crawler.query_file.text_file import is_file
from tiktok_crawler.query_file.whole_numbers import parse_whole_number
from tiktok_crawler.query_file.yaml_text import ListNode, MapNode, TextNode
from tiktok_crawler.spelling import did_you_mean, listed, named, nearest, quoted

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from tiktok_crawler.query_file.mistakes import Mistakes
    from tiktok_crawler.query_file.yaml_text import Entry, Node

_K = TypeVar("_K", bound=str)

FILE = "file"
"""The key that stands for the values of a file."""

_NO_VALUE = "has no value (what follows a blank and # is a comment)"


def joined(path: str, key: str) -> str:
    """The name of a key inside others: `include.either`."""
    return f"{path}.{key}" if path else key


class NodeReader:
    """Reads nodes in the shape that is expected, and reports those in another one.

    `hints` say more about keys that are not known where they stand, by path or by key alone.
    """

    def __init__(self, findings: Mistakes, hints: Mapping[str, str]) -> None:
        self._findings = findings
        self._folder = findings.path.parent if findings.path else Path()
        self._hints = hints

    def entries(self, node: Node, path: str, known: Collection[str]) -> Iterator[Entry]:
        """The known entries of a mapping; nothing of one that is empty."""
        if isinstance(node, TextNode) and node.is_missing:
            return
        if not isinstance(node, MapNode):
            words = f"must hold keys with values, found {_kind(node)}; allowed: {', '.join(known)}"
            self._mistake(node, path, words)
            return
        for entry in node.entries.values():
            if entry.key in known:
                yield entry
            else:
                self._report_unknown(entry, joined(path, entry.key), known)

    def all_entries(self, node: Node, path: str, keys: Sequence[_K]) -> dict[_K, Node]:
        """Return the value of each of the keys of a mapping; nothing if one of them is missing."""
        found = {entry.key: entry.value for entry in self.entries(node, path, keys)}
        if missing := [key for key in keys if key not in found]:
            if isinstance(node, MapNode) and len(found) == len(node.entries):
                self._mistake(node, path, f"lacks {listed(missing, conjunction='and')}")
            return {}
        return {key: found[key] for key in keys}

    def items(self, node: Node, key: str) -> list[Node]:
        """The items of a list; nothing where nothing is written."""
        if isinstance(node, ListNode):
            return [item for item in node.items if not self._is_empty(item, key)]
        if not (isinstance(node, TextNode) and node.is_missing):
            self._mistake(node, key, f"must be a list, found {_kind(node)}")
        return []

    def text(self, node: Node, key: str) -> TextNode | None:
        """The one value that a key has."""
        if not isinstance(node, TextNode):
            self._mistake(node, key, f"must be one value, found {_kind(node)}")
        elif node.is_missing:
            self._mistake(node, key, _NO_VALUE)
        else:
            return node
        return None

    def number(self, node: Node, key: str, *, most: int | None = None) -> int | None:
        """The whole number that a key has, of at least 1 and, if there is a limit, at most that."""
        text = self.text(node, key)
        if text is None:
            return None
        written = text.text.strip()
        number = parse_whole_number(written)
        if number is None or (most is not None and number > most):
            allowed = "of at least 1" if most is None else f"from 1 to {most:,}"
            self._mistake(text, key, f"{quoted(written)} is no whole number {allowed}")
            return None
        return number

    def texts(
        self, node: Node, key: str, *, of: str = "tag", with_commas: bool = False
    ) -> list[TextNode]:
        """The values of a list, or the one value that stands there in place of a list.

        `{file: accounts.csv}` stands for the values of that file, which are `of` this kind: a field
        of the API, or tags. Unless values can be `with_commas`, a comma in one that stands in place
        of a list means that the list was forgotten.
        """
        if isinstance(node, ListNode):
            return [text for item in node.items for text in self._item_texts(item, key, of)]
        if isinstance(node, MapNode) and FILE in node.entries:
            return self._file_texts(node, key, of)
        if isinstance(node, MapNode):
            self._mistake(node, key, f"must be a list such as [a, b], found {_kind(node)}")
        elif node.is_missing:
            self._mistake(node, key, _NO_VALUE)
        elif "," in node.text and not with_commas:
            self._mistake(node, key, f"{quoted(node.text)}: write several values as a list, [a, b]")
        elif not self._names_file(node, key):
            return [node]
        return []

    def _item_texts(self, item: Node, key: str, of: str) -> list[TextNode]:
        if isinstance(item, MapNode) and FILE in item.entries:
            return self._file_texts(item, key, of)
        return [item] if self._is_value(item, key) and not self._names_file(item, key) else []

    def _file_texts(self, node: MapNode, key: str, of: str) -> list[TextNode]:
        """The values of the file that a node names, each at its line."""
        (entry,) = self.entries(node, key, (FILE,))
        name = self.text(entry.value, joined(key, FILE))
        if name is None or isinstance(name.place, ListLine):
            return []
        path = self._folder / name.text.strip()
        try:
            cells = read_cells(path, of)
        except QueryFileError as exc:
            is_argument = isinstance(name.place, Argument)
            is_name = is_argument and of == "username" and not is_file(path)
            hint = "; names are written without @" if is_name else ""
            self._mistake(name, joined(key, FILE), f"{exc}{hint}")
            return []
        self._findings.lists.append(path)
        if not cells:
            self._mistake(name, joined(key, FILE), f"{named(path)}: holds no value")
        return [TextNode(ListLine(path, cell.line, name.place), cell.text) for cell in cells]

    def _names_file(self, node: TextNode, key: str) -> bool:
        """Report the name of a file that is written as the command line takes it."""
        name = node.text.strip()
        if not name.startswith("@") or not is_file(self._folder / name[1:]):
            return False
        self._mistake(node, key, f"{quoted(name)}: a file is written as {{file: {name[1:]}}}")
        return True

    def values(self, node: Node, key: str, *, of: str, with_commas: bool = False) -> list[TextNode]:
        """The values as in `texts`, of a list that has to have some: an empty one limits nothing.

        What it was to limit would be searched, and paid for, without that limit.
        """
        if isinstance(node, ListNode) and not node.items:
            self._mistake(node, key, "is an empty list; write values into it, or take the key out")
        return self.texts(node, key, of=of, with_commas=with_commas)

    def warn_if_empty(self, node: Node, key: str) -> None:
        """Warn of a key that could limit what is found, and does not."""
        if (isinstance(node, TextNode) and node.is_missing) or (
            isinstance(node, MapNode) and not node.entries
        ):
            self._findings.warning(node.place, key, "holds nothing, and so limits nothing")

    def _is_value(self, item: Node, key: str) -> TypeGuard[TextNode]:
        if not isinstance(item, TextNode):
            self._mistake(item, key, f"each value must be text, found {_kind(item)}")
            return False
        return not self._is_empty(item, key)

    def _is_empty(self, item: Node, key: str) -> bool:
        if isinstance(item, TextNode) and item.is_missing:
            self._mistake(item, key, _NO_VALUE)
            return True
        return False

    def _report_unknown(self, entry: Entry, path: str, known: Collection[str]) -> None:
        hint = self._hints.get(path) or self._hints.get(entry.key)
        more = f"; {hint}" if hint else did_you_mean(nearest(entry.key, known))
        if entry.key != entry.key.strip():
            more = "; blanks of another kind are beside it, such as U+00A0: write ordinary ones"
        words = f"is not a key here; allowed: {', '.join(known)}{more}"
        self._findings.mistake(entry.place, path, words)

    def _mistake(self, node: Node, key: str, words: str) -> None:
        self._findings.mistake(node.place, key, words)


def _kind(node: Node) -> str:
    match node:
        case TextNode():
            return quoted(node.text)
        case ListNode():
            return "a list"
    return "keys with values"
