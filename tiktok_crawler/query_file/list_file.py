"""Files that hold a list of values: a value a line, or a table with a header, as CSV or TSV."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tiktok_crawler.exceptions import QueryFileError
from tiktok_crawler.query_file.text_file import read_text
from tiktok_crawler.spelling import listed, named, quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

MAX_BYTES = 64 * 1024 * 1024

_LINKS = ("url", "link", "address")
_COLUMNS = {
    "username": (
        *("username", "handle", "unique_id", "screen_name", "account", "account_name"),
        *("author", "author_username", "author_unique_id", "user", "profile"),
        *("profile_url", "profile_link", "account_url", "author_url", "user_url", *_LINKS),
    ),
    "video_id": (
        *("video_id", "item_id", "aweme_id", "id", "video", "video_url", "video_link"),
        *("web_video_url", *_LINKS),
    ),
    "hashtag_name": ("hashtag", "hashtag_name", "tag", "name", *_LINKS),
    "keyword": ("keyword", "search_term", "term", "phrase", "word"),
    "region_code": ("region_code", "region", "country_code", "country"),
    "music_id": ("music_id", "sound_id", "id", "music", "sound", "music_url", *_LINKS),
    "effect_id": ("effect_id", "id", "effect"),
    "video_length": ("video_length", "length"),
    "playlist_id": ("playlist_id", "id", "playlist", "playlist_url", *_LINKS),
    "shop_id": ("shop_id", "id"),
    "shop_name": ("shop_name", "shop", "name"),
    "product_id": ("product_id", "id"),
    "tag": ("tag", "name"),
}
"""What the columns with such values are called, the surest name first."""

_WORDS = ("hashtag_name", "keyword", "shop_name", "tag")
"""Values that can begin with #, and that can be called like a column."""

_DELIMITERS = ",;\t"
_SEPARATOR_LINES = {"sep=", *(f"sep={sign}" for sign in _DELIMITERS)}
"""With such a line Excel is told of the separator."""

_NOT_IN_NAMES = re.compile(r"[\W_]+")
_COMMENT_BEHIND = re.compile(r"\s#.*")
_NAMED_COLUMNS = 6
_EXACT_DIGITS = 15


@dataclass(frozen=True, slots=True)
class Cell:
    """A value as it stands in a file, without blanks around it, and its line, counted from 1."""

    text: str
    line: int


@dataclass(frozen=True, slots=True)
class _Row:
    line: int
    cells: tuple[str, ...]
    width: int
    """How many cells it has with the empty ones at its end."""

    @property
    def has_several(self) -> bool:
        return len(self.cells) > 1


def read_cells(path: Path, what: str) -> list[Cell]:
    """Read the values of a file; `what` they are is the name of a field or of a seed's key.

    Empty lines and comments are left out. In a row of a table, no value is an empty text.

    Raises:
        QueryFileError: the file cannot be read, or it is a table in which no column, or more than
            one, has a name of such values.
    """
    rows = [*_rows(path, read_text(path, what="list", max_bytes=MAX_BYTES), what)]
    if not rows:
        return []
    if found := _columns(rows, what):
        column = _only(path, rows[0], found)
        _check_widths(path, rows)
        cells = ((row.cells[column] if column < len(row.cells) else "", row) for row in rows[1:])
        return _exact(path, [Cell(_value(text, what), row.line) for text, row in cells])
    if sum(row.has_several for row in rows) > 1 or _is_header_of_others(rows, what):
        raise QueryFileError(f"{named(path)}:{rows[0].line}: {_no_column(rows[0], what)}")
    values = (Cell(_value(text, what), row.line) for row in rows for text in row.cells)
    return _exact(path, [value for value in values if value.text])


def _exact(path: Path, cells: list[Cell]) -> list[Cell]:
    """The values, unless all long numbers among them have the 15 digits of a spreadsheet's."""
    long = [cell for cell in cells if cell.text.isdecimal() and len(cell.text) > _EXACT_DIGITS + 2]
    is_rounded = all(not cell.text[_EXACT_DIGITS:].strip("0") for cell in long)
    if is_rounded and len({cell.text for cell in long}) > 1:
        raise QueryFileError(
            f"{named(path)}:{long[0].line}: {long[0].text} and all other long numbers end in "
            "zeros: a spreadsheet has rounded them; format the column of ids as text before they "
            "come in"
        )
    return cells


def _rows(path: Path, text: str, what: str) -> Iterator[_Row]:
    """Yield the rows that hold something, without the empty cells at their ends."""

    def is_comment(line: str) -> bool:
        return _is_comment(line, what)

    for line, cells in _records(path, text, is_comment):
        stripped = [cell.strip() for cell in cells]
        while stripped and not stripped[-1]:
            stripped.pop()
        if stripped:
            yield _Row(line, tuple(stripped), len(cells))


def _records(
    path: Path, text: str, is_comment: Callable[[str], bool]
) -> Iterator[tuple[int, list[str]]]:
    """Yield what the csv module makes of the text, each with its first line's number."""
    is_inside = False

    def lines() -> Iterator[str]:
        nonlocal is_inside
        for line in io.StringIO(text, newline=None):
            is_left_out = not is_inside and is_comment(line)
            is_inside = True
            yield "\n" if is_left_out else line

    delimiter = _delimiter(line for line in io.StringIO(text, newline=None) if not is_comment(line))
    reader = csv.reader(lines(), delimiter=delimiter, skipinitialspace=True, strict=True)
    while True:
        number, is_inside = reader.line_num + 1, False
        try:
            yield number, next(reader)
        except StopIteration:
            return
        except csv.Error as exc:
            raise QueryFileError(
                f"{named(path)}:{number}: cannot be read as a table: {exc}"
            ) from None


def _is_comment(line: str, what: str) -> bool:
    begin = line.strip()
    if begin.startswith("#"):
        return what not in _WORDS or begin.lstrip("#")[:1].strip() == ""
    return begin.lower() in _SEPARATOR_LINES


def _delimiter(lines: Iterable[str]) -> str:
    """Return what stands most often in the first line that holds something."""
    first = next((line for line in lines if line.strip()), "")
    return max(_DELIMITERS, key=first.count)


def _value(cell: str, what: str) -> str:
    return cell if what in _WORDS else _COMMENT_BEHIND.sub("", cell).strip()


def _columns(rows: Sequence[_Row], what: str) -> list[int]:
    """Return the columns with the surest name that one has; none if the first row is no header."""
    names = [_plain(cell) for cell in rows[0].cells]
    known = _COLUMNS.get(what, ())
    if what in _WORDS and not any(row.has_several for row in rows):
        known = known[:2]
    found = ([i for i, each in enumerate(names) if each == name] for name in map(_plain, known))
    return next(filter(None, found), [])


def _is_header_of_others(rows: Sequence[_Row], what: str) -> bool:
    """Tell whether the first line names a column, such as `video_id`, of values of another kind."""
    names = (name for known in _COLUMNS.values() for name in known if "_" in name or name == "id")
    header = {_plain(cell) for cell in rows[0].cells}
    return len(rows) > 1 and what not in _WORDS and not header.isdisjoint(map(_plain, names))


def _only(path: Path, header: _Row, found: Sequence[int]) -> int:
    if len(found) == 1:
        return found[0]
    name = quoted(header.cells[found[0]])
    raise QueryFileError(
        f"{named(path)}:{header.line}: {len(found)} columns are called {name}; rename all but one"
    )


def _check_widths(path: Path, rows: Sequence[_Row]) -> None:
    """Refuse rows with more cells than the header: what stands in a column is not sure there."""
    width = rows[0].width
    lines = [
        row.line
        for row in rows
        if len(row.cells) > width and not any(map(_COMMENT_BEHIND.search, row.cells[:width]))
    ]
    if lines:
        more = f", and so have {len(lines) - 1:,} more" if len(lines) > 1 else ""
        raise QueryFileError(
            f"{named(path)}:{lines[0]}: has more cells than the first line has columns{more}; put "
            "quotation marks around values with separators in them"
        )


def _plain(name: str) -> str:
    return _NOT_IN_NAMES.sub("", name.casefold()).removesuffix("s")


def _no_column(header: _Row, what: str) -> str:
    found = ", ".join(quoted(cell) for cell in header.cells[:_NAMED_COLUMNS])
    allowed = listed(_COLUMNS.get(what, (what,))[:_NAMED_COLUMNS])
    return (
        "looks like a table, and which of its columns has the values is not clear: the first line "
        f"is {found}; call the column {allowed}, or write one value a line"
    )
