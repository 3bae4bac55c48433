"""The output of `scrapy plan` about videos: as text for people, and as JSON for programs."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from tiktok_crawler.planning.coverage import windows
from tiktok_crawler.planning.forecast import (
    Forecast,
    alike,
    forecast,
    forecast_by_others,
    samples,
)
from tiktok_crawler.planning.plan import Known
from tiktok_crawler.planning.stage_forecast import together
from tiktok_crawler.reports.days_report import day_lines, listed_ranges, ranges
from tiktok_crawler.reports.forecast_report import cost
from tiktok_crawler.reports.keywords_report import keyword_lines
from tiktok_crawler.research_api.endpoints import VIDEO_QUERY
from tiktok_crawler.research_api.tasks import PageRequest
from tiktok_crawler.research_api.wording import in_words, joins_two_kinds
from tiktok_crawler.spelling import number_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

    from tiktok_crawler.date_range import DateRange
    from tiktok_crawler.planning.plan import Plan, Wanted
    from tiktok_crawler.planning.quota import Allowance
    from tiktok_crawler.query_file.collection import Collection
    from tiktok_crawler.reports.refreshing_report import RefreshingCost
    from tiktok_crawler.reports.stage_report import PlannedStage
    from tiktok_crawler.storage.search_session import LookedUp

PROBES = 12
"""So many first pages tell enough of most queries."""


@dataclass(frozen=True, slots=True)
class SearchPlan:
    """What a crawl of a collection would ask for, by what the database knows now.

    `first` is the request that it would begin with, if there is anything to ask for.
    """

    collection: Collection
    wanted: Wanted
    plan: Plan
    looked_up: LookedUp
    allowance: Allowance
    today: date
    first: PageRequest | None
    kept_fresh: RefreshingCost

    @property
    def known(self) -> Known:
        return self.looked_up.known or Known()

    def forecast(self) -> Forecast | None:
        """Return what it will cost, if the database knows anything to tell it by."""
        if self.wanted.query.sample:
            return Forecast(*(3 * [self.plan.least_requests]))
        own = forecast(self.plan, self.known)
        others = alike(self.wanted.query, self.looked_up.others)
        return own or (forecast_by_others(self.plan, others) if others else None)

    def lines(self) -> Iterator[str]:
        """Describe the query, what it will cost, and then the parts."""
        query = self.wanted.query
        words = in_words(query)
        yield words[0].upper() + words[1:]
        if joins_two_kinds(query):
            yield (
                "A video needs both, a hashtag AND a keyword. For videos with one OR the other "
                "write them under either: {hashtags: [...], keywords: [...]}"
            )
        yield from self._cost()
        yield from self.kept_fresh.lines()
        yield ""
        yield from self._days()

    def parts(self, stages: Sequence[PlannedStage]) -> list[Forecast]:
        """Return the costs of all that draws on the quota of searches, this search first."""
        own = self.forecast() or Forecast(self.plan.least_requests, None, None)
        listed = (planned for planned in stages if planned.stage.pool is VIDEO_QUERY.pool)
        return [own, *(planned.forecast for planned in listed)]

    def together(self, stages: Sequence[PlannedStage]) -> Iterator[str]:
        """Say what all costs that draws on the quota of searches."""
        parts = self.parts(stages)
        if len(parts) > 1:
            yield f"Together:      {cost(together(parts), self.allowance, self.today)}"

    def as_json(self) -> dict[str, Any]:
        """Return the same as JSON; docs/operations.md says what the keys mean."""
        plan, found = self.plan, self.forecast()
        form, any_days = plan.keyword_forms.sent_as, windows(plan.days)[0]
        first = self.first or PageRequest(self.wanted.window(any_days, form))
        return {
            "query": in_words(self.wanted.query),
            "request": {"url": first.url(""), "body": first.body},
            "forecast": asdict(found) if found else None,
            "least_requests": plan.least_requests,
            "quota": asdict(self.allowance),
            "days": {
                "wanted": len(plan.days),
                "covered": len(plan.standings.covered),
                "missing": len(plan.standings.missing),
            },
            "windows": {
                name: [str(days) for days in each] for name, each in _windows(plan).items()
            },
            "refreshing": self.kept_fresh.as_json(),
            "warnings": list(self.collection.warnings),
        }

    def _cost(self) -> Iterator[str]:
        plan, found = self.plan, self.forecast()
        if plan.is_empty:
            why = "nothing is missing" if plan.is_complete else "nothing is due"
            yield f"No requests: {why}"
            return
        if found is None:
            least = number_of(plan.least_requests, "requests")
            yield f"At least {least}, and one more for each further 100 matches of a window"
            yield f"Nothing is known of how many videos there are.{self._way_to_learn()}"
            return
        yield cost(found, self.allowance, self.today)
        if self.wanted.query.sample:
            yield "A sample takes one request a day, and makes no day covered"
            return
        yield from self._grounds(found)

    def _grounds(self, found: Forecast) -> Iterator[str]:
        """Say what the forecast is made from."""
        coming = f"about {number_of(found.matches, 'matches')} to come, 100 a request"
        own = samples(self.known)
        if not own:
            others = alike(self.wanted.query, self.looked_up.others)
            queries = number_of(len(others), "other queries")
            yield f"By {queries} here that name the same: {coming}.{self._way_to_learn()}"
            return
        days = sum(sample.end - sample.start for sample in own)
        yield f"By what {days:,.1f} of its days have brought: {coming}"
        if days < len(own):
            yield (
                "That is of the last hours of days (UTC): where more or fewer videos come at other "
                "hours, it takes as many more or fewer requests"
            )
        in_vain = self.known.requests - self.known.pages
        if in_vain > 0:
            yield (
                f"Of {number_of(self.known.requests, 'requests')} so far {in_vain:,} brought no "
                "page; as many are expected of those to come"
            )

    def _way_to_learn(self) -> str:
        probes = min(PROBES, len(self.plan.standings.missing))
        if probes <= 1:
            return ""
        return (
            f" To learn more, ask for {probes} first pages, which a crawl need not pay again: "
            f"add --probe {probes}"
        )

    def _days(self) -> Iterator[str]:
        plan, collection, standings = self.plan, self.collection, self.plan.standings
        yield (
            f"Days wanted:   {plan.days} ({number_of(len(plan.days), 'UTC days')}; written as "
            f"{collection.start_written} to {collection.end_written})"
        )
        if self.looked_up.known is None:
            yield "Covered:       none (the database does not exist or has not seen this query yet)"
        else:
            lines = day_lines(standings)
            yield from (f"{label.capitalize() + ':':15}{text}" for label, text in lines)
        for day in standings.unsettled[:1]:
            again = f"{self.wanted.freshness.final_from(day):%Y-%m-%d %H:%M} UTC"
            yield (
                f"Not final yet: {ranges(standings.unsettled)}: searched before all videos had "
                f"appeared; collected once more from {again} on"
            )
        for line in keyword_lines(plan):
            yield f"Keywords:      {line}"
        for label, found in _windows(plan).items():
            if found:
                name = f"{label.replace('_', ' ').capitalize()}:"
                yield f"{name:15}{len(found)} ({listed_ranges(found)})"
        if plan.next_retry_at:
            yield (
                "Postponed:     windows that are not due yet are tried again by runs from "
                f"{plan.next_retry_at:%Y-%m-%d %H:%M} UTC on"
            )


def _windows(plan: Plan) -> dict[str, list[DateRange]]:
    """Return the windows of a plan by what becomes of them."""
    waiting = [parked.request for parked in plan.waiting_windows]
    requests = {
        "parked_windows": plan.parked_windows,
        "not_due_yet": waiting,
        "second_tries": plan.suspicious_windows,
        "left_alone": plan.left_windows,
    }
    return {
        "open_windows": [request.window.days for request in plan.open_windows],
        "new_windows": list(plan.new_windows),
        "refreshed": list(plan.refreshed_windows),
        **{name: [request.window.days for request in each] for name, each in requests.items()},
    }
