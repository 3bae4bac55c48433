"""An endpoint that does not exist, declared in four files: all else follows.

The files are in `new_endpoint/`. They are declared in processes of their own: what is declared
stays declared, and other tests know the endpoints that there are.
"""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from processes import SCRAPY, environment

pytestmark = pytest.mark.slow

FOLDER = Path(__file__).with_name("new_endpoint")
VARIABLES = {"SCRAPY_SETTINGS_MODULE": "settings_with_captions", "PYTHONPATH": str(FOLDER)}
QUERY = """
start_date: 2024-01-01
end_date: 2024-01-01
regions: [FR]
tags: [french]
also_collect:
  - captions: {max_seeds: 8, max_per_video: 7}
"""
FAULTS = "faults: [{fault: internal_error, of: captions, request: 2}]"
SANDBOX = ("-s", "TIKTOK_SANDBOX=True", "-s", "TIKTOK_RETRY_DELAY=0.1")


def run(folder: Path, *arguments: str, status: int = 0) -> str:
    """Standard output and log of a command, which has to end so."""
    env = environment(folder, **VARIABLES)
    done = subprocess.run(
        [SCRAPY, *arguments], cwd=folder, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == status, done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder in which videos were crawled, with some captions of some of them."""
    path = tmp_path_factory.mktemp("captions")
    (path / "query.yaml").write_text(QUERY)
    (path / "faults.yaml").write_text(FAULTS)
    table = [sys.executable, str(FOLDER / "captions_table.py"), "sqlite:///tiktok-sandbox.db"]
    subprocess.run(table, cwd=path, env=environment(path), check=True)
    run(path, "crawl", "videos", "-a", "query=query.yaml", *SANDBOX)
    return path


def rows(folder: Path, query: str) -> list[tuple[object, ...]]:
    with sqlite3.connect(folder / "tiktok-sandbox.db") as connection:
        return connection.execute(query).fetchall()


def captions_of(folder: Path) -> dict[int, list[str]]:
    """The stored captions of each video that was asked about."""
    found: dict[int, list[str]] = {}
    for (video_id,) in rows(folder, "SELECT seed FROM seed WHERE listing = 'captions'"):
        found[int(str(video_id))] = []
    for video_id, text in rows(folder, "SELECT video_id, text FROM caption ORDER BY id"):
        found[int(str(video_id))].append(str(text))
    return found


def written(video_id: int, number: int) -> list[str]:
    """The first captions that the sandbox has of a video."""
    return [f"Caption {n} of {video_id}" for n in range(min(number, video_id % 13))]


def test_it_is_collected_of_the_videos_of_a_query_and_then_by_its_own_spider(folder):
    # Pages have five captions: two of them reach the limit of seven.
    limited = captions_of(folder)
    assert len(limited) == 8
    assert limited == {video_id: written(video_id, 10) for video_id in limited}

    plan = run(folder, "plan", "captions", "-a", "from_tag=french", "--json", *SANDBOX)
    (listing,) = json.loads(plan)["listings"]
    assert listing["request"]["url"] == "/v2/research/video/caption/list/?fields=id,language,text"
    videos = {int(str(id_)) for (id_,) in rows(folder, "SELECT id FROM video")}
    assert listing["seeds"] == len(videos)

    feed = ("-O", "captions.jsonl", "-s", "TIKTOK_SANDBOX_PROFILE=faults.yaml")
    share, log = ("-s", "TIKTOK_SHARES=captions=0.9"), ("-L", "INFO")
    crawl = run(folder, "crawl", "captions", "-a", "from_tag=french", *feed, *share, *log, *SANDBOX)

    everything = {video_id: written(video_id, 13) for video_id in videos}
    assert captions_of(folder) == everything
    assert "'tiktok/retries/delayed_count': 1" in crawl
    lines = map(json.loads, (folder / "captions.jsonl").read_text().splitlines())
    fresh = [text for video_id in everything for text in everything[video_id]]
    assert {line["text"] for line in lines} <= set(fresh)


def test_status_counts_it(folder):
    status = json.loads(run(folder, "status", "--json", *SANDBOX))

    (listing,) = status["listings"]
    assert listing["listing"] == "captions"


def test_its_spider_has_arguments_of_its_own(folder):
    wrong = run(folder, "crawl", "captions", "-a", "x=1", *SANDBOX, status=64)
    allowed = "video_ids, from_query, from_tag, max_seeds, max_age, tags, max_requests"
    assert f"Allowed are: {allowed}, start_date, end_date, max_per_video" in wrong
