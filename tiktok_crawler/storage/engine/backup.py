"""Makes a copy of a SQLite database that is whole at any moment, whoever writes meanwhile."""

from __future__ import annotations

import os
import shlex
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import text

from tiktok_crawler.exceptions import ConfigurationError, CopyError, UsageError
from tiktok_crawler.own_files import check_link, flush, folder_beside, make
from tiktok_crawler.spelling import named
from tiktok_crawler.storage.engine import sqlite
from tiktok_crawler.storage.engine.open_files import NAMES_BESIDE
from tiktok_crawler.storage.engine.transactions import reading

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import URL, Engine

    Progress = Callable[[int, int], None]

PAGES_AT_ONCE = 10_000
SHOWN_DAMAGES = 3

WHOSE_DATA = "SELECT max(origin), max(created_at) FROM database_origin"
"""The origin of a database's data, and when its first crawl began: a copy has the same."""


@dataclass(frozen=True, slots=True)
class Backup:
    """A copy that is there; rows of `broken_tables` refer to rows that are gone, as before."""

    path: Path
    size_bytes: int
    broken_tables: tuple[str, ...]


def back_up(engine: Engine, target: Path, *, overwrite: bool, progress: Progress) -> Backup:
    """Copy a database as it is now into one file, and check it; a copy there is kept, or replaced.

    A link leads to the file that is written, as with `cp`.
    `progress` is told how many pages are copied, and of how many.

    Raises:
        UsageError: the target cannot be written.
        ConfigurationError: there is no database, or none of SQLite.
        CopyError: the database is damaged, or the disk is full; the target is as it was.
    """
    if engine.dialect.name != "sqlite":
        raise ConfigurationError(
            "`scrapy backup` copies SQLite files. Of PostgreSQL, this makes a whole copy, also "
            f"while crawls go on: {_dump_command(engine.url, target)}"
        )
    if not sqlite.has_content(engine.url):
        raise ConfigurationError(f"there is no database {named(engine.url.database)} to copy")
    try:
        check_link(target)
    except OSError as exc:
        kind = UsageError if isinstance(exc, FileNotFoundError) else CopyError
        raise kind(f"{named(target)} could not be written: {exc.strerror}") from None
    target = Path(os.path.realpath(target))
    try:
        _check_target(target, engine, overwrite=overwrite)
        with folder_beside(target) as folder:
            partial = folder / target.name
            os.close(make(partial))
            broken_tables = _copy(engine, partial, progress)
            _check_target(target, engine, overwrite=overwrite)
            partial.replace(target)
        flush(target.parent)
    except (sqlite3.Error, OSError) as exc:
        raise CopyError(f"{named(target)} could not be written: {_reason(exc)}") from exc
    return Backup(target, target.stat().st_size, broken_tables)


def _check_target(target: Path, engine: Engine, *, overwrite: bool) -> None:
    database = Path(str(engine.url.database))
    if not target.parent.is_dir():
        raise UsageError(f"there is no folder {named(target.parent)} for {named(target.name)}")
    own = [Path(f"{database.resolve()}{ending}") for ending in ("", *NAMES_BESIDE)]
    if target in own or (target.exists() and target.samefile(database)):
        raise UsageError(f"{named(target)} is the database itself: name another file")
    if target.exists() and not target.is_file():
        raise UsageError(f"{target} is no file: name one")
    if target.exists() and not overwrite:
        raise UsageError(f"{target} exists: name another file, or replace it with --overwrite")
    for beside in (f"{target}{ending}" for ending in NAMES_BESIDE):
        if os.path.lexists(beside):
            # SQLite would take it for the log of the copy, or refuse it.
            raise UsageError(f"{beside} is there, of a database that is in use: name another file")
    if target.exists() and target.stat().st_size and not _is_copy(target, engine):
        raise UsageError(f"{target} exists, and is no copy of this database: name another file")


def _is_copy(target: Path, engine: Engine) -> bool:
    """Tell whether a file is an older copy of the database, or one without data."""
    with reading(engine) as connection:
        data = tuple(connection.execute(text(WHOSE_DATA)).one())
    try:
        with closing(sqlite3.connect(f"{target.as_uri()}?immutable=1", uri=True)) as copy:
            return copy.execute(WHOSE_DATA).fetchone() in (data, (None, None))
    except sqlite3.Error:
        return False


def _copy(engine: Engine, partial: Path, progress: Progress) -> tuple[str, ...]:
    def tell(_status: int, remaining: int, total: int) -> None:
        progress(total - remaining, total)

    with closing(sqlite3.connect(partial, isolation_level=None)) as copy:
        # It is flushed as a whole.
        copy.execute("PRAGMA synchronous = OFF")
        with reading(engine) as connection:
            # All steps copy one state, that of now.
            connection.execute(text("SELECT count(*) FROM sqlite_master")).all()
            source = connection.connection.driver_connection
            assert isinstance(source, sqlite3.Connection)
            source.backup(copy, pages=PAGES_AT_ONCE, progress=tell)
        # A file that needs no others beside it.
        copy.execute("PRAGMA journal_mode = DELETE")
        damages = [row[0] for row in copy.execute(f"PRAGMA integrity_check({SHOWN_DAMAGES})")]
        if damages != ["ok"]:
            raise CopyError(
                f"the database {engine.url.database} is damaged, and so would be the copy, which "
                f"was not kept: {'; '.join(damages)}"
            )
        broken = {row[0] for row in copy.execute("PRAGMA foreign_key_check")}
    flush(partial)
    return tuple(sorted(broken))


def _reason(error: sqlite3.Error | OSError) -> str:
    return getattr(error, "strerror", None) or str(error)


def _dump_command(url: URL, target: Path) -> str:
    host = url.host or url.query.get("host")
    options = {"host": host, "port": url.port, "username": url.username, "file": target}
    given = [f"--{name}={value}" for name, value in options.items() if value]
    dump = shlex.join(["pg_dump", "--format=custom", *given, *([url.database or ""])])
    return f"(umask 077; {dump})"
