"""Keywords are sent as IN, and once as EQ where IN finds nothing at all."""

from __future__ import annotations

import json
from datetime import date
from os import EX_OK, EX_TEMPFAIL

import pytest
from archived import archived_crawl, assert_same, replay
from crawling import CrawlFolder, exit_status, project_settings
from listing_crawls import ListingDatabase
from new_databases import new_database
from sandboxes import recording_sandbox, searches
from scrapy.utils.defer import deferred_f_from_coro_f
from scripted_api import ScriptedApi, error, page, serving

from tiktok_crawler.commands import status as status_command
from tiktok_crawler.sandbox import load_profile

pytestmark = pytest.mark.slow

KEYWORD = """
start_date: 2024-01-01
end_date: 2024-03-02
include: {all_keywords: [butter]}
"""
JANUARY, FEBRUARY = "20240101", "20240201"


@pytest.fixture
def folder(tmp_path):
    folder = CrawlFolder(tmp_path)
    folder.query_file.write_text(KEYWORD)
    return folder


@pytest.fixture
def crawl(folder, prepared_url):
    """Crawls into a database of either kind that has its tables."""
    folder.database_url = prepared_url

    async def crawl(url, **arguments):
        sandbox = {"TIKTOK_SANDBOX": True, "TIKTOK_SANDBOX_URL": url}
        return await folder.crawl(url, sandbox, **arguments)

    return crawl


@pytest.fixture
def rows(prepared_url):
    return ListingDatabase(prepared_url, "").rows


def form(body):
    (condition,) = body["query"]["and"]
    return condition["operation"]


def asked(api):
    """What was asked for: first day, form and cursor."""
    return [(body["start_date"], form(body), body.get("cursor")) for body in api.bodies]


def finding(*forms):
    """Answers with videos of a number of their own where a keyword has one of these forms."""

    def answer(body):
        return page(int(body["start_date"])) if form(body) in forms else page(cursor=0)

    return answer


def status(folder):
    settings = project_settings(TIKTOK_DATABASE_URL=folder.database_url)
    return json.loads(status_command._report(settings, as_json=True))["queries"][0]


def status_lines(folder):
    settings = project_settings(TIKTOK_DATABASE_URL=folder.database_url)
    text = status_command._report(settings, as_json=False)
    return [line.strip() for line in text.splitlines()]


STATES = "SELECT start_date, keywords_as, state, requests FROM crawl_window ORDER BY id"


def stored(rows):
    return [(str(day), form, state, requests) for day, form, state, requests in rows(STATES)]


@deferred_f_from_coro_f
async def test_a_keyword_is_sent_as_in(folder, caplog):
    async with serving(ScriptedApi(finding("IN"))) as api:
        crawler = await folder.crawl(api.url)
    assert asked(api) == [(JANUARY, "IN", None), (FEBRUARY, "IN", None)]
    assert exit_status(crawler) == EX_OK
    assert "Keywords are sent" not in caplog.text
    assert status(folder)["keywords"] == {"sent_as": "IN", "in_vain": None}
    assert not any(line.startswith("keywords") for line in status_lines(folder))


@deferred_f_from_coro_f
async def test_where_in_finds_nothing_eq_is_tried_and_kept_and_told(crawl, folder, rows, caplog):
    caplog.set_level("INFO")
    async with serving(ScriptedApi(finding("EQ"))) as api:
        crawler = await crawl(api.url)
        assert asked(api) == [
            (JANUARY, "IN", None),
            (JANUARY, "EQ", None),
            (FEBRUARY, "EQ", None),
        ]
        assert exit_status(crawler) == EX_OK
        assert (
            "No video was found with keywords sent as IN: searching the same days once more with EQ"
        ) in caplog.text
        assert "Keywords are sent as EQ: searches with IN found nothing" in caplog.text
        assert stored(rows) == [
            ("2024-01-01", "IN", "split", 1),
            ("2024-01-01", "EQ", "complete", 1),
            ("2024-02-01", "EQ", "complete", 1),
        ]
        assert status(folder)["keywords"] == {"sent_as": "EQ", "in_vain": "IN"}
        assert status(folder)["coverage_percent"] == 100
        assert "keywords   sent as EQ: searches with IN found nothing" in status_lines(folder)

        api.bodies.clear()
        crawler = await crawl(api.url, end_date="2024-03-10")
    assert asked(api) == [("20240303", "EQ", None)]
    assert exit_status(crawler) == EX_OK


@deferred_f_from_coro_f
async def test_where_both_find_nothing_that_costs_one_request_once(crawl, folder, rows, caplog):
    async with serving(ScriptedApi(finding())) as api:
        crawler = await crawl(api.url)
        assert asked(api) == [
            (JANUARY, "IN", None),
            (JANUARY, "EQ", None),
            (FEBRUARY, "IN", None),
        ]
        assert exit_status(crawler) == EX_OK
        api.bodies.clear()
        for end in ("2024-03-02", "2024-03-10"):
            assert exit_status(await crawl(api.url, end_date=end)) == EX_OK
    assert asked(api) == [("20240303", "IN", None)]
    assert "Keywords are sent" not in caplog.text
    assert status(folder)["keywords"] == {"sent_as": "IN", "in_vain": None}
    assert status(folder)["coverage_percent"] == 100
    assert {state for _, _, state, _ in stored(rows)} == {"complete"}


@pytest.mark.parametrize("works", ["IN", "EQ"])
@deferred_f_from_coro_f
async def test_a_run_that_ends_between_the_forms_is_gone_on_with_by_the_next(
    crawl, folder, rows, works
):
    async with serving(ScriptedApi(finding("EQ"))) as api:
        crawler = await crawl(api.url, max_requests="1")
        assert asked(api) == [(JANUARY, "IN", None)]
        assert exit_status(crawler) == EX_TEMPFAIL
        assert status(folder)["next_run"] == {
            "windows": 2,
            "open": 0,
            "new": 2,
            "parked": 0,
            "suspicious": 0,
        }
        expected = (
            "keywords   no video was found: 2024-01-01..2024-01-31 is searched once more, with "
            "keywords sent as EQ"
        )
        assert expected in status_lines(folder)

        api.bodies.clear()
        api.answers = [finding(works)]
        crawler = await crawl(api.url)
    assert asked(api) == [(JANUARY, "EQ", None), (FEBRUARY, works, None)]
    assert exit_status(crawler) == EX_OK
    kept = "split" if works == "EQ" else "complete"
    assert stored(rows)[0] == ("2024-01-01", "IN", kept, 1)


@deferred_f_from_coro_f
async def test_a_search_goes_on_in_the_form_that_it_began_with(crawl, rows):
    first, last = page(7, has_more=True), page(6, cursor=200)
    async with serving(ScriptedApi(page(cursor=0), first)) as api:
        await crawl(api.url, max_requests="2")
        assert ("2024-01-01", "EQ", "open", 1) in stored(rows)
        api.bodies.clear()
        api.answers = [last]
        await crawl(api.url)
    assert [search for search in asked(api) if search[0] == JANUARY] == [(JANUARY, "EQ", 100)]


@deferred_f_from_coro_f
async def test_a_trial_that_fails_is_tried_again_by_a_later_run(crawl, rows):
    async with serving(ScriptedApi(page(cursor=0), error(400, "invalid_params", "no"))) as api:
        one_month = {"end_date": "2024-01-31"}
        crawler = await crawl(api.url, **one_month)
        assert exit_status(crawler) == EX_TEMPFAIL
        assert stored(rows) == [
            ("2024-01-01", "IN", "complete", 1),
            ("2024-01-01", "EQ", "parked", 1),
        ]
        api.answers = [finding("EQ")]
        crawler = await crawl(api.url, **one_month)
    assert asked(api)[2:] == [(JANUARY, "EQ", None)]
    assert exit_status(crawler) == EX_OK
    assert [state for _, _, state, _ in stored(rows)] == ["split", "complete"]


@deferred_f_from_coro_f
async def test_a_replay_knows_the_forms(folder):
    async with serving(ScriptedApi(finding("EQ"))) as api:
        await archived_crawl(folder, api.url, max_requests="1")
        await archived_crawl(folder, api.url)
    url = new_database(folder.path / "replayed.db")
    replay(url, folder.path / "archive")
    made = assert_same(url, folder.database_url)
    forms = sorted((w["keywords_as"], w["state"]) for w in made["crawl_window"])
    assert forms == [("EQ", "complete"), ("EQ", "complete"), ("IN", "split")]


@pytest.mark.parametrize("works", ["IN", "EQ"])
@deferred_f_from_coro_f
async def test_the_sandbox_gives_all_videos_whichever_form_works(crawl, rows, works):
    profile = load_profile(f"keywords-as-{works.lower()}")
    keyword = {"field_name": "keyword", "operation": works, "field_values": ["butter"]}
    with recording_sandbox(profile=profile, videos_per_day=40) as (sandbox, url):
        crawler = await crawl(url)
        found = sandbox.matches({"and": [keyword]}, date(2024, 1, 1), date(2024, 3, 2))
        forms = [form(body) for body in searches(sandbox)]
    assert exit_status(crawler) == EX_OK
    truth = {int(video["id"]) for video in found}
    assert len(truth) > 10
    assert {row[0] for row in rows("SELECT id FROM video")} == truth
    assert forms[0] == "IN"
    assert set(forms[1:]) == {works}
