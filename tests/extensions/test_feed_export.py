"""Feeds have one line a record, with the same columns whatever the first record lacks."""

from __future__ import annotations

import csv
import json

import pytest
from crawling import CrawlFolder, exit_status
from listing_crawls import ListingDatabase
from scrapy.utils.defer import deferred_f_from_coro_f
from scripted_api import Answer, ScriptedApi, page, serving

RECORDS = [
    {"id": 7000000000000000002, "hashtag_names": ["a,b", "ü"], "brand_new": {"x": 1}},
    {"id": 7000000000000000001, "username": "ann\ud800\u0000", "view_count": 3},
    "nonsense",
]


def answer() -> Answer:
    content = page()
    content.body["data"]["videos"] = RECORDS
    return content


async def feed(tmp_path, name: str) -> str:
    path = tmp_path / name
    async with serving(ScriptedApi(answer())) as api:
        feeds = {"FEEDS": {str(path): {"format": path.suffix[1:]}}}
        crawler = await CrawlFolder(tmp_path).crawl(api.url, feeds)
    assert exit_status(crawler) == 0
    return path.read_text(encoding="utf-8")


@deferred_f_from_coro_f
async def test_json_lines_have_what_the_api_sent_without_what_no_file_can_hold(tmp_path):
    lines = [json.loads(line) for line in (await feed(tmp_path, "videos.jsonl")).splitlines()]
    assert lines == [
        {
            "id": 7000000000000000002,
            "hashtag_names": ["a,b", "ü"],
            "extra_data": {"brand_new": {"x": 1}},
        },
        {"id": 7000000000000000001, "username": "ann", "view_count": 3},
    ]


@deferred_f_from_coro_f
async def test_csv_has_all_columns_and_lists_as_json(tmp_path):
    rows = list(csv.DictReader((await feed(tmp_path, "videos.csv")).splitlines()))
    assert [row["id"] for row in rows] == ["7000000000000000002", "7000000000000000001"]
    assert [row["username"] for row in rows] == ["", "ann"]
    assert json.loads(rows[0]["hashtag_names"]) == ["a,b", "ü"]
    assert json.loads(rows[0]["extra_data"]) == {"brand_new": {"x": 1}}


@deferred_f_from_coro_f
async def test_a_feed_that_cannot_be_written_ends_with_70(tmp_path):
    async with serving(ScriptedApi(answer())) as api:
        feeds = {"FEEDS": {"ftp://127.0.0.1:1/videos.jsonl": {"format": "jsonl"}}}
        crawler = await CrawlFolder(tmp_path).crawl(api.url, feeds)
    assert exit_status(crawler) == 70


LISTED = [
    (
        "comments",
        {"video_ids": "7"},
        {"comments": [{"id": 9, "video_id": 7, "text": 'a,\n"b"\0'}, "nonsense", {"id": 8}]},
        [{"id": "9", "video_id": "7", "text": 'a,\n"b"'}, {"id": "8"}],
    ),
    (
        "followers",
        {"usernames": "ada"},
        {"user_followers": [{"username": "bob", "display_name": "B"}, {"username": "cy"}]},
        [
            {"follower": "bob", "followed": "ada", "display_name": "B"},
            {"follower": "cy", "followed": "ada"},
        ],
    ),
    (
        "users",
        {"usernames": "ada"},
        {"display_name": "A", "follower_count": 3, "brand_new": 1},
        [
            {
                "username": "ada",
                "display_name": "A",
                "follower_count": "3",
                "extra_data": '{"brand_new": 1}',
            }
        ],
    ),
]


@pytest.mark.parametrize(
    ("spider", "seeds", "data", "rows"), LISTED, ids=["comments", "followers", "users"]
)
@deferred_f_from_coro_f
async def test_listings_have_a_line_a_record_with_all_columns(tmp_path, spider, seeds, data, rows):
    content = page()
    content.body["data"] = data | {"has_more": False}
    path = tmp_path / "feed.csv"
    async with serving(ScriptedApi(content)) as api:
        database = ListingDatabase(f"sqlite:///{tmp_path / 'feed.db'}", api.url)
        crawler = await database.crawl(spider, {"FEEDS": {str(path): {"format": "csv"}}}, **seeds)
    assert exit_status(crawler) == 0
    with path.open(encoding="utf-8", newline="") as feed_:
        found = list(csv.DictReader(feed_))
    assert [{key: value for key, value in row.items() if value} for row in found] == rows
