"""Mistakes and points worth knowing in a query file and the spider arguments beside it."""

from __future__ import annotations

from dataclasses import dataclass
from operator import itemgetter
from typing import TYPE_CHECKING, NoReturn

from tiktok_crawler.exceptions import QueryFileError, UsageError
from tiktok_crawler.spelling import named, shortened

if TYPE_CHECKING:
    from pathlib import Path

MAX_MISTAKES = 100
"""Reading stops here: by then the file is of another kind, and looking for spellings takes time."""


@dataclass(frozen=True, order=True, slots=True)
class Position:
    """A place in a file, counted from 1."""

    line: int
    column: int

    def __str__(self) -> str:
        return f"line {self.line}, column {self.column}"


@dataclass(frozen=True, slots=True)
class Argument:
    """A spider argument, `-a name=value`."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class ListLine:
    """A line of a file with a list, and where that file is named."""

    path: Path
    line: int
    named_at: Position | Argument


Place = Position | Argument | ListLine


class Mistakes:
    """Collects mistakes, so that all are reported at once, and warnings.

    Without a query file, whose `path` is None then, all of them are of arguments. `lists` are the
    files with lists that were read.
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.lists: list[Path] = []
        self._in_file: list[tuple[tuple[Position, int], str]] = []
        self._in_arguments: list[str] = []
        self._warnings: list[str] = []

    def mistake(self, place: Place, key: str, words: str) -> None:
        line = self._line(place, key, words)
        if self.path is None or isinstance(place, Argument):
            self._in_arguments.append(line)
            return
        self._in_file.append((_order(place), line))
        if len(self._in_file) == MAX_MISTAKES:
            raise QueryFileError(f"{self._lines()}\n{named(self.path)}: and perhaps more")

    def fatal(self, position: Position, words: str) -> NoReturn:
        """Report a mistake after which the file cannot be read on, and end here."""
        self.mistake(position, "", words)
        self.stop()

    def warning(self, place: Place, key: str, words: str) -> None:
        self._warnings.append(self._line(place, key, words))

    @property
    def warnings(self) -> tuple[str, ...]:
        return tuple(self._warnings)

    @property
    def has_mistakes(self) -> bool:
        return bool(self._in_file or self._in_arguments)

    def stop(self) -> NoReturn:
        """Raise the mistakes; those of the file come before those of the arguments.

        Raises:
            QueryFileError: with a line for each mistake of the file, in its order.
            UsageError: with a line for each mistake of the arguments.
        """
        if self._in_file:
            raise QueryFileError(self._lines())
        raise UsageError("\n".join(self._in_arguments))

    def _line(self, place: Place, key: str, words: str) -> str:
        if isinstance(place, Argument):
            return f"-a {place.name}={shortened(place.value)}: {words}"
        parts = (self._where(place), shortened(key), words)
        return ": ".join(part for part in parts if part)

    def _where(self, place: Position | ListLine) -> str:
        if isinstance(place, ListLine):
            return f"{named(place.path)}:{place.line}"
        return f"{named(self.path)}:{place.line}:{place.column}" if self.path else ""

    def _lines(self) -> str:
        in_order = sorted(self._in_file, key=itemgetter(0))
        return "\n".join(line for _, line in in_order)


def _order(place: Position | ListLine) -> tuple[Position, int]:
    """Lines of a list come where the query file names it."""
    if isinstance(place, Position):
        return place, 0
    named_at = place.named_at
    return named_at if isinstance(named_at, Position) else Position(1, 1), place.line
