"""The due seeds of a stage: gathered once, counted, and handed out in batches."""

from __future__ import annotations

from collections import Counter, deque
from contextlib import contextmanager
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING, Any

from sqlalchemy.exc import DBAPIError

from tiktok_crawler.planning.page_counts import most_pages, most_records
from tiktok_crawler.planning.seeds import StagePlan, StageResult
from tiktok_crawler.planning.task_states import SeedState
from tiktok_crawler.research_api.paging import Place
from tiktok_crawler.research_api.tasks import PageRequest, Seed
from tiktok_crawler.storage.engine.postgresql import can_make_tables
from tiktok_crawler.storage.engine.transactions import READS_ONLY
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

    They are gathered when they are needed first, and once more if the connection was lost; what
    was handed out by then is not handed out again. Whoever `only_looks` need not be allowed to
    gather them.
    """

    def __init__(
        self, engine: Engine, stage: Stage, now: datetime, *, only_looks: bool = False
    ) -> None:
        self._engine = engine.execution_options(**{READS_ONLY: True})
        self._stage = stage
        self._now = now
        self._only_looks = only_looks
        self._gathered = GatheredSeeds(stage, now)
        self._connection: Connection | None = None
        self._reached = 0
        self._last_batches: deque[tuple[PageRequest, ...]] = deque(maxlen=2)
        self._handed_out: frozenset[str] | None = None

    def plan(self) -> StagePlan:
        """Count the seeds by what becomes of them."""
        with self._transaction() as connection:
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
                self._last_batches.append(requests)
                return requests
        return ()

    def result(self) -> StageResult:
        """Count the seeds by what has become of them meanwhile."""
        try:
            return self._result()
        except DBAPIError as exc:
            if not exc.connection_invalidated:
                raise
            # It has been idle since the last batch: its end is noticed only now.
            return self._result()

    def _result(self) -> StageResult:
        with self._transaction() as connection:
            rows = connection.execute(self._gathered.by_outcome()).all()
        outcomes = [(_state_in(STANDINGS[row.place], row.state), row) for row in rows]
        counts = Counter[SeedState]()
        for state, row in outcomes:
            counts[state] += row.seeds
        due = (row.retry_at for state, row in outcomes if state is SeedState.PARKED)
        without_row = self.plan().seeds - counts.total()
        return StageResult(
            open=counts[SeedState.OPEN] + without_row,
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
        """Tell whether this run had asked for a seed, or was about to, before it gathered again."""
        if self._handed_out is None:
            return False
        is_touched = row.id is not None and row.updated_at > self._now
        return is_touched or str(row.seed_key) in self._handed_out

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
        """A transaction of the connection that has the gathered seeds."""
        if self._connection is None or self._connection.invalidated:
            self.close()
            self._gather()
        assert self._connection
        with self._connection.begin():
            yield self._connection

    def _gather(self) -> None:
        self._connection = connection = self._engine.connect()
        self._reached = 0
        if self._last_batches:
            # Only seeds of these can be on their way without a trace in their rows.
            requests = chain.from_iterable(self._last_batches)
            self._handed_out = frozenset(request.seed.key for request in requests)
        try:
            with connection.begin():
                if self._only_looks and not can_make_tables(connection):
                    self._gathered.find_each_time(connection)
                else:
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
