"""Requests that wait, outside the engine: for a retry, or until their quota pool opens again."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import TYPE_CHECKING

from scrapy import signals
from scrapy.exceptions import DontCloseSpider

from tiktok_crawler.clock import utc_now
from tiktok_crawler.crawling.attempt import attempt_of, change

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from typing import Self

    from scrapy import Request
    from scrapy.crawler import Crawler

    from tiktok_crawler.research_api.endpoints import Pool

logger = logging.getLogger(__name__)

LONGEST_TIMER_SECONDS = 60.0
"""Long waits look at the wall clock this often: a laptop may sleep, a clock may be set."""


class PoolTrouble(Enum):
    """The reason why a pool is closed; only the end of that trouble opens it."""

    QUOTA = auto()
    RATE = auto()
    FAULTS = auto()


@dataclass(slots=True)
class _ClosedPool:
    """A pool that takes no requests until a time; then one is sent, the rest after its success.

    At the `deadline`, by the event loop's time, the wait is over even if the clock was set back.
    """

    until: datetime
    trouble: PoolTrouble
    deadline: float = 0.0
    held: list[Request] = field(default_factory=list)
    timer: asyncio.TimerHandle | None = None
    is_probing: bool = False


class DelayQueue:
    """Keeps requests outside the engine, where they hold no slot and do not delay Ctrl-C.

    A waiting request keeps the spider open. Whoever puts one here raises `RequestDelayedError`, and
    it comes back through `engine.crawl()`. Closing the spider forgets all of them: the ledger knows
    their windows. `would_wait_until` says then how long the last pool would have stayed closed.

    Statistics: tiktok/delay_queue/delayed_count, tiktok/delay_queue/held_count.
    """

    def __init__(self, crawler: Crawler, *, clock: Callable[[], datetime] = utc_now):
        self.crawler = crawler
        self._clock = clock
        self._delayed: dict[Request, asyncio.TimerHandle] = {}
        self._closed: dict[Pool, _ClosedPool] = {}
        self.would_wait_until: datetime | None = None

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        queue = cls(crawler)
        crawler.signals.connect(queue.spider_idle, signal=signals.spider_idle)
        crawler.signals.connect(queue.spider_closed, signal=signals.spider_closed)
        return queue

    def delay(self, request: Request, seconds: float) -> None:
        """Send the request again after so many seconds.

        One that tried a pool does so no longer if the pool waits for another one by now.
        """
        change(request, is_probe=self._still_probes(request))
        loop = asyncio.get_running_loop()
        self._delayed[request] = loop.call_later(seconds, self._send_delayed, request)
        self.crawler.stats.inc_value("tiktok/delay_queue/delayed_count")

    def closed_until(self, pool: Pool) -> datetime | None:
        """Return when the pool is tried again; None if it is open."""
        closed = self._closed.get(pool)
        return closed.until if closed else None

    def trouble(self, pool: Pool) -> PoolTrouble | None:
        """Return why the pool is closed; None if it is open."""
        closed = self._closed.get(pool)
        return closed.trouble if closed else None

    def admits(self, request: Request) -> bool:
        """Tell whether the request may be sent: its pool is open, or the request is to try it."""
        attempt = attempt_of(request)
        return attempt.pool not in self._closed or attempt.is_probe

    def hold(self, request: Request) -> None:
        """Keep the request until its pool, which is closed, opens."""
        # A copy: the engine may not be done with the request itself when the pool opens.
        self._closed[attempt_of(request).pool].held.append(request.copy())
        self.crawler.stats.inc_value("tiktok/delay_queue/held_count")

    def close_pool(self, pool: Pool, until: datetime, trouble: PoolTrouble) -> bool:
        """Send nothing of the pool until then, and then a single request first.

        Returns:
            Whether that is news: a pool that waits already for the same trouble, or for longer,
            keeps its time.
        """
        closed = self._closed.get(pool)
        if closed and not closed.is_probing and (closed.trouble is trouble or until < closed.until):
            return False
        if closed is None:
            closed = self._closed[pool] = _ClosedPool(until, trouble)
        if closed.timer:
            closed.timer.cancel()
        closed.until = until
        closed.trouble = trouble
        closed.is_probing = False
        closed.deadline = asyncio.get_running_loop().time() + self._remaining(closed)
        self._watch(pool, closed)
        return True

    def open_pool(self, pool: Pool, *troubles: PoolTrouble) -> None:
        """Let all requests of the pool go on, if it was closed for one of these troubles."""
        closed = self._closed.get(pool)
        if closed and closed.trouble in troubles:
            self._open(pool)

    def dropped(self, request: Request) -> None:
        """A request will not be sent after all: if it was to try its pool, the next one does."""
        if self._still_probes(request):
            pool = attempt_of(request).pool
            self._probe(pool, self._closed[pool])

    def spider_idle(self) -> None:
        if self._delayed or self._closed:
            raise DontCloseSpider

    def spider_closed(self) -> None:
        self.would_wait_until = max((each.until for each in self._closed.values()), default=None)
        timers = [*self._delayed.values(), *(closed.timer for closed in self._closed.values())]
        for timer in timers:
            if timer:
                timer.cancel()
        self._delayed.clear()
        self._closed.clear()

    def _watch(self, pool: Pool, closed: _ClosedPool) -> None:
        closed.timer = asyncio.get_running_loop().call_later(
            min(self._remaining(closed), LONGEST_TIMER_SECONDS), self._probe, pool, closed
        )

    def _remaining(self, closed: _ClosedPool) -> float:
        """The seconds until a pool's time, by the clock."""
        return max((closed.until - self._clock()).total_seconds(), 0)

    def _probe(self, pool: Pool, closed: _ClosedPool) -> None:
        is_over = asyncio.get_running_loop().time() >= closed.deadline
        if not is_over and self._remaining(closed):
            self._watch(pool, closed)
            return
        if not closed.held:
            self._open(pool)
            return
        closed.is_probing = True
        # What has failed least says most about the pool.
        probe = min(closed.held, key=lambda request: attempt_of(request).tries)
        closed.held.remove(probe)
        self._send(probe, is_probe=True)

    def _open(self, pool: Pool) -> None:
        closed = self._closed.pop(pool)
        if closed.timer:
            closed.timer.cancel()
        for request in closed.held:
            # It failed because everything did.
            change(request, tries=0)
            self._send(request)

    def _send_delayed(self, request: Request) -> None:
        del self._delayed[request]
        self._send(request, is_probe=self._still_probes(request))

    def _still_probes(self, request: Request) -> bool:
        closed = self._closed.get(attempt_of(request).pool)
        return closed is not None and closed.is_probing and attempt_of(request).is_probe

    def _send(self, request: Request, *, is_probe: bool = False) -> None:
        change(request, is_probe=is_probe)
        if self.crawler.engine.spider is not None:
            self.crawler.engine.crawl(request)
