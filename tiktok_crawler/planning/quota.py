"""Quotas, who spends them, and when to ask again after a 429. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from hashlib import sha256
from math import ceil
from typing import TYPE_CHECKING

from tiktok_crawler.date_range import DAY, midnight
from tiktok_crawler.research_api.endpoints import Pool

if TYPE_CHECKING:
    from datetime import date, datetime
    from typing import Self

DAILY_QUOTAS = {Pool.RESEARCH: 1000, Pool.FOLLOW: 20_000}
"""Requests that the API allows an organisation in a UTC day (api_facts.md 12)."""

MARGIN = timedelta(seconds=30)
"""The time after 00:00 UTC when the quota is taken to be whole again: clocks differ."""

EARLY = timedelta(minutes=30)
"""A refusal this soon after 00:00 UTC says that the clocks differ by more."""

SHORTEST_RETRY_AFTER_SECONDS = 1.0
"""A server that says `Retry-After: 0` is not asked again and again without a pause."""

LONGEST_RATE_LIMIT_SECONDS = 60.0
"""The longest that a rate limit without `Retry-After` makes a pool wait."""


@dataclass(frozen=True, slots=True)
class QuotaAccount:
    """The account for a crawl's requests, and how many a UTC day all crawls may book on it.

    `client` is the SHA-256 of the client key, in hexadecimal. Without a `daily_budget` it is for
    the API to say when a day's quota is used up. `parked_share` is how much of the day's budget may
    go to second tries of windows that were parked or looked suspicious. `part` is the spider whose
    requests they are, and `share` how much of the day's budget these may be; None: all of it.
    `due` requests are needed today to find out what is still there: of them `refresh_share` of the
    day's budget is kept, less what was refreshed today.
    """

    client: str
    pool: Pool
    daily_budget: int | None = None
    parked_share: float = 0.1
    share: float | None = None
    part: str | None = None
    refresh_share: float = 0.3
    due: int = 0

    def of_client(self, client_key: str) -> QuotaAccount:
        """The same for a client key, which itself is kept nowhere."""
        return replace(self, client=sha256(client_key.encode()).hexdigest())

    @property
    def second_tries(self) -> int:
        """The number of second tries allowed in a UTC day; at least one, unless none are."""
        return self._share_of_budget(self.parked_share)

    @property
    def requests_of_part(self) -> int | None:
        """The number of requests the part may send in a UTC day; at least one, unless none."""
        return None if self.share is None else self._share_of_budget(self.share)

    @property
    def budget(self) -> int:
        """The number of requests in a UTC day: without a budget, those that the API allows."""
        return self.daily_budget or DAILY_QUOTAS[self.pool]

    def kept(self, refreshed: int) -> int:
        """The number of requests that are kept when so many have refreshed something today."""
        if not self.due:
            return 0
        return min(self.due, max(self._share_of_budget(self.refresh_share) - refreshed, 0))

    def _share_of_budget(self, share: float) -> int:
        return max(1, int(share * self.budget)) if share else 0


@dataclass(frozen=True, slots=True)
class Allowance:
    """The requests that may be sent a UTC day, and those left of them today."""

    a_day: int
    today: int

    @classmethod
    def of(cls, account: QuotaAccount, spent: int, spent_by_part: int) -> Self:
        """Return what an account allows, of which so many requests are spent today."""
        budget = account.daily_budget or DAILY_QUOTAS[account.pool]
        part = account.requests_of_part
        limits = [(budget, spent), *([] if part is None else [(part, spent_by_part)])]
        left = (max(limit - used, 0) for limit, used in limits)
        return cls(min(limit for limit, _ in limits), min(left))

    def days_from_today(self, requests: int) -> int | None:
        """Return after how many days so many requests are sent; None if they never are."""
        rest = requests - self.today
        if rest <= 0:
            return 0
        return ceil(rest / self.a_day) if self.a_day else None


class QuotaPolicy(StrEnum):
    """The reaction when the API says that the day's quota is used up."""

    MIDNIGHT = "midnight"
    """Go on after 00:00 UTC, when the quota is whole again (api_facts.md 12)."""
    INTERVAL = "interval"
    """Try every TIKTOK_QUOTA_INTERVAL seconds: others may share the quota, or a raise may come."""
    STOP = "stop"
    """End the crawl; a later run goes on."""


def next_try(now: datetime, policy: QuotaPolicy, interval: timedelta) -> datetime:
    """Return when to try again after a refusal for the day's quota at `now`, in UTC."""
    if policy is QuotaPolicy.INTERVAL:
        return now + interval
    if refused_day(now) < now.date():
        return now + EARLY
    return whole_again(now)


def whole_again(now: datetime) -> datetime:
    """Return when the quota of the UTC day after `now` is taken to be there."""
    return midnight(now.date() + DAY) + MARGIN


def refused_day(now: datetime) -> date:
    """The UTC day whose quota a refusal at `now` is about: soon after 00:00 the one before."""
    return (now - EARLY).date()


def rate_limit_seconds(refusals: int, first: float, retry_after: float | None) -> float:
    """Compute the wait after so many rate limit refusals in a row, the latest included.

    `Retry-After` is obeyed, down to a second.
    """
    if retry_after is not None:
        return max(retry_after, SHORTEST_RETRY_AFTER_SECONDS)
    return min(first * 2.0 ** min(refusals - 1, 16), max(first, LONGEST_RATE_LIMIT_SECONDS))


def backoff_seconds(attempt: int, first: float, longest: float, *, jitter: float) -> float:
    """Compute the wait after so many failures of one request, the latest included.

    Args:
        attempt: 1 after the first failure.
        first: seconds after the first failure; they double from there.
        longest: never longer than this.
        jitter: a random number from 0 to 1; requests that failed together return apart.
    """
    return min(first * 2.0 ** min(attempt - 1, 16), longest) * (1 - jitter / 2)
