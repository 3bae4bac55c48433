"""The file that a check ends with, and what can be wrong with it."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from tiktok_crawler.sandbox.faults.schedule import FaultName

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tiktok_crawler.sandbox.faults.schedule import ScheduledFault

_LATER = 1 << 59
"""Ids so much larger are of the 2030s."""


def file_of(ids: Sequence[int], fault: ScheduledFault | None) -> bytes:
    """A line for each id, made wrong if the fault is of that kind."""
    lines = [b"%d\n" % number for number in ids]
    if fault is None:
        return b"".join(lines)
    kept = int(len(lines) * fault.share)
    match fault.fault:
        case FaultName.EMPTY_FILE:
            lines = []
        case FaultName.TRUNCATED_FILE:
            lines = lines[:kept]
        case FaultName.CUT_LINE:
            lines = [*lines[:kept], *(line[:-8] for line in lines[kept : kept + 1])]
        case FaultName.UNKNOWN_IDS:
            lines += [b"%d\n" % (number + _LATER) for number in ids[: max(1, kept)]]
        case FaultName.CRLF:
            lines = [line.replace(b"\n", b"\r\n") for line in lines]
        case FaultName.HEADER_LINE:
            lines = [b"id\n", *lines]
        case FaultName.SHUFFLED:
            Random(len(lines)).shuffle(lines)
    return b"".join(lines)
