"""Small text files that a user names: what keeps one from being read is said in one message."""

from __future__ import annotations

import re
import stat
from contextlib import suppress
from typing import TYPE_CHECKING

from tiktok_crawler.exceptions import QueryFileError
from tiktok_crawler.spelling import did_you_mean, named, nearest

if TYPE_CHECKING:
    from os import stat_result
    from pathlib import Path

MAX_BYTES = 1024 * 1024

_OFFICE = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
"""How files of Excel, Word and LibreOffice begin."""

_LETTER = (b"word/document", b"opendocument.text", "WordDocument".encode("utf-16-le"))
"""What only those of Word and LibreOffice Writer have in them."""

_PLAIN = "save it as plain text in UTF-8"

_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def read_text(path: Path, *, what: str = "query file", max_bytes: int = MAX_BYTES) -> str:
    """The text of a file.

    Raises:
        QueryFileError: it cannot be `what` it is to be, or cannot be read.
    """
    try:
        if problem := _file_problem(path.stat(), what, max_bytes):
            raise QueryFileError(f"{named(path)}: {problem}")
        with path.open("rb") as file:
            data = file.read(max_bytes)
    except (OSError, ValueError) as exc:
        reason = exc.strerror if isinstance(exc, OSError) else exc
        if isinstance(exc, FileNotFoundError):
            reason = f"{reason}{_where_else(path)}"
        raise QueryFileError(f"{named(path)}: cannot be read: {reason}") from exc
    return _decoded(path, data)


def _where_else(path: Path) -> str:
    """Say where a file was looked for, and which one there was probably meant."""
    with suppress(OSError):
        folder = "" if path.is_absolute() else f" in {named(path.absolute().parent)}"
        return folder + did_you_mean(
            nearest(path.name, (one.name for one in path.parent.iterdir()), similarity=0.8)
        )
    return ""


def is_file(path: Path) -> bool:
    """Tell whether there is such a file."""
    try:
        return path.is_file()
    except (OSError, ValueError):  # such as a name that is too long for one
        return False


def _file_problem(status: stat_result, what: str, max_bytes: int) -> str | None:
    if stat.S_ISDIR(status.st_mode):
        return f"is a directory, not a {what}"
    if not stat.S_ISREG(status.st_mode):
        return "is not a regular file"
    if status.st_size > max_bytes:
        return f"is too large for a {what}: {status.st_size:,} bytes, allowed: {max_bytes:,}"
    return None


def _decoded(path: Path, data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise QueryFileError(f"{named(path)}: is UTF-16 text; save it as UTF-8")
    if data.startswith(_OFFICE):
        if any(mark in data for mark in _LETTER):
            raise QueryFileError(f"{named(path)}: is a document of Word or the like; {_PLAIN}")
        raise QueryFileError(
            f"{named(path)}: is a workbook of a spreadsheet; save it as CSV in UTF-8"
        )
    if data.startswith(b"{\\rtf"):
        raise QueryFileError(f"{named(path)}: is text with formats; {_PLAIN}")
    if b"\0" in data:
        raise QueryFileError(f"{named(path)}: holds binary data, not text")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        line = data.count(b"\n", 0, exc.start) + 1
        raise QueryFileError(f"{named(path)}:{line}: is not UTF-8 text; save it as UTF-8") from exc
    if found := _UNPRINTABLE.search(text):
        line = text.count("\n", 0, found.start()) + 1
        raise QueryFileError(f"{named(path)}:{line}: holds the unprintable character {found[0]!r}")
    return text
