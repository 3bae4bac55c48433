"""Feeds have one line a record, with the same columns whatever the first record lacks."""

from __future__ import annotations

import csv
import json

from crawling import CrawlFolder, exit_status
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
