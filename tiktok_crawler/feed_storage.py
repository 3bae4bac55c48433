"""Feeds in files on this machine, added to in whole lines, and on the standard output."""

from __future__ import annotations

import errno
import io
import logging
import os
import sys
from os import SEEK_END
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from scrapy.extensions.feedexport import FileFeedStorage, StdoutFeedStorage

from tiktok_crawler.output import drop, is_closed
from tiktok_crawler.own_files import check_link, make_folder

if TYPE_CHECKING:
    from scrapy import Spider
    from twisted.internet.defer import Deferred

logger = logging.getLogger(__name__)

OF_LINES = ("csv", "jsonlines", "jsonl", "jl")


class LocalFeedStorage(FileFeedStorage):
    """Scrapy's storage of files. A line that a run could not finish is not continued by another.

    `~` is the home folder: a shell leaves it as it is behind `--output=`, and in FEEDS.
    """

    def __init__(self, uri: str, *, feed_options: dict[str, Any] | None = None):
        super().__init__(uri, feed_options=feed_options)
        self.path = str(Path(self.path).expanduser())
        options = feed_options or {}
        self._format = None if options.get("postprocessing") else options.get("format")
        self._bytes_before = 0

    def open(self, spider: Spider) -> IO[bytes]:
        path = Path(self.path)
        # Batches have names that nobody has looked at before.
        check_link(path)
        make_folder(path.parent)
        self._bytes_before = path.stat().st_size if path.is_file() else 0
        file = super().open(spider)
        if self._format in OF_LINES and self.write_mode == "ab" and self._bytes_before:
            file.write(_end_of_line(path, has_quotes=self._format == "csv"))
        return file

    def store(self, file: IO[bytes]) -> Deferred[None] | None:
        stored = super().store(file)
        path = Path(self.path)
        if self.write_mode == "wb" and path.is_file() and path.stat().st_size < self._bytes_before:
            logger.warning(
                "%(path)s was longer before this run replaced it: it had %(before)s bytes, and has "
                "%(after)s. A feed has what one run collected; with -o instead of -O a run adds to "
                "it. Nothing is lost: docs/operations.md (Feeds) says how all that is stored is "
                "written to a file",
                {
                    "path": self.path,
                    "before": f"{self._bytes_before:,}",
                    "after": f"{path.stat().st_size:,}",
                },
            )
        return stored


class OutputFeedStorage(StdoutFeedStorage):
    """Scrapy's storage of the standard output, whose reader may go when it has seen enough."""

    def open(self, spider: Spider) -> IO[bytes]:  # noqa: ARG002 - Scrapy's signature
        return io.BufferedWriter(_WhileRead(), buffer_size=1)


class _WhileRead(io.RawIOBase):
    """The standard output, for as long as somebody reads it."""

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        if is_closed():
            raise OSError(errno.EBADF, "the standard output is closed")
        try:
            sys.stdout.flush()
            # What cannot be written must not be left in its buffer, for the end of the process.
            return os.write(sys.stdout.fileno(), data)
        except BrokenPipeError:
            drop(sys.stdout)
            return len(data)


def _end_of_line(path: Path, *, has_quotes: bool) -> bytes:
    """What ends the last line of a file; in CSV that may be inside quotation marks."""
    with path.open("rb") as file:
        file.seek(-1, SEEK_END)
        if file.read() == b"\n":
            return b""
        file.seek(0)
        quotes = sum(line.count(b'"') for line in file) if has_quotes else 0
    return b'"\n' if quotes % 2 else b"\n"
