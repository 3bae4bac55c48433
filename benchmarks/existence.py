"""Checks of which of 1,000,000 videos still exist, on a SQLite database of them.

Targets: 300 requests where each check is done when it is first asked about, 500 where it is done
when asked a third time, and 3 more for each 9,900 videos that are missing; at most 200 MB.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import tempfile
import threading
import time
from contextlib import closing
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING

from large_database import command, large_database
from measured import Answering, Run, database_options, machine, print_table, run, serving

from tiktok_crawler.planning.checks import MOST_MISSED
from tiktok_crawler.research_api.checks import MOST_IDS
from tiktok_crawler.research_api.endpoints import CHECK_FILE, CHECK_STATUS, CREATE_CHECK

if TYPE_CHECKING:
    from collections.abc import Iterator

VIDEOS = 1_000_000
MISSING = 20_000
MOST_MB = 200
TIMES_ASKED_IF_SLOW = 3


HEADER = (
    *("checks", "requests", "target", "time", "of the CPU", "before the first"),
    *("peak memory", "target", "met"),
)


@dataclass(frozen=True, slots=True)
class Checked:
    """What a crawl of checks sent, found, and took until its first request and in all."""

    requests: int
    gone: int
    first_seconds: float
    run: Run


def main() -> None:
    options = database_options(__doc__, VIDEOS, "2 GB with a copy")
    original = large_database(options.folder, options.videos)
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        rows = list(measure(Path(name), original, options.videos))
    print(f"{machine()}; {options.videos:,} videos\n")
    print_table(HEADER, *rows)


def measure(folder: Path, original: Path, videos: int) -> Iterator[list[str]]:
    """What is measured, each on a copy of a database."""
    for words, times_asked, missing in (
        ("done at once", 1, 0),
        ("slow", TIMES_ASKED_IF_SLOW, 0),
        (f"done at once, {MISSING:,} missing", 1, MISSING),
    ):
        copy = folder / "copy.db"
        shutil.copy(original, copy)
        checked = check(folder, copy, times_asked=times_asked, missing=missing)
        yield row(words, checked, least(videos, missing, times_asked))


def row(words: str, checked: Checked, target: int) -> list[str]:
    is_met = checked.requests <= target and checked.run.peak_mb <= MOST_MB
    return [
        words,
        f"{checked.requests:,}",
        f"at most {target:,}",
        f"{checked.run.seconds:.0f} s",
        f"{checked.run.cpu_seconds:.0f} s",
        f"{checked.first_seconds:.1f} s",
        f"{checked.run.peak_mb:.0f} MB",
        f"at most {MOST_MB} MB",
        "yes" if is_met else "NO",
    ]


def least(videos: int, missing: int, times_asked: int) -> int:
    """The requests that so many videos take."""
    checks = ceil(videos / MOST_IDS) + ceil(missing / MOST_MISSED)
    return checks * (2 + times_asked)


def check(folder: Path, data: Path, *, times_asked: int, missing: int) -> Checked:
    """Check all videos of a database, of which so many exist no longer."""
    with serving(Api(_every_nth(data, missing), times_asked)) as api:
        words = command("crawl", "compliance", data=data, url=api.url)
        words += ["-s", "TIKTOK_CHECK_DELAY=0", "-s", "TIKTOK_GONE_LIMIT=1"]
        began_at = time.perf_counter()
        done = run(words, folder)
        first_seconds = (api.first_at or time.perf_counter()) - began_at
    with closing(sqlite3.connect(data)) as connection:
        ((gone,),) = connection.execute("SELECT count(*) FROM video WHERE gone_at IS NOT NULL")
    return Checked(api.requests, gone, first_seconds, done)


def _every_nth(data: Path, number: int) -> frozenset[int]:
    """So many videos, from all ages."""
    if not number:
        return frozenset()
    with closing(sqlite3.connect(data)) as connection:
        ids = [id_ for (id_,) in connection.execute("SELECT id FROM video ORDER BY id")]
    return frozenset(ids[:: len(ids) // number][:number])


class Api(ThreadingHTTPServer):
    """Answers checks: all ids exist but for some, and a check is done when asked so often."""

    daemon_threads = True

    def __init__(self, missing: frozenset[int], times_asked: int) -> None:
        super().__init__(("127.0.0.1", 0), _Answering)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.missing, self.times_asked = missing, times_asked
        self.requests = 0
        self.first_at: float | None = None
        self.files: list[bytes] = []
        self.asked: list[int] = []
        self._lock = threading.Lock()

    def answer(self, path: str, body: bytes) -> bytes:
        """The body of an answer; requests for tokens do not count."""
        if "/oauth/" in path:
            token = {"access_token": "clt.checks", "expires_in": 7200, "token_type": "Bearer"}
            return json.dumps(token).encode()
        with self._lock:
            self.first_at = self.first_at or time.perf_counter()
            self.requests += 1
            if path == CREATE_CHECK.path:
                self.files.append(self._file(body))
                self.asked.append(0)
                return _envelope(task_id=len(self.files))
            task = json.loads(body)["task_id"] - 1
            if path == CHECK_STATUS.path:
                self.asked[task] += 1
                is_done = self.asked[task] >= self.times_asked
                return _envelope(task_status="Completed" if is_done else "Processing")
            assert path == CHECK_FILE.path
            return self.files[task]

    def _file(self, body: bytes) -> bytes:
        lines = (line.strip() for line in body.split(b"\n"))
        ids = (line for line in lines if line.isdigit())
        return b"".join(b"%s\n" % id_ for id_ in ids if int(id_) not in self.missing)


def _envelope(**data: object) -> bytes:
    return json.dumps(
        {"data": data, "error": {"code": "ok", "message": "", "log_id": "1"}}
    ).encode()


class _Answering(Answering, BaseHTTPRequestHandler):
    server: Api

    def do_POST(self) -> None:
        body = self.server.answer(self.path, self.rfile.read(int(self.headers["Content-Length"])))
        is_file = self.path == CHECK_FILE.path
        self.answer(body, "text/plain" if is_file else "application/json")


if __name__ == "__main__":
    main()
