"""Recognises what a user names: a database of others, or a file of rows."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tiktok_crawler.exceptions import ImportFileError
from tiktok_crawler.imports import library_database, row_files
from tiktok_crawler.spelling import named
from tiktok_crawler.storage.engine import database, sqlite

if TYPE_CHECKING:
    from sqlalchemy import URL

    from tiktok_crawler.imports.found import Source


def is_url(written: str) -> bool:
    return "://" in written


def opened(written: str, target: URL) -> Source:
    """Open a file or database that is not the target itself.

    Raises:
        ConfigurationError: a URL cannot be used, or what reads the file is not installed.
        ImportFileError: it is nothing that can be imported, or cannot be read.
    """
    if is_url(written):
        url = database.database_url(written)
        if url.get_backend_name() != "sqlite":
            _refuse_itself(is_target=database.describe(url) == database.describe(target))
            return library_database.server_database(url)
        written = str(url.database)
    path = Path(written).expanduser()
    try:
        _refuse_itself(is_target=path.resolve() == sqlite.file_of(target))
        if path.is_file() and _begins_with(path, sqlite.SIGN):
            return library_database.sqlite_database(path)
        return row_files.opened(path)
    except OSError as exc:
        raise ImportFileError(f"{named(path)} cannot be read: {exc.strerror}") from None


def _begins_with(path: Path, sign: bytes) -> bool:
    with path.open("rb") as file:
        return file.read(len(sign)) == sign


def _refuse_itself(*, is_target: bool) -> None:
    if is_target:
        raise ImportFileError(
            "the database cannot be imported into itself: name another one, or another target "
            "(-s TIKTOK_DATABASE_URL=...)"
        )
