"""Probes: first pages alone, from which the rest of a search is forecast and goes on."""

from __future__ import annotations

from os import EX_OK, EX_TEMPFAIL

import pytest
from archived import assert_same, replay
from crawling import exit_status, project_settings, stat
from listing_crawls import ListingDatabase
from marathon import first
from new_databases import new_database
from sandboxes import recording_sandbox, searches
from scrapy.utils.defer import deferred_f_from_coro_f

from tiktok_crawler.arguments import search_arguments
from tiktok_crawler.clock import utc_now
from tiktok_crawler.config import Config
from tiktok_crawler.planning.forecast import forecast
from tiktok_crawler.planning.plan import make_plan
from tiktok_crawler.sandbox import load_profile
from tiktok_crawler.sandbox.faults.profile import DataBehaviour, Profile
from tiktok_crawler.storage.search_session import look_up

QUERY = """
start_date: {0}-01-01
end_date: {0}-02-24
include: {{any_hashtags: [{1}]}}
"""
UNEVEN = Profile(data=DataBehaviour(weekly_rhythm=0.3, trend=3))


@pytest.fixture
def query(tmp_path):
    path = tmp_path / "query.yaml"
    path.write_text(QUERY.format(2024, "butter, cheese"))
    return path


def forecast_of(url, query):
    """What a plan says of a query."""
    config = Config.of(project_settings(TIKTOK_SANDBOX=True))
    collection = search_arguments.collection({"query": str(query)}, today=utc_now().date())
    wanted = search_arguments.wanted(collection, config)
    known = look_up(url, "sandbox", wanted).known
    return forecast(make_plan(wanted, known, utc_now()), known)


@pytest.mark.slow
@deferred_f_from_coro_f
async def test_probes_are_stored_forecast_the_rest_and_are_not_paid_again(prepared_url, query):
    with recording_sandbox(profile=UNEVEN) as (sandbox, url):
        database = ListingDatabase(prepared_url, url)
        probing = await database.crawl("videos", query=str(query), probes="12")
        probed = searches(sandbox)
        found = forecast_of(prepared_url, query)
        crawl = await database.crawl("videos", query=str(query))
        bodies = searches(sandbox)

    assert exit_status(probing) == exit_status(crawl) == EX_OK
    assert len(probed) == stat(probing, "requests/sent_count") == 12
    assert not any("cursor" in body for body in probed)
    assert found.least <= len(bodies) - 12 <= found.most <= 2 * found.least
    firsts = [body["start_date"] for body in bodies if "cursor" not in body]
    assert len(firsts) == len(set(firsts)) == 12, "the windows of the probes are all there are"
    assert database.rows("SELECT count(*) FROM crawl") == [(len(bodies),)]


@pytest.mark.slow
@deferred_f_from_coro_f
async def test_probes_that_bring_all_leave_nothing_to_forecast(prepared_url, query):
    query.write_text(QUERY.format(2024, "no.such.hashtag"))
    with recording_sandbox() as (sandbox, url):
        database = ListingDatabase(prepared_url, url)
        await database.crawl("videos", query=str(query), probes="12")
        assert forecast_of(prepared_url, query).most == 0
        assert exit_status(await database.crawl("videos", query=str(query))) == EX_OK
        assert len(searches(sandbox)) == 12


@deferred_f_from_coro_f
async def test_where_fewer_days_are_missing_nothing_is_asked_for(prepared_url, query):
    with recording_sandbox() as (sandbox, url):
        database = ListingDatabase(prepared_url, url)
        days = {"start_date": "2024-01-01", "end_date": "2024-01-11"}
        crawler = await database.crawl("videos", query=str(query), probes="12", **days)
        assert searches(sandbox) == []
    assert exit_status(crawler) == EX_OK


@deferred_f_from_coro_f
async def test_probes_do_not_wait_for_quota(prepared_url, query):
    with recording_sandbox(daily_quota=5) as (_, url):
        database = ListingDatabase(prepared_url, url)
        crawler = await database.crawl("videos", query=str(query), probes="12")
    assert exit_status(crawler) == EX_TEMPFAIL
    assert database.rows("SELECT count(*) FROM crawl") == [(5,)]
    assert forecast_of(prepared_url, query).least > 12


@pytest.mark.slow
@pytest.mark.parametrize("prepared_url", first(1, ["sqlite", "postgresql"]), indirect=True)
@pytest.mark.parametrize("name", ["heavy-windows", "keywords-as-eq"])
@deferred_f_from_coro_f
async def test_probes_find_out_what_a_crawl_would(prepared_url, query, name):
    query.write_text(QUERY.format(2023, "butter").replace("any_hashtags", "any_keywords"))
    with recording_sandbox(profile=load_profile(name)) as (_, url):
        database = ListingDatabase(prepared_url, url)
        probing = await database.crawl("videos", query=str(query), probes="4")
        found = forecast_of(prepared_url, query)
        crawl = await database.crawl("videos", query=str(query))
    assert exit_status(probing) == exit_status(crawl) == EX_OK
    assert found.least <= stat(crawl, "requests/sent_count") <= found.most


@pytest.mark.slow
@deferred_f_from_coro_f
async def test_an_archive_of_probes_is_replayed_as_it_was(folder, query):
    with recording_sandbox() as (_, url):
        for arguments in ({"probes": "12"}, {}):
            crawler = await folder.crawl(
                url,
                {
                    "TIKTOK_SANDBOX": True,
                    "TIKTOK_SANDBOX_URL": url,
                    "TIKTOK_ARCHIVE": str(folder.path / "archive"),
                },
                query=str(query),
                **arguments,
            )
            assert exit_status(crawler) == EX_OK
    replayed = new_database(folder.path / "replayed.db")
    assert replay(replayed, folder.path / "archive").stray_pages == 0
    assert_same(replayed, folder.database_url)
