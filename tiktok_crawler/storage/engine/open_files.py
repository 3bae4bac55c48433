"""The files of a SQLite database that is in use: they have to stay where they are.

SQLite goes on with a file that nobody can find any more, and says that all is stored.
"""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from tiktok_crawler.exceptions import DatabaseLostError
from tiktok_crawler.spelling import named

if TYPE_CHECKING:
    from sqlalchemy import Connection

    Identity = tuple[int, int]
    Row = tuple[Any, ...]

OPEN_FILES = "tiktok_open_files"
"""The key of a connection's `OpenFiles` in its `info`."""

ORIGIN = "SELECT created_at FROM database_origin"
"""What tells databases apart: it is written once."""

LOOK_AGAIN_SECONDS = 0.5

BESIDE = ("-wal", "-shm")
"""What SQLite has beside a file: the log of what is not in the file yet, and its index."""

NAMES_BESIDE = (*BESIDE, "-journal")
"""All names that SQLite reads beside a file; the last one is a log of another kind."""


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
    """The files that a connection has just opened, and what the database's own file has.

    Others write into that only what is in the log: until they do so the first time, it may have
    nothing, and later it may grow. So `_reached`, its schema's version and its pages, never falls.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self._path = path
        log, index = (Path(f"{path.resolve()}{ending}") for ending in BESIDE)
        self._identities = {file: _identity(file) for file in (path, log, index)}
        self._connection = connection
        self._origin: Row | None = None
        self._written: tuple[int, int] | None = None
        self._reached: Row = ()
        self._check_content()

    def check(self) -> None:
        """Make sure that each of them is where it was, and has what it had.

        Raises:
            DatabaseLostError: one was removed, renamed or replaced, or written over.
        """
        for file, identity in self._identities.items():
            if identity and _identity(file) != identity:
                raise DatabaseLostError(_explain(self._path, file))
        self._check_content()

    def _check_content(self) -> None:
        try:
            found = self._path.stat()
        except OSError:
            raise DatabaseLostError(_explain(self._path, self._path)) from None
        written = found.st_size, found.st_mtime_ns
        if written == self._written:
            return
        self._origin = self._origin or _row(self._connection, ORIGIN)
        reached = _reached(self._path, self._origin)
        if reached < self._reached:
            # Once more, lest a page was seen that was half written.
            time.sleep(LOOK_AGAIN_SECONDS)
            reached = _reached(self._path, self._origin)
        if reached < self._reached:
            raise DatabaseLostError(
                f"the database {named(self._path)} was written over by another program. Copy what "
                "belongs there to its place once more, now that it is not in use, and run the same "
                "command again"
            )
        self._written, self._reached = written, reached


def check_in_place(connection: Connection) -> None:
    """Make sure that what a connection reads and writes is where the next program looks for it.

    Raises:
        DatabaseLostError: a file of the database was removed, renamed, replaced or written over.
    """
    files: OpenFiles | None = connection.info.get(OPEN_FILES)
    if files:
        files.check()


def _row(connection: sqlite3.Connection, query: str) -> Row:
    """The first row of a query; empty if there is none, or no such table."""
    with suppress(sqlite3.DatabaseError):
        return tuple(connection.execute(query).fetchone() or ())
    return ()


def _reached(path: Path, origin: Row | None) -> Row:
    """Read how far a file itself has come, without its log; empty if it has no such database.

    SQLite has to open it: closing a file in any other way drops the locks on it.
    """
    with suppress(sqlite3.DatabaseError), closing(sqlite3.connect(raw(path), uri=True)) as file:
        # The first page can be ahead of the others, while somebody empties the log into the file.
        file.execute("PRAGMA writable_schema = ON")
        if origin and _row(file, ORIGIN) == origin:
            return _row(file, "PRAGMA schema_version") + _row(file, "PRAGMA page_count")
    return ()


def raw(path: Path, how: str = "immutable=1") -> str:
    """The URI of a file that is only read, without its log unless `how` says so."""
    return f"file:{quote(str(path))}?mode=ro&{how}"


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
        what = f"{lost} was removed or renamed, or its disk unmounted"
    return (
        f"the database {database} is not where it was: {what}. What comes now would be lost, so "
        "the command ends. Put it back, from where it was moved to, from a copy (`scrapy backup`) "
        "or an archive (`scrapy replay`), and run the same command again"
    )
