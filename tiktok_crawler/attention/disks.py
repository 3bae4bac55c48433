"""Looks how much room there is where the data lie."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tiktok_crawler.storage.engine import database, sqlite

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Disk:
    """A disk: what of ours is on it, and how many bytes of it are free."""

    what: str
    free: int
    total: int


def disks_of(database_url: str, archive: Path | None) -> list[Disk]:
    """Look at the disks of a SQLite database and of an archive, each once."""
    places = {
        "the database": sqlite.file_of(database.database_url(database_url)),
        "the archive": archive,
    }
    found: dict[int, Disk] = {}
    for what, path in places.items():
        if path is not None:
            folder = next(_existing(path))
            usage = shutil.disk_usage(folder)
            found.setdefault(folder.stat().st_dev, Disk(what, usage.free, usage.total))
    return list(found.values())


def _existing(path: Path) -> Iterator[Path]:
    return (place for place in (path, *path.parents) if place.exists())
