"""Heavy windows, bad hours and limits all at once: a crawl always gets on, or ends."""

from __future__ import annotations

import asyncio
from datetime import datetime
from os import EX_OK, EX_TEMPFAIL
from typing import TYPE_CHECKING

import pytest
from crawling import CrawlFolder, exit_status, stat
from scrapy.utils.defer import deferred_f_from_coro_f
from scripted_api import Answer, ScriptedApi, error, page, serving

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

pytestmark = pytest.mark.slow

FAULT = error(500, "internal_error")
REFUSAL = error(400, "invalid_params", "no")
RATE = error(429, "rate_limit_exceeded")
ONE_DAY = {"start_date": "2024-01-01", "end_date": "2024-01-01"}
HURRIED = {"TIKTOK_PROBE_INTERVAL": 0.05}
LONGEST_SECONDS = 120


async def crawl(folder: CrawlFolder, api: ScriptedApi, settings=None, **arguments) -> Crawler:
    """A crawl that has to end."""
    running = folder.crawl(api.url, HURRIED | (settings or {}), **arguments)
    return await asyncio.wait_for(running, LONGEST_SECONDS)


def day(text: str) -> datetime:
    return datetime.strptime(text, "%Y%m%d")  # noqa: DTZ007 - a day has no time zone


@deferred_f_from_coro_f
async def test_windows_that_are_all_too_heavy_are_cut_though_nothing_works_before(folder):

    def answer(body):
        days = (day(body["end_date"]) - day(body["start_date"])).days + 1
        return FAULT if days * 1500 > 5000 else page(len(api.bodies), cursor=1500 * days)

    async with serving(ScriptedApi(answer)) as api:
        quarter = {"start_date": "2024-01-01", "end_date": "2024-03-31"}
        crawler = await crawl(folder, api, **quarter)
    assert exit_status(crawler) == EX_OK
    assert stat(crawler, "windows/parked_count") == 0


@deferred_f_from_coro_f
async def test_heavy_days_that_fill_all_slots_make_room_for_the_others(folder):
    heavy = {"20240105", "20240106", "20240107", "20240108"}

    def answer(body):
        return FAULT if body["start_date"] in heavy else page(len(api.bodies))

    async with serving(ScriptedApi(page(1))) as api:
        await folder.prove_query(api)
        api.answers = [answer]
        days = {"start_date": "2024-01-01", "end_date": "2024-01-20"}
        crawler = await crawl(folder, api, {"TIKTOK_WINDOW_DAYS": 1}, **days)
    assert exit_status(crawler) == EX_TEMPFAIL
    parked = folder.rows("SELECT start_date FROM crawl_window WHERE state = 'parked' ORDER BY 1")
    assert [start.replace("-", "") for (start,) in parked] == sorted(heavy)
    assert folder.rows("SELECT count(*) FROM crawl_window WHERE state = 'open'") == [(0,)]


@deferred_f_from_coro_f
async def test_after_a_bad_time_a_window_has_all_its_tries_again(folder):
    script = [*[FAULT] * 4, page(1), FAULT, page(2)]
    settings = {"TIKTOK_RETRY_TIMES": 1, "CONCURRENT_REQUESTS": 2}
    async with serving(ScriptedApi(page(9))) as api:
        await folder.prove_query(api)
        api.answers = script
        days = {"start_date": "2024-01-01", "end_date": "2024-01-08"}
        crawler = await crawl(folder, api, settings, **days)
    assert [body["start_date"][-2:] for body in api.bodies] == [
        *("01", "01", "08", "08"),
        "01",  # What has not failed yet probes.
        *("08", "08"),
    ]
    assert stat(crawler, "windows/parked_count") == 0
    assert exit_status(crawler) == EX_OK


@deferred_f_from_coro_f
async def test_a_query_that_never_succeeded_is_alone_until_a_page_comes(folder):
    async with serving(ScriptedApi(FAULT)) as api:
        settings = {"TIKTOK_QUOTA_POLICY": "stop"}
        year = {"start_date": "2024-01-01", "end_date": "2024-12-31"}
        await crawl(folder, api, settings, **year)
    assert {body["end_date"] for body in api.bodies} == {"20240131"}


@deferred_f_from_coro_f
async def test_a_second_try_that_may_not_be_paid_ends_the_crawl_of_a_new_query(folder):
    async with serving(ScriptedApi(FAULT)) as api:
        await crawl(folder, api, **ONE_DAY)
        assert folder.rows("SELECT state FROM crawl_window") == [("parked",)]
        api.bodies.clear()
        for settings in ({"TIKTOK_DAILY_BUDGET": 20}, {"TIKTOK_PARKED_SHARE": 0}):
            crawler = await crawl(folder, api, settings, **ONE_DAY)
            assert exit_status(crawler) == EX_TEMPFAIL
    assert len(api.bodies) == 2


@deferred_f_from_coro_f
async def test_a_second_try_that_was_to_probe_its_pool_may_be_dropped(folder):
    async with serving(ScriptedApi(page(1))) as api:
        await folder.prove_query(api)
        api.answers = [REFUSAL]
        await crawl(folder, api, **ONE_DAY)
        folder.rows("UPDATE api_quota SET requests = 0")
        api.answers = [RATE]
        crawler = await crawl(folder, api, {"TIKTOK_DAILY_BUDGET": 10}, **ONE_DAY)
    assert exit_status(crawler) == EX_TEMPFAIL


@deferred_f_from_coro_f
async def test_a_probe_that_waits_for_a_token_remains_the_probe(folder):
    api = ScriptedApi(page(1, has_more=True), *[FAULT] * 20, page(2, cursor=200))
    fresh = {"access_token": "clt.second", "expires_in": 7200}
    short_lived = {"access_token": "clt.first", "expires_in": 1}
    api.token_answers = [Answer(body=short_lived), Answer(500, b"bad"), Answer(body=fresh)]
    settings = {
        "TIKTOK_PROBE_INTERVAL": 1.5,
        "TIKTOK_RETRY_TIMES": 25,
        "TIKTOK_RETRY_DELAY": 0.001,
        "TIKTOK_RETRY_DELAY_MAX": 0.001,
    }
    month = {"start_date": "2024-01-01", "end_date": "2024-01-31"}
    async with serving(api):
        crawler = await crawl(folder, api, settings, **month)
    assert len(api.token_forms) == 3
    assert exit_status(crawler) == EX_OK


@deferred_f_from_coro_f
async def test_the_breakers_interval_counts_also_after_a_rate_limit(folder):
    async with serving(ScriptedApi(page(1))) as api:
        await folder.prove_query(api)
        api.answers = [RATE, FAULT]
        settings = {"TIKTOK_PROBE_TIMES": 3, "TIKTOK_RETRY_TIMES": 100}
        year = {"start_date": "2024-01-01", "end_date": "2024-12-31"}
        crawler = await crawl(folder, api, settings | {"TIKTOK_WINDOW_DAYS": 7}, **year)
    assert stat(crawler, "breaker/opened_count") >= 2
    assert stat(crawler, "breaker/probe_failed_count") == 3
    assert crawler.stats.get_value("finish_reason") == "api_unavailable"


@deferred_f_from_coro_f
async def test_a_second_try_is_not_cut_into_parts(folder):
    month = {"start_date": "2024-01-01", "end_date": "2024-01-31"}
    async with serving(ScriptedApi(page(1))) as api:
        await folder.prove_query(api)
        api.answers = [REFUSAL]
        await crawl(folder, api, **month)
        api.answers = [FAULT]
        api.bodies.clear()
        crawler = await crawl(folder, api, **month)
    assert len(api.bodies) == 2, "a wide window is tried twice"
    assert stat(crawler, "windows/split_count") == 0
    assert folder.rows("SELECT count(*) FROM crawl_window WHERE state = 'parked'") == [(1,)]


@deferred_f_from_coro_f
async def test_pages_that_alternate_are_not_followed_for_ever(folder):
    def answer(body):
        cursor = body.get("cursor", 0)
        return page(1 + cursor // 100 % 2, cursor=cursor + 100, has_more=True)

    async with serving(ScriptedApi(answer)) as api:
        crawler = await crawl(folder, api)
    assert len(api.bodies) == 2 + 3
    assert stat(crawler, "windows/parked_count") == 1
