"""A crawl of comments on a SQLite database of 2,000,000 videos, half of which are listed already.

Targets: the first request within 5 s and 200 MB, `scrapy plan` and `scrapy status` likewise; an end
within 10 s of Ctrl-C.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import threading
import time
from contextlib import closing
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

from measured import (
    ENVIRONMENT,
    SCRAPY,
    Answering,
    Run,
    database_options,
    machine,
    print_table,
    run,
    serving,
)

from tiktok_crawler.storage.engine import database
from tiktok_crawler.storage.engine.revision import HEAD

if TYPE_CHECKING:
    from collections.abc import Sequence

VIDEOS = 2_000_000
TAG = "large"
LONGEST_SECONDS, MOST_MB, LONGEST_END_SECONDS = 5, 200, 10
PATIENT_SECONDS = 600.0
ANSWER_SECONDS = 1.0

NUMBERS = "WITH RECURSIVE n(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM n WHERE n + 1 < :count)"
TIME = "'2024-06-01 12:00:00.000000'"

# Videos are 16 s apart. Of k comments or more has one of k videos, and one of ten has none.
VIDEO_ROWS = f"""
    {NUMBERS}
    INSERT INTO video (
        id, create_time, username, region_code, video_description, music_id, like_count,
        comment_count, share_count, view_count, favorites_count, video_duration, crawled_at
    )
    SELECT
        ((1704067200 + n * 16) << 32) + n * 2654435761 % 4294967296,
        datetime(1704067200 + n * 16, 'unixepoch'),
        'user' || (n * 7919 % 200003),
        'FR',
        substr('a caption of the usual length, with #words and @names: ', 1, 20 + n % 36) || n
            || ' #butter #tea #milk #coffee #breakfast #fyp #foryou',
        7000000000000000000 + n % 50021,
        n * 31 % 10007,
        CASE WHEN n % 10 = 0 THEN 0 ELSE 100000 / (1 + n * 2654435761 % 99991) END,
        n * 13 % 1009,
        n * 37 % 1000003,
        n * 17 % 1013,
        n % 180,
        {TIME}
    FROM n
"""

CRAWLS_OF_VIDEOS = f"""
    {NUMBERS}
    INSERT INTO crawl (
        crawl_window_id, query_id, cursor, next_cursor, has_more, max_count, record_count,
        crawl_started_at
    )
    SELECT 1, 1, n * 100, n * 100 + 100, 1, 100, 100, {TIME} FROM n
"""

LINKS = """
    INSERT INTO videos_to_crawls (crawl_id, video_id)
    SELECT 1 + (row_number() OVER (ORDER BY id) - 1) / 100, id FROM video ORDER BY id
"""

# Those with most comments have been listed first.
SEEDS = f"""
    INSERT INTO seed (
        listing, seed, state, cursor, position, pages, requests, attempts, has_more, suspicious,
        begun_at, created_at, updated_at, last_page_at, completed_at
    )
    SELECT
        'comments', id, 'complete', 100, min(comment_count, 100), 1, 1, 1, 0, 0,
        {TIME}, {TIME}, {TIME}, {TIME}, {TIME}
    FROM video ORDER BY comment_count DESC, id LIMIT :count
"""

CRAWLS_OF_SEEDS = f"""
    INSERT INTO crawl (seed_id, cursor, next_cursor, has_more, max_count, record_count,
        crawl_started_at)
    SELECT id, 0, 100, 0, 100, position, {TIME} FROM seed ORDER BY id
"""

QUERY = (
    '{"and":[{"field_name":"region_code","field_values":["FR"],"operation":"IN"}],"not":[],"or":[]}'
)
OTHER_ROWS = f"""
    INSERT INTO query (id, fingerprint, canonical_json, first_used_at, last_used_at)
    VALUES (1, 'f', '{QUERY}', {TIME}, {TIME});

    INSERT INTO collection (
        query_id, start_written, end_written, start_date, end_date, tags, first_run_at, last_run_at
    )
    VALUES (
        1, '2024-01-01', '2024-12-31', '2024-01-01', '2024-12-31', '["{TAG}"]', {TIME}, {TIME}
    );

    INSERT INTO crawl_window (
        id, query_id, start_date, end_date, state, fields, cursor, pages, videos, requests,
        attempts, created_at, updated_at, searched_at, completed_at
    )
    VALUES (
        1, 1, '2024-01-01', '2024-12-31', 'complete', '["id"]', 2000000, 20000, 2000000, 20000, 1,
        {TIME}, {TIME}, {TIME}, {TIME}
    );

    INSERT INTO query_tag (id, name) VALUES (1, '{TAG}');

    INSERT INTO videos_to_query_tags (query_tag_id, video_id)
    SELECT 1, id FROM video ORDER BY id;
"""


@dataclass(frozen=True, slots=True)
class FirstRequest:
    """What a crawl took until its first request, and then from Ctrl-C to its end."""

    seconds: float
    cpu_seconds: float
    peak_mb: float
    ending_seconds: float
    ending_cpu_seconds: float


def main() -> None:
    options = database_options(__doc__, VIDEOS, "3 GB with a copy")
    original = large_database(options.folder, options.videos)
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        rows = measure(Path(name), original)
    print(f"{machine()}; {options.videos:,} videos, half of them listed\n")
    print_table(["what", "time", "of the CPU", "peak memory", "target", "met"], *rows)


def measure(folder: Path, original: Path) -> list[list[str]]:
    """What is measured, on a copy of a database."""
    copy = folder / "copy.db"
    shutil.copy(original, copy)
    of_spider = ["comments", "-a", f"from_tag={TAG}"]
    plan = run(command("plan", *of_spider, data=copy), folder)
    status = run(command("status", data=copy), folder, statuses=(0, 1))
    crawl = first_request(command("crawl", *of_spider, data=copy), folder)
    return [
        row("scrapy plan comments", plan),
        row("scrapy status", status),
        row("first request of scrapy crawl comments", crawl),
        ending_row(crawl),
    ]


def row(what: str, done: Run | FirstRequest) -> list[str]:
    is_met = done.seconds <= LONGEST_SECONDS and done.peak_mb <= MOST_MB
    return [
        what,
        f"{done.seconds:.1f} s",
        f"{done.cpu_seconds:.1f} s",
        f"{done.peak_mb:.0f} MB",
        f"at most {LONGEST_SECONDS} s, {MOST_MB} MB",
        "yes" if is_met else "NO",
    ]


def ending_row(crawl: FirstRequest) -> list[str]:
    return [
        "from Ctrl-C to the end",
        f"{crawl.ending_seconds:.1f} s",
        f"{crawl.ending_cpu_seconds:.1f} s",
        "",
        f"at most {LONGEST_END_SECONDS} s",
        "yes" if crawl.ending_seconds <= LONGEST_END_SECONDS else "NO",
    ]


def command(*words: str, data: Path, url: str = "") -> list[str]:
    settings = {
        "TIKTOK_SANDBOX": True,
        "TIKTOK_SANDBOX_URL": url,
        "TIKTOK_DATABASE_URL": f"sqlite:///{data}",
    }
    options = (word for name, value in settings.items() for word in ("-s", f"{name}={value}"))
    return [SCRAPY, *words, *options]


def large_database(folder: Path, videos: int) -> Path:
    """A database with so many videos, half of them listed; it is made once."""
    folder.mkdir(exist_ok=True)
    path = folder / f"large-{videos}-{HEAD}.db"
    if not path.exists():
        unfinished = path.with_suffix(".new")
        unfinished.unlink(missing_ok=True)
        _fill(unfinished, videos)
        unfinished.rename(path)
    return path


def _fill(path: Path, videos: int) -> None:
    engine = database.create_engine_for(database.database_url(f"sqlite:///{path}"))
    database.prepare(engine, "sandbox")
    engine.dispose()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("BEGIN")
        connection.execute(VIDEO_ROWS, {"count": videos})
        connection.execute(CRAWLS_OF_VIDEOS, {"count": videos // 100})
        connection.execute(LINKS)
        connection.execute(SEEDS, {"count": videos // 2})
        connection.execute(CRAWLS_OF_SEEDS)
        connection.execute("COMMIT")
        connection.executescript(OTHER_ROWS)


def first_request(words: Sequence[str], folder: Path) -> FirstRequest:
    """Begin a crawl, interrupt it at its first request, and see how long both take."""
    with serving(SlowApi()) as api, (folder / "output.txt").open("wb") as output:
        at = words.index("TIKTOK_SANDBOX_URL=")
        words = [*words[:at], f"TIKTOK_SANDBOX_URL={api.url}", *words[at + 1 :]]
        started = time.perf_counter()
        process = subprocess.Popen(
            words, cwd=folder, env=ENVIRONMENT, stdout=output, stderr=subprocess.STDOUT
        )
        if not api.asked.wait(PATIENT_SECONDS):
            process.kill()
            raise SystemExit(f"nothing was asked for:\n{(folder / 'output.txt').read_text()}")
        begun = time.perf_counter() - started, _cpu_seconds(process.pid), _peak_mb(process.pid)
        time.sleep(ANSWER_SECONDS)
        interrupted, cpu_before = time.perf_counter(), _cpu_seconds(process.pid)
        process.send_signal(signal.SIGINT)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        cpu_seconds = usage.ru_utime + usage.ru_stime - cpu_before
        return FirstRequest(*begun, time.perf_counter() - interrupted, cpu_seconds)


def _cpu_seconds(pid: int) -> float:
    """What a process that runs has used of the CPU."""
    user, system = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def _peak_mb(pid: int) -> float:
    """The most memory that a process has had until now."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    (peak,) = (line.split()[1] for line in lines if line.startswith("VmHWM"))
    return int(peak) * 1024 / 10**6


class SlowApi(ThreadingHTTPServer):
    """Answers requests for comments, slowly; `asked` is set when the first one comes."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answering)
        self.asked = threading.Event()
        self.url = f"http://127.0.0.1:{self.server_port}"


class _Answering(Answering, BaseHTTPRequestHandler):
    server: SlowApi

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        if "/oauth/" in self.path:
            token = {"access_token": "clt.slow", "expires_in": 7200, "token_type": "Bearer"}
            self.answer(json.dumps(token).encode())
            return
        self.server.asked.set()
        time.sleep(ANSWER_SECONDS)
        data = {"comments": [{"id": 1}], "cursor": 100, "has_more": False}
        error = {"code": "ok", "message": "", "log_id": "1"}
        self.answer(json.dumps({"data": data, "error": error}).encode())


if __name__ == "__main__":
    main()
