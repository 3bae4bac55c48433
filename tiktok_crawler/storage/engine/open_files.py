"""The files of a SQLite database that is in use: they have to stay where they are.

SQLite goes on with a file that nobody can find any more, and says that all is stored.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tiktok_crawler.exceptions import DatabaseLostError

if TYPE_CHECKING:
    from sqlalchemy import Connection

    Identity = tuple[int, int]

OPEN_FILES = "tiktok_open_files"
"""The key of a connection's `OpenFiles` in its `info`."""

BESIDE = ("-wal", "-shm")
"""What SQLite has beside a file: the log of what is not in the file yet, and its index."""


@dataclass(slots=True)
class Hold:
    """Holds on to the file that was opened first, whoever opens it again for the same purpose."""

    identity: Identity | None = None

    def take(self, path: Path) -> None:
        """Take the file that is there now, and from then on none but that one.

        Raises:
            DatabaseLostError: another file is there, or none.
        """
        if self.identity is None:
            self.identity = _identity(path)
        elif _identity(path) != self.identity:
            raise DatabaseLostError(_explain(path, path))


class OpenFiles:
    """The files that a connection has just opened."""

    def __init__(self, path: Path) -> None:
        self._path = path
        log, index = (Path(f"{path.resolve()}{ending}") for ending in BESIDE)
        self._identities = {file: _identity(file) for file in (path, log, index)}

    def check(self) -> None:
        """Make sure that each of them is where it was.

        Raises:
            DatabaseLostError: one was removed, renamed or replaced.
        """
        for file, identity in self._identities.items():
            if identity and _identity(file) != identity:
                raise DatabaseLostError(_explain(self._path, file))


def check_in_place(connection: Connection) -> None:
    """Make sure that what a connection reads and writes is where the next program looks for it.

    Raises:
        DatabaseLostError: a file of the database was removed, renamed or replaced.
    """
    files: OpenFiles | None = connection.info.get(OPEN_FILES)
    if files:
        files.check()


def _identity(path: Path) -> Identity | None:
    """The file at a path, under whichever names it is known; None if there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _explain(database: Path, lost: Path) -> str:
    if not database.parent.exists():
        what = f"its folder {database.parent} was removed, renamed or unmounted"
    elif _identity(lost):
        what = f"there is another file at {lost} now"
    else:
        what = f"{lost} was removed or renamed"
    return (
        f"the database {database} is not where it was: {what}. Nothing that comes would be stored "
        "there. Put it back, from where it was moved to, from a copy (`scrapy backup`) or an "
        "archive (`scrapy replay`), and run the same command again"
    )
