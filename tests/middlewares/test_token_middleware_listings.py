"""A project that is approved for some endpoints only gets what those have."""

from __future__ import annotations

from os import EX_NOPERM

import pytest
from crawling import exit_status
from listing_crawls import ListingDatabase
from sandboxes import recording_sandbox
from scrapy.utils.defer import deferred_f_from_coro_f
from scripted_api import ScriptedApi, error, serving

from tiktok_crawler.sandbox.faults.profile import Profile
from tiktok_crawler.sandbox.faults.schedule import FaultName, Requests, ScheduledFault

pytestmark = pytest.mark.slow

QUERY = """
start_date: 2024-01-01
end_date: 2024-01-01
include: {any_hashtags: [butter]}
also_collect: [followers, users]
"""


@deferred_f_from_coro_f
async def test_the_listings_that_the_project_is_approved_for_are_collected(tmp_path, caplog):
    refusal = ScheduledFault(fault=FaultName.SCOPE_NOT_AUTHORIZED, of=Requests.FOLLOWERS, every=1)
    (tmp_path / "query.yaml").write_text(QUERY)
    with recording_sandbox(profile=Profile(faults=(refusal,))) as (_, url):
        database = ListingDatabase(f"sqlite:///{tmp_path / 'crawl.db'}", url)
        crawler = await database.crawl("videos", query=str(tmp_path / "query.yaml"))
    states = database.rows("SELECT listing, state, count(*) FROM seed GROUP BY 1, 2 ORDER BY 1, 2")
    assert {(listing, state) for listing, state, _ in states} == {
        ("followers", "open"),
        ("users", "complete"),
        ("users", "refused"),
    }
    assert exit_status(crawler) == EX_NOPERM
    assert "No more followers in this run: The project may not do this" in caplog.text


@deferred_f_from_coro_f
async def test_a_refusal_of_the_request_that_tries_whether_the_api_works_ends_the_listing(tmp_path):
    faults = [error(500, "internal_error")] * 22
    settings = {"TIKTOK_PROBE_INTERVAL": 0.05, "TIKTOK_RETRY_DELAY": 0.01}
    async with serving(ScriptedApi(*faults, error(401, "scope_not_authorized"))) as api:
        database = ListingDatabase(f"sqlite:///{tmp_path / 'crawl.db'}", api.url)
        crawler = await database.crawl("users", settings, usernames="ann,bob,cleo,dora,eve")
    assert exit_status(crawler) == EX_NOPERM
    assert crawler.stats.get_value("tiktok/breaker/opened_count")
