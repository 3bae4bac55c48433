"""Reads archives: the lines of many files as one stream, in the order in which things happened.

What crashes leave behind - a torn last line, a file without its end - is noted and otherwise as
good as a file that ended there. Lines whose deeds were not done are left out.
"""

from __future__ import annotations

import zlib
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from heapq import heappop, heappush
from typing import TYPE_CHECKING

from tiktok_crawler.archive.lines import (
    ANSWER,
    START,
    Begin,
    FileStart,
    Line,
    LineError,
    read_line,
    read_start,
)
from tiktok_crawler.archive.writer import GZIP, SUFFIX
from tiktok_crawler.exceptions import ConfigurationError, UsageError

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator
    from pathlib import Path
    from typing import BinaryIO

    from tiktok_crawler.archive.lines import Subjects

CHUNK_BYTES = 64 * 1024
PIECE_BYTES = 1024 * 1024
MOST_DAMAGES = 100
"""A file with so many lines that cannot be read is none of ours from there on."""

BEFORE_ALL = datetime.min.replace(tzinfo=UTC)
LONGEST_LINE_BYTES = 2 * 64 * 1024 * 1024 + 1024 * 1024
"""More than the longest answer takes that a crawl accepts (DOWNLOAD_MAXSIZE)."""


class TornFileError(Exception):
    """A file ends in the middle: its crawl was killed, or is still writing."""


def find_archives(places: Iterable[Path]) -> list[Path]:
    """Find the archive files in folders and the folders in them, each once.

    A file may be named itself.

    Raises:
        UsageError: a place is not there, or has no archive.
    """
    found: set[Path] = set()
    for place in places:
        if not place.exists():
            raise UsageError(f"{place} does not exist: name the folder that TIKTOK_ARCHIVE named")
        archives = list(place.rglob(f"*{SUFFIX}")) if place.is_dir() else [place]
        if not archives:
            raise UsageError(f"{place} has no archives: they are files named *{SUFFIX}")
        found.update(path.resolve() for path in archives)
    return sorted(found)


@dataclass(slots=True)
class Troubles:
    """The problems found in files that are read.

    `torn` are files that end in the middle. `damages` has a line for each place that is lost for
    another reason.
    """

    torn: list[Path] = field(default_factory=list)
    damages: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Journal:
    """The outcome of a run's deeds, as far as it is known before they are read in order."""

    last_at: datetime
    void: set[int] = field(default_factory=set)
    marks: list[tuple[datetime, int]] = field(default_factory=list)

    def has_done(self, number: int) -> bool:
        """Tell whether the deed of a line was done.

        Marks that were read while the run still wrote lines say nothing about the later ones.
        """
        if number in self.void:
            return False
        is_final = any(at >= self.last_at for at, _ in self.marks)
        return not is_final or number <= max(line for _, line in self.marks)


class Archives:
    """Archive files, of which all is read twice: what became of a deed can stand in a later file.

    `troubles` are those of the lines that were read so far.
    """

    def __init__(self, paths: list[Path]) -> None:
        self.paths = paths
        self.troubles = Troubles()
        self._journals: dict[str, _Journal] = {}
        self._starts: dict[Path, FileStart] = {}
        for path in paths:
            for found in _read(path, Troubles(), with_answers=False):
                if isinstance(found, FileStart):
                    self._starts.setdefault(path, found)
                self._note(found)

    @property
    def origin(self) -> str:
        """The origin of everything in the archives.

        Raises:
            ConfigurationError: from different places; or nothing in them can be read.
        """
        origins = {start.origin for start in self._starts.values()}
        if len(origins) != 1:
            found = " and ".join(sorted(origins)) or "nowhere: none of them can be read"
            raise ConfigurationError(
                f"the archives must come from one origin, and come from {found}"
            )
        return origins.pop()

    def lines(self) -> Iterator[Line]:
        """Read the lines of deeds that were done, and answers, by time.

        Lines of one file come in their order. A file is opened when it is the turn of its first
        line: files of crawls that did not run at the same time are never open at the same time.
        """
        waiting = deque(sorted((self._starts_at(path), path) for path in self.paths))
        heap: list[tuple[datetime, Path, Line, Generator[Line]]] = []
        while waiting or heap:
            if waiting and (not heap or waiting[0][0] <= heap[0][0]):
                path = waiting.popleft()[1]
                lines = self._done_in(path)
            else:
                _, path, current, lines = heappop(heap)
                yield current
            if following := next(lines, None):
                heappush(heap, (following.at, path, following, lines))

    def _starts_at(self, path: Path) -> datetime:
        return self._starts[path].at if path in self._starts else BEFORE_ALL

    def _done_in(self, path: Path) -> Generator[Line]:
        for found in _read(path, self.troubles):
            if isinstance(found, Line) and self._journals[found.journal].has_done(found.number):
                yield found

    def _note(self, found: FileStart | Line) -> None:
        journal = self._journals.setdefault(found.journal, _Journal(found.at))
        journal.last_at = max(journal.last_at, found.at)
        if not isinstance(found, Line):
            return
        what = found.deed.what
        if isinstance(what, int):
            journal.void |= {found.number, what}
        elif isinstance(what, Begin):
            for name, line in what.marks.items():
                other = self._journals.setdefault(name, _Journal(BEFORE_ALL))
                other.marks.append((what.marked_at, line))


def _read(
    path: Path, troubles: Troubles, *, with_answers: bool = True
) -> Generator[FileStart | Line]:
    """Read a file, of which the first line says whose it is."""
    number, damaged, journal = 0, 0, ""
    subjects: Subjects = {}
    try:
        for number, text in enumerate(_texts(path), start=1):
            if journal and not with_answers and text.startswith(ANSWER):
                continue
            try:
                if journal and not text.startswith(START):
                    yield read_line(text, journal, subjects)
                else:
                    start = read_start(text, subjects)
                    journal = start.journal
                    yield start
                    yield from start.begun
            except LineError as exc:
                troubles.damages.append(f"{path}, line {number}: it {exc}")
                damaged += 1
                if not journal or damaged == MOST_DAMAGES:
                    return
    except ConfigurationError as exc:
        raise ConfigurationError(f"{path} cannot be replayed: {exc}") from exc
    except TornFileError:
        troubles.torn.append(path)
    except (OSError, zlib.error):
        troubles.damages.append(f"{path}, line {number + 1}: nothing can be read from here on")


def _texts(path: Path) -> Iterator[bytes]:
    """Read the lines of a file; a last one without its end is left out, one too long is empty."""
    parts: list[bytes] = []
    length = 0
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
