"""One query that two nodes share, beside one node alone, with answers that take half a second.

A node is a crawl as a process, all with one PostgreSQL and one sandbox. The time is that from the
first start to the last end.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from argparse import ArgumentDefaultsHelpFormatter, ArgumentParser
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from statistics import median

from measured import (
    ENVIRONMENT,
    EVERYTHING,
    answers,
    crawl_command,
    machine,
    print_table,
    served_sandbox,
)
from sqlalchemy import create_engine, text

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from postgres_server import running_server, temporary_database

START = date(2020, 1, 1)
WINDOW_DAYS = 31
VIDEOS_PER_DAY = 50
LATENCY_SECONDS = 0.5
TARGET = 1.7


@dataclass(frozen=True, slots=True)
class Collected:
    """What nodes have collected together, and what it took."""

    seconds: float
    requests: int
    videos: int
    pages: tuple[int, ...]
    """How many each of them has stored."""


def main() -> None:
    parser = ArgumentParser(description=__doc__, formatter_class=ArgumentDefaultsHelpFormatter)
    parser.add_argument("--windows", type=int, default=64, help="of a month each")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with running_server(("listen_addresses=",)) as server:
        rounds = [
            [collect(server, nodes, options.windows) for nodes in (1, 2)]
            for _ in range(options.rounds)
        ]
    ratio = median(one.seconds / two.seconds for one, two in rounds)
    alone, shared = (min(each, key=lambda c: c.seconds) for each in zip(*rounds, strict=True))
    is_same = len({(c.requests, c.videos) for each in rounds for c in each}) == 1
    print(f"{machine()}; {options.rounds} rounds, medians\n")
    print_table(
        ["what", "one node", "two nodes", "ratio", "target", "met"],
        [
            f"{options.windows} windows, {LATENCY_SECONDS} s a request",
            *(f"{median(each[n].seconds for each in rounds):.0f} s" for n in (0, 1)),
            f"{ratio:.2f}",
            f"at least {TARGET}",
            "yes" if ratio >= TARGET else "NO",
        ],
        [
            "requests",
            *(f"{each.requests}" for each in (alone, shared)),
            f"{shared.requests / alone.requests:.2f}",
            "the same, and the same videos",
            "yes" if is_same else "NO",
        ],
        ["pages of each", *(", ".join(map(str, c.pages)) for c in (alone, shared)), "", "", ""],
    )


def collect(server: str, nodes: int, windows: int) -> Collected:
    """Let so many nodes collect a query into a new database."""
    with tempfile.TemporaryDirectory() as name, temporary_database(server) as database_url:
        folder = Path(name)
        (folder / "profile.yaml").write_text(json.dumps({"latency": {"seconds": LATENCY_SECONDS}}))
        end = START + timedelta(days=windows * WINDOW_DAYS - 1)
        dates = {"start_date": f"{START}", "end_date": f"{end}"}
        (folder / "query.yaml").write_text(json.dumps(dates | {"query": EVERYTHING}))
        options = (f"--profile={folder / 'profile.yaml'}", f"--videos-per-day={VIDEOS_PER_DAY}")
        with served_sandbox(folder, *options) as api_url:
            # The tables are made, and what is asked is known to be right.
            first = crawl_command(folder / "query.yaml", database_url, api_url)
            run_nodes(folder, [[*first, "-a", "max_requests=1"]], statuses=(75,))
            before = sum(answers(api_url).values())
            started = time.perf_counter()
            run_nodes(folder, [first] * nodes)
            seconds = time.perf_counter() - started
            requests = sum(answers(api_url).values()) - before
        return Collected(seconds, requests, *stored(database_url))


def run_nodes(folder: Path, commands: list[list[str]], *, statuses: tuple[int, ...] = (0,)) -> None:
    """Run commands side by side to their ends."""
    with (folder / "output.txt").open("ab") as output:
        processes = [
            subprocess.Popen(
                command, cwd=folder, env=ENVIRONMENT, stdout=output, stderr=subprocess.STDOUT
            )
            for command in commands
        ]
        ends = [process.wait() for process in processes]
    if not set(ends) <= set(statuses):
        raise SystemExit(f"{commands} ended with {ends}:\n{(folder / 'output.txt').read_text()}")


def stored(database_url: str) -> tuple[int, tuple[int, ...]]:
    """Count the videos, and the pages of each run but the first."""
    engine = create_engine(database_url)
    with engine.connect() as connection:
        videos = connection.scalar(text("SELECT count(*) FROM video")) or 0
        pages = connection.scalars(
            text("SELECT count(*) FROM crawl GROUP BY run_id ORDER BY run_id OFFSET 1")
        )
        found = videos, tuple(pages)
    engine.dispose()
    return found


if __name__ == "__main__":
    main()
