"""An API that only fails is asked by single requests, and not for ever."""

from __future__ import annotations

from os import EX_OK, EX_TEMPFAIL

import pytest
from crawling import exit_status, stat
from scrapy.utils.defer import deferred_f_from_coro_f
from scripted_api import ScriptedApi, error, hang_up, page, serving

pytestmark = pytest.mark.slow

YEAR = {"start_date": "2023-01-01", "end_date": "2023-12-31"}
PATIENT = {
    "TIKTOK_RETRY_TIMES": 100,
    "TIKTOK_PROBE_INTERVAL": 0.05,
    "TIKTOK_PROBE_TIMES": 3,
    "CONCURRENT_REQUESTS": 1,
    "TIKTOK_WINDOW_DAYS": 7,
}
NO_RATE_DELAY = {"TIKTOK_RATE_LIMIT_DELAY": 1e-6}
FAULT = error(500, "internal_error")


@deferred_f_from_coro_f
async def test_a_bad_time_is_waited_out_with_single_requests(folder, caplog):
    async with serving(ScriptedApi(*[FAULT] * 22, page(1))) as api:
        crawler = await folder.crawl(api.url, PATIENT, **YEAR)
    assert exit_status(crawler) == EX_OK
    assert stat(crawler, "breaker/opened_count") == 3
    assert stat(crawler, "breaker/probe_failed_count") == 2
    assert "The API only fails; trying again at" in caplog.text


@deferred_f_from_coro_f
async def test_it_never_waits_for_ever_and_leaves_the_windows_open(folder):
    async with serving(ScriptedApi(FAULT)) as api:
        crawler = await folder.crawl(api.url, PATIENT, **YEAR)
    assert len(api.bodies) == 20 + 3
    assert exit_status(crawler) == EX_TEMPFAIL
    assert crawler.stats.get_value("finish_reason") == "api_unavailable"
    assert folder.rows("SELECT DISTINCT state FROM crawl_window") == [("open",)]


@deferred_f_from_coro_f
async def test_with_policy_stop_it_ends_at_once(folder):
    async with serving(ScriptedApi(FAULT)) as api:
        settings = PATIENT | {"TIKTOK_QUOTA_POLICY": "stop"}
        crawler = await folder.crawl(api.url, settings, **YEAR)
    assert len(api.bodies) == 20
    assert exit_status(crawler) == EX_TEMPFAIL


@deferred_f_from_coro_f
async def test_connections_that_break_count_too(folder):
    async with serving(ScriptedApi(hang_up)) as api:
        crawler = await folder.crawl(api.url, PATIENT)
    assert len(api.bodies) == 23
    assert crawler.stats.get_value("finish_reason") == "api_unavailable"


@deferred_f_from_coro_f
async def test_a_day_that_fails_after_its_window_opens_the_breaker_if_nothing_else_works(folder):
    hurried = PATIENT | {"TIKTOK_RETRY_TIMES": 1, "TIKTOK_WINDOW_DAYS": 31}
    month = {"start_date": "2024-01-01", "end_date": "2024-01-31"}
    async with serving(ScriptedApi(*[FAULT] * 4, page(1))) as api:
        crawler = await folder.crawl(api.url, hurried, **month)
    assert [(body["start_date"][-2:], body["end_date"][-2:]) for body in api.bodies] == [
        ("01", "31"),
        ("01", "31"),
        ("31", "31"),
        ("31", "31"),
        ("31", "31"),
        ("01", "30"),
    ], "no window is searched in parts because of a bad time"
    assert stat(crawler, "breaker/opened_count") == 1
    assert stat(crawler, "windows/parked_count") == 0
    assert exit_status(crawler) == EX_OK


@deferred_f_from_coro_f
async def test_with_policy_stop_such_a_day_ends_the_crawl(folder):
    settings = PATIENT | {"TIKTOK_RETRY_TIMES": 0, "TIKTOK_QUOTA_POLICY": "stop"}
    async with serving(ScriptedApi(FAULT)) as api:
        crawler = await folder.crawl(api.url, settings)
    assert len(api.bodies) == 2
    assert crawler.stats.get_value("finish_reason") == "api_unavailable"
    assert exit_status(crawler) == EX_TEMPFAIL


@deferred_f_from_coro_f
async def test_rate_limits_count_after_ten_in_a_row(folder):
    async with serving(ScriptedApi(error(429, "rate_limit_exceeded"))) as api:
        crawler = await folder.crawl(api.url, PATIENT | NO_RATE_DELAY)
    assert len(api.bodies) == 10 + 20 + 3
    assert crawler.stats.get_value("finish_reason") == "api_unavailable"
    assert exit_status(crawler) == EX_TEMPFAIL


@deferred_f_from_coro_f
async def test_a_rate_limit_that_ends_while_probing_is_forgotten(folder):
    limits = [error(429, "rate_limit_exceeded")] * 31
    async with serving(ScriptedApi(*limits, page(1))) as api:
        crawler = await folder.crawl(api.url, PATIENT | NO_RATE_DELAY)
    assert stat(crawler, "breaker/opened_count") == 2
    assert exit_status(crawler) == EX_OK
