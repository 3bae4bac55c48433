"""The states of a task, the events that change them, which may follow which, and after what wait.

An event is what a run decides about a task that brings no page now. It is a value, so that it can
be written down before it is done.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import Enum, StrEnum, auto
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from tiktok_crawler.date_range import DateRange
    from tiktok_crawler.research_api.paging import Place
    from tiktok_crawler.research_api.verdicts import SeedStatus


class WindowState(StrEnum):
    """The state of a window."""

    OPEN = "open"
    COMPLETE = "complete"
    SPLIT = "split"
    PARKED = "parked"


class SeedState(StrEnum):
    """The state of a seed."""

    OPEN = "open"
    COMPLETE = "complete"
    REFUSED = "refused"
    PARKED = "parked"


UNFINISHED = (WindowState.OPEN, WindowState.PARKED)


@dataclass(frozen=True, slots=True)
class Parked:
    """The task is postponed, for a reason in words; a later try begins at this place."""

    reason: str
    log_id: str | None
    at: Place


@dataclass(frozen=True, slots=True)
class Refused:
    """The API lists nothing of a seed: an answer, not a failure."""

    status: SeedStatus
    reason: str
    log_id: str | None


@dataclass(frozen=True, slots=True)
class Cut:
    """The first page of a window kept failing: its days are searched in parts from now on."""

    reason: str
    log_id: str | None


@dataclass(frozen=True, slots=True)
class Lost:
    """The API does not know a search any more that had passed these days; the others are left."""

    passed: DateRange


@dataclass(frozen=True, slots=True)
class Halved:
    """The API takes no search for these values together: other queries have its days from now on.

    It refused the search, for a reason in words, or answered it without data.
    """

    reason: str
    log_id: str | None


@dataclass(frozen=True, slots=True)
class Unusable:
    """The same of a search for one value: it is postponed, and a later try begins at the start."""

    reason: str
    log_id: str | None


@dataclass(frozen=True, slots=True)
class Emptied:
    """Records that a seed had brought are deleted: its list is asked for from the start."""


Event = Parked | Refused | Cut | Lost | Halved | Unusable | Emptied


class Cause(Enum):
    """A cause besides the events that changes the state of a task."""

    PAGE = auto()
    LAST_PAGE = auto()
    REOPENED = auto()
    """A request is booked for the first page of a seed that had ended."""
    LEFT = auto()
    """Other windows have the days of a window."""


@dataclass(frozen=True, slots=True)
class Move:
    """A change of state: from one of some states to another."""

    of: tuple[str, ...]
    to: str


MOVES: dict[Cause | type[Event], Move] = {
    Cause.PAGE: Move(UNFINISHED, WindowState.OPEN),
    Cause.LAST_PAGE: Move(UNFINISHED, WindowState.COMPLETE),
    Cause.REOPENED: Move((SeedState.COMPLETE, SeedState.REFUSED), SeedState.OPEN),
    Cause.LEFT: Move((*UNFINISHED, WindowState.COMPLETE), WindowState.SPLIT),
    Parked: Move(UNFINISHED, WindowState.PARKED),
    Refused: Move(UNFINISHED, SeedState.REFUSED),
    Cut: Move(UNFINISHED, WindowState.SPLIT),
    Lost: Move(UNFINISHED, WindowState.SPLIT),
    Halved: Move((*UNFINISHED, WindowState.COMPLETE), WindowState.SPLIT),
    Unusable: Move((*UNFINISHED, WindowState.COMPLETE), WindowState.PARKED),
    Emptied: Move(tuple(SeedState), SeedState.OPEN),
}
"""All changes of state; the words for open, parked and complete are those of both kinds of task."""


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
