"""Reads archives: the lines of many files as one stream, in the order in which things happened.

What crashes leave behind - a torn last line, a file without its end - is noted and otherwise as
good as a file that ended there. Lines whose deeds were not done are left out; so are lines that no
session would have written so, which are named and counted.
"""

from __future__ import annotations

import os
import zlib
from collections import defaultdict, deque
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from heapq import heappop, heappush
from pathlib import Path
from typing import TYPE_CHECKING

from tiktok_crawler.archive.lines import (
    ANSWER,
    START,
    Begin,
    FileStart,
    Kind,
    Line,
    read_line,
    read_start,
)
from tiktok_crawler.archive.values import LineError
from tiktok_crawler.archive.writer import GZIP, SUFFIX
from tiktok_crawler.exceptions import ConfigurationError, UsageError
from tiktok_crawler.spelling import named

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator
    from typing import BinaryIO

    from tiktok_crawler.archive.lines import Subjects

    Strip = Callable[[bytes], bytes]

CHUNK_BYTES = 64 * 1024
PIECE_BYTES = 1024 * 1024
MOST_DAMAGES_IN_A_ROW = 100_000
"""A file with so many lines that cannot be used is none of ours from there on."""

MOST_NAMED = 10
"""So many damages are told; of the others, how many there are."""

BEFORE_ALL = datetime.min.replace(tzinfo=UTC)
LONGEST_LINE_BYTES = 2 * 64 * 1024 * 1024 + 1024 * 1024
"""More than the longest answer takes that a crawl accepts (DOWNLOAD_MAXSIZE)."""


class TornFileError(Exception):
    """A file ends in the middle: its crawl was killed, or is still writing."""


def find_archives(places: Iterable[Path]) -> list[Path]:
    """Find the archive files in folders and the folders in them, linked ones too, each once.

    A file may be named itself.

    Raises:
        UsageError: a place is not there, or has no archive.
    """
    found: set[Path] = set()
    for place in places:
        name = named(place)
        if not os.path.exists(place):  # noqa: PTH110 - of names too long pathlib raises
            raise UsageError(f"{name} does not exist: name the folder that TIKTOK_ARCHIVE named")
        if not (place.is_dir() or place.is_file()):
            raise UsageError(f"{name} is neither a folder nor a file")
        archives = list(_in_folder(place)) if place.is_dir() else [place]
        if not archives:
            raise UsageError(f"{name} has no archives: they are files named *{SUFFIX}")
        found.update(Path(os.path.realpath(path)) for path in archives)
    return sorted(found)


def archives_in(folders: Iterable[Path]) -> list[Path]:
    """Find the archive files in folders that may be there."""
    found = (path for folder in folders if folder.is_dir() for path in _in_folder(folder))
    return sorted({Path(os.path.realpath(path)) for path in found})


def _in_folder(folder: Path) -> Iterator[Path]:
    """Find what is named as an archive, whatever it is, but for folders; and links to nowhere.

    Links to folders are followed, each folder once: what such a link leads to may have archives.

    Raises:
        UsageError: a folder cannot be looked into.
    """

    def refuse(error: OSError) -> None:
        raise UsageError(f"{named(error.filename)} cannot be read: {error.strerror}")

    seen: set[str] = set()
    for parent, folders, names in os.walk(folder, onerror=refuse, followlinks=True):
        if (place := os.path.realpath(parent)) in seen:
            folders.clear()
            continue
        seen.add(place)
        paths = (Path(parent, name) for name in names)
        yield from (path for path in paths if path.name.endswith(SUFFIX) or _leads_nowhere(path))


def _leads_nowhere(path: Path) -> bool:
    return path.is_symlink() and not os.path.exists(path)  # noqa: PTH110 - of circles pathlib raises


@dataclass(slots=True)
class Troubles:
    """The problems found in files that are read.

    `torn` are files that end in the middle. Lines and ends of files that are lost for another
    reason are counted by `damaged`, and `damages` names the first of them. `repeated` are lines
    that were there before, as in a copy of a file.
    """

    torn: list[Path] = field(default_factory=list)
    damages: list[str] = field(default_factory=list)
    damaged: int = 0
    repeated: int = 0

    def add(self, place: str, words: str) -> None:
        """Note what is wrong at a place."""
        self.damaged += 1
        if self.damaged <= MOST_NAMED:
            self.damages.append(f"{place}: {words}")

    def leave_out(self, line: Line, error: LineError) -> None:
        """Note a line that can be read, and not be done."""
        self.add(line.stands_at, f"it {error}")


class _Numbers:
    """A set of whole numbers; those that follow one another take a bit each."""

    _SIZE = 8192

    def __init__(self) -> None:
        self._parts: dict[int, bytearray] = {}

    def add(self, number: int) -> bool:
        """Add a number; tell whether it is new."""
        part, place = divmod(number, self._SIZE)
        bits = self._parts.setdefault(part, bytearray(self._SIZE // 8))
        byte, bit = place // 8, 1 << place % 8
        is_new = not bits[byte] & bit
        bits[byte] |= bit
        return is_new


@dataclass(slots=True)
class _Journal:
    """The outcome of a run's deeds, as far as it is known before they are read in order.

    A run that `is_ended` has said of each deed whether it was done.
    """

    last_at: datetime
    void: set[int] = field(default_factory=set)
    marks: list[tuple[datetime, int]] = field(default_factory=list)
    is_ended: bool = False

    def has_done(self, number: int) -> bool:
        """Tell whether the deed of a line was done.

        Marks that were read while the run still wrote lines say nothing about the later ones.
        """
        if self.is_ended or number in self.void:
            return number not in self.void
        is_final = any(at >= self.last_at for at, _ in self.marks)
        return not is_final or number <= max(line for _, line in self.marks)


class Archives:
    """Archive files, of which all is read twice: what became of a deed can stand in a later file.

    `troubles` are those of the lines that were read so far. With `strip`, which makes what strips
    the lines of a file, they come without what was deleted.
    """

    def __init__(self, paths: list[Path], strip: Callable[[], Strip] | None = None) -> None:
        self.paths = paths
        self.troubles = Troubles()
        self._strip = strip or (lambda: _as_it_is)
        self._journals: dict[str, _Journal] = {}
        self._starts_at: dict[Path, datetime] = {}
        self._origins: set[str] = set()
        for path in paths:
            for found in _read(path, Troubles(), self._strip(), with_answers=False):
                self._note(found)
                if isinstance(found, FileStart):
                    self._starts_at.setdefault(path, found.at)
                    self._origins.add(found.origin)
                    for line in found.begun:
                        self._note(line)

    @property
    def origin(self) -> str:
        """The origin of everything in the archives.

        Raises:
            ConfigurationError: from different places; or nothing in them can be read.
        """
        if len(self._origins) != 1:
            found = _some(sorted(self._origins)) or "nowhere: none of them can be read"
            raise ConfigurationError(
                f"the archives must come from one origin, and come from {found}"
            )
        return next(iter(self._origins))

    def lines(self) -> Iterator[Line]:
        """Read the lines of deeds that were done, and answers, by time.

        Lines of one file come in their order. A file is opened when it is the turn of its first
        line: files of crawls that did not run at the same time are never open at the same time.
        """
        begins_at = ((self._starts_at.get(path, BEFORE_ALL), path) for path in self.paths)
        waiting = deque(sorted(begins_at))
        seen: dict[str, _Numbers] = defaultdict(_Numbers)
        heap: list[tuple[datetime, Path, Line, Generator[Line]]] = []
        while waiting or heap:
            if waiting and (not heap or waiting[0][0] <= heap[0][0]):
                path = waiting.popleft()[1]
                lines = self._done_in(path, seen)
            else:
                _, path, current, lines = heappop(heap)
                yield current
            if following := next(lines, None):
                heappush(heap, (following.at, path, following, lines))

    def _done_in(self, path: Path, seen: dict[str, _Numbers]) -> Generator[Line]:
        for found in _read(path, self.troubles, self._strip()):
            journal = self._journals.setdefault(found.journal, _Journal(found.at))
            if isinstance(found, FileStart):
                yield from (line for line in found.begun if journal.has_done(line.number))
            elif not seen[found.journal].add(found.number):
                self.troubles.repeated += 1
            elif journal.has_done(found.number):
                yield found

    def _note(self, found: FileStart | Line) -> None:
        journal = self._journals.setdefault(found.journal, _Journal(found.at))
        journal.last_at = max(journal.last_at, found.at)
        if not isinstance(found, Line):
            return
        journal.is_ended = found.deed.kind is Kind.CLOSE
        what = found.deed.what
        if isinstance(what, int):
            journal.void |= {found.number, what}
        elif isinstance(what, Begin):
            for name, line in what.marks.items():
                other = self._journals.setdefault(name, _Journal(BEFORE_ALL))
                other.marks.append((what.marked_at, line))


def _some(origins: list[str]) -> str:
    more = len(origins) - MOST_NAMED
    named = [*origins[:MOST_NAMED], *([f"{more:,} more"] if more > 0 else [])]
    return " and ".join(named)


def _as_it_is(text: bytes) -> bytes:
    return text


def _read(
    path: Path, troubles: Troubles, strip: Strip, *, with_answers: bool = True
) -> Generator[FileStart | Line]:
    """Read a file, of which the first line says whose it is."""
    number, damaged_in_a_row, name = 0, 0, named(path)
    source = _Source(strip)
    try:
        for number, text in enumerate(texts_of(path), start=1):
            place = f"{name}, line {number}"
            try:
                found = source.read(text, place, with_answers=with_answers)
                damaged_in_a_row = 0
                if found:
                    yield found
            except LineError as exc:
                troubles.add(place, f"it {exc}")
                damaged_in_a_row += 1
            if damaged_in_a_row == MOST_DAMAGES_IN_A_ROW:
                troubles.add(name, f"nothing is read after line {number}")
                return
    except ConfigurationError as exc:
        raise ConfigurationError(f"{name} cannot be replayed: {exc}") from exc
    except TornFileError:
        troubles.torn.append(path)
    except (OSError, zlib.error):
        troubles.add(f"{name}, line {number + 1}", "nothing can be read from here on")


@dataclass(slots=True)
class _Source:
    """The journal that lines come from, and what it is about; it has none until a line says so."""

    strip: Strip
    journal: str | None = None
    subjects: Subjects = field(default_factory=dict)

    def read(self, text: bytes, place: str, *, with_answers: bool) -> FileStart | Line | None:
        """Read a line; None for an answer that is not wanted."""
        if self.journal is None or text.startswith(START):
            self.journal, self.subjects = None, {}
            start = read_start(self._stripped(text), self.subjects)
            self.journal = start.journal
            begun = (replace(line, stands_at=place) for line in start.begun)
            return replace(start, begun=tuple(begun))
        if not with_answers and text.startswith(ANSWER):
            return None
        line = read_line(self._stripped(text), self.journal, self.subjects)
        return replace(line, stands_at=place)

    def _stripped(self, text: bytes) -> bytes:
        try:
            return self.strip(text)
        except (ValueError, LookupError, TypeError):
            return text


def texts_of(path: Path) -> Iterator[bytes]:
    """Read the lines of a file; a last one without its end is left out, one too long is empty."""
    parts: list[bytes] = []
    length = 0
    if not path.is_file():
        raise FileNotFoundError(path)
    with path.open("rb") as file:
        for text in _decompressed(file):
            *ends, rest = text.split(b"\n")
            for end in ends:
                yield b"".join((*parts, end)) if length + len(end) <= LONGEST_LINE_BYTES else b""
                parts, length = [], 0
            length += len(rest)
            parts = [*parts, rest] if length <= LONGEST_LINE_BYTES else []
    if length:
        raise TornFileError


def _decompressed(file: BinaryIO) -> Iterator[bytes]:
    """Read what a file of one or several gzip members holds, piece by piece."""
    inflate = zlib.decompressobj(GZIP)
    while packed := file.read(CHUNK_BYTES):
        while packed:
            if inflate.eof:
                inflate = zlib.decompressobj(GZIP)
            yield from _inflated(inflate, packed)
            packed = inflate.unconsumed_tail or inflate.unused_data
    if not inflate.eof:
        raise TornFileError


def _inflated(inflate: zlib._Decompress, packed: bytes) -> Iterator[bytes]:
    """Return a piece of compressed data, up to the byte at which it is damaged."""
    before = inflate.copy()
    try:
        yield inflate.decompress(packed, PIECE_BYTES)
    except zlib.error:
        for byte in packed:
            yield before.decompress(bytes((byte,)), PIECE_BYTES)
