"""`scrapy replay` as a process: what it prints, its exit status, and archives of killed crawls."""

from __future__ import annotations

import argparse
import gzip
import os
import random
import signal
import sqlite3
import stat
import subprocess
import time
from contextlib import closing, suppress

import crawling
import pytest
from archived import (
    answer_line,
    body,
    comments_line,
    content,
    dump_lines,
    request,
    run_line,
    stage_line,
)
from processes import scrapy, started
from sandboxes import recording_sandbox

from tiktok_crawler.archive.reader import find_archives
from tiktok_crawler.commands.replay import Command

QUERY = """
start_date: 2024-01-01
end_date: 2024-01-20
tags: [one, two]
include: {any_hashtags: [butter, cheese]}
"""
CRAWL = ("crawl", "videos", "-a", "query=query.yaml", "-s", "TIKTOK_SANDBOX=True")
ARCHIVE = ("-s", "TIKTOK_ARCHIVE=archive")
QUICK = [part for name, value in crawling.QUICK.items() for part in ("-s", f"{name}={value}")]
KILLS = 3


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


def test_a_database_with_other_data_is_refused(collected, tmp_path, capsys):
    path = tmp_path / "real.jsonl.gz"
    path.write_bytes(dump_lines(run_line()).replace(b"sandbox", b"https://open.tiktokapis.com"))
    path.write_bytes(gzip.compress(path.read_bytes()))
    real = scrapy(tmp_path, "replay", str(path))
    assert real.returncode == 0, real.stderr
    assert (tmp_path / "tiktok.db").exists()
    url = f"sqlite:///{tmp_path / 'tiktok.db'}"
    for folders, words in (
        ([collected / "archive"], "must not be mixed"),
        ([collected / "archive", tmp_path], "must come from one origin"),
    ):
        with pytest.raises(SystemExit) as end:
            replay_in_process(url, *folders)
        assert end.value.code == os.EX_CONFIG
        assert words in capsys.readouterr().err


def test_a_damaged_line_is_named_and_ends_with_status_70(tmp_path, capsys):
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(gzip.compress(dump_lines(run_line()) + b"{}\n" + dump_lines(run_line())))
    status = replay_in_process(f"sqlite:///{tmp_path / 'test.db'}", tmp_path)
    assert status == os.EX_SOFTWARE
    out, err = capsys.readouterr()
    assert err.startswith(f"WARNING: {path}, line 2: it lacks something")
    assert "Replayed 1 files, 2 lines" in out
    assert "  damaged    1 places; see the warnings" in out


def write_lines(folder, *lines):
    (folder / "a.jsonl.gz").write_bytes(gzip.compress(dump_lines(*lines)))


def replay_in_process(url, *folders):
    """What `scrapy replay` does with its options, without a process of its own."""
    command = Command()
    command.settings = crawling.project_settings(TIKTOK_DATABASE_URL=url)
    command.run([str(folder) for folder in folders], argparse.Namespace())
    return command.exitcode


FIRST = answer_line(10, body(30, 29, has_more=True))
LAST = answer_line(30, body(10, cursor=250), request(200))


def test_pages_that_lack_others_and_pages_that_came_too_late_are_counted(tmp_path, capsys):
    url = f"sqlite:///{tmp_path / 'test.db'}"
    write_lines(tmp_path, run_line(), FIRST, LAST)
    assert replay_in_process(url, tmp_path) == os.EX_OK
    out = capsys.readouterr().out
    assert "  stray      1 pages before which others are missing; their windows are parked" in out
    assert "left out" not in out
    write_lines(tmp_path, answer_line(15, body(99, has_more=True)))
    assert replay_in_process(url, tmp_path) == os.EX_OK
    out = capsys.readouterr().out
    assert "  left out   1 pages that the crawl asked for once more" in out
    assert "stray" not in out


def test_records_of_listings_and_pages_that_lack_others_are_counted(tmp_path, capsys):
    url = f"sqlite:///{tmp_path / 'test.db'}"
    write_lines(tmp_path, stage_line("7"), comments_line(2, 1, 2), comments_line(6, 5, cursor=200))
    assert replay_in_process(url, tmp_path) == os.EX_OK
    out = capsys.readouterr().out
    assert "  pages      2 new, 0 known already" in out
    assert "  records    3 new, 0 updated, 0 filled in (of listings)" in out
    assert (
        "  stray      1 pages of listings before which others are missing; their seeds stay where "
        "these are missing"
    ) in out


def test_a_database_that_fails_in_between_is_one_message(tmp_path, capsys):
    path = tmp_path / "test.db"
    url = f"sqlite:///{path}"
    write_lines(tmp_path, run_line())
    assert replay_in_process(url, tmp_path) == os.EX_OK
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(
            "CREATE TRIGGER full BEFORE INSERT ON crawl BEGIN "
            "SELECT RAISE(FAIL, 'database or disk is full'); END"
        )
    write_lines(tmp_path, run_line(), FIRST)
    capsys.readouterr()
    with pytest.raises(SystemExit) as end:
        replay_in_process(url, tmp_path)
    assert end.value.code == os.EX_SOFTWARE
    assert capsys.readouterr().err == (
        "error: the database failed: database or disk is full; "
        "replay the same folders again to go on\n"
    )
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DROP TRIGGER full")
    assert replay_in_process(url, tmp_path) == os.EX_OK
    assert "  pages      1 new" in capsys.readouterr().out


def test_ctrl_c_ends_it_and_the_same_command_goes_on(tmp_path):
    # The last file is a pipe: the replay waits for what comes out of it.
    (tmp_path / "archive").mkdir()
    write_lines(tmp_path / "archive", run_line(), FIRST)
    pipe = tmp_path / "archive" / "b.jsonl.gz"
    os.mkfifo(pipe)
    with started(tmp_path, "replay", "archive") as process, pipe.open("wb"):
        # One that falls into a callback of Python's own is ignored by Python.
        time.sleep(1)
        while process.poll() is None:
            process.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                process.wait(timeout=10)
        out = process.stdout.read()
    assert process.returncode == os.EX_TEMPFAIL
    assert out == "error: interrupted; replay the same folders again to go on\n"
    pipe.unlink()
    again = scrapy(tmp_path, "replay", "archive")
    assert (again.returncode, again.stderr) == (0, "")
    assert "  pages      1 new" in again.stdout


def test_a_database_that_cannot_be_opened_is_one_message(collected, tmp_path):
    (tmp_path / "x.db").mkdir()
    url = "TIKTOK_DATABASE_URL=sqlite:///x.db"
    run = scrapy(tmp_path, "replay", str(collected / "archive"), "-s", url)
    assert run.returncode == 78
    assert "Traceback" not in run.stderr


def test_crawls_that_were_killed_can_be_replayed(tmp_path, capsys):
    (tmp_path / "query.yaml").write_text(QUERY)
    again = f"sqlite:///{tmp_path / 'again.db'}"
    crawled_into = f"sqlite:///{tmp_path / 'tiktok-sandbox.db'}"
    moments = random.Random(20240601)
    with recording_sandbox(daily_quota=None) as (_, url):
        crawl = (*CRAWL, *ARCHIVE, *QUICK, "-s", f"TIKTOK_SANDBOX_URL={url}")
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
    assert replay_in_process(again, tmp_path / "archive") == os.EX_OK
    out, err = capsys.readouterr()
    assert ("torn" in out, err) == (True, "")
    made, crawled = content(again), content(crawled_into)
    for name in ("query", "collection", "videos_to_hashtags", "videos_to_query_tags", "hashtag"):
        assert made[name] == crawled[name], name
    assert days_and_states(made) == days_and_states(crawled)
    # An answer that was killed on its way into the database is only in the archive.
    assert {key(row) for row in crawled["crawl"]} <= {key(row) for row in made["crawl"]}
    assert [latest(row) for row in made["video"]] == [latest(row) for row in crawled["video"]]
    assert replay_in_process(crawled_into, tmp_path / "archive") == os.EX_OK
    assert content(crawled_into) == crawled


def days_and_states(tables):
    names = ("start_date", "end_date", "state", "searched_at", "cursor", "pages", "videos")
    return [tuple(row[name] for name in names) for row in tables["crawl_window"]]


def key(row):
    return row["crawl_window_id"], row["cursor"], row["crawl_started_at"]


def latest(row):
    return {name: value for name, value in row.items() if not name.startswith("crawled_")}
