"""Crawls of one query or listing at the same time, on PostgreSQL: together they do it once."""

from __future__ import annotations

import asyncio
from collections import Counter
from os import EX_OK, EX_TEMPFAIL

import pytest
from archived import assert_replayed
from crawling import CrawlFolder, exit_status
from listing_crawls import ListingDatabase
from sandboxes import recording_sandbox, searches
from scrapy.utils.defer import deferred_f_from_coro_f
from scripted_api import serving
from test_lists_of_values import Accounts, Lists, names, once

from tiktok_crawler.spiders import research

DAYS = """
start_date: 2024-01-01
end_date: 2024-03-31
include: {any_hashtags: [butter, cheese]}
tags: [dairy]
"""
FIRST_TO_COMMIT = [("query_value", "crawl_id")]
"""What depends on which of two pages at a time is committed first; a journal does not say it."""

SHARED = {"TIKTOK_WINDOW_DAYS": 5, "CONCURRENT_REQUESTS": 2}


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(research, "LOOKS_EVERY_SECONDS", 0.05)


@pytest.fixture
def folder(tmp_path, prepared_postgresql_url):
    folder = CrawlFolder(tmp_path)
    folder.query_file.write_text(DAYS)
    folder.database_url = prepared_postgresql_url
    return folder


@pytest.fixture
def sandbox():
    with recording_sandbox() as served:
        yield served


async def crawl(folder, url, settings=None, **arguments):
    own = {"TIKTOK_SANDBOX": True, "TIKTOK_SANDBOX_URL": url}
    return await folder.crawl(url, SHARED | own | (settings or {}), **arguments)


def pages(bodies):
    """How often each page was asked for."""
    return Counter((body["start_date"], body["end_date"], body.get("cursor", 0)) for body in bodies)


def videos(folder):
    return folder.rows("SELECT id FROM video ORDER BY id")


@pytest.mark.slow
@deferred_f_from_coro_f
async def test_two_crawls_of_a_query_share_its_windows(folder, sandbox, tmp_path):
    recorded, url = sandbox
    crawlers = await asyncio.gather(*(crawl(folder, url) for _ in range(2)))
    assert [exit_status(crawler) for crawler in crawlers] == [EX_OK, EX_OK]

    spent = [crawler.stats.get_value("tiktok/requests/sent_count") for crawler in crawlers]
    assert sum(spent) == len(searches(recorded))
    assert min(spent) > 5
    assert folder.rows("SELECT * FROM worker") == []
    assert folder.rows("SELECT count(*) FROM crawl_window WHERE worker_id IS NOT NULL") == [(0,)]

    alone = CrawlFolder(tmp_path)
    alone.query_file.write_text(DAYS)
    asked = len(searches(recorded))
    assert exit_status(await crawl(alone, url)) == EX_OK
    assert len(searches(recorded)) - asked == asked
    assert videos(folder) == videos(alone)
    links = "SELECT count(*) FROM videos_to_crawls"
    assert folder.rows(links) == alone.rows(links)
    assert pages(searches(recorded)[:asked]) == pages(searches(recorded)[asked:])


@deferred_f_from_coro_f
async def test_two_crawls_share_the_seeds_of_a_listing(folder, sandbox):
    recorded, url = sandbox
    await crawl(folder, url, end_date="2024-01-02")
    recorded.requests.clear()
    database = ListingDatabase(folder.database_url, url)
    wanted = {"from_tag": "dairy", "max_per_video": "200", "max_seeds": "40"}
    crawlers = await asyncio.gather(
        *(database.crawl("comments", SHARED, **wanted) for _ in range(2))
    )
    assert [exit_status(crawler) for crawler in crawlers] == [EX_OK, EX_OK]
    spent = [crawler.stats.get_value("tiktok/requests/sent_count") for crawler in crawlers]
    asked = Counter((body["video_id"], body.get("cursor", 0)) for body in searches(recorded))
    assert set(asked.values()) == {1}
    assert sum(spent) == len(asked)
    assert min(spent) > len(asked) / 10
    assert set(database.column("SELECT state FROM seed")) == {"complete"}


@pytest.mark.slow
@deferred_f_from_coro_f
async def test_two_crawls_share_a_list(tmp_path, prepared_postgresql_url):
    folder, wanted = Lists(tmp_path), names(12)
    folder.database_url = prepared_postgresql_url
    folder.want(wanted)
    async with serving(Accounts()) as api:
        settings = {"TIKTOK_BATCH": 2, "CONCURRENT_REQUESTS": 2}
        crawlers = await asyncio.gather(*(crawl(folder, api.url, settings) for _ in range(2)))
    assert [exit_status(crawler) for crawler in crawlers] == [EX_OK, EX_OK]
    assert api.paid == once(wanted)


@pytest.mark.parametrize("on_its_way", [2, 3], ids=["of its values", "the last of its values"])
@deferred_f_from_coro_f
async def test_a_list_that_others_have_taken_over_is_theirs(
    tmp_path, prepared_postgresql_url, caplog, on_its_way
):
    folder, wanted, others = Lists(tmp_path), names(6), []
    folder.database_url = prepared_postgresql_url
    folder.want(wanted)
    api = Accounts()
    one_by_one = {"CONCURRENT_REQUESTS": 1, "TIKTOK_WINDOW_DAYS": 31}

    async def be_away(body):
        if len(api.bodies) == on_its_way:
            folder.rows("UPDATE worker SET alive_until = '2024-01-01'")
            others.append(await crawl(folder, api.url, one_by_one | {"TIKTOK_BATCH": 3}))
            others.append(len(api.bodies))
        return api.give(body)

    api.answers = [be_away]
    async with serving(api):
        crawler = await crawl(folder, api.url, one_by_one | {"TIKTOK_BATCH": 2})
    other, asked = others
    assert exit_status(other) == EX_OK
    assert len(api.bodies) == asked
    assert exit_status(crawler) == EX_TEMPFAIL
    assert crawler.stats.get_value("finish_reason") == "lock_lost"
    assert "is lost, since this machine or PostgreSQL was away for too long" in caplog.text


@pytest.mark.slow
@deferred_f_from_coro_f
async def test_what_one_crawl_leaves_the_other_finishes_and_archives_have_all(folder, sandbox):
    recorded, url = sandbox
    settings = {"TIKTOK_ARCHIVE": str(folder.path / "archive")}
    first, second = await asyncio.gather(
        crawl(folder, url, settings, max_requests="9"), crawl(folder, url, settings)
    )
    assert [exit_status(each) for each in (first, second)] == [EX_TEMPFAIL, EX_OK]
    assert exit_status(await crawl(folder, url, settings)) == EX_OK
    assert set(pages(searches(recorded)).values()) == {1}
    assert_replayed(folder, besides=FIRST_TO_COMMIT)
