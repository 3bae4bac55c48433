"""A crawl and `scrapy status` name what brought no video, whoever reads the end of either."""

from __future__ import annotations

import pytest
from crawling import exit_status
from listing_crawls import ListingDatabase
from sandboxes import recording_sandbox
from scrapy.utils.defer import deferred_f_from_coro_f
from yaml import safe_dump

from tiktok_crawler.clock import utc_now
from tiktok_crawler.config import Config
from tiktok_crawler.crawling.components import item_pipeline
from tiktok_crawler.pipelines.storage import StoragePipeline
from tiktok_crawler.reports import status_report
from tiktok_crawler.reports.summary import Summary
from tiktok_crawler.storage.ledger.status import read_status

pytestmark = pytest.mark.slow

DAYS = {"start_date": "2024-01-01", "end_date": "2024-01-31"}
MISSPELLED = DAYS | {
    "include": {"any_hashtags": ["butter", "chese"], "any_keywords": ["bread", "antarctica"]},
    "regions": ["FR", "US", "AQ"],
}
SAID = [
    'unseen     no video so far had the hashtag "chese" (did you mean "cheese"?)',
    'unseen     no description so far had the keyword "antarctica"',
    'unseen     no video so far was from the region "AQ"',
]
EMPTY = DAYS | {"include": {"all_hashtags": ["butter", "chese"]}}


@pytest.fixture
def database(unused_url):
    with recording_sandbox() as (_, url):
        yield ListingDatabase(unused_url, url)


@pytest.fixture
def crawl(database, tmp_path):
    """Crawls what a query file asks for; the lines of its summary and of the status after it."""

    async def crawl(query):
        file = tmp_path / "query.yaml"
        file.write_text(safe_dump(query))
        crawler = await database.crawl("videos", query=str(file))
        assert exit_status(crawler) == 0
        pipeline = item_pipeline(crawler, StoragePipeline)
        location, stats = pipeline.storage.location, crawler.stats.get_stats()
        summary = Summary(tuple(pipeline.search_ends()), (), stats, location)
        return lines(summary.text(command=None, now=utc_now())), lines(
            status_report.text(status(), None)
        )

    def status():
        terms = Config.of(database.settings()).terms
        return read_status(database.url, terms, utc_now())

    return crawl


def lines(text):
    return [line.strip() for line in text.splitlines()]


def unseen(said):
    return [line for line in said if line.startswith("unseen")]


@deferred_f_from_coro_f
async def test_values_without_a_video_are_named(crawl):
    summary, status = await crawl(MISSPELLED)

    assert unseen(summary) == unseen(status) == SAID
    assert "covered    31 of 31 days (100.0 %)" in summary
    again, _ = await crawl(MISSPELLED)
    assert unseen(again) == SAID


@deferred_f_from_coro_f
async def test_a_query_without_a_video_says_what_may_be_wrong(crawl):
    summary, status = await crawl(EMPTY)

    empty, sandbox = unseen(summary)
    assert unseen(status) == [empty, sandbox]
    assert 'the spelling of "chese" (did you mean "cheese"?)' in empty
    assert "any_hashtags instead takes one of them" in empty
    assert "such as fyp, foryou" in sandbox


@deferred_f_from_coro_f
async def test_nothing_is_said_where_every_value_has_brought_a_video(crawl):
    summary, status = await crawl(DAYS | {"include": {"any_hashtags": ["butter", "cheese"]}})

    assert unseen(summary) == unseen(status) == []
