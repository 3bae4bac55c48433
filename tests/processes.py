"""Runs `scrapy` as users do: a process of its own, in a folder of its own, with an empty HOME.

The processes are forked from one that has imported everything: imports take most of the time that
a short command takes.
"""

from __future__ import annotations

import atexit
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from multiprocessing import connection, get_context, reduction
from pathlib import Path
from pkgutil import walk_packages
from tempfile import TemporaryFile
from threading import Lock
from typing import IO, TYPE_CHECKING, Any

from scrapy import commands, downloadermiddlewares, extensions, spidermiddlewares
from scrapy.cmdline import execute
from scrapy.core.downloader import handlers

import tiktok_crawler

if TYPE_CHECKING:
    from collections.abc import Iterator

SCRAPY = str(Path(sys.executable).with_name("scrapy"))

BY_SETTINGS = "tiktok_crawler.settings"
"""Scrapy imports it, in the process that needs it."""

PACKAGES = (
    tiktok_crawler,
    commands,
    handlers,
    downloadermiddlewares,
    extensions,
    spidermiddlewares,
)

STARTING = Lock()
"""A process's end is told once, so threads must not ask for it at the same time."""


def environment(folder: Path, **variables: str) -> dict[str, str]:
    """As little as a cron job has."""
    return {
        "HOME": str(folder),
        "PATH": os.environ["PATH"],
        "SCRAPY_SETTINGS_MODULE": BY_SETTINGS,
        **{name: value for name, value in os.environ.items() if "COVERAGE" in name},
        **variables,
    }


class Command:
    """A command in a process of its own, as far as it is used like a `subprocess.Popen`."""

    def __init__(
        self, folder: Path, arguments: tuple[str, ...], variables: dict[str, str], *outputs: int
    ) -> None:
        self._process = _imported().Process(
            target=_execute,
            args=(arguments, str(folder), environment(folder, **variables), *map(_Open, outputs)),
        )
        with STARTING:
            self._process.start()
        self.pid = self._process.pid or 0

    def poll(self) -> int | None:
        with STARTING:
            return self._process.exitcode

    @property
    def returncode(self) -> int | None:
        return self.poll()

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def wait(self, timeout: float | None = None) -> int:
        if not connection.wait([self._process.sentinel], timeout):
            raise subprocess.TimeoutExpired(SCRAPY, timeout or 0)
        status = self.poll()
        assert status is not None
        return status


class Started(Command):
    """A command whose output and log can be read as they come."""

    def __init__(self, folder: Path, arguments: tuple[str, ...], variables: dict[str, str]) -> None:
        reading, writing = os.pipe()
        self.stdout: IO[str] = os.fdopen(reading)
        try:
            super().__init__(folder, arguments, variables, writing, writing)
        finally:
            os.close(writing)

    def communicate(self, timeout: float | None = None) -> tuple[str, None]:
        """The rest of the output, when the process has ended."""
        until = time.monotonic() + (timeout or 3600)
        chunks = []
        while connection.wait([self.stdout.fileno()], max(0, until - time.monotonic())):
            chunk = os.read(self.stdout.fileno(), 65536)
            if not chunk:
                break
            chunks.append(chunk)
        self.wait(max(0, until - time.monotonic()))
        return b"".join(chunks).decode(), None


def scrapy(
    folder: Path, *arguments: str, timeout: float = 120, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end; standard error holds the log."""
    with TemporaryFile("w+") as output, TemporaryFile("w+") as log:
        command = Command(folder, arguments, variables, output.fileno(), log.fileno())
        try:
            status = command.wait(timeout)
        finally:
            command.kill()
        output.seek(0)
        log.seek(0)
        return subprocess.CompletedProcess(arguments, status, output.read(), log.read())


@contextmanager
def started(folder: Path, *arguments: str, **variables: str) -> Iterator[Started]:
    """Start a command, and make sure that it is gone in the end."""
    process = Started(folder, arguments, variables)
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@contextmanager
def served_sandbox(folder: Path, *arguments: str) -> Iterator[str]:
    """A sandbox in a process of its own; its URL."""
    with started(folder, "sandbox", "--port", "0", *arguments) as process:
        yield process.stdout.readline().split(" answers at ")[1].split()[0]


def _imported() -> Any:
    context = get_context("forkserver")
    context.set_forkserver_preload(
        [
            module.name
            for package in PACKAGES
            for module in walk_packages(package.__path__, f"{package.__name__}.")
            if module.name != BY_SETTINGS
        ]
    )
    return context


class _Open:
    """A file that is handed over to a new process, and is its number there."""

    def __init__(self, number: int) -> None:
        self._number = number

    def __reduce__(self) -> tuple[Any, ...]:
        return _detached, (reduction.DupFd(self._number),)


def _detached(descriptor: Any) -> int:
    return descriptor.detach()


def _execute(
    arguments: tuple[str, ...], folder: str, variables: dict[str, str], *outputs: int
) -> None:
    """Become the process that the program `scrapy` would be."""
    for standard, number in zip((1, 2), outputs, strict=True):
        os.dup2(number, standard)
        os.close(number)
    os.environ.clear()
    os.environ.update(variables)
    time.tzset()
    os.chdir(folder)
    sys.argv = [SCRAPY, *arguments]
    try:
        execute()
    except Exception:  # noqa: BLE001 - as Python itself
        sys.excepthook(*sys.exc_info())
        sys.exit(1)
    finally:
        atexit._run_exitfuncs()
