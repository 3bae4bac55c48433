"""A whole crawl from a sandbox into SQLite, beside the field's existing tool with its defaults.

Both are processes that collect the same videos from a sandbox of their own, started anew. The other
tool searches windows of 7 days that share a day; the time for the requests that this costs is its.
"""

from __future__ import annotations

import json
import sqlite3
import tempfile
from argparse import ArgumentDefaultsHelpFormatter, ArgumentParser
from contextlib import closing
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import peer
from measured import DELIVERED, EVERYTHING, crawl_command, machine, print_table, run, served_sandbox

if TYPE_CHECKING:
    from collections.abc import Callable

    from measured import Run

    Command = Callable[[Path, str, "Crawl"], list[str]]

START = date(2023, 1, 1)
ONE_WINDOW, FOUR_WINDOWS = 31, 124
"""Days. Windows of 31 days can be searched side by side, which gains time where answers take it."""

PEAK_TARGET = 150.0
"""In MB, of 1,000,000 bytes."""


@dataclass(frozen=True)
class Crawl:
    """What is collected, how long an answer takes, and how many times as fast we should be."""

    videos: int
    days: int
    latency_seconds: float
    target: float

    @property
    def dates(self) -> tuple[date, date]:
        return START, START + timedelta(days=self.days - 1)

    @property
    def videos_per_day(self) -> int:
        return round(self.videos / DELIVERED / self.days)


def main() -> None:
    parser = ArgumentParser(description=__doc__, formatter_class=ArgumentDefaultsHelpFormatter)
    parser.add_argument("--videos", type=int, default=100_000, help="without latency")
    parser.add_argument("--slow-videos", type=int, default=20_000, help="with 1 s a request")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    crawls = (
        Crawl(options.videos, ONE_WINDOW, 0, 2.5),
        Crawl(options.slow_videos, FOUR_WINDOWS, 1, 3.5),
    )
    rows = [row for crawl in crawls for row in measure(crawl, options.rounds)]
    print(f"{machine()}, {peer.NAME} {peer.VERSION}; {options.rounds} rounds, medians\n")
    print_table(["crawl", "this project", "other tool", "ratio", "target", "met"], *rows)


def measure(crawl: Crawl, rounds: int) -> list[list[str]]:
    pairs = [(measured(crawl, our_command), measured(crawl, peer_command)) for _ in range(rounds)]
    ours, theirs = zip(*pairs, strict=True)
    times = median(their.seconds / our.seconds for our, their in pairs)
    our_peak, their_peak = (median(each.peak_mb for each in runs) for runs in (ours, theirs))
    return [
        [
            f"{crawl.videos:,} videos, {crawl.days} days, {crawl.latency_seconds} s a request",
            *(f"{median(each.seconds for each in runs):.0f} s" for runs in (ours, theirs)),
            f"{times:.2f}",
            f"at least {crawl.target}",
            "yes" if times >= crawl.target else "NO",
        ],
        [
            "its peak memory",
            f"{our_peak:.0f} MB",
            f"{their_peak:.0f} MB",
            f"{our_peak / their_peak:.2f}",
            f"at most {PEAK_TARGET:.0f} MB",
            "yes" if our_peak <= PEAK_TARGET else "NO",
        ],
    ]


def measured(crawl: Crawl, command: Command) -> Run:
    """Run a crawl with one of the two; all videos must be in its database."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        profile = folder / "profile.yaml"
        profile.write_text(json.dumps({"latency": {"seconds": crawl.latency_seconds}}))
        options = (f"--profile={profile}", f"--videos-per-day={crawl.videos_per_day}")
        with served_sandbox(folder, *options) as url:
            result = run(command(folder, url, crawl), folder)
        with closing(sqlite3.connect(folder / "crawl.db")) as connection:
            (videos,) = connection.execute("SELECT count(*) FROM video").fetchone()
    if abs(videos / crawl.videos - 1) > 0.05:
        raise SystemExit(f"{videos:,} videos were collected, not {crawl.videos:,}")
    return result


def our_command(folder: Path, url: str, crawl: Crawl) -> list[str]:
    start, end = crawl.dates
    query = folder / "query.yaml"
    dates = {"start_date": f"{start}", "end_date": f"{end}"}
    query.write_text(json.dumps(dates | {"query": EVERYTHING}))
    return crawl_command(query, folder / "crawl.db", url)


def peer_command(folder: Path, url: str, crawl: Crawl) -> list[str]:
    query, secrets = folder / "query.json", folder / "secrets.yaml"
    query.write_text(json.dumps(EVERYTHING))
    secrets.write_text("client_key: sandbox-client-key\nclient_secret: sandbox-client-secret\n")
    return [
        peer.python(),
        str(Path(__file__).with_name("crawl_with_peer.py")),
        url,
        "run",
        *(f"{day:%Y%m%d}" for day in crawl.dates),
        f"--db-file={folder / 'crawl.db'}",
        f"--query-file-json={query}",
        f"--api-credentials-file={secrets}",
    ]


if __name__ == "__main__":
    main()
