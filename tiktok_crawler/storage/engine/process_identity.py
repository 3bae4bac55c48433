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
        started = _started(os.getpid())
    except OSError:
        return None
    return f"{boot} {namespace} {os.getpid()} {started}"


def is_gone(process: str | None) -> bool:
    """Tell whether a process has ended; of one that cannot be seen from here, it is not known."""
    here = this_process()
    if process is None or here is None:
        return False
    *place, pid, started = process.split()
    if place != here.split()[:-2]:
        return False
    try:
        return _started(int(pid)) != started
    except OSError:
        return _has_ended(int(pid))


def _started(pid: int) -> str | None:
    """Read when a process began, in ticks since the boot; None if it has ended."""
    status = (PROC / str(pid) / "stat").read_text()
    # The name in brackets, which may hold anything, is followed by the state.
    state, *values = status.rpartition(")")[2].split()
    return None if state in "ZX" else values[18]


def _has_ended(pid: int) -> bool:
    """Tell it of a process that /proc does not show: it may hide those of other users."""
    try:
        os.kill(pid, 0)
    except OSError as exc:
        return isinstance(exc, ProcessLookupError)
    return False
