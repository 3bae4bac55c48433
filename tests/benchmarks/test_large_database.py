"""A crawl on a database of many videos needs little memory before its first request."""

from __future__ import annotations

import pytest
from large_database import MOST_MB, TAG, command, first_request, large_database
from measured import run

pytestmark = pytest.mark.marathon

VIDEOS = 20_000


def test_a_crawl_of_many_seeds_begins_and_ends(tmp_path):
    path = large_database(tmp_path, VIDEOS)
    assert large_database(tmp_path, VIDEOS) == path
    of_spider = ["comments", "-a", f"from_tag={TAG}"]

    plan = run(command("plan", *of_spider, data=path), tmp_path)
    words = (tmp_path / "output.txt").read_text()
    assert "18,000 videos known now; 10,000 complete" in words
    assert "Comments:      8,000 requests: " in words
    crawl = first_request(command("crawl", *of_spider, data=path), tmp_path)
    words = (tmp_path / "output.txt").read_text()
    assert "asking about 8,000 of 18,000 videos" in words
    assert max(plan.peak_mb, crawl.peak_mb) < MOST_MB
