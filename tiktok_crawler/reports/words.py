"""The words of the docs, as they are explained where they first stand; times as they are told."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

WINDOW = "a window: at most 31 days, searched as one"
PARKED = "postponed after failures or a refusal"
SPLIT = "replaced by others that have its days"
FOR_NOBODY = "asks for nothing: those whom it asked for were deleted"
UNSETTLED = "not settled: searched before all their videos had appeared"


def from_time(at: datetime, now: datetime) -> str:
    """Say when runs do something: `from 2024-01-02 03:04 UTC on`; no time that is past."""
    minute = at + timedelta(minutes=1, microseconds=-1)
    return "by the next run" if at <= now else f"from {minute:%Y-%m-%d %H:%M} UTC on"


def time_as_json(at: datetime | None) -> str | None:
    """Write a time, if there is one, as JSON has it."""
    return at.isoformat(timespec="seconds") if at else None


MISSING = "did not come back when they were asked for, which proves nothing"
GONE = "two separate checks, or two answers a week apart, say that they exist no more"
