"""Outputs that nobody reads to their end, that were closed from the beginning, or that close."""

from __future__ import annotations

import fcntl
import os
import signal
import sqlite3
import subprocess
import termios
import time

import pytest
from marathon import first, in_marathon
from processes import SCRAPY, environment, scrapy

pytestmark = pytest.mark.slow

QUERY = "start_date: 2024-01-01\nend_date: 2024-01-02\ninclude: {any_hashtags: [butter]}\n"
SANDBOX = ("-s", "TIKTOK_SANDBOX=True")
CRAWL = ("crawl", "videos", "-a", "query=query.yaml", *SANDBOX)
PLAN = ("plan", "query.yaml", *SANDBOX)
SLOWLY = (*CRAWL, "-s", "TIKTOK_SANDBOX_PROFILE=slow.yaml")


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "query.yaml").write_text(QUERY)
    (tmp_path / "slow.yaml").write_text("latency: {seconds: 2}\n")
    return tmp_path


def in_shell(
    folder, *arguments: str, redirected: str = "", **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run a command as a shell does, with its outputs redirected."""
    return subprocess.run(
        ["sh", "-c", f'"$@" {redirected}', "sh", SCRAPY, *arguments],
        cwd=folder,
        env=environment(folder, **variables),
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    "command",
    [PLAN, in_marathon(("status", *SANDBOX)), in_marathon(("status", "--json", *SANDBOX))],
)
def test_a_reader_that_has_seen_enough_may_go(folder, command):
    assert read_by_nobody(folder, *command, output="stdout") == (0, "")


def test_nobody_has_to_read_what_scrapys_own_commands_print(folder):
    assert read_by_nobody(folder, "list", output="stdout") == (0, "")


def test_nobody_has_to_read_what_a_crawl_says(folder):
    assert read_by_nobody(folder, *CRAWL, output="stderr") == (0, "")
    assert videos(folder)


def read_by_nobody(folder, *command: str, output: str) -> tuple[int, str]:
    """The exit status of a command one of whose outputs is read by nobody, and the other one."""
    run = subprocess.Popen(
        [SCRAPY, *command],
        cwd=folder,
        env=environment(folder),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    getattr(run, output).close()
    other = run.stderr if output == "stdout" else run.stdout
    printed = other.read()
    other.close()
    return run.wait(), printed


def videos(folder) -> int:
    connection = sqlite3.connect(folder / "tiktok-sandbox.db")
    try:
        return connection.execute("SELECT count(*) FROM video").fetchone()[0]
    finally:
        connection.close()


@pytest.mark.parametrize("form", first(1, ["jsonlines", "xml", "csv", "json"]))
def test_nobody_has_to_read_a_feed_to_its_end(folder, form):
    run = in_shell(folder, *CRAWL, "-O", f"-:{form}", "-O", "all.jsonl", redirected="| head -c 1")
    whole = scrapy(folder, "status", *SANDBOX).stdout
    assert len(run.stdout) == 1
    assert "Traceback" not in run.stderr
    assert "exit status 0" in whole
    assert len((folder / "all.jsonl").read_text().splitlines()) == videos(folder)


@pytest.mark.parametrize(
    ("command", "closed"),
    first(
        2,
        [
            (command, closed)
            for command in (CRAWL, PLAN, ("list",))
            for closed in (">&-", "<&- >&- 2>&-", "2>&-")
        ],
    ),
)
def test_an_output_that_is_closed_is_no_failure(folder, command, closed):
    run = in_shell(folder, *command, redirected=closed)
    assert run.returncode == 0, run.stderr
    assert "Traceback" not in run.stderr
    if command == CRAWL:
        assert videos(folder)


@pytest.mark.parametrize(
    ("redirected", "reason"),
    [("> /dev/full", "No space left on device"), (">&-", "the standard output is closed")],
)
def test_a_feed_on_an_output_that_cannot_be_written_is_an_error(folder, redirected, reason):
    run = in_shell(folder, *CRAWL, "-o", "-:jsonlines", redirected=redirected)
    assert run.returncode == 70, run.stderr
    words = f"A feed could not be written; the pages are in the database: {reason}. "
    assert run.stderr.count(words) == 1
    assert "nothing new" not in run.stderr
    assert "Stored jsonlines feed" not in run.stderr
    assert "Traceback" not in run.stderr
    assert videos(folder)


def test_what_is_wrong_has_its_status_also_where_nobody_can_be_told(folder):
    assert in_shell(folder, "crawl", "vidoes", redirected=">&- 2>&-").returncode == 64


def test_an_output_that_lacks_a_character_has_it_as_in_json(folder):
    (folder / "query.yaml").write_text(QUERY.replace("butter", '"crème", "🍞"'), "utf-8")
    run = in_shell(folder, *PLAN, PYTHONIOENCODING="ascii")
    assert run.returncode == 0, run.stderr
    assert "#cr\\u00e8me or #\\ud83c\\udf5e\n" in run.stdout


def test_an_output_that_cannot_be_written_is_told(folder):
    run = in_shell(folder, "status", *SANDBOX, redirected="> /dev/full")
    assert run.returncode == 70
    assert run.stderr == "error: the output cannot be written: No space left on device\n"


def test_a_terminal_that_closes_ends_a_crawl_in_order(folder):
    reading, terminal = os.openpty()
    run = subprocess.Popen(
        [SCRAPY, *SLOWLY, "-s", "LOG_FILE=crawl.log", "-L", "INFO"],
        cwd=folder,
        env=environment(folder),
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509 - no threads
    )
    os.close(terminal)
    wait_for_request(folder)
    os.close(reading)
    assert run.wait(20) == 75
    log = (folder / "crawl.log").read_text()
    assert "Spider closed (shutdown)" in log
    assert "Traceback" not in log
    assert videos(folder), "the page in flight is stored"


def test_a_terminal_that_closes_is_ignored_where_it_was(folder):
    with (folder / "crawl.log").open("w") as log:
        run = subprocess.Popen(
            ["nohup", SCRAPY, *SLOWLY],
            cwd=folder,
            env=environment(folder),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
        wait_for_request(folder)
        run.send_signal(signal.SIGHUP)
        assert run.wait(30) == 0
    assert videos(folder)


def wait_for_request(folder) -> None:
    log = folder / "crawl.log"
    while not log.exists() or "Collecting" not in log.read_text():
        time.sleep(0.1)
    time.sleep(1)
