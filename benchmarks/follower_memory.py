"""Peak memory of collecting 200,000 follower edges of 500 users against 2,000 edges of 5.

Target: at most 60 MB more; and a second run sends nothing.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import tempfile
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from measured import SCRAPY, Run, machine, print_table, run, served_sandbox

from tiktok_crawler.sandbox import Sandbox

FEW_USERS = 5
LISTS = {"deleted": 0, "unknown_users": 0, "withheld_users": 0, "same_second": 0}
"""Everybody who follows is there, so that the number of edges is known."""


@dataclass(frozen=True, slots=True)
class Collected:
    """What a crawl stored, sent, and needed."""

    edges: int
    requests: int
    run: Run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=500)
    parser.add_argument("--followers", type=int, default=400, help="of each user")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        small, large, again = measure(Path(name), options.users, options.followers)
    print(machine(), end="\n\n")
    print_table(
        ["crawl of followers", "requests", "time", "peak memory"],
        *(row(f"{c.edges:,} edges", c) for c in (small, large)),
        row("the same once more", again),
        ["difference", "", "", f"{large.run.peak_mb - small.run.peak_mb:.0f} MB"],
    )


def row(name: str, collected: Collected) -> list[str]:
    run = collected.run
    return [name, f"{collected.requests:,}", f"{run.seconds:.0f} s", f"{run.peak_mb:.0f} MB"]


def measure(folder: Path, users: int, followers: int) -> tuple[Collected, Collected, Collected]:
    """A crawl of a few users, one of many, and that one once more."""
    profile = folder / "followers.json"
    profile.write_text(json.dumps({"lists": LISTS | {"followers": followers}}))
    with served_sandbox(folder, f"--profile={profile}") as url:
        small = crawl(folder, url, FEW_USERS)
        return small, crawl(folder, url, users), crawl(folder, url, users)


def crawl(folder: Path, url: str, users: int) -> Collected:
    """Collect the followers of the first accounts of the sandbox into a database of their own."""
    names, database = folder / f"{users}.txt", folder / f"{users}.db"
    names.write_text("\n".join(islice(Sandbox().seeds("followers"), users)))
    before = sent(database)
    settings = {
        "TIKTOK_SANDBOX": True,
        "TIKTOK_SANDBOX_URL": url,
        "TIKTOK_DATABASE_URL": f"sqlite:///{database}",
    }
    options = [word for name, value in settings.items() for word in ("-s", f"{name}={value}")]
    done = run([SCRAPY, "crawl", "followers", "-a", f"usernames=@{names}", *options], folder)
    ((edges,),) = rows(database, "SELECT count(*) FROM user_relation")
    return Collected(edges, sent(database) - before, done)


def sent(database: Path) -> int:
    """How many requests crawls into a database have sent."""
    if not database.exists():
        return 0
    ((requests,),) = rows(database, "SELECT sum(requests) FROM api_quota")
    return int(requests)


def rows(database: Path, query: str) -> list[tuple[int, ...]]:
    connection = sqlite3.connect(database)
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


if __name__ == "__main__":
    main()
