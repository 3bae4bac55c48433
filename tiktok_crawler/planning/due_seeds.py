"""What the seeds of a stage need, by their rows in the ledger. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from tiktok_crawler.planning.page_counts import most_pages
from tiktok_crawler.planning.seeds import StagePlan
from tiktok_crawler.planning.task_states import SeedState
from tiktok_crawler.research_api.paging import Place
from tiktok_crawler.research_api.tasks import PageRequest, Seed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from tiktok_crawler.planning.seeds import Stage


class SeedRow(Protocol):
    """What has to be known of a seed: columns of `seed`."""

    @property
    def id(self) -> int: ...
    @property
    def seed(self) -> str: ...
    @property
    def state(self) -> SeedState: ...
    @property
    def cursor(self) -> int: ...
    @property
    def record_count(self) -> int: ...
    @property
    def has_more(self) -> bool | None: ...
    @property
    def suspicious(self) -> bool: ...
    @property
    def retry_at(self) -> datetime | None: ...
    @property
    def begun_at(self) -> datetime | None: ...
    @property
    def completed_at(self) -> datetime | None: ...


@dataclass(frozen=True, slots=True)
class NewSeed:
    """A seed that has no row yet."""

    seed: str
    id: int = 0
    state: SeedState = SeedState.OPEN
    cursor: int = 0
    record_count: int = 0
    has_more: bool | None = None
    suspicious: bool = False
    retry_at: datetime | None = None
    begun_at: datetime | None = None
    completed_at: datetime | None = None


class Standing(StrEnum):
    """What becomes of a seed in a stage."""

    DUE = "due"
    """A page of it is to be asked for now."""
    WAITING = "waiting"
    """It is parked, and not due yet."""
    COMPLETE = "complete"
    REFUSED = "refused"


def standing(seed: SeedRow, stage: Stage, now: datetime) -> Standing:
    """What a seed needs now.

    A listing that ended at a limit goes on where a stage wants more; one that was begun without a
    limit is enough as soon as it has what a stage with one wants.
    """
    if _is_outdated(seed, stage, now):
        return Standing.DUE
    if seed.state is SeedState.REFUSED:
        return Standing.REFUSED
    is_enough = stage.limit is not None and seed.record_count >= stage.limit
    goes_on = seed.has_more and not seed.suspicious
    if is_enough or (seed.state is SeedState.COMPLETE and not goes_on):
        return Standing.COMPLETE
    is_parked = seed.state is SeedState.PARKED
    return Standing.WAITING if is_parked and (seed.retry_at or now) > now else Standing.DUE


def make_stage_plan(
    stage: Stage, seeds: Sequence[SeedRow], totals: Mapping[str, int], now: datetime
) -> StagePlan:
    """Decide what to ask for now; `totals` are how many records seeds are known to have."""
    standings = [(seed, standing(seed, stage, now)) for seed in seeds]
    requests = tuple(request_for(seed, stage, now) for seed, s in standings if s is Standing.DUE)
    counts = Counter(s for _, s in standings)
    return StagePlan(
        requests=requests,
        complete=counts[Standing.COMPLETE],
        refused=counts[Standing.REFUSED],
        waiting=counts[Standing.WAITING],
        next_retry_at=min(
            (seed.retry_at for seed, s in standings if s is Standing.WAITING and seed.retry_at),
            default=None,
        ),
        most_requests=_sum(
            most_pages(request, totals.get(request.seed.key)) for request in requests
        ),
    )


def state_in(seed: SeedRow, stage: Stage, now: datetime) -> SeedState:
    """The state of a seed, as far as a stage is concerned."""
    match standing(seed, stage, now):
        case Standing.COMPLETE:
            return SeedState.COMPLETE
        case Standing.REFUSED:
            return SeedState.REFUSED
    return SeedState.PARKED if seed.state is SeedState.PARKED else SeedState.OPEN


def _sum(counts: Iterable[int | None]) -> int | None:
    """The sum of all counts, None if one of them is not known."""
    known = list(counts)
    return None if None in known else sum(filter(None, known))


def request_for(seed: SeedRow, stage: Stage, now: datetime) -> PageRequest:
    """The page that a due seed goes on with; the first one if it begins, or begins anew."""
    task = Seed(stage.listing, seed.seed, stage.limit, row_id=seed.id or None)
    if not seed.cursor or _is_outdated(seed, stage, now):
        return PageRequest(task)
    return PageRequest(task, Place(seed.cursor, received=seed.record_count), begun_at=seed.begun_at)


def _is_outdated(seed: SeedRow, stage: Stage, now: datetime) -> bool:
    """Whether the listing ended so long ago that it begins anew."""
    has_ended = seed.state in (SeedState.COMPLETE, SeedState.REFUSED)
    if not has_ended or stage.max_age is None or seed.completed_at is None:
        return False
    return seed.completed_at < now - stage.max_age
