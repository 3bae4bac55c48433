"""The progress line, in a log and on a terminal."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from processes import SCRAPY, environment
from scrapy.utils.defer import deferred_f_from_coro_f
from scripted_api import ScriptedApi, error, page, serving

from tiktok_crawler.extensions.delay_queue import DelayQueue, PoolTrouble
from tiktok_crawler.extensions.progress import Effort, Progress, SearchSnapshot, StageSnapshot
from tiktok_crawler.research_api.endpoints import LIKED_VIDEOS, USERS

HALF = {
    "windows_done": 1,
    "windows": 2,
    "days_done": 31,
    "days": 62,
    "videos": 12345,
}
EFFORT = Effort(requests=130, seconds=60.0)
UNTIL = datetime(2024, 1, 2, 0, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("left_fraction", "words"),
    [
        (0.5, "about 0:01:00 left"),
        (1.0, "time left unknown"),
        (0.0, "done"),
    ],
)
def test_the_time_left_is_estimated_from_the_days_that_are_done(left_fraction, words):
    line = str(SearchSnapshot(**HALF, left_fraction=left_fraction, effort=EFFORT))
    counts = "windows 1/2 · days 31/62 · videos 12,345 · requests 130 (130/min)"
    assert line == f"{counts} · {words}"


def test_a_pause_for_quota_says_until_when():
    waiting = replace(EFFORT, trouble=PoolTrouble.QUOTA, waits_until=UNTIL)
    words = "waiting for quota until 2024-01-02 00:00:30 UTC"
    assert str(SearchSnapshot(**HALF, left_fraction=0.5, effort=waiting)).endswith(words)
    assert str(StageSnapshot(USERS, 1, 2, 9, waiting)).endswith(words)


@pytest.mark.parametrize(
    ("trouble", "until", "words"),
    [
        (PoolTrouble.FAULTS, UNTIL, "pausing after failures until 2024-01-02 00:00:30 UTC"),
        (PoolTrouble.RATE, UNTIL, "slowing down as the API asks, until 2024-01-02 00:00:30 UTC"),
        (PoolTrouble.FAULTS, None, "pausing after failures until a single request works"),
    ],
)
def test_another_pause_says_what_it_is_for(trouble, until, words):
    waiting = replace(EFFORT, trouble=trouble, waits_until=until)
    assert str(StageSnapshot(USERS, 1, 2, 9, waiting)).endswith(words)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (error(429, "daily_quota_limit_exceeded"), "waiting for quota until 20"),
        (error(429, "rate_limit_exceeded"), "slowing down as the API asks, until 20"),
        (error(500, "internal_error"), "pausing after failures until 20"),
    ],
)
@deferred_f_from_coro_f
async def test_a_crawl_that_waits_says_for_what(folder, caplog, answer, words):
    caplog.set_level("INFO")
    slow = {"LOGSTATS_INTERVAL": 0.1, "TIKTOK_RATE_LIMIT_DELAY": 60, "CLOSESPIDER_TIMEOUT": 2}
    async with serving(ScriptedApi(answer)) as api:
        crawler = await folder.crawl(api.url, slow)
    assert words in caplog.text
    waits_until = crawler.get_extension(DelayQueue).would_wait_until
    assert f"until {waits_until:%Y-%m-%d %H:%M:%S} UTC" in caplog.text


@pytest.mark.parametrize(
    ("done", "seeds", "words"),
    [
        (0, 2000, "time left unknown"),
        (500, 2000, "about 0:03:00 left"),
        (2000, 2000, "done"),
        (0, 0, "done"),
    ],
)
def test_a_listing_is_as_far_as_its_seeds(done, seeds, words):
    line = str(StageSnapshot(LIKED_VIDEOS, done, seeds, 12345, EFFORT))
    counts = f"users {done:,}/{seeds:,} · records 12,345 · requests 130 (130/min)"
    assert line == f"liked videos · {counts} · {words}"


def test_a_crawl_that_has_just_begun_has_no_rate_yet():
    assert str(Effort(requests=0, seconds=0.0)) == "requests 0 (0/min)"


@deferred_f_from_coro_f
async def test_a_crawl_that_is_done_has_done_all_its_windows_and_days(folder):
    async with serving(ScriptedApi(page(1))) as api:
        crawler = await folder.crawl(api.url, start_date="2024-01-01", end_date="2024-02-15")
    progress = crawler.get_extension(Progress)
    assert progress
    snapshot = progress.snapshot(crawler.spider)
    assert snapshot
    assert (snapshot.windows_done, snapshot.windows) == (2, 2)
    assert (snapshot.days_done, snapshot.days) == (46, 46)
    assert snapshot.effort.requests == 2
    assert str(snapshot).endswith("done")


def test_a_terminal_has_a_live_line_below_the_log(tmp_path):
    (tmp_path / "query.yaml").write_text(
        "start_date: 2024-01-01\nend_date: 2024-01-09\ninclude: {any_hashtags: [butter]}\n"
    )
    command = [SCRAPY, "crawl", "videos", "-a", "query=query.yaml", "-s", "TIKTOK_SANDBOX=True"]
    terminal, end = pty.openpty()
    with os.fdopen(terminal, "rb", buffering=0) as screen:
        process = subprocess.Popen(
            [*command, "-s", "DOWNLOAD_DELAY=0.7"],
            cwd=tmp_path,
            env=environment(tmp_path, TERM="xterm", COLUMNS="150"),
            stdin=end,
            stdout=end,
            stderr=end,
        )
        os.close(end)
        shown = _read_all(screen)
    assert process.wait() == 0, shown
    assert "windows 0/1 · days 0/9" in shown
    assert "NOTICE: Collecting 2024-01-01 to 2024-01-09" in shown
    assert shown.endswith("Missing      nothing\r\nNext         nothing to do\r\n")
    assert shown.count("\n") <= 25
    assert "Traceback" not in shown


@pytest.mark.slow
def test_a_second_signal_leaves_the_terminal_as_it_was_and_says_how_to_go_on(tmp_path):
    (tmp_path / "hangs.yaml").write_text("faults: [{fault: hang, every: 1, seconds: 60}]")
    query = ["any_hashtags=butter", "start_date=2024-01-01", "end_date=2024-01-09"]
    arguments = [word for each in query for word in ("-a", each)]
    sandbox = ["-s", "TIKTOK_SANDBOX=True", "-s", "TIKTOK_SANDBOX_PROFILE=hangs.yaml"]
    terminal, end = pty.openpty()
    with os.fdopen(terminal, "rb", buffering=0) as screen:
        process = subprocess.Popen(
            [SCRAPY, "crawl", "videos", *arguments, *sandbox],
            cwd=tmp_path,
            env=environment(tmp_path, TERM="xterm", COLUMNS="150"),
            stdin=end,
            stdout=end,
            stderr=end,
        )
        os.close(end)
        shown = ""
        for awaited in ("requests 1", "A second Ctrl-C"):
            while awaited not in shown:
                shown += screen.read(65536).decode()
            process.send_signal(signal.SIGINT)
        shown += _read_all(screen)
    assert process.wait() == 75, shown
    assert "Ended at once; what was stored is safe. Run again to go on" in shown
    hidden, visible = "\x1b[?25l", "\x1b[?25h"
    assert shown.rindex(visible) > shown.rindex(hidden)


def _read_all(screen) -> str:
    chunks = []
    while True:
        try:
            chunk = screen.read(65536)
        except OSError:  # how Linux says that the other end is closed
            break
        if not chunk:
            break
        chunks.append(chunk)
    return b"".join(chunks).decode("utf-8", "replace")
