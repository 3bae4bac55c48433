"""Requests that wait outside the engine, in real crawls that ask for data: URIs."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from asked import seed_request, window_request
from scrapy import Request, Spider, signals
from scrapy.core.engine import ExecutionEngine
from scrapy.utils.defer import deferred_f_from_coro_f
from scrapy.utils.test import get_crawler

from tiktok_crawler.clock import utc_now
from tiktok_crawler.crawling.attempt import KEY, Attempt
from tiktok_crawler.extensions import delay_queue
from tiktok_crawler.extensions.delay_queue import DelayQueue, PoolTrouble
from tiktok_crawler.research_api.endpoints import FOLLOWERS, Pool

EVENING = datetime(2024, 5, 1, 20, tzinfo=UTC)
MIDNIGHT = datetime(2024, 5, 2, tzinfo=UTC)
RESEARCH, FOLLOW = window_request(), seed_request(FOLLOWERS)
LONG_ENOUGH = 0.1  # seconds after which what has not happened does not happen


class Patient(Spider):
    """Asks for nothing itself, and stays open until it is released."""

    name = "patient"

    def __init__(self, started):
        super().__init__()
        self.started = started
        self.released = asyncio.Event()
        self.answers = []

    async def start(self):
        self.started.set()
        await self.released.wait()
        for request in ():
            yield request

    def parse(self, response):
        self.answers.append(response.text)


@dataclass
class Clock:
    """A wall clock that stands still until somebody moves it."""

    now: datetime = EVENING

    def __call__(self):
        return self.now


@dataclass
class Crawl:
    crawler: object
    clock: Clock
    task: asyncio.Task
    sent: list = field(default_factory=list)

    @property
    def queue(self):
        return self.crawler.get_extension(DelayQueue)

    @property
    def answers(self):
        return self.crawler.spider.answers

    def request_sent(self, request):
        self.sent.append(request)

    def hold(self, *words, request=RESEARCH):
        for word in words:
            self.queue.hold(asking_for(word, request))

    def close_until(self, time):
        return self.queue.close_pool(Pool.RESEARCH, time, PoolTrouble.QUOTA)

    def count(self, name):
        return self.crawler.stats.get_value(f"tiktok/delay_queue/{name}")

    async def answered(self, *words):
        """Wait until exactly these answers have come, in any order, and no other follows."""
        for _ in range(500):
            if len(self.answers) >= len(words):
                break
            await asyncio.sleep(0.01)
        await asyncio.sleep(LONG_ENOUGH)
        assert sorted(self.answers) == sorted(words)

    async def finished(self):
        self.crawler.spider.released.set()
        await asyncio.wait_for(asyncio.shield(self.task), 10)
        return self.crawler.stats.get_value("finish_reason")


def asking_for(word, request=RESEARCH):
    return Request(f"data:,{word}", dont_filter=True, meta={KEY: Attempt(request)})


@asynccontextmanager
async def crawling():
    crawler = get_crawler(Patient, {"EXTENSIONS": {DelayQueue: 0}})
    started = asyncio.Event()
    crawl = Crawl(crawler, Clock(), asyncio.ensure_future(crawler.crawl_async(started)))
    crawl.queue._clock = crawl.clock
    crawler.signals.connect(crawl.request_sent, signals.request_reached_downloader)
    await started.wait()
    try:
        yield crawl
    finally:
        if not crawl.task.done():
            await crawler.stop_async()
        await crawl.task


@asynccontextmanager
async def waiting_for_quota(*held):
    """A crawl whose pool is closed until midnight, and holds these requests."""
    async with crawling() as crawl:
        crawl.close_until(MIDNIGHT)
        crawl.hold(*held)
        yield crawl


@pytest.fixture(autouse=True)
def _quick_timers(monkeypatch):
    """Look at the clocks often: the wall clock of a wait, and the engine's own."""
    monkeypatch.setattr(delay_queue, "LONGEST_TIMER_SECONDS", 0.01)
    monkeypatch.setattr(ExecutionEngine, "_SLOT_HEARTBEAT_INTERVAL", 0.05)


def test_the_wall_clock_is_in_utc():
    assert utc_now().tzinfo is UTC


@deferred_f_from_coro_f
async def test_a_delayed_request_is_sent_after_its_time_and_not_before():
    async with crawling() as crawl:
        begin = asyncio.get_running_loop().time()
        crawl.queue.delay(asking_for("late"), 0.2)
        crawl.queue.delay(asking_for("early"), 0.1)

        assert await crawl.finished() == "finished"

        assert crawl.answers == ["early", "late"]
        assert asyncio.get_running_loop().time() - begin >= 0.2
        assert crawl.count("delayed_count") == 2


@deferred_f_from_coro_f
async def test_a_closed_pool_admits_nothing_and_other_pools_go_on():
    async with crawling() as crawl:
        assert crawl.queue.admits(asking_for("a"))

        crawl.close_until(MIDNIGHT)

        assert not crawl.queue.admits(asking_for("a"))
        assert crawl.queue.admits(asking_for("a", FOLLOW))
        assert crawl.queue.closed_until(Pool.RESEARCH) == MIDNIGHT
        assert crawl.queue.closed_until(Pool.FOLLOW) is None


@deferred_f_from_coro_f
async def test_a_closed_pool_holds_its_requests_until_its_time():
    async with waiting_for_quota("a", "b") as crawl:
        crawl.clock.now = MIDNIGHT - timedelta(seconds=1)

        await crawl.answered()

        assert crawl.count("held_count") == 2


@deferred_f_from_coro_f
async def test_a_clock_that_is_set_back_makes_no_wait_longer():
    async with crawling() as crawl:
        crawl.close_until(EVENING + timedelta(seconds=2 * LONG_ENOUGH))
        crawl.hold("a")
        crawl.clock.now -= timedelta(hours=3)

        await crawl.answered()
        await crawl.answered("a")


@deferred_f_from_coro_f
async def test_at_its_time_one_request_is_sent_and_the_rest_after_its_success():
    async with waiting_for_quota("a", "b", "c") as crawl:
        # As after a night in which the machine slept: only the wall clock knows.
        crawl.clock.now = MIDNIGHT
        await crawl.answered("a")

        crawl.queue.open_pool(Pool.RESEARCH, PoolTrouble.QUOTA)
        await crawl.answered("a", "b", "c")
        assert crawl.queue.closed_until(Pool.RESEARCH) is None
        assert await crawl.finished() == "finished"


@deferred_f_from_coro_f
async def test_while_one_request_tries_a_pool_no_other_is_admitted():
    async with waiting_for_quota("a", "b") as crawl:
        crawl.clock.now = MIDNIGHT
        await crawl.answered("a")

        [probe] = crawl.sent
        assert crawl.queue.admits(probe)
        assert not crawl.queue.admits(asking_for("c"))


@deferred_f_from_coro_f
async def test_a_request_that_tried_a_pool_once_waits_at_its_next_closing():
    async with waiting_for_quota("a") as crawl:
        crawl.clock.now = MIDNIGHT
        await crawl.answered("a")
        crawl.queue.open_pool(Pool.RESEARCH, PoolTrouble.QUOTA)

        crawl.close_until(MIDNIGHT + timedelta(days=1))
        crawl.queue.delay(crawl.sent[0].replace(), 0)
        await crawl.answered("a", "a")

        assert not crawl.queue.admits(crawl.sent[1])


@deferred_f_from_coro_f
async def test_a_pool_that_waits_already_keeps_its_time():
    async with crawling() as crawl:
        assert crawl.close_until(MIDNIGHT)
        assert not crawl.close_until(MIDNIGHT + timedelta(hours=1))

        assert crawl.queue.closed_until(Pool.RESEARCH) == MIDNIGHT


@deferred_f_from_coro_f
async def test_a_pool_whose_probe_was_refused_waits_again_and_tries_one_again():
    later = MIDNIGHT + timedelta(minutes=30)
    async with waiting_for_quota("a", "b", "c") as crawl:
        crawl.clock.now = MIDNIGHT
        await crawl.answered("a")

        assert crawl.close_until(later)
        assert not crawl.close_until(later + timedelta(days=1))
        crawl.queue.hold(crawl.sent[0])
        await crawl.answered("a")

        crawl.clock.now = later
        await crawl.answered("a", "b")

        crawl.queue.open_pool(Pool.RESEARCH, PoolTrouble.QUOTA)
        await crawl.answered("a", "b", "c", "a")


@deferred_f_from_coro_f
async def test_a_request_that_tried_a_pool_and_is_delayed_is_no_second_one_to_try_it():
    later = MIDNIGHT + timedelta(minutes=30)
    async with waiting_for_quota("a", "b") as crawl:
        crawl.clock.now = MIDNIGHT
        await crawl.answered("a")

        assert crawl.close_until(later)
        crawl.queue.delay(crawl.sent[0].replace(), 3 * LONG_ENOUGH)
        crawl.clock.now = later
        await crawl.answered("a", "a", "b")

        assert [crawl.queue.admits(request) for request in crawl.sent[1:]] == [
            True,
            False,
        ]


@deferred_f_from_coro_f
async def test_opening_early_sends_what_waits_once():
    async with waiting_for_quota("a", "b") as crawl:
        crawl.queue.open_pool(Pool.RESEARCH, PoolTrouble.QUOTA)
        crawl.queue.open_pool(Pool.RESEARCH, PoolTrouble.QUOTA)
        crawl.clock.now = MIDNIGHT

        await crawl.answered("a", "b")


@deferred_f_from_coro_f
async def test_a_pool_that_nothing_waits_for_opens_at_its_time():
    async with waiting_for_quota() as crawl:
        crawl.clock.now = MIDNIGHT

        assert await crawl.finished() == "finished"
        assert crawl.queue.admits(asking_for("a"))


@pytest.mark.parametrize("early", [timedelta(0), timedelta(seconds=1)])
@deferred_f_from_coro_f
async def test_a_pool_closed_until_a_time_that_has_come_tries_what_is_held_next(early):
    # As after `Retry-After: 0`: the pool is closed first, then its request is held.
    async with crawling() as crawl:
        crawl.close_until(EVENING - early)
        crawl.hold("a", "b")

        await crawl.answered("a")


@deferred_f_from_coro_f
async def test_pools_wait_each_for_their_own_time():
    async with crawling() as crawl:
        crawl.close_until(MIDNIGHT + timedelta(days=1))
        crawl.queue.close_pool(Pool.FOLLOW, MIDNIGHT, PoolTrouble.QUOTA)
        crawl.hold("research")
        crawl.hold("follow", request=FOLLOW)

        crawl.clock.now = MIDNIGHT

        await crawl.answered("follow")


@pytest.mark.parametrize(
    "put",
    [
        pytest.param(lambda queue: queue.delay(asking_for("a"), 60), id="delayed"),
        pytest.param(
            lambda queue: queue.close_pool(Pool.RESEARCH, MIDNIGHT, PoolTrouble.QUOTA),
            id="closed pool",
        ),
    ],
)
@deferred_f_from_coro_f
async def test_the_spider_stays_open_while_anything_waits_and_ctrl_c_ends_it_at_once(put):
    async with crawling() as crawl:
        put(crawl.queue)
        crawl.crawler.spider.released.set()
        await asyncio.sleep(LONG_ENOUGH)
        assert not crawl.task.done()

        await asyncio.wait_for(crawl.crawler.stop_async(), 1)

        assert crawl.crawler.stats.get_value("finish_reason") == "shutdown"
        assert crawl.answers == []


@deferred_f_from_coro_f
async def test_closing_cancels_every_timer_and_forgets_what_waits():
    async with waiting_for_quota("a") as crawl:
        crawl.queue.delay(asking_for("b"), 60)
        timers = [*crawl.queue._delayed.values(), crawl.queue._closed[Pool.RESEARCH].timer]

        await crawl.crawler.stop_async()

        assert all(timer.cancelled() for timer in timers)
        assert crawl.queue.closed_until(Pool.RESEARCH) is None


@deferred_f_from_coro_f
async def test_closing_cancels_the_wait_while_a_pool_is_tried_too():
    async with waiting_for_quota("a", "b") as crawl:
        crawl.clock.now = MIDNIGHT
        await crawl.answered("a")

        await asyncio.wait_for(crawl.crawler.stop_async(), 1)

        assert crawl.answers == ["a"]


@deferred_f_from_coro_f
async def test_a_request_delayed_after_the_end_is_forgotten():
    async with crawling() as crawl:
        await crawl.finished()

        crawl.queue.delay(asking_for("a"), 0)
        await asyncio.sleep(LONG_ENOUGH)

        assert crawl.sent == []
