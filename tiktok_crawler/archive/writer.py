"""Writes the files of a journal: a gzip file a UTC day, of which all can be read at any time."""

from __future__ import annotations

import os
import zlib
from contextlib import suppress
from typing import TYPE_CHECKING

from tiktok_crawler.exceptions import ArchiveError, ConfigurationError
from tiktok_crawler.own_files import flush, is_at, make, make_folder, try_lock
from tiktok_crawler.spelling import named

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date
    from pathlib import Path

SUFFIX = ".jsonl.gz"

GZIP = 16 + zlib.MAX_WBITS
"""A gzip header and trailer around the compressed data, in zlib's terms."""


class JournalWriter:
    """Appends lines to the day's file. For one thread at a time.

    A file is made by one run, for one day, and never written to again: what a crash has torn stays
    as it is. After a failure nothing more is taken. A new folder is for those who share the file
    that it lies `beside`, and a new file for those who share its folder.
    """

    def __init__(self, folder: Path, name: str, *, beside: Path | None = None) -> None:
        self.day: date | None = None
        self.failure: ArchiveError | None = None
        self._folder = folder
        self._name = name
        self._beside = beside
        self._file: _GzipFile | None = None

    def open(self, day: date, start: bytes) -> None:
        """Make the folder, if it is not there, and the first file.

        Raises:
            ConfigurationError: that is not possible.
            ArchiveError: nothing can be written to the file.
        """
        try:
            make_folder(self._folder, like=self._beside)
            self._open_file(day)
        except OSError as exc:
            raise ConfigurationError(
                f"TIKTOK_ARCHIVE={named(self._folder)}: no archive can be written there: "
                f"{exc.strerror}"
            ) from exc
        try:
            self.append(start, synced=True)
        except ArchiveError:
            self.close()
            raise

    def turn_to(self, day: date, start: bytes) -> None:
        """End the file, and go on in one for another day.

        Raises:
            ArchiveError: it could not be written, or a line before.
        """
        self._try(lambda: self._open_file(day))
        self.append(start, synced=True)

    def append(self, line: bytes, *, synced: bool) -> None:
        """Write a line; `synced`, it is on the disk, with all before, when this returns.

        Otherwise it outlives this program, but perhaps not a power cut.

        Raises:
            ArchiveError: it could not be written, or a line before.
        """
        file = self._file
        assert file
        self._try(lambda: file.append(line, synced=synced))

    def close(self) -> None:
        """End the last file; one without a line of its own is removed."""
        if self._file:
            self._file.close()
        self._file = None

    def _try(self, write: Callable[[], None]) -> None:
        if self.failure:
            raise self.failure
        try:
            write()
        except OSError as exc:
            self.failure = ArchiveError(
                f"the archive in {named(self._folder)} cannot be written: {exc.strerror}"
            )
            raise self.failure from exc

    def _open_file(self, day: date) -> None:
        self.close()
        self._file = _GzipFile(self._folder / f"{day}_{self._name}{SUFFIX}")
        self.day = day


class _GzipFile:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._deflate = zlib.compressobj(wbits=GZIP)
        self._lines, self._is_torn = 0, False
        self._file = os.fdopen(make(path, like=path.parent), "ab", buffering=0)
        # Whoever takes records out of the archive sees that the file is being written.
        with suppress(OSError):
            try_lock(self._file.fileno())
        # A new file's name survives power loss where the file system can do that.
        with suppress(OSError):
            flush(path.parent)

    def append(self, data: bytes, *, synced: bool) -> None:
        """Write the data so that it can be read whatever comes after it."""
        self._is_torn = True
        self._write(self._deflate.compress(data) + self._deflate.flush(zlib.Z_SYNC_FLUSH))
        if synced:
            os.fsync(self._file.fileno())
        self._is_torn = False
        self._lines += 1

    def close(self) -> None:
        """Write gzip's end, as far as that is possible: the lines are safe without it."""
        with self._file, suppress(OSError):
            if self._lines <= 1 and not self._is_torn:
                if is_at(self._file.fileno(), self._path):
                    self._path.unlink()
            elif not self._is_torn:
                self._write(self._deflate.flush(zlib.Z_FINISH))
                os.fsync(self._file.fileno())

    def _write(self, packed: bytes) -> None:
        left = memoryview(packed)
        while left:
            left = left[self._file.write(left) :]
