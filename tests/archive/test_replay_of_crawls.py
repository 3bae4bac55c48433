"""What a replay makes of the archives of crawls equals what the crawls made."""

from __future__ import annotations

import asyncio
import random
import sqlite3
from collections import defaultdict
from contextlib import closing
from datetime import timedelta
from os import EX_OK

import pytest
from archived import archived_crawl, content, replay, replay_lines, texts
from crawling import CrawlFolder, exit_status, stat
from sandboxes import recording_sandbox
from scrapy.utils.defer import deferred_f_from_coro_f
from scripted_api import Answer, ScriptedApi, error, page, serving

from tiktok_crawler.archive.reader import Archives, find_archives
from tiktok_crawler.date_range import DateRange
from tiktok_crawler.planning import suspicion
from tiktok_crawler.sandbox import CLIENT_KEY, CLIENT_SECRET, load_profile

pytestmark = pytest.mark.marathon

QUERY = """
start_date: 2024-01-01
end_date: 2024-01-31
tags: [dairy, first]
include: {any_hashtags: [butter, cheese]}
"""
OTHER_QUERY = "start_date: 2024-02-01\nend_date: 2024-02-03\ninclude: {any_keywords: [bread]}\n"
LOSSES = """
description: Searches are lost, wide ones fail, and answers say nothing about what follows.
searches: {refuse_new_ids: 1, fail_over_days: 10}
faults:
  - {fault: search_lost, of: later_pages, every: 4}
  - {fault: no_has_more, of: later_pages, every: 7}
  - {fault: no_data, every: 9}
  - {fault: internal_error, every: 5}
"""
PROFILES = ("losses", "bad-day", "messy-data", "old-ids")
KINDS = [*((profile, "sqlite") for profile in PROFILES), ("losses", "postgresql")]

UNANSWERED = {"requests", "attempts", "updated_at"}
"""What requests that got no answer leave behind; they are in no archive."""


def without_unanswered(tables):
    for window in tables["crawl_window"]:
        for name in UNANSWERED:
            del window[name]
    return tables


@pytest.fixture(scope="module")
def crawled(tmp_path_factory):
    """Makes folders with the databases and archives of crawls under the faults of a profile."""
    folders = {}

    async def crawl(profile):
        if profile in folders:
            return folders[profile]
        folder = CrawlFolder(tmp_path_factory.mktemp(profile))
        folder.query_file.write_text(QUERY)
        other = folder.path / "other.yaml"
        other.write_text(OTHER_QUERY)
        losses = folder.path / "losses.yaml"
        losses.write_text(LOSSES)
        faults = load_profile(str(losses) if profile == "losses" else profile)
        options = {"daily_quota": None, "videos_per_day": 100, "profile": faults}
        with recording_sandbox(**options) as (_, url):
            settings = {"TIKTOK_SANDBOX": True, "TIKTOK_SANDBOX_URL": url}
            settings["TIKTOK_RATE_LIMIT_DELAY"] = 0.1
            await archived_crawl(folder, url, settings, end_date="2024-01-10", tags="early")
            await asyncio.gather(
                archived_crawl(folder, url, settings),
                archived_crawl(folder, url, settings, query=str(other)),
            )
            # Not at the same time: which of two answers of one moment comes first is not archived.
            both = {"start_date": "2024-01-29", "end_date": "2024-01-31"}
            await archived_crawl(folder, url, settings, query=str(other), **both)
            await archived_crawl(folder, url, settings)
        folders[profile] = folder
        return folder

    return crawl


@pytest.mark.parametrize(("profile", "kind"), KINDS)
def test_a_replay_into_a_new_database_makes_the_same(request, crawled, profile, kind):
    url = request.getfixturevalue(f"{kind}_url")

    @deferred_f_from_coro_f
    async def run():
        folder = await crawled(profile)
        counts = replay(url, folder.path / "archive")
        made, crawl_made = content(url), content(folder.database_url)
        if profile == "bad-day":
            made, crawl_made = without_unanswered(made), without_unanswered(crawl_made)
        for name in crawl_made:
            assert made[name] == crawl_made[name], name
        assert crawl_made["video"]
        assert crawl_made["videos_to_crawls"]
        assert counts.known_pages == counts.outdated_pages == counts.stray_pages == 0
        before = content(url)
        assert replay(url, folder.path / "archive").new_pages == 0
        assert content(url) == before

    return run()


@pytest.mark.parametrize("profile", PROFILES)
@deferred_f_from_coro_f
async def test_a_replay_into_the_database_that_the_crawl_filled_changes_nothing(crawled, profile):
    folder = await crawled(profile)
    before = content(folder.database_url)
    counts = replay(folder.database_url, folder.path / "archive")
    assert content(folder.database_url) == before
    assert counts.known_pages == counts.pages == len(before["crawl"])
    assert counts.filled_videos == 0


@deferred_f_from_coro_f
async def test_in_these_crawls_windows_were_split_and_shrunk(crawled):
    kinds = {line["kind"] for line in texts((await crawled("losses")).path / "archive")}
    assert kinds >= {"run", "answer", "window_shrunk", "window_split"}


@deferred_f_from_coro_f
async def test_whatever_lines_are_missing_what_counts_as_covered_is_there(crawled, tmp_path):
    folder = await crawled("losses")
    truth = videos_by_day(folder.database_url)
    lines = list(Archives(find_archives([folder.path / "archive"])).lines())
    chance = random.Random(20240601)
    covered_days = 0
    for number in range(4):
        url = f"sqlite:///{tmp_path / f'{number}.db'}"
        replay_lines(url, [line for line in lines if chance.random() > 0.1])
        made = videos_by_day(url)
        for query, day in covered(url):
            assert made.get((query, day), set()) >= truth.get((query, day), set())
            covered_days += 1
    assert covered_days > 5


def covered(url):
    """The days of each query that count as completely collected."""
    return {
        (window["query_id"], day)
        for window in content(url)["crawl_window"]
        if window["state"] == "complete"
        for day in DateRange(window["start_date"], window["end_date"])
    }


def videos_by_day(url):
    """The ids of the videos that searches of each query have brought, by day."""
    tables = content(url)
    published = {row["id"]: row["create_time"] for row in tables["video"]}
    found = defaultdict(set)
    for row in tables["videos_to_crawls"]:
        (query, *_), *_ = row["crawl_id"]
        if at := published[row["video_id"]]:
            found[query, at.date()].add(row["video_id"])
    return found


@deferred_f_from_coro_f
async def test_no_archive_holds_a_secret(crawled):
    folder = await crawled("bad-day")
    everything = repr(texts(folder.path / "archive"))
    assert CLIENT_KEY not in everything
    assert CLIENT_SECRET not in everything
    assert "clt." not in everything
    assert "oauth" not in everything
    assert "uthorization" not in everything


@deferred_f_from_coro_f
async def test_every_answer_is_kept_failures_too(tmp_path):
    folder = CrawlFolder(tmp_path)
    unreadable = Answer(502, b"\xff<html>\x00", {"Content-Type": "text/html", "X-Tt-Logid": "L1"})
    script = ScriptedApi(unreadable, page(2, has_more=True), page(1))
    async with serving(script) as api:
        crawler = await archived_crawl(folder, api.url)
    run, broken, first, last = texts(folder.path / "archive")
    assert exit_status(crawler) == EX_OK
    assert stat(crawler, "archive/answers_count") == 3
    assert run["kind"] == "run"
    assert broken["response"]["status"] == 502
    assert broken["response"]["headers"]["X-Tt-Logid"] == "L1"
    assert broken["response"]["body_base64"] == "/zxodG1sPgA="
    assert first["request"]["body"] == api.bodies[1]
    assert last["request"]["body"] == api.bodies[2]
    assert last["response"]["body"].startswith('{"data": {"videos": [{"id": 1,')
    assert {line["origin"] for line in texts(folder.path / "archive")} == {api.url}


@deferred_f_from_coro_f
async def test_a_rate_limit_is_kept_with_the_pause_that_it_asks_for(tmp_path):
    folder = CrawlFolder(tmp_path)
    limit = error(429, "rate_limit_exceeded", **{"Retry-After": "1"})
    async with serving(ScriptedApi(limit, page(1))) as api:
        await archived_crawl(folder, api.url)
    limited, _ = (line for line in texts(folder.path / "archive") if line["kind"] == "answer")
    assert limited["response"]["status"] == 429
    assert limited["response"]["headers"]["Retry-After"] == "1"


@deferred_f_from_coro_f
async def test_the_token_is_taken_out_of_an_answer_that_repeats_it(tmp_path):
    folder = CrawlFolder(tmp_path)
    script = ScriptedApi(error(500, "internal_error", "clt.scripted-token is tired"), page(1))
    async with serving(script) as api:
        await archived_crawl(folder, api.url)
    _, failed, _ = texts(folder.path / "archive")
    assert "*** is tired" in failed["response"]["body"]
    assert "scripted-token" not in repr(texts(folder.path / "archive"))


MALFORMED = Answer(body={"error": {"code": "ok", "message": ""}})
HALF = page(5, 4)
del HALF.body["data"]["has_more"]


@pytest.mark.parametrize("answers", [(MALFORMED, MALFORMED), (HALF, HALF), (MALFORMED, page(3))])
@deferred_f_from_coro_f
async def test_a_malformed_answer_counts_as_it_did_in_the_crawl(tmp_path, answers):
    folder, url = CrawlFolder(tmp_path), f"sqlite:///{tmp_path / 'replayed.db'}"
    async with serving(ScriptedApi(*answers)) as api:
        await archived_crawl(folder, api.url)
    replay(url, folder.path / "archive")
    assert content(url) == content(folder.database_url)
    before = content(folder.database_url)
    replay(folder.database_url, folder.path / "archive")
    assert content(folder.database_url) == before


@deferred_f_from_coro_f
async def test_a_window_that_goes_on_in_a_later_crawl_is_the_same_window(tmp_path):
    folder, url = CrawlFolder(tmp_path), f"sqlite:///{tmp_path / 'replayed.db'}"
    async with serving(ScriptedApi(page(3, has_more=True), page(2, cursor=200))) as api:
        await archived_crawl(folder, api.url, max_requests="1")
        await archived_crawl(folder, api.url, tags="late")
    assert len(list((tmp_path / "archive").iterdir())) == 2
    replay(url, folder.path / "archive")
    assert content(url) == content(folder.database_url)
    assert len(content(url)["crawl_window"]) == 1


def assert_replay_makes_the_same(folder):
    """A replay into a new database, and one into the database of the crawls."""
    url = f"sqlite:///{folder.path / 'replayed.db'}"
    counts = replay(url, folder.path / "archive")
    made = content(folder.database_url)
    assert content(url) == made
    assert counts.stray_pages == counts.outdated_pages == 0
    replay(folder.database_url, folder.path / "archive")
    assert content(folder.database_url) == made


def windows(folder):
    return content(folder.database_url)["crawl_window"]


def change(folder, statement):
    with closing(sqlite3.connect(folder.path / "crawl.db")) as connection, connection:
        connection.execute(statement)


REFUSAL = error(400, "invalid_params", "no")
ONE_DAY = {"start_date": "2024-01-01", "end_date": "2024-01-01"}


@pytest.mark.parametrize(
    ("second_try", "state"),
    [
        ([error(400, "invalid_params", "still no")], "parked"),
        ([page(1)], "complete"),
        ([page(2, has_more=True), REFUSAL], "parked"),
        ([REFUSAL, "again", page(2, has_more=True), page(1)], "complete"),
    ],
)
@deferred_f_from_coro_f
async def test_a_parked_window_that_is_tried_again_is_parked_as_often(tmp_path, second_try, state):
    folder = CrawlFolder(tmp_path)
    async with serving(ScriptedApi(page(9))) as api:
        await archived_crawl(folder, api.url, start_date="2023-06-01", end_date="2023-06-01")
        api.answers = [REFUSAL]
        await archived_crawl(folder, api.url, **ONE_DAY)
        assert_replay_makes_the_same(folder)
        for answers in split_at(second_try, "again"):
            change(folder, "UPDATE crawl_window SET retry_at = updated_at WHERE retry_at > 0")
            api.answers = answers
            await archived_crawl(folder, api.url, **ONE_DAY)
    url = f"sqlite:///{folder.path / 'replayed.db'}"
    replay(url, folder.path / "archive")
    assert content(url) == content(folder.database_url)
    *_, window = windows(folder)
    assert window["state"] == state
    assert window["parked_count"] >= 1
    assert (window["retry_at"] is None) == (state == "complete")


def split_at(values, mark):
    where = values.index(mark) if mark in values else len(values)
    return [part for part in (values[:where], values[where + 1 :]) if part]


@deferred_f_from_coro_f
async def test_a_second_try_that_ends_without_a_page_leaves_its_window_parked(tmp_path):
    folder = CrawlFolder(tmp_path)
    async with serving(ScriptedApi(page(9))) as api:
        await archived_crawl(folder, api.url, start_date="2023-06-01", end_date="2023-06-01")
        api.answers = [REFUSAL]
        await archived_crawl(folder, api.url, **ONE_DAY)
        api.answers = [error(500, "internal_error")]
        await archived_crawl(folder, api.url, max_requests="1", **ONE_DAY)
    *_, window = windows(folder)
    assert (window["state"], window["parked_count"], window["requests"]) == ("parked", 1, 2)
    assert_replay_makes_the_same(folder)


TWO_MONTHS = {"start_date": "2024-01-01", "end_date": "2024-03-02"}


@pytest.mark.parametrize("found", [page(), page(50), error(500, "internal_error"), REFUSAL])
@deferred_f_from_coro_f
async def test_suspicious_days_and_their_second_search_are_the_same(tmp_path, monkeypatch, found):
    folder = CrawlFolder(tmp_path)
    async with serving(ScriptedApi(page(*range(1, 41)), page())) as api:
        await archived_crawl(folder, api.url, **TWO_MONTHS)
        assert [window["suspicious"] for window in windows(folder)] == [False, True]
        assert_replay_makes_the_same(folder)

        # Three days go by: suspicious days are searched once more.
        monkeypatch.setattr(suspicion, "SECOND_SEARCH_AFTER", timedelta(microseconds=1))
        api.answers = [found]
        await archived_crawl(folder, api.url, max_requests="1", **TWO_MONTHS)
    assert len(windows(folder)) == 3
    assert_replay_makes_the_same(folder)


@pytest.mark.parametrize("cursor", [0, 50, 100])
@deferred_f_from_coro_f
async def test_a_search_that_stands_still_is_the_same(tmp_path, cursor):
    folder = CrawlFolder(tmp_path)
    still = [page(8, has_more=True, cursor=cursor)] * 3
    async with serving(ScriptedApi(page(9, has_more=True), *still, page(7))) as api:
        await archived_crawl(folder, api.url)
        assert len(api.bodies) == 4
        assert_replay_makes_the_same(folder)
        await archived_crawl(folder, api.url)
    assert [window["state"] for window in windows(folder)] == ["complete"]
    url = f"sqlite:///{folder.path / 'replayed.db'}"
    replay(url, folder.path / "archive")
    assert content(url) == content(folder.database_url)


@deferred_f_from_coro_f
async def test_without_the_setting_nothing_is_kept(tmp_path):
    folder = CrawlFolder(tmp_path)
    async with serving(ScriptedApi(page(1))) as api:
        crawler = await folder.crawl(api.url)
    assert stat(crawler, "archive/answers_count") == 0
    assert not (tmp_path / "archive").exists()
