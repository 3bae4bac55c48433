"""Reads archives: the lines of many files as one stream, in the order in which things happened.

What crashes leave behind - a torn last line, a file without its end - is noted and otherwise as
good as a file that ended there.
"""

from __future__ import annotations

import zlib
from collections import deque
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from heapq import heappop, heappush
from typing import TYPE_CHECKING

from tiktok_crawler.archive.lines import LineError, read_line
from tiktok_crawler.archive.writer import GZIP, SUFFIX
from tiktok_crawler.exceptions import ConfigurationError, UsageError

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator
    from pathlib import Path
    from typing import BinaryIO

    from tiktok_crawler.archive.lines import Line

CHUNK_BYTES = 64 * 1024
BEFORE_ALL = datetime.min.replace(tzinfo=UTC)


class TornFileError(Exception):
    """A file ends in the middle: its crawl was killed, or is still writing."""


def find_archives(places: Iterable[Path]) -> list[Path]:
    """The archive files in folders and the folders in them, each once; a file may be named itself.

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
class Archives:
    """Archive files, and what was found to be wrong with them while their lines were read.

    `torn` are files that end in the middle. `damages` has a line for each place that is lost for
    another reason.
    """

    paths: list[Path]
    torn: list[Path] = field(default_factory=list)
    damages: list[str] = field(default_factory=list)

    def origin(self) -> str:
        """Where all that is in the archives came from.

        Raises:
            ConfigurationError: from different places; or nothing in them can be read.
        """
        origins = {first.source.origin for first in map(_first_line, self.paths) if first}
        if len(origins) != 1:
            found = " and ".join(sorted(origins)) or "nowhere: none of them can be read"
            raise ConfigurationError(
                f"the archives must come from one origin, and come from {found}"
            )
        return origins.pop()

    def lines(self) -> Iterator[Line]:
        """All lines by time; those of one file in their order.

        A file is opened when it is the turn of its first line: files of crawls that did not run at
        the same time are never open at the same time.
        """
        waiting = deque(sorted((_starts_at(path), path) for path in self.paths))
        heap: list[tuple[datetime, Path, Line, Generator[Line]]] = []
        while waiting or heap:
            if waiting and (not heap or waiting[0][0] <= heap[0][0]):
                path = waiting.popleft()[1]
                lines = self._lines_of(path)
            else:
                _, path, current, lines = heappop(heap)
                yield current
            if following := next(lines, None):
                heappush(heap, (following.at, path, following, lines))

    def _lines_of(self, path: Path) -> Generator[Line]:
        number = 0
        try:
            for number, text in enumerate(_texts(path), start=1):
                try:
                    yield read_line(text)
                except LineError as exc:
                    self.damages.append(f"{path}, line {number}: it {exc}")
        except TornFileError:
            self.torn.append(path)
        except (OSError, zlib.error):
            self.damages.append(f"{path}, line {number + 1}: nothing can be read from here on")


def _starts_at(path: Path) -> datetime:
    first = _first_line(path)
    return first.at if first else BEFORE_ALL


def _first_line(path: Path) -> Line | None:
    """The first line of a file that can be read."""
    with closing(Archives([path])._lines_of(path)) as lines:  # noqa: SLF001 - of this class
        return next(lines, None)


def _texts(path: Path) -> Iterator[bytes]:
    """The lines of a file; a last one without its end is left out."""
    parts: list[bytes] = []
    with path.open("rb") as file:
        for text in _decompressed(file):
            *ends, rest = text.split(b"\n")
            for end in ends:
                yield b"".join((*parts, end))
                parts.clear()
            parts.append(rest)
    if any(parts):
        raise TornFileError


def _decompressed(file: BinaryIO) -> Iterator[bytes]:
    """What a file of one or several gzip members holds, piece by piece."""
    inflate = zlib.decompressobj(GZIP)
    while packed := file.read(CHUNK_BYTES):
        while packed:
            if inflate.eof:
                inflate = zlib.decompressobj(GZIP)
            yield from _inflated(inflate, packed)
            packed = inflate.unused_data
    if not inflate.eof:
        raise TornFileError


def _inflated(inflate: zlib._Decompress, packed: bytes) -> Iterator[bytes]:
    """All that can be read of compressed data, up to the byte at which it is damaged."""
    before = inflate.copy()
    try:
        yield inflate.decompress(packed)
    except zlib.error:
        for byte in packed:
            yield before.decompress(bytes((byte,)))
