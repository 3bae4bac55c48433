"""`scrapy replay` as a process: what it prints, its exit status, and archives of killed crawls."""

from __future__ import annotations

import gzip
import random
import signal
import stat
import time

import pytest
from archived import content, dump_lines, run_line
from processes import scrapy, started
from sandboxes import recording_sandbox

from tiktok_crawler.archive.reader import find_archives

QUERY = """
start_date: 2024-01-01
end_date: 2024-02-29
tags: [one, two]
include: {any_hashtags: [butter, cheese]}
"""
CRAWL = ("crawl", "videos", "-a", "query=query.yaml", "-s", "TIKTOK_SANDBOX=True")
ARCHIVE = ("-s", "TIKTOK_ARCHIVE=archive")
KILLS = 5


@pytest.fixture(scope="module")
def collected(tmp_path_factory):
    folder = tmp_path_factory.mktemp("collected")
    (folder / "query.yaml").write_text(QUERY)
    crawl = scrapy(folder, *CRAWL, *ARCHIVE, "-a", "end_date=2024-01-10")
    assert crawl.returncode == 0, crawl.stderr
    return folder


def test_it_says_what_it_did_and_leaves_the_data_to_its_owner(collected, tmp_path):
    run = scrapy(tmp_path, "replay", str(collected / "archive"))
    assert (run.returncode, run.stderr) == (0, "")
    made = f"sqlite:///{tmp_path / 'tiktok-sandbox.db'}"
    assert content(made) == content(f"sqlite:///{collected / 'tiktok-sandbox.db'}")
    pages, videos = len(content(made)["crawl"]), len(content(made)["video"])
    assert run.stdout.splitlines() == [
        f"Replayed 1 files, {pages + 1} lines",
        f"  answers    {pages}, of which {pages} are pages",
        f"  pages      {pages} new, 0 known already",
        f"  videos     {videos:,} new, 0 updated, 0 filled in",
        "  data       SQLite database tiktok-sandbox.db",
    ]
    assert [path.name for path in tmp_path.iterdir()] == ["tiktok-sandbox.db"]
    assert stat.S_IMODE((tmp_path / "tiktok-sandbox.db").stat().st_mode) == 0o600
    again = scrapy(tmp_path, "replay", str(collected / "archive"))
    assert again.returncode == 0
    assert f"  pages      0 new, {pages} known already" in again.stdout


@pytest.mark.parametrize(
    ("folders", "words"),
    [
        ([], "name the folders"),
        (["nowhere"], "nowhere does not exist"),
        (["empty"], "empty has no archives"),
    ],
)
def test_folders_without_archives_are_wrong_usage(tmp_path, folders, words):
    (tmp_path / "empty").mkdir()
    run = scrapy(tmp_path, "replay", *folders)
    assert run.returncode == 64
    assert run.stderr.startswith("error: ")
    assert words in run.stderr
    assert not list(tmp_path.glob("*.db"))


def test_a_database_with_other_data_is_refused(collected, tmp_path):
    path = tmp_path / "real.jsonl.gz"
    path.write_bytes(dump_lines(run_line()).replace(b"sandbox", b"https://open.tiktokapis.com"))
    path.write_bytes(gzip.compress(path.read_bytes()))
    real = scrapy(tmp_path, "replay", str(path))
    assert real.returncode == 0, real.stderr
    assert (tmp_path / "tiktok.db").exists()
    url = "TIKTOK_DATABASE_URL=sqlite:///tiktok.db"
    run = scrapy(tmp_path, "replay", str(collected / "archive"), "-s", url)
    assert run.returncode == 78
    assert "must not be mixed" in run.stderr
    both = scrapy(tmp_path, "replay", str(collected / "archive"), str(tmp_path))
    assert both.returncode == 78
    assert "must come from one origin" in both.stderr


def test_a_damaged_line_is_named_and_ends_with_status_70(tmp_path):
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(gzip.compress(dump_lines(run_line()) + b"{}\n" + dump_lines(run_line())))
    run = scrapy(tmp_path, "replay", str(tmp_path))
    assert run.returncode == 70
    assert run.stderr.startswith(f"WARNING: {path}, line 2: it lacks something")
    assert "Replayed 1 files, 2 lines" in run.stdout
    assert "  damaged    1 places; see the warnings" in run.stdout


def test_a_database_that_fails_is_one_message(collected, tmp_path):
    (tmp_path / "x.db").mkdir()
    url = "TIKTOK_DATABASE_URL=sqlite:///x.db"
    run = scrapy(tmp_path, "replay", str(collected / "archive"), "-s", url)
    assert run.returncode == 78
    assert "Traceback" not in run.stderr


def test_crawls_that_were_killed_can_be_replayed(tmp_path):
    (tmp_path / "query.yaml").write_text(QUERY)
    moments = random.Random(20240601)
    with recording_sandbox(daily_quota=None) as (_, url):
        crawl = (*CRAWL, *ARCHIVE, "-s", f"TIKTOK_SANDBOX_URL={url}")
        for _ in range(KILLS):
            with started(tmp_path, *crawl, "-s", "DOWNLOAD_DELAY=0.1") as process:
                for line in process.stdout:
                    if "Collecting" in line or "Nothing to collect" in line:
                        break
                time.sleep(moments.uniform(0, 1.5))
                process.send_signal(signal.SIGKILL)
        last = scrapy(tmp_path, *crawl)
    assert last.returncode == 0, last.stderr
    assert len(find_archives([tmp_path / "archive"])) == KILLS + 1
    replayed = scrapy(tmp_path, "replay", "archive", "-s", "TIKTOK_DATABASE_URL=sqlite:///again.db")
    assert (replayed.returncode, replayed.stderr) == (0, "")
    assert "torn" in replayed.stdout
    made = content(f"sqlite:///{tmp_path / 'again.db'}")
    crawled = content(f"sqlite:///{tmp_path / 'tiktok-sandbox.db'}")
    for name in ("query", "collection", "videos_to_hashtags", "videos_to_query_tags", "hashtag"):
        assert made[name] == crawled[name], name
    assert days_and_states(made) == days_and_states(crawled)
    # An answer that was killed on its way into the database is only in the archive.
    assert {key(row) for row in crawled["crawl"]} <= {key(row) for row in made["crawl"]}
    assert [latest(row) for row in made["video"]] == [latest(row) for row in crawled["video"]]
    before = content(f"sqlite:///{tmp_path / 'tiktok-sandbox.db'}")
    assert scrapy(tmp_path, "replay", "archive").returncode == 0
    assert content(f"sqlite:///{tmp_path / 'tiktok-sandbox.db'}") == before


def days_and_states(tables):
    names = ("start_date", "end_date", "state", "searched_at", "cursor", "pages", "videos")
    return [tuple(row[name] for name in names) for row in tables["crawl_window"]]


def key(row):
    return row["crawl_window_id"], row["cursor"], row["crawl_started_at"]


def latest(row):
    return {name: value for name, value in row.items() if not name.startswith("crawled_")}
