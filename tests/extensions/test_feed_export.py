"""Feeds have one line a record, with the same columns whatever the first record lacks."""

from __future__ import annotations

import csv
import json

import pytest
from crawling import CrawlFolder, exit_status
from scrapy.utils.defer import deferred_f_from_coro_f
from scripted_api import Answer, ScriptedApi, page, serving

RECORDS = [
    {"id": 7000000000000000002, "hashtag_names": ["a,b", "ü"], "brand_new": {"x": 1}},
    {"id": 7000000000000000001, "username": "ann\ud800\u0000", "view_count": 3},
    "nonsense",
]
FORMULAS = [
    {"id": 7000000000000000002, "video_description": "=cmd|' /c calc'!A0", "view_count": -1},
    {"id": 7000000000000000001, "video_description": "\u0000=1"},
]


def answer(records) -> Answer:
    content = page()
    content.body["data"]["videos"] = records
    return content


async def feed(tmp_path, name: str, records=RECORDS, **settings) -> str:
    path = tmp_path / name
    async with serving(ScriptedApi(answer(records))) as api:
        feeds = {"FEEDS": {str(path): {"format": path.suffix[1:]}}}
        crawler = await CrawlFolder(tmp_path).crawl(api.url, feeds | settings)
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


@pytest.mark.parametrize(
    ("guard", "descriptions"),
    [
        ({}, ["=cmd|' /c calc'!A0", "=1"]),
        ({"TIKTOK_CSV_GUARD": "True"}, ["'=cmd|' /c calc'!A0", "'=1"]),
    ],
)
@deferred_f_from_coro_f
async def test_csv_is_guarded_where_that_is_wanted(tmp_path, guard, descriptions):
    columns = {"FEED_EXPORT_FIELDS": {"video_description": "=text", "view_count": "view_count"}}
    text = await feed(tmp_path, "videos.csv", FORMULAS, **columns, **guard)
    header, *rows = csv.reader(text.splitlines())
    assert header == ["'=text" if guard else "=text", "view_count"]
    assert [row[0] for row in rows] == descriptions
    assert [row[1] for row in rows] == ["-1", ""]


@deferred_f_from_coro_f
async def test_formats_that_are_no_tables_need_no_guard(tmp_path):
    text = await feed(tmp_path, "videos.jsonl", FORMULAS, TIKTOK_CSV_GUARD=True)
    assert json.loads(text.splitlines()[1])["video_description"] == "=1"
