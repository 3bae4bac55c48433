"""Shows text so that it is read and not obeyed; finds the spellings nearest to mistaken words."""

from __future__ import annotations

import json
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any
from unicodedata import category

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

_LONGEST_SHOWN = 60
_LONGEST_COMPARED = 40

_STEERING = {"Cc", "Cf", "Cs", "Zl", "Zp"}
"""The categories of characters that steer a terminal, or break a line."""

_JOINERS = "\u200c\u200d"
"""They belong to the spelling of Persian and Hindi, and to emoji."""

_FORMULAS = "=+-@\uff1d\uff0b\uff0d\uff20"
"""Begin formulas in a spreadsheet; the last four as Japanese keyboards write the others."""


def quoted(text: str) -> str:
    """The text in quotes, on one line and cut to a readable length."""
    return repr(_cut(text))


def shortened(text: str) -> str:
    """The text without quotes, on one line and cut to a readable length."""
    return visible(_cut(text))


def visible(text: str) -> str:
    """The text on one line, with a mark for each character that would steer a terminal."""
    return _with_marks(text, lambda _: "�")


def named(file: object) -> str:
    """The name of a file, or the path to it, on one line: others may have chosen it."""
    return visible(str(file))


def visible_lines(text: str) -> str:
    """Likewise, but lines stay lines."""
    return _with_marks(text, lambda character: character if character in "\n\t" else "�")


def json_text(value: object) -> str:
    """The value as JSON that people can read, with escapes for what would steer a terminal."""
    lines = json.dumps(value, indent=2, ensure_ascii=False).split("\n")
    return "\n".join(_with_marks(line, lambda each: json.dumps(each)[1:-1]) for line in lines)


def guarded(cell: Any) -> Any:
    """A cell of a table; text that a spreadsheet would take for a formula has an apostrophe before.

    Blanks before the formula do not hide it. A number below 0 is none; text that looks like one is.
    """
    if not isinstance(cell, str):
        return cell
    first = next((each for each in cell if each.isprintable() and not each.isspace()), " ")
    is_formula = cell.startswith(("\t", "\r", "\n")) or first in _FORMULAS
    return f"'{cell}" if is_formula else cell


def unguarded(cell: str) -> str:
    """A cell as it was before `guarded`."""
    bare = cell.removeprefix("'")
    return bare if bare != cell == guarded(bare) else cell


def number_of(count: int, plural: str) -> str:
    """`1 reply`, `1,234 videos`."""
    return f"{count:,} {plural if count != 1 else _singular(plural)}"


def nearest(word: str, choices: Iterable[str], *, similarity: float = 0.6) -> list[str]:
    """The choice that looks most like the word, whatever its case, if one looks like it.

    The similarity that this takes is that of `difflib`, from 0 to 1.
    """
    if len(word) > _LONGEST_COMPARED:
        return []
    folded = {choice.casefold(): str(choice) for choice in choices}
    matches = get_close_matches(word.casefold(), folded, n=1, cutoff=similarity)
    return [folded[match] for match in matches]


def listed(words: Sequence[str], *, conjunction: str = "or") -> str:
    """`a, b or c`."""
    *first, last = words
    return f"{', '.join(first)} {conjunction} {last}" if first else last


def and_more(shown: Sequence[str], count: int) -> str:
    """`a, b and 1,234 more`: those that are shown, of so many words."""
    more = count - len(shown)
    return ", ".join(shown) + (f" and {more:,} more" if more > 0 else "")


def did_you_mean(suggestions: Sequence[str]) -> str:
    """The end of a message: `; did you mean 'a' or 'b'?`, or nothing without suggestions."""
    if not suggestions:
        return ""
    return f"; did you mean {listed([quoted(word) for word in suggestions])}?"


def _with_marks(text: str, mark: Callable[[str], str]) -> str:
    """The text, with something else for each character that would steer a terminal."""
    if text.isprintable():
        return text
    return "".join(mark(character) if _steers(character) else character for character in text)


def _steers(character: str) -> bool:
    return category(character) in _STEERING and character not in _JOINERS


def _singular(plural: str) -> str:
    if plural.endswith("ies"):
        return f"{plural[:-3]}y"
    return plural.removesuffix("es" if plural.endswith("ches") else "s")


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_SHOWN else f"{text[: _LONGEST_SHOWN - 1]}…"
