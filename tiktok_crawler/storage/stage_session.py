"""A run's hold on a listing: which seeds of a stage are due, and how far they are."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from hashlib import sha256
from typing import TYPE_CHECKING

from tiktok_crawler.planning.seeds import GivenSeeds
from tiktok_crawler.planning.task_states import Refused
from tiktok_crawler.storage.engine import database
from tiktok_crawler.storage.ledger.due_seeds import DueSeeds
from tiktok_crawler.storage.ledger.kept_out import read_gate
from tiktok_crawler.storage.models.base import Base
from tiktok_crawler.storage.records.leaving_out import seed_key, seed_stand_in
from tiktok_crawler.storage.session import TaskSession

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import Connection, Engine

    from tiktok_crawler.planning.quota import QuotaAccount
    from tiktok_crawler.planning.seeds import Stage, StagePlan, StageResult
    from tiktok_crawler.planning.task_states import Event
    from tiktok_crawler.research_api.endpoints import Listing
    from tiktok_crawler.research_api.tasks import PageRequest
    from tiktok_crawler.storage.records.leaving_out import Deleted

LOOKED_UP = 20
"""Of so many due seeds a plan has the requests."""


def lock_of(listing: Listing) -> tuple[str, str]:
    """Return what the lock of a listing is called, by programs and by people."""
    return sha256(f"listing {listing.name}".encode()).hexdigest(), listing.words


class StageSession(TaskSession):
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
        self._seeds: DueSeeds | None = None
        self.left_out = 0
        """The named seeds that are not asked about, as persons have asked."""

    @property
    def lock_name(self) -> tuple[str, str]:
        return lock_of(self.stage.listing)

    def plan(self, now: datetime) -> StagePlan:
        """Count what there is to ask for now."""
        self._forget()
        self._seeds = DueSeeds(self.engine, self._without_kept_out(), now)
        return self._seeds.plan()

    def due(self) -> Sequence[PageRequest]:
        """Read the next part of what is due; an empty one is the last."""
        assert self._seeds
        return self._seeds.next_batch()

    @property
    def is_planned(self) -> bool:
        """True from `plan` on."""
        return self._seeds is not None

    def result(self) -> StageResult:
        """Count how far the stage's seeds are, by what this run was asked for when it began."""
        assert self._seeds
        return self._seeds.result()

    def release(self) -> None:
        self._forget()
        super().release()

    def _without_kept_out(self) -> Stage:
        """Return the stage without named seeds that are kept out: nothing of them is stored."""
        listing, source = self.stage.listing, self.stage.source
        if not isinstance(source, GivenSeeds):
            return self.stage
        keys = {seed: seed_key(listing, seed) for seed in source.values}

        def look(deleted: Deleted) -> None:
            for key in keys.values():
                _ = key is not None and key in deleted

        found = self._read(lambda on: read_gate(on).found(on, look))
        if not found:
            return self.stage
        left = tuple(seed for seed, key in keys.items() if key is None or key not in found)
        self.left_out = len(keys) - len(left)
        return replace(self.stage, source=GivenSeeds(left))

    def _forget(self) -> None:
        if self._seeds:
            self._seeds.close()
        self._seeds = None

    def _register(self, connection: Connection, now: datetime) -> None:
        """Seeds are registered one by one, when they are opened."""

    def _note_end(
        self, connection: Connection, request: PageRequest, event: Event, now: datetime
    ) -> None:
        if isinstance(event, Refused):
            self._store.refuse(connection, request, event, now)

    @property
    def _claims_when_opened(self) -> bool:
        return self._worker_id() is not None

    def _open_row(self, connection: Connection, request: PageRequest, now: datetime) -> int:
        return self._tasks(connection).open_seed(self._unnamed(connection, request), now)

    def _unnamed(self, connection: Connection, request: PageRequest) -> PageRequest:
        """Let a seed that was deleted since it was planned have a row that does not name it."""
        key = seed_key(request.seed.listing, request.seed.key)
        if key is None:
            return request
        found = read_gate(connection).found(connection, lambda deleted: key in deleted)
        if not found:
            return request
        return replace(request, task=replace(request.seed, key=seed_stand_in(key, found)))


def look_up_stage(url: str, origin: str, stage: Stage, now: datetime) -> StagePlan:
    """Count what a run of a stage would ask for now, without changing anything.

    Raises:
        ConfigurationError: the database cannot be used as it is.
    """
    with database.opened_to_read(url) as engine:
        if database.has_data(engine, origin):
            return _look_up(engine, stage, now)
    with database.opened("sqlite://") as nothing_stored:
        Base.metadata.create_all(nothing_stored)
        return _look_up(nothing_stored, stage, now)


def _look_up(engine: Engine, stage: Stage, now: datetime) -> StagePlan:
    with closing(DueSeeds(engine, stage, now)) as seeds:
        plan = seeds.look_ahead(seeds.plan())
        return replace(plan, first_requests=seeds.next_batch(LOOKED_UP))
