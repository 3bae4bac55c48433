"""Decides when a postponed window is tried again. Pure."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

FIRST_DELAY = timedelta(hours=1)
LONGEST_DELAY = timedelta(days=16)


def retry_at(parked_count: int, now: datetime) -> datetime:
    """From when on a window that was parked so often, just now included, may be tried again.

    The next run may try it at once; after that the delay is four times as long each time.
    """
    if parked_count <= 1:
        return now
    delay: timedelta = FIRST_DELAY * 4 ** min(parked_count - 2, 16)
    return now + min(delay, LONGEST_DELAY)
