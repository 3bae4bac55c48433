"""The due seeds of a stage: counted, and handed out in batches."""

from __future__ import annotations

from collections import Counter, deque
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tiktok_crawler.planning.page_counts import most_pages, most_records
from tiktok_crawler.planning.seeds import StagePlan, StageResult
from tiktok_crawler.planning.task_states import SeedState
from tiktok_crawler.research_api.paging import Place
from tiktok_crawler.research_api.tasks import PageRequest, Seed
from tiktok_crawler.storage.engine.transactions import READS_ONLY, reading
from tiktok_crawler.storage.ledger.gathered_seeds import GatheredSeeds
from tiktok_crawler.storage.ledger.standings import STANDINGS, Standing
from tiktok_crawler.storage.ledger.tallies import leading_on, tally_of, usual_requests

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from sqlalchemy import Connection, Engine, Row, Select

    from tiktok_crawler.planning.seeds import Stage

BATCH = 1_000


class DueSeeds:
    """The seeds that a stage has at a time. For one thread at a time, until it is closed.

    SQLite gathers them when they are needed first: a run works off what it has begun with, whatever
    it stores meanwhile. PostgreSQL finds them anew each time, without those that others have done
    meanwhile: no session is kept for them. What was handed out is not handed out again.
    """

    def __init__(self, engine: Engine, stage: Stage, now: datetime) -> None:
        self._engine = engine.execution_options(**{READS_ONLY: True})
        self._stage = stage
        self._now = now
        self._gathered = GatheredSeeds(stage, now)
        self._is_gathered = engine.dialect.name == "sqlite"
        if not self._is_gathered:
            self._gathered.find_each_time(engine.dialect)
        self._connection: Connection | None = None
        self._reached = 0
        self._last_batches: deque[frozenset[str]] = deque(maxlen=2)
        """Of these, seeds can be on their way."""

    def plan(self) -> StagePlan:
        """Count the seeds by what becomes of them."""
        with self._transaction() as connection:
            return self._plan(connection)

    def _plan(self, connection: Connection) -> StagePlan:
        seeds = connection.execute(self._gathered.by_standing()).one()
        return StagePlan(
            due=seeds.due,
            complete=seeds.complete,
            refused=seeds.refused,
            waiting=seeds.waiting,
            next_retry_at=seeds.next_retry_at,
        )

    def look_ahead(self, plan: StagePlan) -> StagePlan:
        """Add to a plan what its due seeds can take, and what seeds of the listing have taken."""
        with self._transaction() as connection:
            sizes = self._gathered.due_by_size()
            rows = connection.execute(sizes, execution_options={"yield_per": BATCH})
            pages, records, counted = _sums_of_products(map(self._most, rows))
            return replace(
                plan,
                most_requests=pages,
                most_records=records,
                is_counted=plan.due > 0 and counted == plan.due,
                usual_requests=_mean(connection, usual_requests(self._stage.listing)),
                leading_on=_mean(connection, leading_on(self._stage.listing)),
            )

    def next_batch(self, count: int = BATCH) -> tuple[PageRequest, ...]:
        """Hand out the requests for the next due seeds, in their order; none when all were."""
        while rows := self._next_rows(count):
            self._reached = rows[-1].number
            requests = tuple(self._requests(rows))
            if requests:
                self._last_batches.append(frozenset(request.seed.key for request in requests))
                return requests
        return ()

    def result(self) -> StageResult:
        """Count the seeds by what has become of them meanwhile."""
        with self._transaction() as connection:
            rows = connection.execute(self._gathered.by_outcome()).all()
            seeds = self._plan(connection).seeds
        outcomes = [(_state_in(STANDINGS[row.place], row.state), row) for row in rows]
        counts = Counter[SeedState]()
        for state, row in outcomes:
            counts[state] += row.seeds
        due = (row.retry_at for state, row in outcomes if state is SeedState.PARKED)
        return StageResult(
            open=counts[SeedState.OPEN] + seeds - counts.total(),
            complete=counts[SeedState.COMPLETE],
            refused=counts[SeedState.REFUSED],
            parked=counts[SeedState.PARKED],
            tally=tally_of(outcomes),
            next_retry_at=min(filter(None, due), default=None),
        )

    def close(self) -> None:
        """Forget what was gathered, with the connection that has it."""
        if self._connection:
            self._connection.invalidate()
            self._connection.close()
        self._connection = None

    def _requests(self, rows: Sequence[Row[Any]]) -> Iterator[PageRequest]:
        for row in rows:
            is_due = STANDINGS[row.place] is Standing.DUE
            if is_due and not self._was_handed_out(row):
                yield self._request(row)

    def _request(self, row: Row[Any]) -> PageRequest:
        """The page that a due seed goes on with; the first one if it begins."""
        stage = self._stage
        task = Seed(stage.listing, str(row.seed_key), stage.limit, row_id=row.id)
        if row.begins:
            return PageRequest(task, ended_at=row.completed_at)
        place = Place(row.cursor, received=row.record_count)
        return PageRequest(task, place, begun_at=row.begun_at, ended_at=row.completed_at)

    def _was_handed_out(self, row: Row[Any]) -> bool:
        """Tell whether this run is about to ask for a seed, which was found to stand elsewhere."""
        return any(str(row.seed_key) in batch for batch in self._last_batches)

    def _most(self, row: Row[Any]) -> tuple[int, tuple[int | None, ...]]:
        """Return the number of some seeds, and of each the pages and records, and if counted."""
        seed = Seed(self._stage.listing, "", self._stage.limit)
        at = PageRequest(seed, Place(row.cursor, received=row.record_count))
        is_counted = row.total is not None
        return row.seeds, (most_pages(at, row.total), most_records(at, row.total), is_counted)

    def _next_rows(self, count: int) -> Sequence[Row[Any]]:
        with self._transaction() as connection:
            return connection.execute(self._gathered.due_after(self._reached, count)).all()

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        """A transaction that sees the seeds in one state."""
        if not self._is_gathered:
            with reading(self._engine) as connection:
                yield connection
            return
        if self._connection is None:
            self._gather()
        assert self._connection
        with self._connection.begin():
            yield self._connection

    def _gather(self) -> None:
        self._connection = connection = self._engine.connect()
        try:
            with connection.begin():
                self._gathered.fill(connection)
        except BaseException:
            self.close()
            raise


def _state_in(place: Standing, state: SeedState | None) -> SeedState:
    """The state of a seed, as far as a stage is concerned."""
    match place:
        case Standing.COMPLETE:
            return SeedState.COMPLETE
        case Standing.REFUSED:
            return SeedState.REFUSED
    return SeedState.PARKED if state is SeedState.PARKED else SeedState.OPEN


def _mean(connection: Connection, mean: Select[Any]) -> float | None:
    """Read a mean, which PostgreSQL has as an exact number."""
    found = connection.scalar(mean)
    return None if found is None else float(found)


def _sums_of_products(
    counted: Iterable[tuple[int, tuple[int | None, ...]]],
) -> tuple[int | None, int | None, int | None]:
    """Add up three numbers, each as often as is counted; None if one of them is not known."""
    sums: list[int | None] = [0, 0, 0]
    for times, numbers in counted:
        for place, number in enumerate(numbers):
            known = sums[place]
            sums[place] = None if known is None or number is None else known + times * number
    first, second, third = sums
    return first, second, third
