"""Small text files that a user names: what keeps one from being read is said in one message."""

from __future__ import annotations

import re
import stat
from typing import TYPE_CHECKING

from tiktok_crawler.exceptions import QueryFileError

if TYPE_CHECKING:
    from os import stat_result
    from pathlib import Path

MAX_BYTES = 1024 * 1024

_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def read_text(path: Path) -> str:
    """The text of a file.

    Raises:
        QueryFileError: it cannot be a query file, or cannot be read.
    """
    try:
        if problem := _file_problem(path.stat()):
            raise QueryFileError(f"{path}: {problem}")
        with path.open("rb") as file:
            data = file.read(MAX_BYTES)
    except (OSError, ValueError) as exc:
        reason = exc.strerror if isinstance(exc, OSError) else exc
        raise QueryFileError(f"{path}: cannot be read: {reason}") from exc
    return _decoded(path, data)


def _file_problem(status: stat_result) -> str | None:
    if stat.S_ISDIR(status.st_mode):
        return "is a directory, not a query file"
    if not stat.S_ISREG(status.st_mode):
        return "is not a regular file"
    if status.st_size > MAX_BYTES:
        return f"is too large for a query file: {status.st_size:,} bytes, allowed: {MAX_BYTES:,}"
    return None


def _decoded(path: Path, data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise QueryFileError(f"{path}: is UTF-16 text; save it as UTF-8")
    if b"\0" in data:
        raise QueryFileError(f"{path}: holds binary data, not text")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        line = data.count(b"\n", 0, exc.start) + 1
        raise QueryFileError(f"{path}:{line}: is not UTF-8 text; save it as UTF-8") from exc
    if found := _UNPRINTABLE.search(text):
        line = text.count("\n", 0, found.start()) + 1
        raise QueryFileError(f"{path}:{line}: holds the unprintable character {found[0]!r}")
    return text
