"""`kill -9` at any moment: what the next runs make of it equals an undisturbed crawl."""

from __future__ import annotations

import random
import signal
import time
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from collected import COLLECTED, read
from marathon import first
from processes import scrapy, started
from sandboxes import recording_sandbox, searches

if TYPE_CHECKING:
    from tiktok_crawler.sandbox import Sandbox

OPEN_WINDOWS = 4

QUERY = """
start_date: 2024-01-01
end_date: 2024-04-30
tags: [one, two]
include: {any_hashtags: [butter, cheese]}
"""

CONTENT = COLLECTED | {
    "covered days": "SELECT start_date, end_date, state FROM crawl_window ORDER BY 1, 2",
    "pages": """
        SELECT DISTINCT video_id, start_date, crawl.cursor FROM videos_to_crawls
        JOIN crawl ON crawl.id = crawl_id
        JOIN crawl_window ON crawl_window.id = crawl_window_id ORDER BY 1, 2, 3""",
}


def content(database) -> dict[str, list[tuple]]:
    return read(f"sqlite:///{database}", CONTENT)


@pytest.mark.parametrize("kills", first(1, [4, 20]))
def test_killed_it_collects_the_same_and_repeats_at_most_the_pages_in_flight(tmp_path, kills):
    (tmp_path / "query.yaml").write_text(QUERY)
    moments = random.Random(20240101)
    with recording_sandbox(daily_quota=None) as (sandbox, url):
        crawl = ("crawl", "videos", "-a", "query=query.yaml", "-s", "TIKTOK_SANDBOX=True")
        crawl += ("-s", f"TIKTOK_SANDBOX_URL={url}")
        undisturbed = scrapy(tmp_path, *crawl, TIKTOK_DATABASE_URL="sqlite:///undisturbed.db")
        assert undisturbed.returncode == 0, undisturbed.stderr
        least = len(searches(sandbox))
        sandbox.requests.clear()
        asked_before: set[tuple] = set()
        for _ in range(kills):
            _crawl_and_kill(tmp_path, (*crawl, "-s", "DOWNLOAD_DELAY=0.1"), moments.uniform(0, 0.8))
            asked_before |= _pages_of_one_run(sandbox, asked_before)
        last = scrapy(tmp_path, *crawl, TIKTOK_DATABASE_URL="sqlite:///killed.db")
        asked_before |= _pages_of_one_run(sandbox, asked_before)
    assert last.returncode == 0, last.stderr
    killed = content(tmp_path / "killed.db")
    assert killed == content(tmp_path / "undisturbed.db")
    assert all(killed.values()), "there is something to compare"
    assert len(asked_before) == least


def _pages_of_one_run(sandbox: Sandbox, asked_before: set[tuple]) -> set[tuple]:
    """The pages that a run asked for: none twice, and of earlier ones at most one a window."""
    asked = Counter((body["start_date"], body.get("cursor")) for body in searches(sandbox))
    sandbox.requests.clear()
    assert set(asked.values()) <= {1}
    repeated = [window for window, _ in asked.keys() & asked_before]
    assert len(repeated) == len(set(repeated)) <= OPEN_WINDOWS
    return set(asked)


def _crawl_and_kill(folder, crawl, seconds: float) -> None:
    with started(folder, *crawl, TIKTOK_DATABASE_URL="sqlite:///killed.db") as process:
        for line in process.stdout:
            if "Collecting" in line or "Nothing to collect" in line:
                break
        time.sleep(seconds)
        process.send_signal(signal.SIGKILL)
        process.wait()
    time.sleep(0.3)  # the sandbox still answers what was in flight
