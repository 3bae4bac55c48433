"""Opens a SQLite file: for its owner alone, durably, and with one writer at a time."""

from __future__ import annotations

import os
import re
import sqlite3
import stat
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import StaticPool

from tiktok_crawler import own_files
from tiktok_crawler.exceptions import ConfigurationError, DatabaseLostError
from tiktok_crawler.spelling import and_more, named, shortened
from tiktok_crawler.storage.engine.open_files import (
    BESIDE,
    NAMES_BESIDE,
    OPEN_FILES,
    Hold,
    OpenFiles,
    check_in_place,
    raw,
)
from tiktok_crawler.storage.engine.revision import REVISION_TABLE
from tiktok_crawler.storage.engine.transactions import FLUSHED_LATER, READS_ONLY, WAITS_SECONDS
from tiktok_crawler.storage.models import METADATA
from tiktok_crawler.storage.models.ledger import DatabaseOrigin

if TYPE_CHECKING:
    from sqlalchemy import URL, Connection, Engine
    from sqlalchemy.pool import ConnectionPoolEntry

IN_MEMORY = ":memory:"

OTHER_DATABASE = "Name another database (TIKTOK_DATABASE_URL)"

TABLES = "SELECT name FROM sqlite_master WHERE type = 'table' AND substr(name, 1, 7) <> 'sqlite_'"
OWN_TABLES = {REVISION_TABLE, DatabaseOrigin.__tablename__}
SHOWN_TABLES = 5

SIGN = b"SQLite format 3\0"
"""What a file begins with."""

OLDEST = (3, 35)
"""The first version that has RETURNING."""

SMALLEST_BYTES = 512
"""The smallest page of SQLite, and so the smallest database."""

ADVICE = {
    sqlite3.SQLITE_CANTOPEN: "the file and its folder must be yours to read and write",
    sqlite3.SQLITE_READONLY: "the file and its folder must be yours to write to",
    sqlite3.SQLITE_NOTADB: f"the file was left as it is. {OTHER_DATABASE}",
}
"""What to do about errors at the beginning."""

PRAGMAS = (
    # A page whose cursor has moved on must survive a power cut, which NORMAL does not promise.
    "synchronous = FULL",
    # 80 MB instead of 4: copying the log into the file more often writes a hundred times the data.
    "wal_autocheckpoint = 20000",
    # 16 MiB instead of 2; more would count as the crawl's memory and gain little.
    "cache_size = -16384",
    "foreign_keys = ON",
)

PATIENT_SECONDS = 30
IMPATIENT_SECONDS = 2
"""For those who try again themselves, and look in between whether they should."""

NETWORK_FILE_SYSTEMS = re.compile(
    r"nfs4?|cifs|smb\w*|afs|9p|ceph|lustre|gpfs|beegfs|glusterfs|davfs\w*|vboxsf"
    r"|fuse\.(sshfs|glusterfs|rclone|s3fs|ceph\S*|davfs\w*)"
)


def check_version() -> None:
    """Refuse a Python whose SQLite is too old, as that of RHEL 9 and Debian 11.

    Raises:
        ConfigurationError: with the ways out.
    """
    if sqlite3.sqlite_version_info < OLDEST:
        raise ConfigurationError(
            f"this Python has SQLite {sqlite3.sqlite_version}, and {'.'.join(map(str, OLDEST))} or "
            "later is needed: use a Python that brings its own, such as uv's (`uv venv "
            "--managed-python`) or conda's, or a PostgreSQL database (TIKTOK_DATABASE_URL)"
        )


def engine_options(url: URL) -> dict[str, Any]:
    """Return options for `create_engine`: all connections share a database that is in memory."""
    return {"poolclass": StaticPool} if in_memory(url) else {}


def file_of(url: URL) -> Path | None:
    """Return the file of a SQLite database, wherever links lead to it."""
    if url.get_backend_name() != "sqlite" or in_memory(url):
        return None
    return Path(str(url.database)).resolve()


def in_memory(url: URL) -> bool:
    return url.database in (None, "", IN_MEMORY)


def configure(engine: Engine, hold: Hold) -> None:
    """Prepare each connection that the engine makes: all are to the file of the first one."""
    event.listen(engine, "connect", _on_connect)
    event.listen(engine, "begin", _begin)
    if not in_memory(engine.url):
        path = Path(str(engine.url.database)).absolute()
        event.listen(engine, "do_connect", lambda *given: _connect(path, hold, given[-1]))
        event.listen(engine, "connect", partial(_connected, path, hold))


class ReadingConnection(sqlite3.Connection):
    """A connection to a file that may not be written to, or that lies in such a folder."""


def _connect(path: Path, hold: Hold, options: Any) -> sqlite3.Connection | None:
    """Connect to a file that can only be read; leave others, which are made if need be, to SQLite.

    Where SQLite cannot have its index of the log beside the file, it needs none: nobody else can
    be at work there, unless there is one already.
    """
    if hold.identity is None:
        _create_file(path)
    hold.take(path)
    _check_beside(path.resolve())
    if not _unwritable(path):
        return None
    log, index = (Path(f"{path.resolve()}{ending}") for ending in BESIDE)
    in_log = not index.exists() and log.exists() and log.stat().st_size
    how = "" if index.exists() else "vfs=unix-none" if in_log else "immutable=1"
    connection = sqlite3.connect(raw(path, how), uri=True, factory=ReadingConnection, **options)
    if in_log:
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
    return connection


def _check_beside(path: Path) -> None:
    """Keep SQLite from writing through a link that somebody put beside the file."""
    try:
        for ending in NAMES_BESIDE:
            own_files.check(Path(f"{path}{ending}"))
    except OSError as exc:
        raise ConfigurationError(f"{named(exc.filename)} cannot be used: {exc.strerror}") from None


def _connected(
    path: Path, hold: Hold, connection: sqlite3.Connection, record: ConnectionPoolEntry
) -> None:
    record.info[OPEN_FILES] = OpenFiles(path, connection)
    hold.take(path)


def _create_file(path: Path) -> None:
    """Make the file that SQLite would make readable for everybody.

    A file that exists is left alone: closing it would drop the locks that this process has on it.
    """
    _size(path)
    try:
        os.close(own_files.make(path))
    except FileExistsError:
        return
    except OSError as exc:
        raise ConfigurationError(
            f"the database {named(path)} cannot be created: {exc.strerror}. "
            f"Its folder {named(path.parent)} must exist and be yours to write to"
        ) from exc


def has_content(url: URL) -> bool:
    """Tell whether there is a database already; if not, SQLite would make one.

    Raises:
        ConfigurationError: it is no file, or in a folder that may not be looked into.
    """
    return not in_memory(url) and _size(Path(str(url.database))) > 0


def check_writable(url: URL) -> None:
    """Refuse a database that can be read only; SQLite itself would say so in the midst of a crawl.

    Raises:
        ConfigurationError: the file, or its folder, in which SQLite has its log, is not writable.
    """
    if not has_content(url):
        return
    file = Path(str(url.database))
    for path in _unwritable(file)[:1]:
        raise ConfigurationError(
            f"the database {named(file)} cannot be used: you have no permission to write to the "
            f"{'file' if path == file else 'folder'} {named(path)}. {OTHER_DATABASE}"
        )


def _unwritable(file: Path) -> list[Path]:
    """What of a file and its folder may not be written to."""
    effective = os.access in os.supports_effective_ids
    return [
        path
        for path in (file, file.parent)
        if not os.access(path, os.W_OK, effective_ids=effective)
    ]


def _size(path: Path) -> int:
    """The size of a file in bytes; 0 if there is none."""
    try:
        if not path.exists():
            own_files.check_link(path)
            return 0
        found = path.stat()
    except OSError as exc:
        raise ConfigurationError(
            f"the database {named(path)} cannot be opened: {exc.strerror}. {OTHER_DATABASE}"
        ) from None
    if not stat.S_ISREG(found.st_mode):
        kind = "a folder" if stat.S_ISDIR(found.st_mode) else "no file"
        raise ConfigurationError(f"the database {named(path)} is {kind}. {OTHER_DATABASE}")
    if 0 < found.st_size < SMALLEST_BYTES:
        # SQLite would take it for an empty one, and write over it.
        raise ConfigurationError(
            f"the database {named(path)} cannot be used: file is not a database; "
            f"{ADVICE[sqlite3.SQLITE_NOTADB]}"
        )
    return found.st_size


def _check_owner(connection: sqlite3.Connection, tables: set[str]) -> None:
    """Refuse another program's database."""
    others = tables - {REVISION_TABLE}
    if others and not others.intersection(METADATA.tables):
        (_, _, path), *_ = connection.execute("PRAGMA database_list")
        connection.close()
        shown = [shortened(name) for name in sorted(others)[:SHOWN_TABLES]]
        some = and_more(shown, len(others))
        raise ConfigurationError(
            f"the database {named(path)} is another program's: it has the tables {some}. "
            f"It was left as it is. {OTHER_DATABASE}"
        )


def _on_connect(connection: sqlite3.Connection, _record: object) -> None:
    # The driver's own BEGIN comes late and is deferred; `_begin` does it instead.
    connection.isolation_level = None
    # First, because the pragmas may have to wait for a writer.
    connection.execute(_busy_timeout(PATIENT_SECONDS))
    tables = {name for (name,) in connection.execute(TABLES)}
    _check_owner(connection, tables)
    is_ours = not tables or tables >= OWN_TABLES
    if is_ours and not isinstance(connection, ReadingConnection):
        # Readers and a writer do not wait for each other. The file keeps it, so it has to be ours.
        connection.execute("PRAGMA journal_mode = WAL")
    for pragma in PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")
    # Reading opens the log.
    connection.execute("PRAGMA schema_version")


def _begin(connection: Connection) -> None:
    """Take the write lock at once: a transaction that reads first can be refused it later."""
    check_in_place(connection)
    options, driver = connection.get_execution_options(), connection.connection
    reads_only = options.get(READS_ONLY)
    driver.execute(_busy_timeout(options.get(WAITS_SECONDS, PATIENT_SECONDS)))
    if not reads_only:
        driver.execute(f"PRAGMA synchronous = {'NORMAL' if options.get(FLUSHED_LATER) else 'FULL'}")
    connection.exec_driver_sql("BEGIN" if reads_only else "BEGIN IMMEDIATE")


def empty_log(engine: Engine, *, patiently: bool = False) -> bool:
    """Move what is in the log into the file, so that a copy of the file alone has all of it.

    Returns:
        Whether that was possible: others may read an earlier state, or the disk be full.
    """
    if engine.dialect.name != "sqlite":
        return True
    with suppress(sqlite3.Error, DBAPIError, DatabaseLostError), engine.connect() as connection:
        driver = connection.connection
        driver.execute(_busy_timeout(PATIENT_SECONDS if patiently else IMPATIENT_SECONDS))
        is_busy, *_ = driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        # A long wait may follow: this is what has to be there after it.
        check_in_place(connection)
        return not is_busy
    return False


def version(connection: Connection) -> int:
    """Return a number that is another one as soon as another connection has written something."""
    (found,) = connection.connection.execute("PRAGMA data_version").fetchone()
    return int(found)


def _busy_timeout(seconds: int) -> str:
    return f"PRAGMA busy_timeout = {seconds * 1000}"


def advice(error: BaseException | None) -> str | None:
    """Say what to do about an error of SQLite, if something can be done."""
    return ADVICE.get(getattr(error, "sqlite_errorcode", 0) & 0xFF)


def network_file_system_warning(url: URL, mounts: Path = Path("/proc/mounts")) -> str | None:
    """Return a warning for the user of a file on another machine, where SQLite's locks fail."""
    if url.get_backend_name() != "sqlite" or in_memory(url) or not mounts.exists():
        return None
    folder = Path(str(url.database)).absolute().parent.resolve()
    holding = [mount for mount in _mounts(mounts) if folder.is_relative_to(mount[0])]
    # The deepest folder holds the file, and of two mounts on one folder the later one.
    mount_point, kind = max(reversed(holding), key=lambda m: len(m[0].parts), default=(folder, ""))
    if not NETWORK_FILE_SYSTEMS.fullmatch(kind):
        return None
    return (
        f"{url.database} lies on a network file system ({kind} at {mount_point}), on which SQLite "
        "can lose data: use a disk of this machine, or PostgreSQL"
    )


def _mounts(path: Path) -> list[tuple[Path, str]]:
    """Mount points with the kinds of their file systems, in the order of mounting."""
    lines = (line.split() for line in path.read_text(errors="surrogateescape").splitlines())
    return [(Path(_unescape(words[1])), words[2]) for words in lines]


def _unescape(text: str) -> str:
    r"""Blanks in mount points are written as octal numbers: `\040`."""
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), text)
