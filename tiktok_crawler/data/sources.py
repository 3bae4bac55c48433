"""Tells where data is read from, by what the user names."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import URL

from tiktok_crawler.data.database import Database
from tiktok_crawler.exceptions import ConfigurationError
from tiktok_crawler.storage.engine.sqlite import SIGN

if TYPE_CHECKING:
    from tiktok_crawler.data.dataset import Source

SANDBOX = "tiktok-sandbox.db"
"""The file of a crawl of the sandbox, unless it is set otherwise."""


def source_of(named: str | Path) -> Source:
    """Return a source for a SQLite file, the URL of a database, or the folder of an export.

    Raises:
        ConfigurationError: it is none of them, or it cannot be read.
    """
    if isinstance(named, str) and "://" in named:
        return Database(named)
    try:
        path = Path(named).expanduser().absolute()
        if path.is_dir():
            from tiktok_crawler.data.export_folder import ExportFolder  # noqa: PLC0415 - slow

            return ExportFolder(path)
        _check(path)
    except (OSError, RuntimeError, ValueError) as exc:
        raise ConfigurationError(f"{named} cannot be read: {exc}") from None
    url = URL.create("sqlite", database=str(path))
    return Database(url.render_as_string(hide_password=False))


def _check(path: Path) -> None:
    """Refuse what is no SQLite file; nothing is made where there is none."""
    if not path.exists():
        sandbox = path.with_name(SANDBOX)
        raise ConfigurationError(
            f"there is no file or folder {path}: name a SQLite file, the folder of an export, or "
            "the URL of a database such as postgresql://user@host/database"
            + (f"; the sandbox's database is there: {sandbox}" if sandbox.is_file() else "")
        )
    with path.open("rb") as file:
        beginning = file.read(len(SIGN))
    if beginning != SIGN:
        raise ConfigurationError(
            f"{path} is no SQLite database{_export_of(path)}" if beginning else f"{path} is empty"
        )


def _export_of(path: Path) -> str:
    is_of_export = path.suffix in (".parquet", ".csv", ".jsonl", ".xlsx")
    return ": of an export name the folder, not a file in it" if is_of_export else ""
