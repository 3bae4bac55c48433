"""Describes what a stage of listings asks for: for `scrapy plan`, and for the log of a crawl."""

from __future__ import annotations

import json
from math import ceil
from typing import TYPE_CHECKING

from tiktok_crawler.planning.quota import DAILY_QUOTAS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tiktok_crawler.planning.seeds import Stage, StagePlan

MANY_DAYS = 100


def stage_beginning(stage: Stage, plan: StagePlan) -> str:
    """Describe what a run is about to ask for."""
    name = stage.listing.words
    if not plan.seeds:
        return f"{name}: nothing to ask for: the database has none in {stage.source}"
    known = f"{plan.complete:,} are complete, {plan.refused:,} refused"
    text = (
        f"{name}: asking for {plan.due:,} of {plan.seeds:,} seeds; {known}{_days(stage, plan)}"
        if plan.due
        else f"{name}: nothing to ask for: of {plan.seeds:,} seeds {known}"
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


def stage_lines(stage: Stage, plan: StagePlan) -> Iterator[str]:
    """The first request, the seeds, and what they cost."""
    if plan.due:
        first = plan.first_requests[0]
        yield f"POST {first.url('')}"
        yield json.dumps(first.body, indent=2, ensure_ascii=False)
        yield ""
    yield from seed_lines(stage, plan)
    if not plan.due:
        yield f"{'Requests:':15}none, nothing is due"


def seed_lines(stage: Stage, plan: StagePlan) -> Iterator[str]:
    """Describe how many seeds there are, which ones would be asked for, and what they cost."""
    name = f"{stage.listing.words.capitalize()}:"
    if not plan.seeds:
        yield f"{name:15}the database has none yet in {stage.source}"
        return
    yield (
        f"{name:15}{plan.seeds:,} seeds known now; {plan.complete:,} complete, "
        f"{plan.refused:,} refused, {plan.waiting:,} postponed, not due yet"
    )
    if plan.next_retry_at:
        retry_at = f"{plan.next_retry_at:%Y-%m-%d %H:%M} UTC"
        yield f"{'Postponed:':15}tried again by runs from {retry_at} on"
    if plan.due:
        listed = ", ".join(request.seed.key for request in plan.first_requests)
        more = plan.due - len(plan.first_requests)
        and_more = f" and {more:,} more" if more > 0 else ""
        yield f"{'To ask for:':15}{plan.due:,} ({listed}{and_more})"
        yield from _cost(stage, plan)


def _cost(stage: Stage, plan: StagePlan) -> Iterator[str]:
    most = "" if plan.most_requests is None else f", at most {plan.most_requests:,}"
    unknown = "; how many at most is not known" if plan.most_requests is None else ""
    yield f"{'Requests:':15}at least {plan.least_requests:,}{most}{unknown}"
    daily_quota = DAILY_QUOTAS[stage.listing.endpoint.pool]
    days = plan.least_requests / daily_quota
    written = f"{days:.3g}" if days < MANY_DAYS else f"{days:,.0f}"
    yield f"{'Quota:':15}at least {written} days of {daily_quota:,} requests"
