"""The pipeline holds the query's lock, and books a request before it is sent."""

from __future__ import annotations

import asyncio
from os import EX_OK, EX_SOFTWARE, EX_TEMPFAIL

import pytest
from asked import window_request
from crawling import exit_status, stat
from scrapy.utils.defer import deferred_f_from_coro_f
from scripted_api import ScriptedApi, page, serving

from tiktok_crawler.crawling.failures import CrawlEndedError
from tiktok_crawler.pipelines.crawl_storage import CrawlStorage
from tiktok_crawler.pipelines.storage import StoragePipeline, crawl_storage

QUARTER = {"start_date": "2024-01-01", "end_date": "2024-03-31"}


@deferred_f_from_coro_f
async def test_a_crawl_that_lost_its_lock_stops_before_its_next_page(folder, caplog):

    def delete_the_lock(_body):
        for lock in folder.path.glob("*.lock"):
            lock.unlink()
        return page(2, has_more=True)

    async with serving(ScriptedApi(delete_the_lock)) as api:
        crawler = await folder.crawl(api.url)
    assert len(api.bodies) == 1
    assert stat(crawler, "pages/stored_count") == 1
    assert exit_status(crawler) == EX_TEMPFAIL
    assert crawler.stats.get_value("finish_reason") == "lock_lost"
    assert "lock" in caplog.text


@deferred_f_from_coro_f
async def test_a_second_crawl_of_the_query_does_nothing(folder, caplog):
    refused = []

    async def crawl_again():
        refused.append(await folder.crawl(api.url))

    api = ScriptedApi(page(1))

    async def token_after_the_second_crawl(request):
        if not refused:
            await crawl_again()
        return await original(request)

    original, api.token = api.token, token_after_the_second_crawl
    async with serving(api):
        crawler = await folder.crawl(api.url)
    assert [exit_status(second) for second in refused] == [EX_TEMPFAIL]
    assert refused[0].stats.get_value("finish_reason") == "not_started"
    assert "Traceback" not in caplog.text
    assert len(api.bodies) == 1
    assert exit_status(crawler) == EX_OK


@deferred_f_from_coro_f
async def test_no_task_is_begun_once_the_crawl_has_been_closed(folder):
    """As when the requests of -a max_requests are spent while the next task is being opened."""
    async with serving(ScriptedApi(page(1))) as api:
        crawler = await folder.crawl(api.url)
    with pytest.raises(CrawlEndedError):
        await crawl_storage(crawler).open_task(window_request())


@deferred_f_from_coro_f
async def test_a_request_is_booked_before_it_is_sent(folder):
    booked = []

    def look(_body):
        booked.extend(folder.rows("SELECT sum(requests) FROM crawl_window"))
        return page(1)

    async with serving(ScriptedApi(look)) as api:
        await folder.crawl(api.url, {"CONCURRENT_REQUESTS": 1}, **QUARTER)
    assert booked == [(1,), (2,), (3,)]


@deferred_f_from_coro_f
async def test_what_is_left_is_the_plan_of_the_next_run(folder):
    async with serving(ScriptedApi(page(1))) as api:
        crawler = await folder.crawl(api.url, **QUARTER, max_requests="1")
    storage = crawler.get_item_pipeline(StoragePipeline)
    assert storage
    [result] = storage.storage.results.values()
    assert result.plan.window_count == 2
    assert result.totals.requests == 1
    assert "crawl.db" in storage.storage.location


@deferred_f_from_coro_f
async def test_a_stage_that_cannot_be_ended_is_loud_and_the_search_is_closed_all_the_same(
    folder, monkeypatch, caplog
):
    async def fail(_storage, _stage):
        raise RuntimeError("a bug")

    monkeypatch.setattr(CrawlStorage, "end_stage", fail)
    folder.query_file.write_text(f"{folder.query_file.read_text()}also_collect: [users]\n")
    async with serving(ScriptedApi(page(0))) as api:
        crawler = await folder.crawl(api.url)
    storage = crawler.get_item_pipeline(StoragePipeline)
    assert storage
    assert storage.storage.results
    assert exit_status(crawler) == EX_SOFTWARE
    assert "RuntimeError: a bug" in caplog.text


@deferred_f_from_coro_f
async def test_a_stage_that_ends_while_the_crawl_is_closed_is_released_once(
    folder, monkeypatch, caplog
):
    end_stage = CrawlStorage.end_stage

    async def end_twice(storage, stage):
        await asyncio.gather(end_stage(storage, stage), end_stage(storage, stage))

    monkeypatch.setattr(CrawlStorage, "end_stage", end_twice)
    folder.query_file.write_text(f"{folder.query_file.read_text()}also_collect: [users]\n")
    async with serving(ScriptedApi(page(0))) as api:
        crawler = await folder.crawl(api.url)
    assert exit_status(crawler) == EX_OK
    assert "Traceback" not in caplog.text


async def close_before(storage: CrawlStorage, _monkeypatch):
    await storage.close()


async def close_as_it_opens(storage: CrawlStorage, _monkeypatch):
    asyncio.get_running_loop().call_soon(asyncio.ensure_future, storage.close())


async def close_as_it_is_registered(storage: CrawlStorage, monkeypatch):
    loop, begin_run = asyncio.get_running_loop(), storage._begin_run

    def close_and_begin(*arguments):
        asyncio.run_coroutine_threadsafe(storage.close(), loop)
        return begin_run(*arguments)

    monkeypatch.setattr(storage, "_begin_run", close_and_begin)


@pytest.mark.parametrize("close", [close_before, close_as_it_opens, close_as_it_is_registered])
@deferred_f_from_coro_f
async def test_a_stage_that_begins_while_the_crawl_is_closed_is_left(
    folder, monkeypatch, caplog, close
):
    begin_stage = CrawlStorage.begin_stage

    async def close_and_begin(storage, stage, tags):
        await close(storage, monkeypatch)
        await begin_stage(storage, stage, tags)
        raise AssertionError("it has begun")

    monkeypatch.setattr(CrawlStorage, "begin_stage", close_and_begin)
    folder.query_file.write_text(f"{folder.query_file.read_text()}also_collect: [users]\n")
    async with serving(ScriptedApi(page(0))) as api:
        await folder.crawl(api.url)
    assert "Traceback" not in caplog.text
    assert folder.rows("SELECT count(*) FROM seed") == [(0,)]
