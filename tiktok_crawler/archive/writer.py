"""Writes the archive of a search or a stage: a gzip file a UTC day, each line safe at once."""

from __future__ import annotations

import os
import secrets
import zlib
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from tiktok_crawler.archive.lines import RunLine, dump_line
from tiktok_crawler.archive.listing_lines import StageLine
from tiktok_crawler.exceptions import ArchiveError, ConfigurationError

if TYPE_CHECKING:
    from datetime import date, datetime
    from pathlib import Path

    from tiktok_crawler.archive.lines import Line

SUFFIX = ".jsonl.gz"

GZIP = 16 + zlib.MAX_WBITS
"""A gzip header and trailer around the compressed data, in zlib's terms."""


class ArchiveWriter:
    """Appends lines; each is on the disk when `append` returns. For one thread at a time.

    A file is made by one search or stage, for one day, and never written to again: what a crash has
    torn stays as it is. After a failure nothing more is taken.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._crawl = ""
        self._day: date | None = None
        self._head: RunLine | StageLine | None = None
        self._file: _GzipFile | None = None
        self._failure: ArchiveError | None = None

    def open(self, now: datetime) -> None:
        """Make the folder, if it is not there, and the first file.

        Raises:
            ConfigurationError: that is not possible.
        """
        self._crawl = f"{now:%Y%m%dT%H%M%SZ}_{secrets.token_hex(4)}"
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._open_file(now.date())
        except OSError as exc:
            raise ConfigurationError(
                f"TIKTOK_ARCHIVE={self._folder}: no archive can be written there: {exc.strerror}"
            ) from exc

    def append(self, line: Line) -> None:
        """Write a line, on a new day into a new file.

        Raises:
            ArchiveError: it could not be written, or one before it.
        """
        if self._failure:
            raise self._failure
        try:
            self._append(line)
        except OSError as exc:
            self._failure = ArchiveError(
                f"the archive in {self._folder} cannot be written: {exc.strerror}"
            )
            raise self._failure from exc

    def close(self) -> None:
        """End the last file; one without a line is removed."""
        if self._file:
            self._file.close()
        self._file = None

    def _append(self, line: Line) -> None:
        assert self._file
        assert self._day
        if isinstance(line, RunLine | StageLine):
            self._head = line
        # Not back to the day before, should the clock be set back: lines keep their order.
        elif line.at.date() > self._day:
            self._file.close()
            self._open_file(line.at.date())
            assert self._head
            self._file.append(dump_line(replace(self._head, at=line.at)))
        self._file.append(dump_line(line))

    def _open_file(self, day: date) -> None:
        self._file = _GzipFile(self._folder / f"{day}_{self._crawl}{SUFFIX}")
        self._day = day


class _GzipFile:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._deflate = zlib.compressobj(wbits=GZIP)
        self._is_empty, self._is_torn = True, False
        path.touch(mode=0o600, exist_ok=False)
        self._file = path.open("ab", buffering=0)
        _sync_folder(path.parent)

    def append(self, data: bytes) -> None:
        """Write the data so that it can be read whatever comes after it."""
        self._is_empty, self._is_torn = False, True
        self._write(self._deflate.compress(data) + self._deflate.flush(zlib.Z_SYNC_FLUSH))
        os.fsync(self._file.fileno())
        self._is_torn = False

    def close(self) -> None:
        """Write gzip's end, as far as that is possible: the lines are safe without it."""
        with self._file, suppress(OSError):
            if self._is_empty:
                self._path.unlink()
            elif not self._is_torn:
                self._write(self._deflate.flush(zlib.Z_FINISH))

    def _write(self, packed: bytes) -> None:
        left = memoryview(packed)
        while left:
            left = left[self._file.write(left) :]


def _sync_folder(folder: Path) -> None:
    """Make sure that a new file's name survives power loss, where the file system can."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
