"""What a 429 does, and what is counted and booked."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from hashlib import sha256
from os import EX_OK, EX_TEMPFAIL

import pytest
from crawling import exit_status, stat
from scrapy.crawler import Crawler
from scrapy.utils.defer import deferred_f_from_coro_f
from scripted_api import Answer, ScriptedApi, error, hang_up, page, serving, together

from tiktok_crawler.extensions.delay_queue import DelayQueue
from tiktok_crawler.research_api.endpoints import Pool
from tiktok_crawler.spiders.videos import VideosSpider

WINDOWS = {"start_date": "2024-01-01", "end_date": "2024-04-09"}
SPENT = error(429, "daily_quota_limit_exceeded", "The API daily quota limit exceeded.")
TOO_FAST = error(429, "rate_limit_exceeded", "The API rate limit was exceeded.")
NOON = datetime(2024, 6, 1, 12, tzinfo=UTC)
SPENT_TODAY = "SELECT client, pool, requests FROM api_quota"
INTERVAL = {"TIKTOK_QUOTA_POLICY": "interval", "TIKTOK_QUOTA_INTERVAL": 0.5}


@deferred_f_from_coro_f
async def test_a_spent_quota_pauses_the_pool_and_lets_one_request_try_first(folder, caplog):
    in_flight_at_once = []

    def refuse_again(_body):
        in_flight_at_once.append(len(api.bodies))
        return SPENT

    api = ScriptedApi(*together(SPENT, SPENT, SPENT, SPENT), refuse_again, page(1))
    async with serving(api):
        await folder.prove_query(api)
        crawler = await folder.crawl(api.url, INTERVAL, **WINDOWS)
    assert in_flight_at_once == [5], "only the probe was sent after the pause"
    assert len(api.bodies) == 4 + 1 + 4
    assert exit_status(crawler) == EX_OK
    assert stat(crawler, "quota/refused_count") == 5
    assert caplog.text.count("The day's quota is used up; going on at") == 2


@deferred_f_from_coro_f
async def test_on_the_sandbox_it_is_said_how_a_rehearsal_gets_more(folder, caplog):
    async with serving(ScriptedApi(SPENT, page(1))) as api:
        settings = {"TIKTOK_SANDBOX": True, "TIKTOK_SANDBOX_URL": api.url}
        crawler = await folder.crawl(api.url, INTERVAL | settings)
    assert exit_status(crawler) == EX_OK
    assert "the same command goes on later. This is the sandbox, " in caplog.text


@deferred_f_from_coro_f
async def test_policy_stop_ends_with_75_and_a_later_run_goes_on(folder):
    async with serving(ScriptedApi(page(1, has_more=True), SPENT)) as api:
        first = await folder.crawl(api.url, {"TIKTOK_QUOTA_POLICY": "stop"})
        assert exit_status(first) == EX_TEMPFAIL
        assert first.stats.get_value("finish_reason") == "daily_quota_spent"
        api.answers = [page(2, cursor=145)]
        second = await folder.crawl(api.url)
    assert exit_status(second) == EX_OK
    assert [body.get("cursor") for body in api.bodies] == [None, 100, 100]


@deferred_f_from_coro_f
async def test_a_crawl_that_waits_for_quota_ends_at_once_when_it_is_stopped(folder, caplog):
    async with serving(ScriptedApi(SPENT)) as api:
        crawler = Crawler(VideosSpider, folder.settings(api.url))
        running = asyncio.ensure_future(crawler.crawl_async(query=str(folder.query_file)))
        while "used up" not in caplog.text and not running.done():  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        queue = crawler.get_extension(DelayQueue)
        assert queue
        assert queue.closed_until(Pool.RESEARCH)
        async with asyncio.timeout(1):
            await crawler.stop_async()
            await running
    assert exit_status(crawler) == EX_TEMPFAIL


@deferred_f_from_coro_f
async def test_a_page_that_was_on_its_way_does_not_open_the_pool_again(folder):
    sent_at = []
    loop = asyncio.get_running_loop()

    async def answer_late(_body):
        await asyncio.sleep(0.2)
        return page(1)

    def note(_body):
        sent_at.append(loop.time())
        return page(1)

    pause = {"TIKTOK_QUOTA_POLICY": "interval", "TIKTOK_QUOTA_INTERVAL": 1}
    async with serving(ScriptedApi(answer_late, SPENT, SPENT, SPENT, note)) as api:
        await folder.prove_query(api)
        began = loop.time()
        crawler = await folder.crawl(api.url, pause, **WINDOWS)
    assert exit_status(crawler) == EX_OK
    assert min(sent_at) - began >= 1


@deferred_f_from_coro_f
async def test_a_rate_limit_backs_off_and_is_not_the_end_of_the_day(folder):
    api = ScriptedApi(TOO_FAST, Answer(429, b"slow down"), TOO_FAST, page(1))
    async with serving(api):
        crawler = await folder.crawl(api.url)
    assert exit_status(crawler) == EX_OK
    assert stat(crawler, "quota/rate_limited_count") == 3
    assert stat(crawler, "quota/refused_count") == 0


@deferred_f_from_coro_f
async def test_a_retry_after_header_is_obeyed(folder):
    limited = error(429, "rate_limit_exceeded", **{"Retry-After": "1"})
    async with serving(ScriptedApi(limited, page(1))) as api:
        loop = asyncio.get_running_loop()
        started = loop.time()
        await folder.crawl(api.url)
        assert loop.time() - started >= 1


@deferred_f_from_coro_f
async def test_a_probe_without_an_answer_opens_the_pool(folder):

    api = ScriptedApi(SPENT, hang_up, page(1))
    async with serving(api):
        crawler = await folder.crawl(api.url, INTERVAL)
    assert exit_status(crawler) == EX_OK


@pytest.mark.parametrize(("budget", "status"), [("3", EX_TEMPFAIL), ("4", EX_OK), ("5", EX_OK)])
@deferred_f_from_coro_f
async def test_max_requests_is_never_exceeded(folder, budget, status):
    async with serving(ScriptedApi(page(1))) as api:
        crawler = await folder.crawl(api.url, **WINDOWS, max_requests=budget)
    assert len(api.bodies) == min(int(budget), 4)
    assert exit_status(crawler) == status


@deferred_f_from_coro_f
async def test_every_request_is_counted_before_it_is_sent_failed_ones_too(folder):
    counted = []

    def look(_body):
        counted.extend(folder.rows(SPENT_TODAY))
        return error(500, "internal_error")

    async with serving(ScriptedApi(look, look, page(1))) as api:
        await folder.crawl(api.url)
    client = sha256(b"key-of-ann").hexdigest()
    assert counted == [(client, "research", 1), (client, "research", 2)]
    assert folder.rows(SPENT_TODAY) == [(client, "research", 3)]


@pytest.mark.parametrize("policy", [INTERVAL, {"TIKTOK_QUOTA_POLICY": "stop"}])
@deferred_f_from_coro_f
async def test_the_apis_refusal_is_remembered_and_blocks_nothing(folder, monkeypatch, policy):
    # Not just after midnight, when a refusal is still the day's before.
    monkeypatch.setattr("tiktok_crawler.pipelines.crawl_storage.utc_now", lambda: NOON)
    settings = policy | {"TIKTOK_DAILY_BUDGET": 2}
    async with serving(ScriptedApi(SPENT, page(1))) as api:
        crawler = await folder.crawl(api.url, settings)
        if exit_status(crawler) == EX_TEMPFAIL:
            crawler = await folder.crawl(api.url, settings)
    assert exit_status(crawler) == EX_OK
    assert folder.rows("SELECT requests, is_used_up FROM api_quota") == [(2, True)]


@deferred_f_from_coro_f
async def test_a_spent_budget_ends_the_crawl_before_the_next_request(folder, caplog):
    async with serving(ScriptedApi(page(1))) as api:
        crawler = await folder.crawl(api.url, {"TIKTOK_DAILY_BUDGET": 3}, **WINDOWS)
        assert len(api.bodies) == stat(crawler, "requests/sent_count") == 3
        assert exit_status(crawler) == EX_TEMPFAIL
        assert crawler.stats.get_value("finish_reason") == "daily_budget_spent"
        words = "budget of 3 requests a day (TIKTOK_DAILY_BUDGET) is spent"
        assert caplog.text.count(words) == 1
        assert "Traceback" not in caplog.text
        caplog.clear()
        await folder.crawl(api.url, {"TIKTOK_DAILY_BUDGET": 3}, **WINDOWS)
        assert caplog.text.count("(TIKTOK_DAILY_BUDGET) is spent") == 1, "not of each window"

        again = await folder.crawl(api.url, **WINDOWS)
    assert exit_status(again) == EX_OK
    assert len(api.bodies) == len({body["start_date"] for body in api.bodies}) == 4


@deferred_f_from_coro_f
async def test_a_crawl_is_booked_on_one_client_also_if_the_secrets_file_changes(folder):
    folder.query_file.write_text(f"{folder.query_file.read_text()}also_collect: [users]\n")

    def change_secrets(_body):
        folder.secrets_file.write_text("client_key: key-of-bob\nclient_secret: secret-of-bob\n")
        return page(1)

    profile = Answer(body={"data": {"display_name": "Ann"}, "error": {"code": "ok"}})
    async with serving(ScriptedApi(change_secrets, profile)) as api:
        crawler = await folder.crawl(api.url)
    assert exit_status(crawler) == EX_OK
    assert [form["client_key"] for form in api.token_forms] == ["key-of-ann"]
    assert folder.rows(SPENT_TODAY) == [(sha256(b"key-of-ann").hexdigest(), "research", 2)]
