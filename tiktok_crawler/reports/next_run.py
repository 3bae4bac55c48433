"""Says from when on another run can go on with what is left."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tiktok_crawler.arguments.check_arguments import SPIDER as CHECKS
from tiktok_crawler.exceptions import SecondTriesSpentError
from tiktok_crawler.storage.ledger.quota import VIDEOS

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from tiktok_crawler.exceptions import ShareSpentError
    from tiktok_crawler.planning.seeds import Stage, StageResult
    from tiktok_crawler.storage.search_session import SearchResult
    from tiktok_crawler.storage.value_lists import ListState


@dataclass(frozen=True, slots=True)
class Left:
    """What is left of a part to later runs, and from when on, if no share of the day is spent.

    `has_first_tries` if some of it was never postponed.
    """

    part: str
    at: datetime
    has_first_tries: bool = True

    def possible_from(self, spent: Iterable[ShareSpentError]) -> datetime | None:
        """Return from when on a run can go on with it; None: never, with these shares."""
        limits = [each.until for each in spent if self._is_bound_by(each)]
        times = [self.at, *filter(None, limits)]
        return None if None in limits else max(times)

    def _is_bound_by(self, spent: ShareSpentError) -> bool:
        is_for_others = isinstance(spent, SecondTriesSpentError) and self.has_first_tries
        return spent.part == self.part and not is_for_others


def left_of_search(result: SearchResult | ListState | None, now: datetime) -> Left:
    """Return what is left of a search; without a result it was not begun."""
    if result is None:
        return Left(VIDEOS, now)
    at = now if result.is_due else result.next_retry_at or now
    return Left(VIDEOS, at, result.has_first_tries)


def left_of_stage(stage: Stage, result: StageResult | None, now: datetime) -> Left:
    """Return what is left of a listing; without a result it was not begun."""
    if result is None or result.open:
        return Left(stage.listing.name, now)
    return Left(stage.listing.name, result.next_retry_at or now, has_first_tries=False)


def left_of_checks(now: datetime) -> Left:
    """Return what is left of checks of existence."""
    return Left(CHECKS, now)
