"""Writes a report as one file, which is there as a whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from tiktok_crawler.exceptions import ReportError, UsageError
from tiktok_crawler.html_report.page import GENERATOR
from tiktok_crawler.own_files import check_link, flush, folder_beside, make

if TYPE_CHECKING:
    from collections.abc import Iterable

ENDINGS = (".html", ".htm")
"""By which a double click opens it in a browser."""

HEAD_BYTES = 1000
"""A report says in so many bytes at its beginning that it is one."""


def check_target(file: Path) -> Path:
    """Check where a report shall be, before it is made; an earlier report there may be replaced.

    Returns:
        The file itself, wherever links lead to it.

    Raises:
        UsageError: there is something else already, or no folder for it.
    """
    try:
        check_link(file)
        target = Path(os.path.realpath(file))
        if not target.parent.is_dir():
            raise UsageError(f"there is no folder {target.parent} for {target.name}")
        if not target.exists():
            _check_ending(file)
            return target
        if not target.is_file():
            raise UsageError(f"{file} is no file: name one")
        if not _is_report(target):
            raise UsageError(
                f"{file} exists, and is no report of `scrapy report`: name another file"
            )
    except OSError as exc:
        raise UsageError(f"{file} could not be written: {exc.strerror}") from None
    return target


def _check_ending(file: Path) -> None:
    if file.suffix.lower() not in ENDINGS:
        raise UsageError(f"{file.name} is to be an HTML file: name one that ends in .html")


def write_report(target: Path, pieces: Iterable[str]) -> None:
    """Write the pieces into a file, for its owner alone.

    Raises:
        ReportError: it cannot be written, as on a full disk; what was there before is kept.
    """
    try:
        with folder_beside(target) as folder:
            made = folder / target.name
            with os.fdopen(make(made), "w", encoding="utf-8") as file:
                file.writelines(pieces)
            flush(made)
            check_target(target)
            made.replace(target)
        flush(target.parent)
    except OSError as exc:
        raise ReportError(f"{target} could not be written: {exc.strerror}") from exc


def _is_report(path: Path) -> bool:
    with path.open("rb") as file:
        return f'<meta name="generator" content="{GENERATOR}">'.encode() in file.read(HEAD_BYTES)
