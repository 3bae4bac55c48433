"""One query that two nodes share, beside one node alone, with answers that take half a second.

A node is a crawl as a process, all with one PostgreSQL and one sandbox. The time is that from the
first page to the last: starting a program takes as long as ever, and a node that has nothing left
to do looks only every few seconds whether the others have ended. By default a page has hundred
videos; with fewer, the machine has less to do for each request, and nodes that share its processors
are more like two machines.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from argparse import ArgumentDefaultsHelpFormatter, ArgumentParser
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from measured import (
    ENVIRONMENT,
    EVERYTHING,
    answers,
    crawl_command,
    machine,
    print_table,
    served_sandbox,
)
from sqlalchemy import create_engine, func, select, text

from tiktok_crawler.storage.models.ledger import Crawl

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from postgres_server import running_server, temporary_database

if TYPE_CHECKING:
    from argparse import Namespace

START = date(2020, 1, 1)
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
    parser.add_argument("--windows", type=int, default=64)
    parser.add_argument("--window-days", type=int, default=31)
    parser.add_argument("--videos-per-day", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with running_server(("listen_addresses=",)) as server:
        rounds = [
            [collect(server, nodes, options) for nodes in (1, 2)] for _ in range(options.rounds)
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


def collect(server: str, nodes: int, options: Namespace) -> Collected:
    """Let so many nodes collect a query into a new database."""
    with tempfile.TemporaryDirectory() as name, temporary_database(server) as database_url:
        folder = Path(name)
        (folder / "profile.yaml").write_text(json.dumps({"latency": {"seconds": LATENCY_SECONDS}}))
        end = START + timedelta(days=options.windows * options.window_days - 1)
        dates = {"start_date": f"{START}", "end_date": f"{end}"}
        (folder / "query.yaml").write_text(json.dumps(dates | {"query": EVERYTHING}))
        profile = f"--profile={folder / 'profile.yaml'}"
        with served_sandbox(folder, profile, f"--videos-per-day={options.videos_per_day}") as url:
            widths = {"TIKTOK_WINDOW_DAYS": options.window_days}
            crawl = crawl_command(folder / "query.yaml", database_url, url, **widths)
            # The tables are made, and what is asked is known to be right.
            run_nodes(folder, [[*crawl, "-a", "max_requests=1"]], statuses=(75,))
            before = sum(answers(url).values())
            run_nodes(folder, [crawl] * nodes)
            requests = sum(answers(url).values()) - before
        return stored(database_url, requests)


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


def stored(database_url: str, requests: int) -> Collected:
    """Read what there is of each run but the first."""
    engine = create_engine(database_url)
    with engine.connect() as connection:
        videos = connection.scalar(text("SELECT count(*) FROM video")) or 0
        came = select(func.min(Crawl.received_at), func.max(Crawl.received_at), func.count())
        runs = came.group_by(Crawl.run_id).order_by(Crawl.run_id).offset(1)
        first_at, last_at, pages = zip(*connection.execute(runs), strict=True)
        seconds = (max(last_at) - min(first_at)).total_seconds()
        found = Collected(seconds, requests, videos, pages)
    engine.dispose()
    return found


if __name__ == "__main__":
    main()
