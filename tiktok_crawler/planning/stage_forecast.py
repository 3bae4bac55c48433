"""Forecasts the requests that listings take, with those of seeds that are still to come. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

from tiktok_crawler.planning.forecast import Forecast
from tiktok_crawler.planning.page_counts import most_pages, most_records
from tiktok_crawler.planning.seeds import FirstSeeds
from tiktok_crawler.research_api.endpoints import VIDEO_QUERY
from tiktok_crawler.research_api.tasks import PageRequest, Seed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tiktok_crawler.planning.seeds import Stage, StagePlan


@dataclass(frozen=True, slots=True)
class Coming:
    """The seeds of a stage that are still to be found: how many at most, and how many likely."""

    most: float | None
    likely: float | None


NONE_COMING = Coming(0, 0)


def seeds_of_videos(
    stage: Stage, plan: StagePlan, search: Forecast | None, stored_videos: int
) -> Coming:
    """Forecast how many seeds the videos that a search has still to find will name."""
    if search and not search.most:
        return NONE_COMING
    most = search.most * VIDEO_QUERY.max_count if search and search.most else None
    matches = search.matches if search else None
    if isinstance(stage.source, FirstSeeds):
        wanted = max(stage.source.count - plan.seeds, 0)
        likely = None if matches is None else min(wanted, matches)
        return Coming(wanted if most is None else min(wanted, most), likely)
    return Coming(most, _times(matches, plan.seeds / stored_videos if stored_videos else None))


def seeds_of_records(stage: Stage, plan: StagePlan, coming: Coming) -> Coming:
    """Forecast how many records a stage has still to bring, each of which may be a seed."""
    each = most_records(PageRequest(Seed(stage.listing, "", stage.limit)), None)
    most = _plus(plan.most_records, _times(coming.most, each))
    return Coming(most, _times(most, plan.leading_on))


def forecast_stage(stage: Stage, plan: StagePlan, coming: Coming) -> Forecast:
    """Forecast the requests of a stage of listings, with those of seeds that are still to come.

    What the records of seeds count is likely, or else what seeds of the listing have taken so far.
    """
    each = most_pages(PageRequest(Seed(stage.listing, "", stage.limit)), None)
    most = _plus(plan.most_requests, _times(coming.most, each))
    usual = plan.usual_requests
    if usual is None and plan.is_counted:
        usual = _times(plan.most_requests, 1 / plan.due)
    if each == 1:
        usual = 1
    now = plan.most_requests if plan.is_counted else _times(plan.due, usual)
    likely = _plus(now, _times(coming.likely, usual))
    if likely is not None:
        likely = max(plan.due, likely if most is None else min(likely, most))
    if most == plan.due:
        likely = most
    return Forecast(plan.due, _rounded(likely), _rounded(most))


def together(parts: Iterable[Forecast]) -> Forecast:
    """Add up forecasts; what is not known of one is not known of all."""
    total = Forecast(0, 0, 0)
    for part in parts:
        likely, most = _plus(total.likely, part.likely), _plus(total.most, part.most)
        total = Forecast(total.least + part.least, _rounded(likely), _rounded(most))
    return total


def _times(*factors: float | None) -> float | None:
    """Multiply; what is not known makes 0 of nothing, and else something that is not known."""
    if 0 in factors:
        return 0
    known = [factor for factor in factors if factor is not None]
    return prod(known) if len(known) == len(factors) else None


def _plus(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else one + other


def _rounded(number: float | None) -> int | None:
    return None if number is None else round(number)
