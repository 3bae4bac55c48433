"""What can become of a task: its states, and the events that change them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from tiktok_crawler.research_api.tasks import ListRequest, PageRequest
    from tiktok_crawler.research_api.verdicts import SeedStatus


@dataclass(frozen=True, slots=True)
class ParkedWindow:
    """A window that is given up for now, with the reason and the log_id of the last answer."""

    request: PageRequest
    reason: str
    log_id: str | None = None


@dataclass(frozen=True, slots=True)
class LostSearch:
    """A search that the API does not know any more, at the page that was asked for last.

    The pipeline finds out which of the window's days the search had passed, and adds `resumed`: the
    request that starts a new search of the others. `lost_searches` counts the searches of the
    window that were lost in a row without passing a day. Unless the query's ids can be trusted to
    tell when videos were published, no day counts as passed.
    """

    request: PageRequest
    lost_searches: int
    resumed: PageRequest | None = None
    trusts_ids: bool = True


@dataclass(frozen=True, slots=True)
class HeavyWindow:
    """A window whose first page kept failing, and that is searched in parts from now on."""

    request: PageRequest
    reason: str
    log_id: str | None = None


@dataclass(frozen=True, slots=True)
class RefusedSeed:
    """A seed of which the API lists nothing: an answer, not a failure."""

    request: ListRequest
    status: SeedStatus
    reason: str
    log_id: str | None
    received_at: datetime


@dataclass(frozen=True, slots=True)
class ParkedSeed:
    """A seed that is given up for now, with the reason and the log_id of the last answer."""

    request: ListRequest
    reason: str
    log_id: str | None = None


class WindowState(StrEnum):
    """What has become of a window."""

    OPEN = "open"
    COMPLETE = "complete"
    SPLIT = "split"
    PARKED = "parked"


UNFINISHED = (WindowState.OPEN, WindowState.PARKED)


class SeedState(StrEnum):
    """What has become of a seed."""

    OPEN = "open"
    COMPLETE = "complete"
    REFUSED = "refused"
    PARKED = "parked"
