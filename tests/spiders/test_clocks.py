"""A machine's clock that is set back in the midst of a search."""

from __future__ import annotations

from datetime import timedelta
from os import EX_OK

import pytest
from archived import archived_crawl, assert_replayed, texts
from crawling import exit_status
from processes import scrapy
from scrapy.utils.defer import deferred_f_from_coro_f
from scripted_api import ScriptedApi, page, serving

from tiktok_crawler.archive.recorder import Journal
from tiktok_crawler.clock import utc_now

AGAIN = {"refresh_after": "1 hour"}


@deferred_f_from_coro_f
async def test_what_a_search_has_brought_is_not_missing_since_it(folder, clock):
    async with serving(ScriptedApi(page(1, 2, has_more=True), page(3))) as api:
        await folder.crawl(api.url)
        clock.set_to(utc_now() + timedelta(hours=3))
        api.answers = [page(1, 2, has_more=True)]
        await folder.crawl(api.url, max_requests="1", **AGAIN)
        clock.set_to(utc_now() + timedelta(hours=2))
        api.answers = [page(3)]
        crawler = await folder.crawl(api.url, **AGAIN)
    assert exit_status(crawler) == EX_OK
    assert [len(body) for body in api.bodies] == [4, 6, 4, 6]
    missing = "SELECT id FROM video WHERE missing_since IS NOT NULL"
    assert folder.rows(missing) == []


@pytest.mark.parametrize("behind", [timedelta(minutes=10), timedelta(hours=3)])
@deferred_f_from_coro_f
async def test_an_archive_is_replayed_as_it_was_also_if_the_clock_was_set_back(
    folder, clock, behind, monkeypatch
):
    monkeypatch.setitem(Journal.__init__.__kwdefaults__, "clock", clock)
    script = [page(1, 2, has_more=True), page(3, cursor=150, has_more=True), page(4)]
    async with serving(ScriptedApi(*script)) as api:
        clock.set_to(utc_now() + behind)
        await archived_crawl(folder, api.url, max_requests="1")
        clock.set_to(utc_now())
        crawler = await archived_crawl(folder, api.url)
    assert exit_status(crawler) == EX_OK
    assert len(api.bodies) == len(script)
    assert_replayed(folder)


@deferred_f_from_coro_f
async def test_a_deletion_reaches_what_was_archived_by_a_clock_that_was_ahead(
    folder, clock, monkeypatch
):
    monkeypatch.setitem(Journal.__init__.__kwdefaults__, "clock", clock)
    async with serving(ScriptedApi(page(7_300_000_000_000_000_001))) as api:
        clock.set_to(utc_now() + timedelta(minutes=10))
        await archived_crawl(folder, api.url)
    names = {"TIKTOK_API_URL": api.url, "TIKTOK_DATABASE_URL": folder.database_url}
    run = scrapy(folder.path, "delete", "--query", "1", "--yes", TIKTOK_ARCHIVE="archive", **names)
    assert run.returncode == EX_OK, run.stderr
    assert "1 file written anew, without 1 record" in run.stdout
    assert "7300000000000000001" not in str(texts(folder.path / "archive"))
