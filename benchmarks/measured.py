"""Runs commands for the benchmarks: time and peak memory of each, and what machine this is."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import time
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SCRAPY = str(Path(sys.executable).with_name("scrapy"))
ENVIRONMENT = {**os.environ, "SCRAPY_SETTINGS_MODULE": "tiktok_crawler.settings"}


@dataclass(frozen=True, slots=True)
class Run:
    """How a command went: wall-clock seconds, and peak resident memory in MiB."""

    seconds: float
    peak_mib: float


def run(
    command: Sequence[str],
    folder: Path,
    *,
    environment: Mapping[str, str] = ENVIRONMENT,
    statuses: Sequence[int] = (0,),
) -> Run:
    """Run a command in a folder; its output is shown only if it ends with another status."""
    started = time.perf_counter()
    with (folder / "output.txt").open("wb") as output:
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=output, stderr=subprocess.STDOUT
        )
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in statuses:
        raise SystemExit(f"{command} failed:\n{(folder / 'output.txt').read_text()}")
    return Run(time.perf_counter() - started, usage.ru_maxrss / 1024)


def machine() -> str:
    """What a figure was measured on."""
    packages = ", ".join(f"{name} {version(name)}" for name in ("scrapy", "sqlalchemy", "twisted"))
    return (
        f"{platform.system()} {platform.machine()}, {os.cpu_count()} CPUs, "
        f"Python {platform.python_version()}, {packages}"
    )
