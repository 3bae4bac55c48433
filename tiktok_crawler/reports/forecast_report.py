"""Says what a plan will cost in a sentence that a person can decide by."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from tiktok_crawler.planning.quota import DAILY_QUOTAS, Allowance
from tiktok_crawler.spelling import number_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from tiktok_crawler.config import Config
    from tiktok_crawler.planning.forecast import Forecast
    from tiktok_crawler.research_api.endpoints import Pool
    from tiktok_crawler.storage.ledger.quota import Spent

_SHARES = (
    (0.96, "all"),
    (0.85, "nearly all"),
    (0.71, "three quarters"),
    (0.58, "two thirds"),
    (0.42, "half"),
    (0.29, "a third"),
    (0.225, "a quarter"),
    (0.15, "a fifth"),
    (0.075, "a tenth"),
    (0.035, "a twentieth"),
    (0.015, "a fiftieth"),
    (0.0075, "a hundredth"),
)


def allowance_of(config: Config, pool: Pool, part: str, spent: Iterable[Spent]) -> Allowance:
    """Return what a crawl of videos, or of a listing, may send; of several keys by the busiest."""
    account = config.account_of_nobody(pool, part)
    of_pool = [each for each in spent if each.pool is pool]
    used = max((DAILY_QUOTAS[pool] if s.is_used_up else s.requests for s in of_pool), default=0)
    return Allowance.of(account, used, max((s.parts.get(part, 0) for s in of_pool), default=0))


def cost(forecast: Forecast, allowance: Allowance, today: date) -> str:
    """Say how many requests it takes, how much of a day's quota that is, and when it is done."""
    text = f"{_requests(forecast)}: {_quota(forecast, allowance.a_day)}"
    if forecast.most is not None:
        text += f"; {_done(forecast.least, forecast.most, allowance, today)}"
    return text[0].upper() + text[1:]


def _requests(forecast: Forecast) -> str:
    least, likely, most = forecast.least, forecast.likely, forecast.most
    if least == most:
        return number_of(least, "requests")
    if likely is None:
        at_least = f"at least {number_of(least, 'requests')}"
        return f"{least:,} to {most:,} requests" if most else at_least
    about = f"about {number_of(likely, 'requests')}"
    return f"{about}, at least {least:,}" if most is None else f"{about}, {least:,} to {most:,}"


def _quota(forecast: Forecast, a_day: int) -> str:
    if forecast.likely is not None:
        return _share(forecast.likely, a_day)
    if forecast.most is not None:
        return f"at most {_share(forecast.most, a_day)}"
    return f"{_share(forecast.least, a_day)} or more"


def _share(requests: int, a_day: int) -> str:
    """Put requests into words as a part of a day's quota, or as days of it."""
    share = requests / max(a_day, 1)
    if share >= 1.1:  # noqa: PLR2004 - less is about a whole one
        days = f"{share:.2g}" if share < 10 else f"{share:,.0f}"  # noqa: PLR2004
        return f"{days} days' quota"
    part = next((words for least, words in _SHARES if share >= least), "a small part")
    return f"{part} of a day's quota"


def _done(least: int, most: int, allowance: Allowance, today: date) -> str:
    first, last = allowance.days_from_today(least), allowance.days_from_today(most)
    if first is None or last is None:
        return "never done: nothing may be sent (TIKTOK_SHARES)"
    if first == last:
        return f"done {_day(first, today)}"
    return f"done {_day(first, today)} at the earliest, {_day(last, today)} at the latest"


def _day(days: int, today: date) -> str:
    if days < 2:  # noqa: PLR2004 - these have names
        return ("today", "tomorrow")[days]
    try:
        return f"on {today + timedelta(days=days)}"
    except OverflowError:
        return "after more than a lifetime"
