"""Tells a process of this machine from all others that there are and have been. Linux only."""

from __future__ import annotations

import os
from pathlib import Path

PROC = Path("/proc")


def this_process() -> str | None:
    """Return what names this process: boot, namespace, number and start; None if it is not known.

    Numbers of processes are used again, and those of two containers have nothing to do with each
    other.
    """
    try:
        boot = (PROC / "sys/kernel/random/boot_id").read_text().strip()
        namespace = (PROC / "self/ns/pid").stat().st_ino
    except OSError:
        return None
    started = _started(os.getpid())
    return f"{boot} {namespace} {os.getpid()} {started}" if started else None


def is_gone(process: str | None) -> bool:
    """Tell whether a process has ended; of one that cannot be seen from here, it is not known."""
    here = this_process()
    if process is None or here is None:
        return False
    *place, pid, started = process.split()
    return place == here.split()[:-2] and _started(int(pid)) != started


def _started(pid: int) -> str | None:
    """Read when a process began, in ticks since the boot; None if it has ended."""
    try:
        status = (PROC / str(pid) / "stat").read_text()
    except OSError:
        return None
    # The name in brackets, which may hold anything, is followed by the state.
    state, *values = status.rpartition(")")[2].split()
    return None if state in "ZX" else values[18]
