"""Shows the crawl's progress: a live line on a terminal, a line a minute in a log."""

from __future__ import annotations

import asyncio
import atexit
import logging
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from scrapy import signals
from scrapy.utils.log import get_scrapy_root_handler

from tiktok_crawler.clock import utc_now
from tiktok_crawler.crawling.components import config_of, extension
from tiktok_crawler.crawling.notice import NOTICE
from tiktok_crawler.extensions.delay_queue import DelayQueue, PoolTrouble
from tiktok_crawler.planning.fair_queue import FairQueue
from tiktok_crawler.planning.seed_queue import SeedQueue
from tiktok_crawler.planning.widths import searched_days
from tiktok_crawler.planning.window_queue import WindowQueue
from tiktok_crawler.research_api.endpoints import Pool
from tiktok_crawler.research_api.pages import Page
from tiktok_crawler.research_api.tasks import Window

if TYPE_CHECKING:
    from typing import Self

    from rich.live import Live
    from scrapy import Spider
    from scrapy.crawler import Crawler

    from tiktok_crawler.planning.plan import Work
    from tiktok_crawler.research_api.endpoints import Listing

logger = logging.getLogger(__name__)

LIVE_INTERVAL_SECONDS = 0.5


PAUSES = {
    PoolTrouble.QUOTA: "waiting for quota",
    PoolTrouble.RATE: "slowing down as the API asks,",
    PoolTrouble.FAULTS: "pausing after failures",
}


@dataclass(frozen=True, slots=True)
class Effort:
    """The requests and time a crawl has spent, and what it is waiting for.

    `waits_until` None with a trouble: a single request tries whether that is over.
    """

    requests: int
    seconds: float
    trouble: PoolTrouble | None = None
    waits_until: datetime | None = None

    def __str__(self) -> str:
        rate = self.requests / self.seconds * 60 if self.seconds else 0.0
        return f"requests {self.requests:,} ({rate:,.0f}/min)"

    def left(self, fraction: float) -> str:
        """Estimate how long the rest takes, given as a fraction of the whole."""
        if self.trouble:
            return f"{PAUSES[self.trouble]} {self._until}"
        done = 1 - fraction
        if not 0 < done < 1:
            return "done" if done >= 1 else "time left unknown"
        return f"about {timedelta(seconds=round(self.seconds * fraction / done))} left"

    @property
    def _until(self) -> str:
        if self.waits_until is None:
            return "until a single request works"
        return f"until {self.waits_until:%Y-%m-%d %H:%M:%S} UTC"


@dataclass(frozen=True, slots=True)
class SearchSnapshot:
    """The progress of a search at a moment; windows and days include what earlier runs did."""

    windows_done: int
    windows: int
    days_done: int
    days: int
    videos: int
    left_fraction: float
    effort: Effort

    def __str__(self) -> str:
        return (
            f"windows {self.windows_done:,}/{self.windows:,}"
            f" · days {self.days_done:,}/{self.days:,} · videos {self.videos:,}"
            f" · {self.effort} · {self.effort.left(self.left_fraction)}"
        )


@dataclass(frozen=True, slots=True)
class StageSnapshot:
    """The progress of a stage at a moment; its seeds are those that were to be asked for."""

    listing: Listing
    seeds_done: int
    seeds: int
    records: int
    effort: Effort

    def __str__(self) -> str:
        left = 1 - self.seeds_done / self.seeds if self.seeds else 0.0
        return (
            f"{self.listing.words}"
            f" · {self.listing.seed_key.noun} {self.seeds_done:,}/{self.seeds:,}"
            f" · records {self.records:,} · {self.effort} · {self.effort.left(left)}"
        )


Snapshot = SearchSnapshot | StageSnapshot
Tell = Callable[[Snapshot], None]


class Progress:
    """Shows the progress: live on a terminal, in a log that is none as a line now and then.

    Settings: LOGSTATS_INTERVAL, the seconds between log lines; 0 for none at all.
    """

    def __init__(self, crawler: Crawler, *, interval: float):
        self.crawler = crawler
        self._interval = interval
        self._started_at = utc_now()
        self._videos = 0
        self._windows_done = 0
        self._days_done = 0
        self._days_reached: dict[int | None, float] = {}
        self._timers: dict[Tell, asyncio.TimerHandle] = {}
        self._live: Live | None = None

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        progress = cls(crawler, interval=config_of(crawler).progress_interval)
        crawler.signals.connect(progress.spider_opened, signal=signals.spider_opened)
        crawler.signals.connect(progress.item_scraped, signal=signals.item_scraped)
        crawler.signals.connect(progress.spider_closed, signal=signals.spider_closed)
        return progress

    def spider_opened(self) -> None:
        self._started_at = utc_now()
        if not self._interval:
            return
        if _is_terminal():
            self._start_live()
            self._repeat(self._show, LIVE_INTERVAL_SECONDS)
        if self._live is None or _is_file(get_scrapy_root_handler()):
            self._repeat(self._log, self._interval)

    def item_scraped(self, item: object) -> None:
        if not isinstance(item, Page) or not isinstance(item.request.task, Window):
            return
        window = item.request.task
        self._videos += len(item.records)
        if item.has_more:
            self._days_reached[window.row_id] = searched_days(item)
            return
        self._days_reached.pop(window.row_id, None)
        self._windows_done += 1
        self._days_done += len(window.days)

    def spider_closed(self) -> None:
        for timer in self._timers.values():
            timer.cancel()
        if self._live:
            self._stop_live()
            _log_to_stderr()

    def snapshot(self, spider: Spider) -> Snapshot | None:
        """Return the crawl's progress; None as long as nothing is planned."""
        queue = getattr(spider, "queue", None)
        match queue:
            case SeedQueue():
                return self._stage_snapshot(queue)
            case FairQueue() | WindowQueue():
                return self._search_snapshot(queue.work)
        return None

    def _stage_snapshot(self, queue: SeedQueue) -> StageSnapshot:
        listing = queue.stage.listing
        return StageSnapshot(
            listing=listing,
            seeds_done=queue.seeds_done,
            seeds=queue.plan.due,
            records=queue.records,
            effort=self._effort(listing.endpoint.pool),
        )

    def _search_snapshot(self, work: Work) -> SearchSnapshot | None:
        if not work.days:
            return None  # Nothing has begun yet.
        reached = self._days_done + sum(self._days_reached.values())
        return SearchSnapshot(
            windows_done=self._windows_done,
            # Windows that are cut become more than were planned.
            windows=max(work.windows, self._windows_done),
            days_done=min(work.covered_days + self._days_done, work.days),
            days=work.days,
            videos=self._videos,
            left_fraction=1 - reached / work.planned_days if work.planned_days else 0.0,
            effort=self._effort(Pool.RESEARCH),
        )

    def _effort(self, pool: Pool) -> Effort:
        queue, now = extension(self.crawler, DelayQueue), utc_now()
        until = queue.closed_until(pool)
        return Effort(
            requests=self.crawler.stats.get_value("tiktok/requests/sent_count", 0),
            seconds=(now - self._started_at).total_seconds(),
            trouble=queue.trouble(pool),
            waits_until=until if until and until > now else None,
        )

    def _repeat(self, tell: Tell, seconds: float) -> None:
        self._timers[tell] = asyncio.get_running_loop().call_later(
            seconds, self._tell, tell, seconds
        )

    def _tell(self, tell: Tell, seconds: float) -> None:
        self._repeat(tell, seconds)
        spider = self.crawler.spider
        if spider and (snapshot := self.snapshot(spider)):
            tell(snapshot)

    def _show(self, snapshot: Snapshot) -> None:
        from rich.text import Text  # noqa: PLC0415 - only a terminal needs it

        assert self._live
        with suppress(OSError):  # the terminal is closed
            self._live.update(Text(str(snapshot)), refresh=True)

    def _log(self, snapshot: Snapshot) -> None:
        extra = {"spider": self.crawler.spider}
        logger.log(NOTICE, "%(progress)s", {"progress": snapshot}, extra=extra)

    def _start_live(self) -> None:
        from rich.console import Console  # noqa: PLC0415 - only a terminal needs it
        from rich.live import Live  # noqa: PLC0415

        self._live = Live(console=Console(stderr=True), auto_refresh=False, transient=True)
        self._live.start()
        atexit.register(self._stop_live)  # after a second Ctrl-C nothing else does
        _log_to_stderr()

    def _stop_live(self) -> None:
        assert self._live
        with suppress(OSError):  # the terminal is closed
            self._live.stop()


def _is_terminal() -> bool:
    """Tell whether a live line can be shown: below log lines, or alone if these go to a file."""
    handler = get_scrapy_root_handler()
    return bool(sys.stderr and sys.stderr.isatty()) and isinstance(handler, logging.StreamHandler)


def _log_to_stderr() -> None:
    """Send log lines through the live display, which keeps its own line below them."""
    handler = get_scrapy_root_handler()
    if isinstance(handler, logging.StreamHandler) and not _is_file(handler):
        handler.setStream(sys.stderr)


def _is_file(handler: logging.Handler | None) -> bool:
    return isinstance(handler, logging.FileHandler)
