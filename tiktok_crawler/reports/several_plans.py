"""Says what the plans of several query files cost together."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tiktok_crawler.planning.forecast import Forecast
from tiktok_crawler.planning.nights_ahead import Ahead
from tiktok_crawler.planning.stage_forecast import together
from tiktok_crawler.reports.forecast_report import cost
from tiktok_crawler.reports.refreshing_report import RefreshingCost

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from tiktok_crawler.date_range import DateRange
    from tiktok_crawler.planning.quota import Allowance
    from tiktok_crawler.query_file.collection import Collection
    from tiktok_crawler.query_file.each_value import Each
    from tiktok_crawler.research_api.query import Query

    Asked = tuple[Query, Each | None]


NOTHING = Forecast(0, 0, 0)
NO_NIGHTS = Ahead()


@dataclass(slots=True)
class Parts:
    """The costs of query files; days that two files with the same query have are paid for once."""

    count: int = 0
    total: Forecast = NOTHING
    ahead: Ahead = NO_NIGHTS
    _is_kept_fresh: bool = False
    _days: dict[Asked, list[tuple[str, DateRange]]] = field(default_factory=dict)
    _notes: list[str] = field(default_factory=list)

    def add(self, collection: Collection, parts: list[Forecast], fresh: RefreshingCost) -> None:
        """Add what one file costs: first its search, then what it also collects."""
        self.count += 1
        self.ahead += fresh.ahead
        self._is_kept_fresh |= fresh.is_asked_for
        # Lists that differ in values may have nothing in common.
        key = collection.query, collection.each
        before = self._days.setdefault(key, [])
        search, *listed = parts
        for name, days in before:
            if collection.dates.start >= days.start and collection.dates.end <= days.end:
                self._notes.append(f"{collection.name} costs nothing more: its days are in {name}")
                search = NOTHING
                break
            if days.overlaps(collection.dates):
                self._notes.append(f"{collection.name} costs less: {name} has some of its days")
        before.append((collection.name, collection.dates))
        self.total = together([self.total, search, *listed])

    def kept_fresh(self, allowance: Allowance) -> RefreshingCost | None:
        """Return what keeping all of it fresh costs; None if nothing is."""
        return RefreshingCost(None, self.ahead, allowance.a_day) if self._is_kept_fresh else None

    def lines(self, allowance: Allowance, today: date) -> Iterator[str]:
        """Say what all cost."""
        yield f"All {self.count:,} query files: {cost(self.total, allowance, today)}"
        if kept_fresh := self.kept_fresh(allowance):
            yield from kept_fresh.lines()
        for note in self._notes:
            yield f"  {note}"
