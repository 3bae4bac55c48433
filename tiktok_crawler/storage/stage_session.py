"""A run's hold on a listing: which seeds of a stage are due, and how far they are."""

from __future__ import annotations

from collections import Counter
from hashlib import sha256
from typing import TYPE_CHECKING

from tiktok_crawler.planning.due_seeds import NewSeed, make_stage_plan, state_in
from tiktok_crawler.planning.seeds import GivenSeeds, StagePlan, StageResult
from tiktok_crawler.planning.task_states import SeedState
from tiktok_crawler.storage.engine import database
from tiktok_crawler.storage.engine.statements import statements_for
from tiktok_crawler.storage.engine.transactions import reading
from tiktok_crawler.storage.ledger.known_totals import known_totals
from tiktok_crawler.storage.ledger.seed_ledger import SeedLedger
from tiktok_crawler.storage.ledger.seeds import SeedSources
from tiktok_crawler.storage.session import Session

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import Connection, Engine

    from tiktok_crawler.planning.quota import QuotaAccount
    from tiktok_crawler.planning.seeds import Stage
    from tiktok_crawler.research_api.endpoints import Listing
    from tiktok_crawler.research_api.tasks import PageRequest


class StageSession(Session):
    """Holds the listing's lock from `open` to `release`."""

    def __init__(
        self,
        url: str,
        *,
        origin: str,
        stage: Stage,
        tags: tuple[str, ...],
        account: QuotaAccount | None,
    ) -> None:
        super().__init__(url, origin=origin, account=account, tags=tags)
        self.stage = stage

    @property
    def lock_name(self) -> tuple[str, str]:
        return lock_name(self.stage.listing)

    def plan(self, now: datetime) -> StagePlan:
        """Count what there is to ask for now."""
        self._plan = _plan(self._engine, self.stage, now)
        self._waiting = list(self._plan.requests)
        return self._plan

    def due(self) -> list[PageRequest]:
        """Read the next part of what is due; an empty one is the last."""
        part, self._waiting = self._waiting[:1000], self._waiting[1000:]
        return part

    def result(self) -> StageResult:
        """Count how far the stage's seeds are, by what this run was asked for when it began."""
        ledger = SeedLedger(self._engine, self.stage.listing)
        seeds = _find_seeds(self._engine, self.stage)
        known = ledger.known(seeds)
        counts = Counter(
            state_in(known.get(seed) or NewSeed(seed), self.stage, self._since) for seed in seeds
        )
        return StageResult(
            open=counts[SeedState.OPEN],
            complete=counts[SeedState.COMPLETE],
            refused=counts[SeedState.REFUSED],
            parked=counts[SeedState.PARKED],
            records=ledger.records(known),
        )

    def _register(self, connection: Connection, now: datetime) -> None:
        """Seeds are registered one by one, when they are opened."""

    def _open_row(self, connection: Connection, request: PageRequest, now: datetime) -> int:
        return self._tasks(connection).open_seed(request, now, since=self._since)


def lock_name(listing: Listing) -> tuple[str, str]:
    """Return what the lock of a listing is known by, and what it is for, in words."""
    fingerprint = sha256(f"listing {listing.name}".encode()).hexdigest()
    return fingerprint, listing.words


def look_up_stage(url: str, origin: str, stage: Stage, now: datetime) -> StagePlan:
    """Count what a run of a stage would ask for now, without changing anything.

    Raises:
        ConfigurationError: the database cannot be used as it is.
    """
    engine = database.create_engine_for(database.database_url(url))
    try:
        if database.is_new(engine):
            given = stage.source.values if isinstance(stage.source, GivenSeeds) else ()
            return make_stage_plan(stage, list(map(NewSeed, given)), {}, now)
        database.prepare(engine, origin)
        return _plan(engine, stage, now)
    finally:
        engine.dispose()


def _plan(engine: Engine, stage: Stage, now: datetime) -> StagePlan:
    seeds = _find_seeds(engine, stage)
    known = SeedLedger(engine, stage.listing).known(seeds)
    rows = [known.get(seed) or NewSeed(seed) for seed in seeds]
    return make_stage_plan(stage, rows, _totals(engine, stage.listing, seeds), now)


def _find_seeds(engine: Engine, stage: Stage) -> list[str]:
    with reading(engine) as connection:
        return SeedSources(connection, statements_for(connection.dialect)).seeds_of(stage)


def _totals(engine: Engine, listing: Listing, seeds: Sequence[str]) -> dict[str, int]:
    with reading(engine) as connection:
        return known_totals(connection, listing, seeds)
