"""When to ask again after a 429: the day's quota, and the API's short-term rate limit. Pure."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from tiktok_crawler.collection.date_range import DAY, midnight

if TYPE_CHECKING:
    from datetime import datetime

MARGIN = timedelta(seconds=30)
"""How long after 00:00 UTC the quota is taken to be whole again: clocks differ."""

EARLY = timedelta(minutes=30)
"""A refusal this soon after 00:00 UTC says that the clocks differ by more."""

LONGEST_RATE_LIMIT_SECONDS = 60.0
"""How long a rate limit without `Retry-After` makes a pool wait at most."""


class QuotaPolicy(StrEnum):
    """What to do when the API says that the day's quota is used up."""

    MIDNIGHT = "midnight"
    """Go on after 00:00 UTC, when the quota is whole again (API.md 12)."""
    INTERVAL = "interval"
    """Try every TIKTOK_QUOTA_INTERVAL seconds: others may share the quota, or a raise may come."""
    STOP = "stop"
    """End the crawl; a later run goes on."""


def next_try(now: datetime, policy: QuotaPolicy, interval: timedelta) -> datetime:
    """When to try again after a refusal for the day's quota at `now`, in UTC."""
    if policy is QuotaPolicy.INTERVAL:
        return now + interval
    if now - midnight(now.date()) < EARLY:
        return now + EARLY
    return midnight(now.date() + DAY) + MARGIN


def rate_limit_seconds(refusals: int, first: float, retry_after: float | None) -> float:
    """How long to wait after so many rate limit refusals in a row, the one just seen included."""
    if retry_after is not None:
        return retry_after
    return min(first * 2.0 ** min(refusals - 1, 16), max(first, LONGEST_RATE_LIMIT_SECONDS))


def backoff_seconds(attempt: int, first: float, longest: float, *, jitter: float) -> float:
    """How long to wait after so many failures of one request, the one just seen included.

    Args:
        attempt: 1 after the first failure.
        first: seconds after the first failure; they double from there.
        longest: never longer than this.
        jitter: a random number from 0 to 1; requests that failed together return apart.
    """
    return min(first * 2.0 ** min(attempt - 1, 16), longest) * (1 - jitter / 2)
