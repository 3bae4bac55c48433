"""Which tags spiders of listings take seeds from, on both databases."""

from __future__ import annotations

import logging
from os import EX_OK, EX_USAGE
from pathlib import Path

import pytest
from crawling import exit_status
from listing_crawls import SPIDERS, ListingDatabase
from processes import scrapy
from sandboxes import recording_sandbox
from scrapy.crawler import Crawler
from scrapy.utils.defer import deferred_f_from_coro_f

from tiktok_crawler.arguments.listing_arguments import SPIDERS as LISTINGS
from tiktok_crawler.arguments.listing_arguments import sources
from tiktok_crawler.exceptions import UsageError

OF_TAGS = [name for name, listing in LISTINGS.items() if "from_tag" in sources(listing)]
QUERY = """
start_date: 2024-01-01
end_date: 2024-01-01
tags: [{tags}]
include: {{any_hashtags: [{hashtag}]}}
"""
BROUGHT = {"butter": "food, butter", "cheese": "food", "nobody.uses.this": "food, nothing"}


@pytest.fixture(scope="module")
def sandbox_url():
    with recording_sandbox() as (_, url):
        yield url


@pytest.fixture
def database(prepared_url, sandbox_url):
    return ListingDatabase(prepared_url, sandbox_url)


@pytest.fixture
def search(database, tmp_path):
    """Collects a day of each of some hashtags, with their tags; the last one brings nothing."""

    async def search(*hashtags):
        path = tmp_path / "query.yaml"
        for hashtag in hashtags:
            path.write_text(QUERY.format(tags=BROUGHT[hashtag], hashtag=hashtag))
            assert exit_status(await database.crawl("videos", query=str(path))) == EX_OK

    return search


def variables(database):
    return {"TIKTOK_DATABASE_URL": database.url}


def command(database, folder, *words):
    return scrapy(folder, *words, "-s", "TIKTOK_SANDBOX=True", **variables(database))


@deferred_f_from_coro_f
async def test_a_mistyped_tag_is_refused_by_each_spider_that_takes_one(database, search):
    await search("butter")
    for spider in OF_TAGS:
        with pytest.raises(UsageError, match=r"the tag 'buter'; did you mean 'butter'\?$"):
            await Crawler(SPIDERS[spider], database.settings()).crawl_async(from_tag="buter")
    assert database.rows("SELECT count(*) FROM run") == [(1,)]


@deferred_f_from_coro_f
async def test_a_tag_that_has_brought_no_video_is_no_mistake(database, search):
    await search("nobody.uses.this")
    for spider in OF_TAGS:
        assert exit_status(await database.crawl(spider, from_tag="nothing")) == EX_OK, spider


@pytest.mark.slow
@deferred_f_from_coro_f
async def test_a_crawl_says_when_several_queries_have_the_tag(database, search, caplog):
    await search("butter", "cheese")
    caplog.set_level(logging.INFO)
    crawler = await database.crawl("users", from_tag="food", max_seeds="1")
    assert exit_status(crawler) == EX_OK
    assert (
        "The tag 'food' is that of 2 queries, and the videos of all of them count (-a from_query= "
        "takes those of one): query 1 (videos with #butter); query 2 (videos with #cheese)"
    ) in caplog.messages
    caplog.clear()
    await database.crawl("users", from_tag="butter", max_seeds="1")
    assert not [message for message in caplog.messages if "The tag" in message]


@pytest.mark.slow
@deferred_f_from_coro_f
async def test_a_plan_says_the_same(database, search, tmp_path):
    await search("butter", "cheese")
    shared = command(database, tmp_path, "plan", "comments", "-a", "from_tag=food")
    assert shared.returncode == EX_OK
    assert shared.stdout.splitlines()[1].startswith("The tag 'food' is that of 2 queries, ")
    alone = command(database, tmp_path, "plan", "comments", "-a", "from_tag=butter")
    assert alone.returncode == EX_OK
    assert "The tag" not in alone.stdout
    mistyped = command(database, tmp_path, "plan", "comments", "-a", "from_tag=fod")
    assert mistyped.returncode == EX_USAGE
    assert mistyped.stderr.endswith(" has used the tag 'fod'; did you mean 'food'?\n")


@pytest.mark.parametrize("what", ["plan", "crawl"])
def test_on_a_new_database_no_tag_is_known_and_nothing_is_made(
    database_url, sandbox_url, tmp_path, what
):
    (tmp_path / "comments.csv").write_text("what an earlier crawl has written")
    feed = ("-O", "comments.csv") if what == "crawl" else ()
    database = ListingDatabase(database_url, sandbox_url)
    run = command(database, tmp_path, what, "comments", "-a", "from_tag=bread", *feed)
    assert run.returncode == EX_USAGE
    assert "no run on the " in run.stderr
    assert "has used the tag 'bread', or any other; collect videos first" in run.stderr
    assert "Traceback" not in run.stderr
    assert (tmp_path / "comments.csv").read_text() == "what an earlier crawl has written"
    if database_url.startswith("sqlite"):
        assert not Path(database_url.removeprefix("sqlite:///")).exists()


def test_the_spiders_that_take_a_tag_are_those_of_videos_and_of_whom_they_name():
    assert set(OF_TAGS) == {
        "comments",
        "users",
        "followers",
        "following",
        "liked_videos",
        "pinned_videos",
        "reposted_videos",
        "playlists",
    }
