"""What the benchmarks share: commands with their time and peak memory, a sandbox, and tables."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import threading
import time
from argparse import ArgumentParser
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from urllib.request import ProxyHandler, build_opener

from tiktok_crawler.research_api.endpoints import VIDEO_QUERY

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterator, Mapping, Sequence

S = TypeVar("S", bound=ThreadingHTTPServer)

SCRAPY = str(Path(sys.executable).with_name("scrapy"))
ENVIRONMENT = {**os.environ, "SCRAPY_SETTINGS_MODULE": "tiktok_crawler.settings"}

EVERYTHING = {"and": [{"operation": "GTE", "field_name": "view_count", "field_values": ["0"]}]}
"""A query that matches all videos of the sandbox, so that their number is known."""

DELIVERED = 0.92
"""The share of a sandbox's videos that are not hidden."""


@dataclass(frozen=True, slots=True)
class Run:
    """How a command went: seconds, peak resident memory in MiB, exit status, seconds of the CPU."""

    seconds: float
    peak_mib: float
    status: int
    cpu_seconds: float

    @property
    def peak_mb(self) -> float:
        return self.peak_mib * 2**20 / 10**6


def run(
    command: Sequence[str],
    folder: Path,
    *,
    environment: Mapping[str, str] = ENVIRONMENT,
    statuses: Sequence[int] = (0,),
) -> Run:
    """Run a command in a folder; its output is shown only if it ends with another status."""
    started = time.perf_counter()
    with (folder / "output.txt").open("wb") as output:
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=output, stderr=subprocess.STDOUT
        )
        _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in statuses:
        raise SystemExit(f"{command} failed:\n{(folder / 'output.txt').read_text()}")
    cpu_seconds = usage.ru_utime + usage.ru_stime
    return Run(seconds, usage.ru_maxrss / 1024, process.returncode, cpu_seconds)


@contextmanager
def served_sandbox(folder: Path, *options: str) -> Iterator[str]:
    """The URL of a sandbox in a process of its own; nothing limits how much it is asked."""
    sandbox = subprocess.Popen(
        [SCRAPY, "sandbox", "--port=0", "--daily-quota=0", *options],
        cwd=folder,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert sandbox.stdout
        yield sandbox.stdout.readline().split(" answers at ")[1].split()[0]
    finally:
        sandbox.terminate()
        sandbox.communicate()


def answers(url: str) -> dict[int, int]:
    """How many requests for videos a sandbox answered, by status."""
    with build_opener(ProxyHandler({})).open(f"{url}/sandbox/stats") as answer:
        requests = json.load(answer)["requests"]
    counts: dict[str, int] = requests[VIDEO_QUERY.path]
    return {int(status): count for status, count in counts.items()}


def crawl_command(query: Path, database: Path | str, url: str, **settings: object) -> list[str]:
    """The command that collects a query from a sandbox into a SQLite file, or a database's URL."""
    settings |= {
        "TIKTOK_SANDBOX": True,
        "TIKTOK_SANDBOX_URL": url,
        "TIKTOK_DATABASE_URL": f"sqlite:///{database}" if isinstance(database, Path) else database,
    }
    options = [word for name, value in settings.items() for word in ("-s", f"{name}={value}")]
    return [SCRAPY, "crawl", "videos", "-a", f"query={query}", *options]


def database_options(description: str | None, videos: int, size: str) -> Namespace:
    """The options of a benchmark on a database that is made once, which takes so much room."""
    parser = ArgumentParser(description=description)
    parser.add_argument("--videos", type=int, default=videos)
    parser.add_argument(
        "--folder",
        type=Path,
        default=Path(__file__).with_name(".cache"),
        help=f"where the database is made, or found if it was made before ({size})",
    )
    return parser.parse_args()


def print_table(*rows: Sequence[str]) -> None:
    """Print rows as a table in Markdown; the first is the header."""
    header, *others = rows
    for row in (header, ["---"] * len(header), *others):
        print(f"| {' | '.join(row)} |")


def machine() -> str:
    """What a figure was measured on."""
    packages = ", ".join(f"{name} {version(name)}" for name in ("scrapy", "sqlalchemy", "twisted"))
    return (
        f"{platform.system()} {platform.machine()}, {os.cpu_count()} CPUs, "
        f"Python {platform.python_version()}, {packages}"
    )


class Answering(BaseHTTPRequestHandler):
    """Says nothing of single requests."""

    def answer(self, body: bytes, content_type: str = "application/json") -> None:
        self.send_response(200)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None: ...


@contextmanager
def serving(server: S) -> Iterator[S]:
    """Serve for a while, in a thread."""
    with server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
