"""Counting requests: how many a day from each pool, how many within a second (api_facts.md 12)."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from typing import TYPE_CHECKING

from tiktok_crawler.research_api.endpoints import Pool
from tiktok_crawler.sandbox.protocol.errors import (
    DAILY_QUOTA,
    DAILY_QUOTA_WITH_DATA,
    RATE_LIMITED,
    ApiError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from tiktok_crawler.sandbox.faults.profile import QuotaBehaviour


DAY_SECONDS = 86_400


class Quota:
    """Counts the requests of the current quota day, and refuses those beyond the limits."""

    def __init__(
        self, daily: int | None, behaviour: QuotaBehaviour, now: Callable[[], datetime]
    ) -> None:
        research = daily if behaviour.daily is None else behaviour.daily
        self._limits = {Pool.RESEARCH: research, Pool.FOLLOW: behaviour.daily_follow}
        self._behaviour = behaviour
        self._now = now
        self._day = 0
        self._spent: Counter[Pool] = Counter()
        self._refused = 0
        self._recent: defaultdict[Pool, deque[float]] = defaultdict(deque)

    @property
    def spent(self) -> Mapping[Pool, int]:
        """Requests of the quota day, by pool."""
        self._begin_day()
        return self._spent

    def count_earlier(self, spent: Mapping[Pool, int]) -> None:
        """Count what other sandboxes have answered in this UTC day, unless a quota day is none."""
        if self._behaviour.day_seconds == DAY_SECONDS:
            self._begin_day()
            self._spent.update(spent)

    def spend(self, pool: Pool) -> None:
        """Count a request, whatever its answer will be: 500s cost quota too (api_facts.md 11.4).

        Raises:
            ApiError: too many within a second, or the day's quota is used up. The latter has an
                empty `data` every other time: both forms are known (api_facts.md 11.2).
        """
        self._check_rate(pool)
        self._begin_day()
        limit = self._limits[pool]
        if limit is not None and self._spent[pool] >= limit:
            self._refused += 1
            raise ApiError(DAILY_QUOTA if self._refused % 2 else DAILY_QUOTA_WITH_DATA)
        self._spent[pool] += 1

    def _begin_day(self) -> None:
        day = int(self._now().timestamp() // self._behaviour.day_seconds)
        if day != self._day:
            self._day = day
            self._spent.clear()

    def _check_rate(self, pool: Pool) -> None:
        limit = self._behaviour.per_second
        if limit is None:
            return
        now, recent = self._now().timestamp(), self._recent[pool]
        while recent and recent[0] <= now - 1:
            recent.popleft()
        if len(recent) >= limit:
            raise ApiError(RATE_LIMITED)
        recent.append(now)
