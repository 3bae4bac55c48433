"""What is stored in benchmarks is what they say: realistic pages, and millions of copies."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from pages import write_pages
from prefill import multiply
from sqlalchemy import text
from stored_pages import first_request, hashtags, page, rows


@pytest.fixture
def invented_pages(tmp_path):
    write_pages(tmp_path / "pages.jsonl", 3000)
    return [json.loads(line) for line in (tmp_path / "pages.jsonl").read_text().splitlines()]


def test_videos_have_eight_hashtags_of_which_some_are_everywhere(invented_pages):
    videos = [video for page_ in invented_pages for video in page_]
    assert all(len(set(video["hashtag_names"])) == 8 for video in videos)
    names = Counter(name for video in videos for name in video["hashtag_names"])
    assert names["butter"] > len(videos) / 3
    assert sum(count == 1 for count in names.values()) > len(names) / 2


def test_five_of_a_hundred_videos_were_on_a_page_before(invented_pages):
    seen = set()
    for number, page_ in enumerate(invented_pages):
        ids = {video["id"] for video in page_}
        assert len(ids) == len(page_) == 100
        assert number == 0 or len(ids & seen) == 5
        seen |= ids


def test_copies_have_other_ids_and_the_same_links(engine, store, prepared_url, invented_pages):
    records = invented_pages[0]
    store.save(page(first_request(engine), *records), tags={"benchmark"})
    links = len(hashtags(engine))
    multiply(prepared_url, 2)
    assert len({row["id"] for row in rows(engine, "video")}) == 300
    assert len(hashtags(engine)) == 3 * links
    assert len(rows(engine, "videos_to_crawls")) == 300


def test_indexes_are_there_again_after_copying(engine, store, prepared_url):
    record = {"id": 7330000000000000000, "create_time": 1704844800}
    store.save(page(first_request(engine), record), tags=set())
    query = {
        "sqlite": "SELECT count(*) FROM sqlite_schema WHERE name = 'ix_video_create_time'",
        "postgresql": "SELECT count(*) FROM pg_indexes WHERE indexname = 'ix_video_create_time'",
    }[engine.dialect.name]
    multiply(prepared_url, 1)
    with engine.connect() as connection:
        assert connection.scalar(text(query)) == 1
