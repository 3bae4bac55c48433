"""What a crawl of a list under `each` would ask for, and what it will cost at least."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from tiktok_crawler.planning.forecast import Forecast
from tiktok_crawler.query_file.each_value import NAMES
from tiktok_crawler.reports.days_report import listed_ranges
from tiktok_crawler.reports.forecast_report import cost
from tiktok_crawler.reports.list_report import each_in_words, next_of_list, refused_lines
from tiktok_crawler.spelling import number_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from tiktok_crawler.planning.quota import Allowance
    from tiktok_crawler.planning.value_batches import Batch
    from tiktok_crawler.query_file.collection import Collection
    from tiktok_crawler.reports.refreshing_report import RefreshingCost
    from tiktok_crawler.storage.value_lists import ListState


@dataclass(frozen=True, slots=True)
class ListPlan:
    """The plan of a list by what the database knows of its values."""

    collection: Collection
    state: ListState
    allowance: Allowance
    now: datetime
    kept_fresh: RefreshingCost

    @property
    def forecast(self) -> Forecast:
        """What it will cost: how many pages a search has is not known before."""
        least = self.least_requests
        return Forecast(least, None, None) if least else Forecast(0, 0, 0)

    @property
    def least_requests(self) -> int:
        """Those of what lacks days, and one for each second try: it can be refused again."""
        return self.state.plan.least_requests + len(self._second_tries)

    def lines(self) -> Iterator[str]:
        """Describe the list, what it will cost, and then its parts."""
        plan, each = self.state.plan, self.state.wanted.each
        words = each_in_words(self.collection.query, each)
        yield words[0].upper() + words[1:]
        if self.least_requests:
            yield cost(self.forecast, self.allowance, self.now.date())
            yield "One more for each further 100 matches of a search"
        else:
            why = "nothing is missing" if self.state.is_complete else "nothing is due"
            yield f"No requests: {why}"
        yield from self.kept_fresh.lines()
        yield ""
        days = self.state.wanted.days
        yield f"Days wanted:   {days} ({number_of(len(days), 'UTC days')})"
        noun = NAMES[each.field]
        new = sum(len(batch.values) for batch in self._new)
        yield f"Values:        {each}: {plan.values - plan.lacking:,} have all days"
        if plan.left:
            lacking = f"{plan.left:,} lack some of {listed_ranges(plan.missing)}"
            yield f"Lacking:       {lacking}"
        if new:
            least = number_of(sum(batch.least_requests for batch in self._new), "requests")
            searches = number_of(len(self._new), "searches")
            yield f"New searches:  {searches}, for {number_of(new, noun)}: at least {least}"
        if tries := len(self._second_tries):
            least = f"at least {number_of(tries, 'requests')}"
            searches = number_of(tries, "searches")
            yield f"Second tries:  {searches}, for what the API has refused: {least}"
        for label, text in refused_lines(self.state.refused, len(plan.refused), self.now):
            yield f"{label.capitalize() + ':':15}{text}"
        for label, text in next_of_list(self.state, self.now):
            if label != "left":
                yield f"{label.capitalize() + ':':15}{text}"

    def as_json(self) -> dict[str, Any]:
        """Return the same as JSON; docs/operations.md says what the keys mean."""
        plan, each = self.state.plan, self.state.wanted.each
        return {
            "query": each_in_words(self.collection.query, each),
            "forecast": asdict(self.forecast),
            "least_requests": self.least_requests,
            "quota": asdict(self.allowance),
            "values": {
                "wanted": plan.values,
                "lacking": plan.lacking,
                "refused": len(plan.refused),
            },
            "searches": len(plan.batches),
            "missing": [str(days) for days in plan.missing],
            "refreshing": self.kept_fresh.as_json(),
            "warnings": list(self.collection.warnings),
        }

    @property
    def _new(self) -> list[Batch]:
        """The batches whose values were not searched together before."""
        return [batch for batch in self.state.plan.of_others if batch.known is None]

    @property
    def _second_tries(self) -> tuple[Batch, ...]:
        return self.state.plan.second_tries(self.now)
