"""The files that an export writes: what is known of each, and how it is written whole."""

from __future__ import annotations

from dataclasses import dataclass
from stat import S_ISREG
from typing import TYPE_CHECKING, Any, Protocol

from tiktok_crawler.checksums import sha256_of
from tiktok_crawler.own_files import flush

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from tiktok_crawler.dataset.reading import Part


@dataclass(frozen=True, slots=True)
class File:
    """A file of an export, by its name from the export's folder; `table` is whose rows it has."""

    name: str
    size: int
    sha256: str
    table: str = ""
    partition: str = ""
    rows: int = 0

    @classmethod
    def of(cls, folder: Path, name: str, **what: Any) -> File:
        """Look at a file that is written, and bring it to the disk."""
        path = folder / name
        flush(path)
        return cls(name, path.stat().st_size, sha256_of(path), **what)

    def is_in(self, folder: Path) -> bool:
        """Tell whether a folder has the file as it was written, by its checksum."""
        path = folder / self.name
        try:
            found = path.lstat()
            is_same = S_ISREG(found.st_mode) and found.st_size == self.size
            return is_same and sha256_of(path) == self.sha256
        except OSError:
            return False


class Files(Protocol):
    """The files of one format, as they are written."""

    def write(self, part: Part) -> None:
        """Write some rows of a table.

        Raises:
            ExportError: the format cannot hold them.
        """

    def close(self) -> Iterable[File]:
        """End all files, also those of tables without a row."""

    def discard(self) -> None:
        """Let go of all files, which nobody wants any more."""
