"""Runs `scrapy` as users do: a process of its own, in a folder of its own, with an empty HOME."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

SCRAPY = str(Path(sys.executable).with_name("scrapy"))


def environment(folder: Path, **variables: str) -> dict[str, str]:
    """As little as a cron job has."""
    return {
        "HOME": str(folder),
        "PATH": os.environ["PATH"],
        "SCRAPY_SETTINGS_MODULE": "tiktok_crawler.settings",
        **{name: value for name, value in os.environ.items() if "COVERAGE" in name},
        **variables,
    }


def scrapy(
    folder: Path, *arguments: str, timeout: float = 120, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end; standard error holds the log."""
    return subprocess.run(
        [SCRAPY, *arguments],
        cwd=folder,
        env=environment(folder, **variables),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


@contextmanager
def started(folder: Path, *arguments: str, **variables: str) -> Iterator[subprocess.Popen[str]]:
    """Start a command, and make sure that it is gone in the end."""
    process = subprocess.Popen(
        [SCRAPY, *arguments],
        cwd=folder,
        env=environment(folder, **variables),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


@contextmanager
def served_sandbox(folder: Path, *arguments: str) -> Iterator[str]:
    """A sandbox in a process of its own; its URL."""
    with started(folder, "sandbox", "--port", "0", *arguments) as process:
        assert process.stdout
        yield process.stdout.readline().split(" answers at ")[1].split()[0]
