"""One run of a stage on a database: its lock, ledger and store, for one thread at a time."""

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
from tiktok_crawler.storage.list_store import ListStore
from tiktok_crawler.storage.session import Session

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import Engine

    from tiktok_crawler.planning.quota import QuotaAccount
    from tiktok_crawler.planning.seeds import Stage
    from tiktok_crawler.planning.task_states import ParkedSeed, RefusedSeed
    from tiktok_crawler.research_api.listings import Listing
    from tiktok_crawler.research_api.pages import ListPage
    from tiktok_crawler.research_api.tasks import ListRequest
    from tiktok_crawler.storage.ledger.seed_ledger import Seeds
    from tiktok_crawler.storage.store import Saved


class StageSession(Session):
    """Holds the listing's lock from `open` to `close`; the other methods are for the time between.

    One crawl of a listing at a time works on a database.
    """

    def __init__(
        self,
        url: str,
        *,
        origin: str,
        stage: Stage,
        tags: tuple[str, ...],
        account: QuotaAccount,
    ) -> None:
        super().__init__(url, origin, *lock_names(stage.listing))
        self.stage = stage
        self._tags = tags
        self._account = account
        self._planned_at: datetime | None = None
        self._seeds: list[str] = []
        self._ended_at: dict[int, datetime | None] = {}

    def plan(self, now: datetime) -> StagePlan:
        """Find the stage's seeds, register them, and decide what to ask for."""
        assert self._engine
        self._seeds = seeds = _find_seeds(self._engine, self.stage)
        known = self._register(seeds, now)
        totals = _totals(self._engine, self.stage.listing, seeds)
        plan = make_stage_plan(self.stage, [known[seed] for seed in seeds], totals, now)
        self._ended_at = {r.seed_id: known[r.seed].completed_at for r in plan.requests}
        self._planned_at = now
        self._lose_patience()
        return plan

    def book(self, request: ListRequest, now: datetime) -> ListRequest:
        """Write down that the request is about to be sent.

        Raises:
            QueryLockedError: the lock was lost.
            DailyBudgetSpentError: the day's budget is spent.
            DailyShareSpentError: what such requests may cost in a day is spent.
        """
        self._verify_lock()
        return self._ledger.book(request, now, ended_at=self._ended_at.get(request.seed_id))

    def save_page(self, page: ListPage) -> Saved:
        return self._store.save_page(page, tags=self._tags)

    def refuse(self, refused: RefusedSeed) -> None:
        self._ledger.refuse(refused)

    def park(self, parked: ParkedSeed, now: datetime) -> None:
        self._ledger.park(parked, now)

    def fill_quota(self, now: datetime) -> None:
        self._ledger.fill_quota(now)

    def close(self) -> StageResult | None:
        """Release everything.

        Returns:
            How far the stage's seeds are; None if it never came to a plan.
        """
        try:
            return self._remains(self._planned_at) if self._planned_at else None
        finally:
            self._release()

    def _register(self, seeds: Sequence[str], now: datetime) -> Seeds:
        return self._ledger.register(seeds, now)

    def _use(self, engine: Engine) -> None:
        super()._use(engine)
        self._ledger = SeedLedger(engine, self.stage.listing, self._account)
        self._store = ListStore(engine)

    def _remains(self, planned_at: datetime) -> StageResult:
        known = self._ledger.known(self._seeds)
        counts = Counter(state_in(row, self.stage, planned_at) for row in known.values())
        return StageResult(
            open=counts[SeedState.OPEN],
            complete=counts[SeedState.COMPLETE],
            refused=counts[SeedState.REFUSED],
            parked=counts[SeedState.PARKED],
            records=self._ledger.records(known),
        )


def lock_names(listing: Listing) -> tuple[str, str]:
    """What the lock of a listing is known by, and what it is for, in words."""
    fingerprint = sha256(f"listing {listing.name}".encode()).hexdigest()
    return fingerprint, listing.name.replace("_", " ")


def look_up_stage(url: str, origin: str, stage: Stage, now: datetime) -> StagePlan:
    """What a run of a stage would ask for now, without changing anything.

    Requests for seeds that are not registered yet have a `seed_id` of 0.

    Raises:
        ConfigurationError: the database cannot be used as it is.
    """
    engine = database.create_engine_for(database.database_url(url))
    try:
        if database.is_new(engine):
            given = stage.source.values if isinstance(stage.source, GivenSeeds) else ()
            return make_stage_plan(stage, list(map(NewSeed, given)), {}, now)
        database.prepare(engine, origin)
        seeds = _find_seeds(engine, stage)
        known = SeedLedger(engine, stage.listing).known(seeds)
        rows = [known.get(seed) or NewSeed(seed) for seed in seeds]
        return make_stage_plan(stage, rows, _totals(engine, stage.listing, seeds), now)
    finally:
        engine.dispose()


def _find_seeds(engine: Engine, stage: Stage) -> list[str]:
    with reading(engine) as connection:
        return SeedSources(connection, statements_for(connection.dialect)).seeds_of(stage)


def _totals(engine: Engine, listing: Listing, seeds: Sequence[str]) -> dict[str, int]:
    with reading(engine) as connection:
        return known_totals(connection, listing, seeds)
