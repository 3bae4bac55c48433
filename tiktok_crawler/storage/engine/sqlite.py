"""Opens a SQLite file: for its owner alone, durably, and with one writer at a time."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import event
from sqlalchemy.pool import StaticPool

from tiktok_crawler.exceptions import ConfigurationError
from tiktok_crawler.storage.engine.transactions import FLUSHED_LATER, READS_ONLY, WAITS_SECONDS

if TYPE_CHECKING:
    import sqlite3

    from sqlalchemy import URL, Connection, Engine

IN_MEMORY = ":memory:"

PRAGMAS = (
    # Readers and a writer do not wait for each other.
    "journal_mode = WAL",
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


def engine_options(url: URL) -> dict[str, Any]:
    """Return options for `create_engine`: all connections share a database that is in memory."""
    return {"poolclass": StaticPool} if in_memory(url) else {}


def in_memory(url: URL) -> bool:
    return url.database in (None, "", IN_MEMORY)


def configure(engine: Engine) -> None:
    """Prepare each connection that the engine makes."""
    if not in_memory(engine.url):
        event.listen(engine, "do_connect", lambda *_: _create_file(Path(str(engine.url.database))))
    event.listen(engine, "connect", _on_connect)
    event.listen(engine, "begin", _begin)


def _create_file(path: Path) -> None:
    """Make the file that SQLite would make readable for everybody.

    A file that exists is left alone: closing it would drop the locks that this process has on it.
    """
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        return
    except OSError as exc:
        raise ConfigurationError(
            f"the database {path} cannot be created: {exc.strerror}. "
            f"Its folder {path.parent} must exist and be yours to write to"
        ) from exc


def _on_connect(connection: sqlite3.Connection, _record: object) -> None:
    # The driver's own BEGIN comes late and is deferred; `_begin` does it instead.
    connection.isolation_level = None
    # First, because the pragmas may have to wait for a writer.
    connection.execute(_busy_timeout(PATIENT_SECONDS))
    for pragma in PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    """Take the write lock at once: a transaction that reads first can be refused it later."""
    options, driver = connection.get_execution_options(), connection.connection
    reads_only = options.get(READS_ONLY)
    driver.execute(_busy_timeout(options.get(WAITS_SECONDS, PATIENT_SECONDS)))
    if not reads_only:
        driver.execute(f"PRAGMA synchronous = {'NORMAL' if options.get(FLUSHED_LATER) else 'FULL'}")
    connection.exec_driver_sql("BEGIN" if reads_only else "BEGIN IMMEDIATE")


def _busy_timeout(seconds: int) -> str:
    return f"PRAGMA busy_timeout = {seconds * 1000}"


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
