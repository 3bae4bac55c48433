"""What a replay makes of the archives of listings equals what the crawls made."""

from __future__ import annotations

import random
import signal
import sqlite3
import time
from contextlib import closing
from itertools import islice
from os import EX_OK

import pytest
from archived import archived_crawl, content, replay, replay_lines, texts
from crawling import CrawlFolder, exit_status
from listing_crawls import ListingDatabase
from processes import scrapy, started
from sandboxes import recording_sandbox
from scrapy.utils.defer import deferred_f_from_coro_f
from scripted_api import Answer, ScriptedApi, error, serving

from tiktok_crawler.archive.reader import Archives, find_archives
from tiktok_crawler.research_api.listings import LISTINGS, SeedKey
from tiktok_crawler.sandbox import load_profile

pytestmark = pytest.mark.marathon

ARGUMENTS = {
    SeedKey.USERNAME: "usernames",
    SeedKey.VIDEO_ID: "video_ids",
    SeedKey.PLAYLIST_ID: "playlist_ids",
    SeedKey.SHOP_NAME: "shop_names",
    SeedKey.SHOP_ID: "shop_ids",
    SeedKey.PRODUCT_ID: "product_ids",
}
TROUBLES = """
description: Lists fail, forget their cursors, and say nothing about what follows.
faults:
  - {fault: no_has_more, of: lists, every: 7}
  - {fault: no_data, of: lists, every: 9}
  - {fault: internal_error, of: lists, every: 5}
"""
QUERY_WITH_USERS = """
start_date: 2024-01-01
end_date: 2024-01-02
tags: [dairy]
include: {any_hashtags: [butter, cheese]}
also_collect: {users: {}, comments: {max_per_video: 20, min_comment_count: 5}}
"""
SPIDERS = sorted(LISTINGS.keys() - {"replies"})
TABLES = {
    "comments": ("comment",),
    "users": ("user_info",),
    "followers": ("account", "user_relation"),
    "following": ("account", "user_relation"),
    "liked_videos": ("user_video", "video"),
    "pinned_videos": ("user_video", "video"),
    "reposted_videos": ("user_video", "video"),
    "playlists": ("playlist", "playlist_video"),
    "shops": ("shop",),
    "products": ("product",),
    "reviews": ("review",),
}


def seeds_of(sandbox, name):
    """Seeds with several pages, if there are any, with one, and one that does not exist."""
    found = list(islice(sandbox.seeds(name, at_least=1), 40))
    records = {seed: len(sandbox.truth(name, seed)) for seed in found}
    many = [seed for seed in found if 100 < records[seed] < 320][:2]
    few = [seed for seed in found if records[seed] <= 20][:2]
    unknown = "nobody.at.all" if LISTINGS[name].seed_key is SeedKey.USERNAME else "404"
    return [*many, *few, unknown]


class Archived:
    """A folder with a database and an archive of crawls of listings."""

    def __init__(self, folder, sandbox, api_url):
        self.folder, self.sandbox = folder, sandbox
        self.database = ListingDatabase(f"sqlite:///{folder / 'crawl.db'}", api_url)
        self.archive = folder / "archive"

    async def crawl(self, name, seeds, settings=None, **arguments):
        named = {ARGUMENTS[LISTINGS[name].seed_key]: ",".join(seeds)}
        own = {"TIKTOK_ARCHIVE": str(self.archive)}
        return await self.database.crawl(name, own | (settings or {}), **(named | arguments))

    def make_old(self, name):
        """Days go by."""
        self.change(
            "UPDATE seed SET completed_at = '2020-01-01 00:00:00.000000' "
            f"WHERE listing = '{name}' AND completed_at IS NOT NULL"
        )

    def change(self, statement):
        with closing(sqlite3.connect(self.folder / "crawl.db")) as connection, connection:
            connection.execute(statement)

    def content(self):
        return content(self.database.url)


@pytest.fixture(scope="module")
def crawled(tmp_path_factory):
    """Makes folders with the databases and archives of crawls of all listings."""
    folders = {}

    async def crawl(profile):
        if profile in folders:
            return folders[profile]
        folder = tmp_path_factory.mktemp(profile)
        (folder / "troubles.yaml").write_text(TROUBLES)
        faults = load_profile(str(folder / "troubles.yaml") if profile == "troubles" else profile)
        with recording_sandbox(daily_quota=None, profile=faults) as (sandbox, url):
            found = folders[profile] = Archived(folder, sandbox, url)
            for name in SPIDERS:
                seeds = seeds_of(sandbox, name)
                replies = {"replies": "1"} if name == "comments" else {}
                await found.crawl(name, seeds, tags="early", **replies)
            for name in ("users", "followers"):
                found.make_old(name)
                await found.crawl(name, seeds_of(sandbox, name), max_age="7d", tags="late")
        return found

    return crawl


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
@pytest.mark.parametrize("profile", ["none", "troubles", "messy-data"])
def test_a_replay_into_a_new_database_makes_the_same(request, crawled, profile, kind):
    url = request.getfixturevalue(f"{kind}_url")

    @deferred_f_from_coro_f
    async def run():
        found = await crawled(profile)
        made_by_crawls = found.content()
        counts = replay(url, found.archive)
        made = content(url)
        for name in made_by_crawls:
            assert made[name] == made_by_crawls[name], name
        for names in TABLES.values():
            assert all(made[name] for name in names), names
        assert counts.stray_list_pages == counts.known_pages == 0
        assert counts.new_pages == len(made["crawl"])
        assert replay(url, found.archive).new_pages == 0
        assert content(url) == made

    return run()


@pytest.mark.parametrize("profile", ["none", "troubles", "messy-data"])
@deferred_f_from_coro_f
async def test_a_replay_into_the_database_that_the_crawls_filled_changes_nothing(crawled, profile):
    found = await crawled(profile)
    before = found.content()
    counts = replay(found.database.url, found.archive)
    assert found.content() == before
    assert counts.known_pages == counts.pages == len(before["crawl"])
    assert counts.filled_records == counts.new_records == 0


@deferred_f_from_coro_f
async def test_in_these_crawls_seeds_were_refused_and_given_up_and_answers_failed(crawled):
    lines = texts((await crawled("troubles")).archive)
    assert {"stage", "seed_refused", "seed_parked"} <= {line["kind"] for line in lines}
    statuses = {line["response"]["status"] for line in lines if line["kind"] == "answer"}
    assert {200, 400, 500} <= statuses


def numbered(sandbox, name, least, most):
    """A seed with so many records."""
    found = islice(sandbox.seeds(name, at_least=least), 60)
    return next(seed for seed in found if len(sandbox.truth(name, seed)) <= most)


def replayed(found):
    """What a replay into a new database makes."""
    path = found.folder / "replayed.db"
    path.unlink(missing_ok=True)
    replay(f"sqlite:///{path}", found.archive)
    return content(f"sqlite:///{path}")


def assert_replay_makes_the_same(found):
    """A replay into a new database, and one into the database of the crawls."""
    made = found.content()
    assert replayed(found) == made
    replay(found.database.url, found.archive)
    assert found.content() == made


@deferred_f_from_coro_f
async def test_a_listing_that_goes_on_in_later_crawls_is_the_same(tmp_path):
    with recording_sandbox(daily_quota=None) as (sandbox, url):
        found = Archived(tmp_path, sandbox, url)
        seeds = [numbered(sandbox, "followers", 301, 900), numbered(sandbox, "followers", 1, 50)]
        await found.crawl("followers", seeds, max_requests="1")
        assert_replay_makes_the_same(found)
        # At its limit the listing is complete, and goes on where more is wanted.
        await found.crawl("followers", seeds, max_per_user="200", tags="some")
        await found.crawl("followers", seeds)
        truth = sum(len(sandbox.truth("followers", seed)) for seed in seeds)
    assert len(list(found.archive.iterdir())) == 3
    assert_replay_makes_the_same(found)
    made = found.content()
    assert [row["state"] for row in made["seed"]] == ["complete"] * 2
    assert [row["attempts"] for row in made["seed"]] == [1, 1]
    assert len(made["user_relation"]) == truth


@deferred_f_from_coro_f
async def test_whatever_lines_are_missing_a_complete_listing_has_all_its_records(tmp_path):
    with recording_sandbox(daily_quota=None) as (sandbox, url):
        found = Archived(tmp_path, sandbox, url)
        seeds = list(islice(sandbox.seeds("following", at_least=101), 6))
        await found.crawl("following", seeds)
        truth = {seed: len(sandbox.truth("following", seed)) for seed in seeds}
        lines = list(Archives(find_archives([found.archive])).lines())
        complete = strays = 0
        for number in range(len(lines)):
            url_of_part = f"sqlite:///{tmp_path / f'{number}.db'}"
            counts = replay_lines(url_of_part, lines[:number] + lines[number + 1 :])
            for row in content(url_of_part)["seed"]:
                if row["state"] == "complete":
                    # Pages of one second overlap.
                    assert row["position"] >= truth[row["seed"]]
                    complete += 1
            strays += counts.stray_list_pages
        assert complete
        assert strays

        # The next crawl goes on where pages are missing, and pays for them alone.
        part = Archived(tmp_path, sandbox, url)
        url_of_part = f"sqlite:///{tmp_path / '2.db'}"
        part.database = ListingDatabase(url_of_part, url)
        await part.crawl("following", seeds)
    whole = found_edges(found.database.url)
    assert found_edges(url_of_part) == whole
    assert {row["state"] for row in content(url_of_part)["seed"]} == {"complete"}


def found_edges(url):
    rows = content(url)["user_relation"]
    return {(row["follower_id"], row["followed_id"]) for row in rows}


@deferred_f_from_coro_f
async def test_archives_that_are_replayed_in_the_wrong_order_overwrite_nothing(tmp_path):
    with recording_sandbox(daily_quota=None) as (sandbox, url):
        found = Archived(tmp_path, sandbox, url)
        seeds = [numbered(sandbox, "followers", 101, 400)]
        await found.crawl("followers", seeds)
        found.make_old("followers")
        await found.crawl("followers", seeds, max_age="7d")
    files = find_archives([found.archive])
    first, second = sorted(files, key=lambda path: next(Archives([path]).lines()).at)
    replayed = f"sqlite:///{tmp_path / 'replayed.db'}"
    replay(replayed, second)
    later = content(replayed)["seed"]
    assert replay(replayed, first).stray_list_pages == 0
    assert content(replayed)["seed"] == later
    made = found.content()
    for name in ("user_relation", "crawl"):
        assert content(replayed)[name] == made[name], name


@deferred_f_from_coro_f
async def test_a_search_and_what_it_also_collects_have_files_of_their_own(tmp_path):
    folder = CrawlFolder(tmp_path)
    folder.query_file.write_text(QUERY_WITH_USERS)
    with recording_sandbox(daily_quota=None, videos_per_day=60) as (_, url):
        settings = {"TIKTOK_SANDBOX": True, "TIKTOK_SANDBOX_URL": url}
        crawler = await archived_crawl(folder, url, settings)
    assert exit_status(crawler) == EX_OK
    kinds = [line["kind"] for line in texts(tmp_path / "archive")]
    assert (kinds.count("run"), kinds.count("stage")) == (1, 2)
    assert len(list((tmp_path / "archive").iterdir())) == 3
    replayed = f"sqlite:///{tmp_path / 'replayed.db'}"
    replay(replayed, tmp_path / "archive")
    made = content(folder.database_url)
    assert content(replayed) == made
    assert made["user_info"]
    assert made["comment"]


def comments(*ids, cursor=100, **data):
    records = [{"id": id_, "text": "tea"} for id_ in ids]
    body = {"comments": records, "cursor": cursor} | data
    return Answer(body={"data": body, "error": {"code": "ok", "message": ""}})


MALFORMED = Answer(body={"error": {"code": "ok", "message": ""}})
REFUSED_CURSOR = error(400, "invalid_params", "Invalid count or cursor")
ENDS = {
    "believed": ([MALFORMED, MALFORMED], "complete", True),
    "list_ended": ([comments(1, cursor=1000, has_more=True), REFUSED_CURSOR], "complete", False),
    "seed_refused": ([error(400, "invalid_params", "no")], "refused", False),
    "seed_parked": ([comments(2), comments(2)], "parked", False),
}


@pytest.mark.parametrize("kind", ENDS)
@deferred_f_from_coro_f
async def test_what_the_crawl_made_of_an_answer_is_made_of_it_again(tmp_path, kind):
    answers, state, is_suspicious = ENDS[kind]
    async with serving(ScriptedApi(*answers)) as api:
        found = Archived(tmp_path, None, api.url)
        await found.crawl("comments", ["1"])
        assert kind in [line["kind"] for line in texts(found.archive)]
        (seed,) = found.content()["seed"]
        assert (seed["state"], seed["suspicious"]) == (state, is_suspicious)
        assert_replay_makes_the_same(found)

        # A later run, when it is due again, finds a comment.
        found.change("UPDATE seed SET retry_at = updated_at WHERE retry_at IS NOT NULL")
        found.make_old("comments")
        api.answers = [comments(7, cursor=0, has_more=False)]
        await found.crawl("comments", ["1"], max_age="7d")
    made = replayed(found)
    assert made == found.content()
    (seed,) = found.content()["seed"]
    assert (seed["state"], seed["suspicious"]) == ("complete", False)


KILLS = 4


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_listings_that_were_killed_can_be_replayed(tmp_path, request, kind):
    url = request.getfixturevalue(f"{kind}_url")
    again = f"sqlite:///{tmp_path / 'again.db'}"
    moments = random.Random(20240601)
    with recording_sandbox(daily_quota=None) as (sandbox, api_url):
        seeds = list(islice(sandbox.seeds("following", at_least=90), 12))
        (tmp_path / "users.txt").write_text("\n".join(seeds))
        crawl = ("crawl", "following", "-a", "usernames=@users.txt", "-s", "TIKTOK_SANDBOX=True")
        crawl += ("-s", f"TIKTOK_SANDBOX_URL={api_url}", "-s", "TIKTOK_ARCHIVE=archive")
        for _ in range(KILLS):
            with started(
                tmp_path, *crawl, "-s", "DOWNLOAD_DELAY=0.1", TIKTOK_DATABASE_URL=url
            ) as process:
                for line in process.stdout:
                    if "asking for" in line:
                        break
                time.sleep(moments.uniform(0.1, 0.8))
                process.send_signal(signal.SIGKILL)
            time.sleep(1)  # PostgreSQL frees the lock when it notices
        last = scrapy(tmp_path, *crawl, TIKTOK_DATABASE_URL=url)
        truth = sum(len(sandbox.truth("following", seed)) for seed in seeds)
    assert last.returncode == EX_OK, last.stderr
    counts = replay(again, tmp_path / "archive")
    made, crawled_into = content(again), content(url)
    assert counts.stray_list_pages == 0
    assert [comparable(row) for row in made["seed"]] == [
        comparable(row) for row in crawled_into["seed"]
    ]
    assert found_edges(again) == found_edges(url)
    assert len(found_edges(again)) == truth
    # An answer that was killed on its way into the database is only in the archive.
    keys = [
        {(row["seed_id"], row["crawl_started_at"]) for row in t["crawl"]}
        for t in (made, crawled_into)
    ]
    assert keys[1] <= keys[0]
    replay(url, tmp_path / "archive")
    completed = content(url)
    assert completed["seed"] == crawled_into["seed"]
    assert len(completed["crawl"]) == len(made["crawl"])


def comparable(row):
    """What is not of requests that were killed before they were answered."""
    return {name: value for name, value in row.items() if name not in UNANSWERED}


UNANSWERED = {"requests", "attempts"}
"""What requests that got no answer leave behind; they are in no archive."""
