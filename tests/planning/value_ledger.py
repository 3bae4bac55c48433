"""A ledger of batches in memory, and runs on it that end wherever a test wants them to."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING

from asked import window_request

from tiktok_crawler.date_range import DateRange
from tiktok_crawler.planning.batch_searches import Searched
from tiktok_crawler.planning.coverage import Covered, Freshness
from tiktok_crawler.planning.plan import Known, Part, WaitingWindow, Wanted, make_plan
from tiktok_crawler.planning.value_batches import (
    Batch,
    BatchPlan,
    KnownBatch,
    WantedValues,
    plan_batches,
)
from tiktok_crawler.query_file.each_value import Each
from tiktok_crawler.research_api.endpoints import VIDEO_QUERY
from tiktok_crawler.research_api.query import Condition, Field, Operation, Query

if TYPE_CHECKING:
    from collections.abc import Iterable
    from random import Random

    from tiktok_crawler.research_api.tasks import PageRequest

FIELDS = VIDEO_QUERY.fields
FIRST = date(2024, 1, 1)
NOW = datetime(2024, 9, 1, tzinfo=UTC)
FINAL = Freshness(timedelta(0))
DAY = timedelta(days=1)
OUTCOMES = ("whole", "whole", "begun", "asked", "parked")


def days(first: int, last: int | None = None) -> DateRange:
    """Days counted from 2024-01-01, which is 1."""
    return DateRange(FIRST + (first - 1) * DAY, FIRST + ((last or first) - 1) * DAY)


@dataclass(frozen=True, slots=True)
class SimulatedWindow:
    days: DateRange
    is_complete: bool = False
    has_pages: bool = False
    is_parked: bool = False


class ValueLedger:
    """Remembers windows of batches, and how often each day of each value was paid."""

    def __init__(self, size: int = 3, freshness: Freshness = FINAL) -> None:
        self.windows: dict[tuple[str, ...], dict[int, SimulatedWindow]] = defaultdict(dict)
        self.paid: Counter[tuple[str, date]] = Counter()
        self.requests = 0
        self._size = size
        self._freshness = freshness
        self._ids = count(1)

    def wanted(self, values: Iterable[str], wanted_days: DateRange, field: Field) -> WantedValues:
        each = Each(field, tuple(sorted(values)))
        return WantedValues(each, wanted_days, self._freshness, self._size, window_days=5)

    def plan(self, wanted: WantedValues) -> BatchPlan:
        return plan_batches(wanted, self.known(), NOW)

    def known(self) -> list[KnownBatch]:
        return [
            KnownBatch(
                values,
                searches=tuple(
                    Searched(w.days, NOW - 9 * DAY) for w in rows.values() if w.is_complete
                ),
                begun=tuple(w.days for w in rows.values() if not w.is_complete and w.has_pages),
                postponed=tuple(
                    w.days
                    for w in rows.values()
                    if not w.is_complete and w.is_parked and not w.has_pages
                ),
            )
            for values, rows in self.windows.items()
        ]

    def run(self, wanted: WantedValues, chance: Random | None = None) -> BatchPlan:
        """Search all that is planned; by chance, some of it is not begun, or not finished."""
        plan = self.plan(wanted)
        for batch in plan.batches:
            for row_id, window in self._searches(batch, wanted):
                self._search(batch.values, row_id, window, chance)
        return plan

    def covers(self, value: str, day: date) -> bool:
        return any(
            window.is_complete and day in window.days
            for values, rows in self.windows.items()
            if value in values
            for window in rows.values()
        )

    def _searches(
        self, batch: Batch, wanted: WantedValues
    ) -> list[tuple[int | None, SimulatedWindow]]:
        rows = self.windows[batch.values]
        query = Query((Condition(wanted.each.field, Operation.IN, batch.values),))
        part = Part(batch.missing, batch.begun, batch.is_retired)
        goal = Wanted(query, batch.days, FIELDS, self._freshness, wanted.window_days, part=part)
        unfinished = [
            (_request(row_id, window, query), window)
            for row_id, window in rows.items()
            if not window.is_complete
        ]
        known = Known(
            coverage=tuple(Covered(w.days, NOW - 9 * DAY) for w in rows.values() if w.is_complete),
            open_windows=tuple(request for request, window in unfinished if not window.is_parked),
            parked_windows=tuple(
                WaitingWindow(replace(request, second_try=True), NOW)
                for request, window in unfinished
                if window.is_parked
            ),
        )
        plan = make_plan(goal, known, NOW)
        row_ids = [request.task.row_id for request in (*plan.open_windows, *plan.parked_windows)]
        again = [(row_id, rows[row_id]) for row_id in row_ids if row_id is not None]
        return [*again, *((None, SimulatedWindow(new)) for new in plan.new_windows)]

    def _search(
        self,
        values: tuple[str, ...],
        row_id: int | None,
        window: SimulatedWindow,
        chance: Random | None,
    ) -> None:
        outcome = chance.choice(OUTCOMES) if chance else "whole"
        self.requests += 1
        if outcome in ("whole", "begun") and not window.has_pages:
            self.paid.update((value, day) for value in values for day in window.days)
        row_id = row_id or next(self._ids)
        self.windows[values][row_id] = replace(
            window,
            is_complete=outcome == "whole",
            has_pages=window.has_pages or outcome in ("whole", "begun"),
            is_parked=outcome == "parked",
        )


def _request(row_id: int, window: SimulatedWindow, query: Query) -> PageRequest:
    cursor = 100 if window.has_pages else 0
    return window_request(window.days, query=query, row_id=row_id, cursor=cursor)
