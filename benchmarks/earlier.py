"""Storing and crawling with an earlier commit, beside this checkout. Target: at most 5 % slower.

The earlier one gets an environment of its own. Both work by turns: they store the same pages, new
and known ones, and collect from a sandbox of this checkout.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tarfile
import tempfile
from argparse import ArgumentDefaultsHelpFormatter, ArgumentParser
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from measured import DELIVERED, EVERYTHING, crawl_command, machine, print_table, run, served_sandbox
from pages import PAGE_SIZE, write_pages
from writers import ROOT, SYSTEMS, alternate, ratio, writer

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterator

SLOWEST = 1.05
DAYS = 31
DATES = {"start_date": "2024-01-01", "end_date": f"2024-01-{DAYS}"}


def main() -> None:
    parser = ArgumentParser(description=__doc__, formatter_class=ArgumentDefaultsHelpFormatter)
    parser.add_argument("commit", help="as git names it")
    parser.add_argument("--videos", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        earlier = installed(options.commit, Path(name, "earlier"))
        shares = [crawling(earlier, Path(name), options), *storing(earlier, options)]
    print(f"{machine()}; {options.videos:,} videos; {options.rounds} rounds, medians\n")
    header = ["this checkout", f"of the time of {options.commit}", "target", "met"]
    print_table(header, *(row(*share) for share in shares))


def row(what: str, share: float) -> list[str]:
    return [what, f"{share:.2f}", f"at most {SLOWEST}", "yes" if share <= SLOWEST else "NO"]


def installed(commit: str, folder: Path) -> Path:
    """Check out a commit into a folder, with its environment in `.venv`."""
    archive = folder.with_suffix(".tar")
    export = ["git", "archive", f"--output={archive}", commit]
    subprocess.run(export, cwd=ROOT, check=True)
    with tarfile.open(archive) as files:
        files.extractall(folder, filter="data")
    uv, environment = Path(sys.executable).with_name("uv"), folder / ".venv"
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, environment], check=True)
    install = [uv, "pip", "install", "--quiet", "--python", environment, "--editable", folder]
    subprocess.run(install, check=True)
    return folder


def storing(earlier: Path, options: Namespace) -> Iterator[tuple[str, float]]:
    """Store the same pages twice on each system: new videos, and what is known already."""
    for system, databases in SYSTEMS.items():
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            new_url = stack.enter_context(databases(folder))
            pages = folder / "pages.jsonl"
            write_pages(pages, options.videos)
            turn = options.videos // PAGE_SIZE // options.rounds
            then, now = (
                stack.enter_context(
                    writer(["ours"], new_url(), pages, turn=turn, checkout=checkout)
                )
                for checkout in (earlier, ROOT)
            )
            for time in ("first", "second"):
                alternate([then, now], options.rounds)
                yield f"{system}, storing pages for the {time} time", 1 / ratio(now, then)


def crawling(earlier: Path, folder: Path, options: Namespace) -> tuple[str, float]:
    """Collect the same days into a new SQLite file each round."""
    query = folder / "query.yaml"
    query.write_text(json.dumps(DATES | {"query": EVERYTHING}))
    videos_per_day = round(options.videos / DELIVERED / DAYS)
    shares = []
    with served_sandbox(folder, f"--videos-per-day={videos_per_day}") as url:
        for number in range(options.rounds):
            then, now = (
                crawl_seconds(checkout, query, folder / f"{number}-{checkout.name}.db", url)
                for checkout in (earlier, ROOT)
            )
            shares.append(now / then)
    return "SQLite, a whole crawl", median(shares)


def crawl_seconds(checkout: Path, query: Path, database: Path, url: str) -> float:
    _, *words = crawl_command(query, database, url)
    return run([f"{checkout}/.venv/bin/scrapy", *words], query.parent).seconds


if __name__ == "__main__":
    main()
