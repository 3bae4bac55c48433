"""A PgBouncer in transaction mode before the tests' PostgreSQL, as hosted PostgreSQL has it.

A session of its clients is not one of the server's: each transaction gets any that is free.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from postgres_server import NOBODY
from sqlalchemy import make_url

if TYPE_CHECKING:
    from collections.abc import Iterator

PROGRAM = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")

needs_pgbouncer = pytest.mark.skipif(
    PROGRAM is None, reason="no PgBouncer is installed (apt-get install pgbouncer)"
)

START_SECONDS = 10.0

CONFIGURATION = """
[databases]
* = host={host} port={port} user={user}

[pgbouncer]
pool_mode = transaction
default_pool_size = {sessions}
listen_addr =
listen_port = 5432
unix_socket_dir = {folder}
auth_type = any
"""


@contextmanager
def pooled(server_url: str, *, sessions: int = 2) -> Iterator[str]:
    """The URL of a pooler before a server, which so many sessions of each database serve."""
    folder = Path(tempfile.mkdtemp(prefix="tiktok-pool-", dir="/tmp"))
    server = make_url(server_url)
    settings = CONFIGURATION.format(
        folder=folder,
        host=server.query.get("host") or server.host,
        port=server.port or 5432,
        user=server.username,
        sessions=sessions,
    )
    configuration = folder / "pgbouncer.ini"
    configuration.write_text(settings)
    as_user = {}
    if os.geteuid() == 0:
        # PgBouncer refuses to run as root.
        os.chown(folder, NOBODY, NOBODY)
        os.chown(configuration, NOBODY, NOBODY)
        as_user = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
    with (folder / "log").open("wb") as log:
        pooler = subprocess.Popen(
            [PROGRAM or "pgbouncer", configuration],
            stdout=log,
            stderr=log,
            **as_user,
        )
    try:
        _wait(pooler, folder)
        yield server.set(host=None, query={"host": str(folder)}).render_as_string()
    finally:
        pooler.kill()
        pooler.wait()
        shutil.rmtree(folder)


def _wait(pooler: subprocess.Popen[bytes], folder: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not _listens(folder / ".s.PGSQL.5432"):
        if pooler.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"PgBouncer does not start:\n{(folder / 'log').read_text()}")
        time.sleep(0.02)


def _listens(path: Path) -> bool:
    with suppress(OSError), socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))
        return True
    return False
