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
from pathlib import Path

import crawling
import pytest
from archived import assert_same, content, texts
from new_databases import new_database
from processes import scrapy, started
from sandboxes import recording_sandbox

from tiktok_crawler.archive.reader import Archives, find_archives
from tiktok_crawler.archive.replay import Replay
from tiktok_crawler.commands.replay import Command
from tiktok_crawler.exceptions import DatabaseLostError

QUERY = """
start_date: 2024-01-01
end_date: 2024-01-20
tags: [one, two]
include: {any_hashtags: [butter, cheese]}
"""
CRAWL = ("crawl", "videos", "-a", "query=query.yaml", "-s", "TIKTOK_SANDBOX=True")
ARCHIVE = ("-s", "TIKTOK_ARCHIVE=archive")
QUICK = [part for name, value in crawling.QUICK.items() for part in ("-s", f"{name}={value}")]
AGAIN = "what was made of the database is not complete: remove it, and replay again"


@pytest.fixture(scope="module")
def collected(tmp_path_factory):
    folder = tmp_path_factory.mktemp("collected")
    (folder / "query.yaml").write_text(QUERY)
    crawl = scrapy(folder, *CRAWL, *ARCHIVE, "-a", "end_date=2024-01-10")
    assert crawl.returncode == 0, crawl.stderr
    return folder


def replay_in_process(url, *folders):
    """Do what `scrapy replay` does with its options, without a process of its own."""
    command = Command()
    command.settings = crawling.project_settings(TIKTOK_DATABASE_URL=url)
    command.run([str(folder) for folder in folders], argparse.Namespace())
    return command.exitcode


def changed(collected, folder, change):
    """Write the lines of the archive once more, with a change."""
    (path,) = find_archives([collected / "archive"])
    lines = gzip.decompress(path.read_bytes()).splitlines(keepends=True)
    copy = folder / path.name
    copy.write_bytes(gzip.compress(b"".join(change(lines))))
    return copy


def test_it_says_what_it_did_and_leaves_the_data_to_its_owner(collected, tmp_path):
    run = scrapy(tmp_path, "replay", str(collected / "archive"))
    assert (run.returncode, run.stderr) == (0, "")
    made = assert_same(
        f"sqlite:///{tmp_path / 'tiktok-sandbox.db'}",
        f"sqlite:///{collected / 'tiktok-sandbox.db'}",
    )
    pages, videos = len(made["crawl"]), len(made["video"])
    assert run.stdout.splitlines() == [
        f"SQLite database {tmp_path / 'tiktok-sandbox.db'}",
        f"Replayed 1 file, {len(texts(collected / 'archive')) - 1} lines",
        f"  answers    {pages}, of which {pages} are pages",
        f"  videos     {videos:,} new, 0 updated",
    ]
    assert [path.name for path in tmp_path.iterdir()] == ["tiktok-sandbox.db"]
    assert stat.S_IMODE((tmp_path / "tiktok-sandbox.db").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("folders", "words"),
    [
        ([], "name the folders"),
        (["nowhere"], "nowhere does not exist"),
        (["empty"], "empty has no archives"),
    ],
)
def test_folders_without_archives_are_wrong_usage(tmp_path, folders, words, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(SystemExit) as end:
        replay_in_process("sqlite:///new.db", *folders)
    assert end.value.code == os.EX_USAGE
    assert words in capsys.readouterr().err
    assert not list(tmp_path.glob("*.db"))


def test_a_database_with_data_is_refused(collected, capsys):
    url = f"sqlite:///{collected / 'tiktok-sandbox.db'}"
    before = content(url)
    with pytest.raises(SystemExit) as end:
        replay_in_process(url, collected / "archive")
    assert end.value.code == os.EX_CONFIG
    assert "has data already, and archives are replayed into a new database only" in (
        capsys.readouterr().err
    )
    assert content(url) == before


def test_a_damaged_line_is_named_and_ends_with_status_70(collected, tmp_path, capsys):
    path = changed(collected, tmp_path, lambda lines: [lines[0], b"{}\n", *lines[1:]])
    status = replay_in_process(f"sqlite:///{tmp_path / 'test.db'}", tmp_path)
    assert status == os.EX_SOFTWARE
    out, err = capsys.readouterr()
    assert err.startswith(f"WARNING: {path}, line 2: it lacks kind, which it must have")
    assert "  damaged    1 place; see the warnings" in out


def test_pages_that_lack_others_are_counted(collected, tmp_path, capsys):
    def without_an_early_page(lines):
        pages = [line for line in lines if line.startswith(b'{"kind":"page"')]
        assert b'"cursor":0' in pages[0]
        return [line for line in lines if line is not pages[0]]

    changed(collected, tmp_path, without_an_early_page)
    assert replay_in_process(f"sqlite:///{tmp_path / 'test.db'}", tmp_path) == os.EX_OK
    out = capsys.readouterr().out
    assert "pages before which others are missing; their windows and seeds are postponed" in out


def test_a_database_that_fails_in_between_is_one_message(collected, tmp_path, capsys):
    url = new_database(tmp_path / "test.db")
    with closing(sqlite3.connect(tmp_path / "test.db")) as connection, connection:
        connection.execute(
            "CREATE TRIGGER full BEFORE INSERT ON crawl BEGIN "
            "SELECT RAISE(FAIL, 'database or disk is full'); END"
        )
    with pytest.raises(SystemExit) as end:
        replay_in_process(url, collected / "archive")
    assert end.value.code == os.EX_SOFTWARE
    assert capsys.readouterr().err == (
        f"error: the database failed: database or disk is full; {AGAIN}\n"
    )


def test_ctrl_c_ends_it(tmp_path):
    blanks = gzip.compress(b" " * 2**26)
    large = tmp_path / "a.jsonl.gz"
    large.write_bytes(blanks * 60)
    with started(tmp_path, "replay", ".") as process:
        while process.poll() is None and not reads(process, large):
            time.sleep(0.01)
        # One that falls into a callback of Python's own is ignored by Python.
        while process.poll() is None:
            process.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                process.wait(timeout=10)
        out = process.stdout.read()
    assert process.returncode == os.EX_TEMPFAIL
    assert out == f"error: interrupted; {AGAIN}\n"


def reads(process, path):
    """Tell whether a process has a file open."""
    with suppress(FileNotFoundError):
        return any(
            Path(file).resolve() == path for file in Path(f"/proc/{process.pid}/fd").iterdir()
        )
    return False


@pytest.mark.slow
@pytest.mark.parametrize("kills", [1, pytest.param(8, marks=pytest.mark.marathon)])
def test_crawls_that_were_killed_are_replayed(tmp_path, kills, capsys):
    (tmp_path / "query.yaml").write_text(QUERY)
    again = new_database(tmp_path / "again.db")
    moments = random.Random(20240601)
    with recording_sandbox(daily_quota=None) as (_, url):
        crawl = (*CRAWL, *ARCHIVE, *QUICK, "-s", f"TIKTOK_SANDBOX_URL={url}")
        for _ in range(kills):
            with started(tmp_path, *crawl, "-s", "DOWNLOAD_DELAY=0.1") as process:
                for line in process.stdout:
                    if "Collecting" in line or "Nothing to collect" in line:
                        break
                time.sleep(moments.uniform(0, 1.5))
                process.send_signal(signal.SIGKILL)
        last = scrapy(tmp_path, *crawl)
    assert last.returncode == 0, last.stderr
    assert len(find_archives([tmp_path / "archive"])) == kills + 1
    assert replay_in_process(again, tmp_path / "archive") == os.EX_OK
    out, err = capsys.readouterr()
    assert ("torn" in out, err) == (True, "")
    assert_same(again, f"sqlite:///{tmp_path / 'tiktok-sandbox.db'}")


def test_a_database_that_is_removed_during_a_replay_is_told(collected, tmp_path):
    file = tmp_path / "replayed.db"
    archives = Archives(find_archives([collected / "archive"]))
    replay = Replay(f"sqlite:///{file}", archives.origin)

    def disturbed():
        for number, line in enumerate(archives.lines()):
            if number == 10:
                file.unlink()
            yield line

    with closing(replay), pytest.raises(DatabaseLostError, match="was removed"):
        replay.run(disturbed(), archives.troubles.leave_out)
    assert not file.exists()
