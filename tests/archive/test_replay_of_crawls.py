"""What a replay makes of the archives of crawls equals what the crawls made."""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict
from os import EX_OK

import pytest
from archived import archived_crawl, assert_same, content, replay, replay_lines, texts
from crawling import CrawlFolder, exit_status, stat
from listing_crawls import ListingDatabase
from new_databases import new_database
from random_deeds import Calm, Deeds
from sandboxes import recording_sandbox
from scrapy.utils.defer import deferred_f_from_coro_f
from scripted_api import Answer, ScriptedApi, error, page, serving

from tiktok_crawler.archive.reader import Archives, find_archives
from tiktok_crawler.date_range import DAY, DateRange
from tiktok_crawler.sandbox import CLIENT_KEY, CLIENT_SECRET, Profile, load_profile
from tiktok_crawler.sandbox.faults.profile import ListBehaviour

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
LISTINGS = ("comments", "users", "followers", "liked_videos", "playlists")


def replayed(folder):
    """Replay the archive of a folder; what its database has is the same."""
    url = new_database(folder.path / "replayed.db")
    counts = replay(url, folder.path / "archive")
    assert counts.stray_pages == 0
    return assert_same(url, folder.database_url)


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
        per_day = 400 if profile == "losses" else 100
        options = {"daily_quota": None, "videos_per_day": per_day, "profile": faults}
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


@pytest.mark.marathon
@pytest.mark.parametrize(("profile", "kind"), KINDS)
def test_a_replay_makes_the_same(request, crawled, profile, kind):
    url = request.getfixturevalue(f"{kind}_url")

    @deferred_f_from_coro_f
    async def run():
        folder = await crawled(profile)
        counts = replay(url, folder.path / "archive")
        made = assert_same(url, folder.database_url)
        assert made["video"]
        assert counts.stray_pages == 0

    return run()


@pytest.mark.marathon
@deferred_f_from_coro_f
async def test_whatever_lines_are_missing_what_counts_as_covered_is_there(crawled, tmp_path):
    folder = await crawled("losses")
    assert {line.get("event") for line in texts(folder.path / "archive")} >= {"lost", "cut"}
    truth = videos_by_day(folder.database_url)
    lines = list(Archives(find_archives([folder.path / "archive"])).lines())
    chance = random.Random(20240601)
    covered_days = stray_pages = 0
    for number in range(4):
        url = new_database(tmp_path / f"{number}.db")
        kept = [line for line in lines if line.deed.kind == "begin" or chance.random() > 0.1]
        stray_pages += replay_lines(url, kept).stray_pages
        made = videos_by_day(url)
        for query, day in covered(url):
            assert made.get((query, day), set()) >= truth.get((query, day), set())
            covered_days += 1
    assert covered_days > 5
    assert stray_pages > 0


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
async def test_a_crawl_that_collects_more_has_one_journal(folder):
    folder.query_file.write_text(
        "start_date: 2024-01-01\nend_date: 2024-01-01\ntags: [dairy]\n"
        "include: {any_hashtags: [butter]}\n"
        "also_collect: {users: {max_seeds: 3}, comments: {max_seeds: 3}}\n"
    )
    several_pages = Profile(lists=ListBehaviour(comments=130))
    options = {"daily_quota": None, "videos_per_day": 100, "profile": several_pages}
    with recording_sandbox(**options) as (_, url):
        settings = {"TIKTOK_SANDBOX": True, "TIKTOK_SANDBOX_URL": url}
        crawler = await archived_crawl(folder, url, settings)
    everything = repr(texts(folder.path / "archive"))
    assert exit_status(crawler) == EX_OK
    assert len(list((folder.path / "archive").glob("*.gz"))) == 1
    made = replayed(folder)
    assert len(made["comment"]) > 2 * 100
    assert not any(comment["missing_since"] for comment in made["comment"])
    assert made["user_info"]
    for secret in (CLIENT_KEY, CLIENT_SECRET, "clt.", "oauth", "uthorization"):
        assert secret not in everything


@pytest.mark.marathon
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_replays_of_listings_make_the_same(request, tmp_path, kind):
    url, archive = request.getfixturevalue(f"{kind}_url"), {"TIKTOK_ARCHIVE": str(tmp_path / "a")}

    @deferred_f_from_coro_f
    async def run():
        with recording_sandbox(
            daily_quota=None, videos_per_day=20, profile=load_profile("bad-day")
        ) as (_, api_url):
            crawls = ListingDatabase(f"sqlite:///{tmp_path / 'crawl.db'}", api_url)
            seeds = await find_seeds(crawls, tmp_path, archive)
            await crawls.crawl("comments", archive, **seeds["comments"], max_per_video="5")
            for spider in LISTINGS:
                await crawls.crawl(spider, archive, **seeds[spider])
        replay(url, tmp_path / "a")
        made = assert_same(url, crawls.url)
        assert made["comment"]
        assert made["user_relation"]

    return run()


async def find_seeds(crawls, folder, archive):
    """Collect videos; what they name are seeds."""
    (folder / "query.yaml").write_text(
        "start_date: 2024-01-01\nend_date: 2024-01-01\ntags: [x]\nregions: [FR, US, DE]\n"
    )
    await crawls.crawl("videos", archive, query=str(folder / "query.yaml"))
    usernames = ",".join(crawls.column("SELECT DISTINCT username FROM video LIMIT 5"))
    found = {name: {"usernames": usernames} for name in LISTINGS}
    return found | {"comments": {"from_tag": "x"}, "playlists": {"from_tag": "x"}}


@deferred_f_from_coro_f
async def test_every_answer_is_kept_failures_too(folder):
    unreadable = Answer(502, b"\xff<html>\x00", {"Content-Type": "text/html", "X-Tt-Logid": "L1"})
    tired = error(500, "internal_error", "clt.scripted-token is tired")
    async with serving(ScriptedApi(unreadable, tired, page(2, has_more=True), page(1))) as api:
        crawler = await archived_crawl(folder, api.url)
    lines = texts(folder.path / "archive")
    broken, failed, *_, last = (line for line in lines if line["kind"] == "answer")
    assert exit_status(crawler) == EX_OK
    assert stat(crawler, "archive/answers_count") == 4
    assert broken["response"].pop("headers")["X-Tt-Logid"] == "L1"
    assert broken["response"] == {"status": 502, "body_base64": "/zxodG1sPgA="}
    assert "*** is tired" in failed["response"]["body"]
    assert "scripted-token" not in repr(lines)
    assert last["place"] == {"cursor": 100, "search_id": "77", "received": 1}
    assert last["response"]["body"].startswith('{"data": {"videos": [{"id": 1,')
    assert lines[0]["origin"] == api.url
    replayed(folder)


MALFORMED = Answer(body={"error": {"code": "ok", "message": ""}})
HALF = page(5, 4)
del HALF.body["data"]["has_more"]
STILL = page(8, has_more=True, cursor=100)


@pytest.mark.parametrize(
    "answers",
    [(MALFORMED,), (HALF,), (MALFORMED, page(3)), (page(9, has_more=True), STILL, STILL, STILL)],
    ids=["malformed", "half", "mended", "still"],
)
@deferred_f_from_coro_f
async def test_an_answer_counts_as_it_did_in_the_crawl(folder, answers):
    async with serving(ScriptedApi(*answers)) as api:
        await archived_crawl(folder, api.url)
        replayed(folder)
        (folder.path / "replayed.db").unlink()
        api.answers = [page(1)]
        await archived_crawl(folder, api.url, tags="late")
    replayed(folder)


@deferred_f_from_coro_f
async def test_a_window_that_goes_on_in_a_later_crawl_is_the_same_window(folder):
    async with serving(ScriptedApi(page(3, has_more=True), page(2, cursor=200))) as api:
        await archived_crawl(folder, api.url, max_requests="1")
        await archived_crawl(folder, api.url, tags="late")
    assert len(list((folder.path / "archive").glob("*.gz"))) == 2
    assert len(replayed(folder)["crawl_window"]) == 1


@deferred_f_from_coro_f
async def test_where_the_archive_was_switched_on_later_the_next_crawl_goes_on(folder):
    first, second, third = (page(n, has_more=n > 1, cursor=100 * (4 - n)) for n in (3, 2, 1))
    async with serving(ScriptedApi(first, second, third)) as api:
        await folder.crawl(api.url, max_requests="1")
        await archived_crawl(folder, api.url)
        folder.database_url = new_database(folder.path / "replayed.db")
        counts = replay(folder.database_url, folder.path / "archive")
        (window,) = content(folder.database_url)["crawl_window"]
        api.answers = [first, second, third]
        crawler = await folder.crawl(api.url)
    assert counts.stray_pages == 2
    assert (window["state"], window["cursor"], window["parked_count"]) == ("parked", 0, 1)
    assert exit_status(crawler) == EX_OK
    made = content(folder.database_url)
    assert [video["id"] for video in made["video"]] == [1, 2, 3]
    assert [window["state"] for window in made["crawl_window"]] == ["complete"]


def test_the_file_of_a_later_day_can_be_replayed_alone(tmp_path):
    url, replayed = new_database(tmp_path / "a.db"), new_database(tmp_path / "b.db")
    runs, deeds = [], Deeds(url, tmp_path / "archive", Calm(None))
    deeds.begin(0, runs)
    runs[0].step()
    runs[0].step()
    deeds.clock.now += DAY
    runs[0].step()
    runs[0].step()
    deeds.close(runs)
    earlier, later = find_archives([tmp_path / "archive"])
    assert replay(replayed, later).stray_pages == 0
    made, crawled = content(replayed), content(url)
    assert made["collection"] == crawled["collection"]
    assert made["crawl_window"] == crawled["crawl_window"][1:]
    (tmp_path / "b.db").unlink()
    replay(new_database(tmp_path / "b.db"), earlier, later)
    assert_same(replayed, url)


@deferred_f_from_coro_f
async def test_a_page_before_which_one_is_missing_is_stored_and_its_window_postponed(folder):
    url = new_database(folder.path / "replayed.db")
    pages = [page(n, has_more=n > 1, cursor=100 * (4 - n)) for n in (3, 2, 1)]
    async with serving(ScriptedApi(*pages)) as api:
        await archived_crawl(folder, api.url)
    lines = list(Archives(find_archives([folder.path / "archive"])).lines())
    second = [line for line in lines if line.deed.kind == "page"][1]
    counts = replay_lines(url, [line for line in lines if line is not second])
    (window,) = content(url)["crawl_window"]
    assert (counts.pages, counts.stray_pages) == (2, 1)
    assert [video["id"] for video in content(url)["video"]] == [1, 3]
    assert (window["state"], window["cursor"], window["parked_count"]) == ("parked", 100, 1)
    assert "missing from the archive" in window["error"]
