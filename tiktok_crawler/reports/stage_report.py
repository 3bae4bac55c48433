"""Describes what a stage of listings asks for: for `scrapy plan`, and for the log of a crawl."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from math import ceil
from typing import TYPE_CHECKING, Any

from tiktok_crawler.planning.page_counts import most_pages
from tiktok_crawler.planning.quota import DAILY_QUOTAS
from tiktok_crawler.reports.forecast_report import cost
from tiktok_crawler.research_api.tasks import PageRequest, Seed
from tiktok_crawler.spelling import and_more, number_of, visible

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from tiktok_crawler.planning.forecast import Forecast
    from tiktok_crawler.planning.quota import Allowance
    from tiktok_crawler.planning.seeds import Stage, StagePlan
    from tiktok_crawler.planning.stage_forecast import Coming

EXAMPLE_LIMIT = 1_000


def stage_beginning(stage: Stage, plan: StagePlan) -> str:
    """Describe what a run is about to ask for."""
    name = stage.listing.words
    if not plan.seeds:
        return f"{name}: nothing to ask for: the database has none in {stage.source}"
    seeds = number_of(plan.seeds, stage.listing.seed_key.noun)
    known = f"{plan.complete:,} are complete, {plan.refused:,} refused"
    text = (
        f"{name}: asking about {plan.due:,} of {seeds}; {known}{_days(stage, plan)}"
        if plan.due
        else f"{name}: nothing to ask for: of {seeds} {known}"
    )
    if not plan.waiting:
        return text
    due = f"{plan.next_retry_at:%Y-%m-%d %H:%M}"
    return f"{text}, {plan.waiting:,} postponed, not due before {due} UTC"


def _days(stage: Stage, plan: StagePlan) -> str:
    """Say how many days it takes, where that is more than one."""
    days = ceil(plan.due / DAILY_QUOTAS[stage.listing.endpoint.pool])
    if days == 1:
        return ""
    return (
        f"; at least {plan.due:,} requests, the quota of {days:,} days (max_seeds asks "
        "for the first so many only)"
    )


@dataclass(frozen=True, slots=True)
class PlannedStage:
    """A stage, the seeds that it has now, and what they and those to come will cost."""

    stage: Stage
    plan: StagePlan
    forecast: Forecast
    allowance: Allowance
    today: date
    coming: Coming


def stage_as_json(planned: PlannedStage) -> dict[str, Any]:
    """Return how many seeds there are, and what they cost, as JSON."""
    stage, plan = planned.stage, planned.plan
    first = plan.first_requests[0] if plan.due else None
    return {
        "listing": stage.listing.name,
        "request": {"url": first.url(""), "body": first.body} if first else None,
        "seeds": plan.seeds,
        "due": plan.due,
        "forecast": {
            "least": planned.forecast.least,
            "likely": planned.forecast.likely,
            "most": planned.forecast.most,
        },
        "quota": asdict(planned.allowance),
    }


def stage_lines(planned: PlannedStage) -> Iterator[str]:
    """Describe what a stage will cost, how many seeds there are, and which are asked for."""
    stage, plan = planned.stage, planned.plan
    name = f"{stage.listing.words.capitalize()}:"
    if not plan.seeds and not planned.coming.most:
        yield f"{name:15}the database has none yet in {stage.source}"
        return
    yield f"{name:15}{_cost(planned)}"
    if planned.coming.most != 0:
        finder = stage.listing.found_by.noun if stage.listing.found_by else "videos"
        yield f"{'':15}of these, some are for {finder} that are still to come"
    if not plan.seeds:
        return
    seeds = number_of(plan.seeds, stage.listing.seed_key.noun)
    yield (
        f"{'Seeds:':15}{seeds} known now; {plan.complete:,} complete, "
        f"{plan.refused:,} refused, {plan.waiting:,} postponed, not due yet"
    )
    if plan.next_retry_at:
        retry_at = f"{plan.next_retry_at:%Y-%m-%d %H:%M} UTC"
        yield f"{'Postponed:':15}tried again by runs from {retry_at} on"
    if plan.due:
        first = [visible(request.seed.key) for request in plan.first_requests]
        yield f"{'To ask for:':15}{plan.due:,} ({and_more(first, plan.due)})"


def _cost(planned: PlannedStage) -> str:
    """Say what a stage costs; where there is no bound, how to set one."""
    stage, forecast = planned.stage, planned.forecast
    if not forecast.least and not forecast.most:
        return "no requests: nothing is due"
    text = cost(forecast, planned.allowance, planned.today)
    if forecast.most is not None:
        return text
    limit = stage.listing.limit_argument
    capped = PageRequest(Seed(stage.listing, "", EXAMPLE_LIMIT))
    most = planned.plan.due * (most_pages(capped, None) or 1)
    unknown = "how many at most is not known"
    return f"{text}; {unknown}: {limit}={EXAMPLE_LIMIT:,} would make it at most {most:,}"
