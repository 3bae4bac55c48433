"""What the seeds of a stage need, row by row: what the SQL of `ledger/standings.py` has to say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tiktok_crawler.planning.task_states import SeedState
from tiktok_crawler.research_api.endpoints import PLAYLISTS
from tiktok_crawler.research_api.paging import Place
from tiktok_crawler.research_api.tasks import PageRequest, Seed
from tiktok_crawler.storage.ledger.standings import Standing

if TYPE_CHECKING:
    from datetime import datetime

    from tiktok_crawler.planning.seeds import Stage


@dataclass(frozen=True, slots=True)
class SeedFacts:
    """The facts needed about a seed: columns of `seed`, by default those of one without a row."""

    seed: str
    id: int | None = None
    state: SeedState = SeedState.OPEN
    cursor: int = 0
    record_count: int = 0
    has_more: bool | None = None
    suspicious: bool = False
    retry_at: datetime | None = None
    begun_at: datetime | None = None
    completed_at: datetime | None = None


def standing(seed: SeedFacts, stage: Stage, now: datetime) -> Standing:
    """Tell what a seed needs now.

    A listing that ended at a limit goes on where a stage wants more; one that was begun without a
    limit is enough as soon as it has what a stage with one wants.
    """
    if _is_outdated(seed, stage, now):
        return Standing.DUE
    if seed.state is SeedState.REFUSED:
        return Standing.REFUSED
    came = seed.cursor if stage.listing is PLAYLISTS else seed.record_count
    is_enough = stage.limit is not None and came >= stage.limit
    goes_on = seed.has_more and not seed.suspicious
    if is_enough or (seed.state is SeedState.COMPLETE and not goes_on):
        return Standing.COMPLETE
    is_parked = seed.state is SeedState.PARKED
    return Standing.WAITING if is_parked and (seed.retry_at or now) > now else Standing.DUE


def request_for(seed: SeedFacts, stage: Stage, now: datetime) -> PageRequest:
    """The page that a due seed goes on with; the first one if it begins, or begins anew."""
    task = Seed(stage.listing, seed.seed, stage.limit, row_id=seed.id)
    if not seed.cursor or _is_outdated(seed, stage, now):
        return PageRequest(task)
    return PageRequest(task, Place(seed.cursor, received=seed.record_count), begun_at=seed.begun_at)


def _is_outdated(seed: SeedFacts, stage: Stage, now: datetime) -> bool:
    """Tell whether the listing ended so long ago that it begins anew."""
    has_ended = seed.state in (SeedState.COMPLETE, SeedState.REFUSED)
    if not has_ended or stage.max_age is None or seed.completed_at is None:
        return False
    return seed.completed_at < now - stage.max_age
