"""Samples: one request a day for videos in random order, kept apart from what is complete."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from os import EX_OK

import pytest
from archived import archived_crawl, assert_replayed
from crawling import CrawlFolder, exit_status, stat
from scrapy.utils.defer import deferred_f_from_coro_f
from scripted_api import ScriptedApi, page, serving
from trials import WatchedSandbox, served

from tiktok_crawler.clock import utc_now
from tiktok_crawler.commands import status as status_command
from tiktok_crawler.config import Config
from tiktok_crawler.html_report import series
from tiktok_crawler.reports.provenance_report import methods_text, provenance_text
from tiktok_crawler.sandbox.faults.profile import Profile
from tiktok_crawler.storage.engine import database
from tiktok_crawler.storage.engine.transactions import reading
from tiktok_crawler.storage.ledger.provenance import read_provenance

JANUARY = "start_date: 2024-01-01\nend_date: 2024-01-31\n"
BUTTER = "include: {any_hashtags: [butter]}\n"
SAMPLE = f"{JANUARY}tags: [drawn]\nsample: {{per_day: 5}}\n{BUTTER}"


@pytest.fixture
def folder(tmp_path, unused_url):
    found = CrawlFolder(tmp_path, unused_url)
    found.query_file.write_text(SAMPLE)
    return found


@pytest.mark.slow
@deferred_f_from_coro_f
async def test_a_sample_asks_once_for_each_day_whatever_the_api_says_of_more(folder):
    async with serving(ScriptedApi(page(1, 2, has_more=True))) as api:
        crawler = await folder.crawl(api.url)
        assert exit_status(crawler) == EX_OK
        again = await folder.crawl(api.url)
    assert stat(again, "requests/sent_count") == 0
    assert len(api.bodies) == 31
    assert {body["start_date"] for body in api.bodies} == {f"202401{n:02}" for n in range(1, 32)}
    for body in api.bodies:
        assert body["is_random"] is True
        assert body["max_count"] == 5
        assert body["start_date"] == body["end_date"]
        assert "cursor" not in body
        assert "sample" not in body["query"]


@pytest.mark.slow
@deferred_f_from_coro_f
async def test_no_day_of_a_sample_is_covered(folder):
    folder.query_file.write_text(SAMPLE.replace("per_day: 5", "per_day: 1"))
    async with served(WatchedSandbox(Profile())) as url:
        settings = {"TIKTOK_SANDBOX": True, "TIKTOK_SANDBOX_URL": url}
        await folder.crawl(url, settings)
        text = status_command._report(folder.settings(url, **settings), as_json=False)
        assert "  sampled    31 of 31 days: " in text
        assert "  covered " not in text
        config, now = Config.of(folder.settings(url, **settings)), utc_now()
        with database.opened_to_read(folder.database_url) as engine, reading(engine) as connection:
            facts = read_provenance(connection, config.terms, now)
        assert "It is a random sample: " in methods_text(facts)
        assert "matches" not in methods_text(facts)
        assert "| matches that the API counts | not counted |" in provenance_text(facts)
        assert series.withheld_over_time(facts) is None
        folder.query_file.write_text(f"{JANUARY}{BUTTER}")
        crawler = await folder.crawl(url, settings)
    assert stat(crawler, "requests/sent_count") > 0, "the whole is still missing"
    assert folder.rows("SELECT count(*) FROM query") == [(2,)]
    [drawn] = folder.rows("SELECT count(*) FROM videos_to_queries WHERE query_id = 1")
    [found] = folder.rows("SELECT count(*) FROM videos_to_queries WHERE query_id = 2")
    assert 0 < drawn[0] < found[0]


@pytest.mark.slow
@deferred_f_from_coro_f
async def test_another_draw_is_another_sample(folder):
    async with serving(ScriptedApi(page(1))) as api:
        await folder.crawl(api.url)
        folder.query_file.write_text(SAMPLE.replace("per_day: 5", "per_day: 5, draw: 2"))
        await folder.crawl(api.url)
    assert len(api.bodies) == 62
    assert folder.rows("SELECT count(*) FROM query") == [(2,)]


@deferred_f_from_coro_f
async def test_a_day_is_drawn_once_when_all_its_videos_are_there(folder):
    today = datetime.now(UTC).date()
    recent = SAMPLE.replace("2024-01-01", f"{today - timedelta(days=9)}")
    folder.query_file.write_text(recent.replace("2024-01-31", f"{today}"))
    async with serving(ScriptedApi(page(1))) as api:
        crawler = await folder.crawl(api.url)
    assert exit_status(crawler) == EX_OK
    drawn = max(body["start_date"] for body in api.bodies)
    assert drawn < f"{today - timedelta(days=1):%Y%m%d}"
    assert len(api.bodies) in (7, 8)


@pytest.mark.slow
@deferred_f_from_coro_f
async def test_an_archive_of_a_sample_gives_the_same_tables(folder):
    async with served(WatchedSandbox(Profile())) as url:
        settings = {"TIKTOK_SANDBOX": True, "TIKTOK_SANDBOX_URL": url}
        await archived_crawl(folder, url, settings)
    assert_replayed(folder)
