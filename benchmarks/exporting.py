"""`scrapy export`, beside pandas, DuckDB and bare loops; peak memory; a second export.

They take turns, and ratios are those of one round: above 1, this project is the faster one. They
are of seconds of the CPU, which other work on the machine changes less than those of the clock, in
brackets.
"""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
import tempfile
from argparse import ArgumentDefaultsHelpFormatter, ArgumentParser
from contextlib import ExitStack, closing
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import peer
from measured import SCRAPY, Run, machine, print_table, run
from pages import NEWEST, PAGE_SIZE, SECONDS, write_pages
from prefill import multiply
from writers import SYSTEMS, alternate, writer

from tiktok_crawler.storage.models.records import Video

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterable, Iterator

    Case = tuple[str, str, list[str], float, int]
    """What is exported, the name of what stands beside it, options, targets: ratio, peak in MB."""

COPIED_VIDEOS = 50_000
PEER = Path(__file__).with_name("export_peers.py")
WITH_DUCKDB = Path(__file__).with_name("export_with_duckdb.py")

OF_VIDEOS = "video,video_hashtag,video_effect,video_query_tag,video_statistics,video_source"
STORED = ",".join(column.name for column in Video.__table__.columns)
STORED_VIDEOS = ["--tables=video", f"--columns={STORED}"]

COMPARED = (
    ("Parquet, table video", "pandas", STORED_VIDEOS, 1.5, 400),
    ("Parquet, tables of videos", "all", [f"--tables={OF_VIDEOS}"], 1.5, 400),
    ("CSV, table video", "csv", [*STORED_VIDEOS, "--format=csv"], 0.7, 250),
    ("JSON lines, table video", "jsonl", [*STORED_VIDEOS, "--format=jsonl"], 0.7, 250),
)
COPIES = {"pandas": "video", "all": OF_VIDEOS}
"""What DuckDB copies, too."""

LOOPS = ("csv", "jsonl")
"""Beside these, only SQLite is measured."""

AGAIN = (("month", 1 / 8), ("day", 1 / 20))
ONE_DAY = 86_400

RECEIVED_OVER_A_YEAR = """
    UPDATE crawl SET crawl_started_at = strftime(
        '%Y-%m-%d %H:%M:%S.000000',
        '2024-01-01',
        (id * 365 / (SELECT max(id) FROM crawl)) || ' days'
    )
"""


def main() -> None:
    options = parse_options()
    duckdb = python_with_duckdb()
    rows, copies = [], []
    for system in options.systems:
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=options.folder)))
            url = stack.enter_context(SYSTEMS[system](folder))()
            fill(url, folder, options.videos)
            for case in COMPARED:
                if system == "SQLite" or case[1] not in LOOPS:
                    turns = list(turns_of(url, folder, case, options.rounds, duckdb))
                    rows.append(compared(f"{system}, {case[0]}", case, turns))
                    copies += beside_duckdb(f"{system}, {case[0]}", turns)
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        again = list(second_exports(Path(name), options.year))
    print(f"{machine()}; {options.videos:,} videos, {options.rounds} rounds, medians\n")
    header = ["export", "this project", "beside", "ratio", "target", "peak", "target", "met"]
    print_table(header, *rows)
    print(f"\nBeside DuckDB {peer.DUCKDB} with its extensions, which has 1 GB:\n")
    if copies:
        print_table(["export", "this project", "DuckDB", "ratio", "its peak"], *copies)
    else:
        print("It was not measured: its packages could not be installed.")
    print(f"\nA year of {options.year:,} videos, and one day more:\n")
    print_table(["second export", "first", "second", "ratio", "target", "met"], *again)


def python_with_duckdb() -> str | None:
    try:
        return peer.python_with_duckdb()
    except subprocess.CalledProcessError:
        return None


def parse_options() -> Namespace:
    parser = ArgumentParser(description=__doc__, formatter_class=ArgumentDefaultsHelpFormatter)
    parser.add_argument("--videos", type=int, default=1_000_000)
    parser.add_argument("--year", type=int, default=1_000_000, help="videos of the second export")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--systems", nargs="+", choices=SYSTEMS, default=list(SYSTEMS))
    parser.add_argument("--folder", type=Path, help="where it has room for databases (2 GB)")
    return parser.parse_args()


def fill(url: str, folder: Path, videos: int) -> None:
    """Fill a database with copies of some videos, each in a month of its own."""
    copies = max(videos // COPIED_VIDEOS - 1, 0)
    pages = folder / "pages.jsonl"
    write_pages(pages, min(videos, COPIED_VIDEOS), newest=NEWEST - copies * SECONDS)
    store(url, pages)
    if copies:
        multiply(url, copies)


def store(url: str, pages: Path) -> None:
    count = len(pages.read_bytes().splitlines())
    with writer(["ours"], url, pages, turn=count) as ours:
        alternate([ours], rounds=1)


def turns_of(
    url: str, folder: Path, case: Case, rounds: int, duckdb: str | None
) -> Iterator[tuple[Run, Run, Run | None]]:
    """Export, and do the same otherwise, by turns: as the case says, and with DuckDB."""
    _, other, options, _, _ = case
    for _ in range(rounds):
        ours = export(url, folder, *options)
        theirs = emptied(folder, [sys.executable, str(PEER), url, "out", other])
        copied = None
        if duckdb and other in COPIES:
            copy = [duckdb, str(WITH_DUCKDB), url, "out", COPIES[other], STORED]
            copied = emptied(folder, copy)
        yield ours, theirs, copied


def compared(what: str, case: Case, turns: list[tuple[Run, Run, Run | None]]) -> list[str]:
    _, _, _, target, most_mb = case
    ratio = median(theirs.cpu_seconds / ours.cpu_seconds for ours, theirs, _ in turns)
    peak = max(ours.peak_mb for ours, _, _ in turns)
    return [
        what,
        shown(ours for ours, _, _ in turns),
        shown(theirs for _, theirs, _ in turns),
        f"{ratio:.2f}",
        f"at least {target}",
        f"{peak:.0f} MB",
        f"at most {most_mb} MB",
        "yes" if ratio >= target and peak <= most_mb else "NO",
    ]


def beside_duckdb(what: str, turns: list[tuple[Run, Run, Run | None]]) -> Iterator[list[str]]:
    pairs = [(ours, copied) for ours, _, copied in turns if copied]
    if pairs:
        yield [
            what,
            shown(ours for ours, _ in pairs),
            shown(copied for _, copied in pairs),
            f"{median(copied.cpu_seconds / ours.cpu_seconds for ours, copied in pairs):.2f}",
            f"{max(copied.peak_mb for _, copied in pairs):.0f} MB",
        ]


def shown(runs: Iterable[Run]) -> str:
    """The median of seconds of the CPU, and of those on the clock."""
    cpu, clock = zip(*((run.cpu_seconds, run.seconds) for run in runs), strict=True)
    return f"{median(cpu):.1f} s ({median(clock):.0f} s)"


def second_exports(folder: Path, videos: int) -> Iterator[list[str]]:
    """Export a year, collect a day more, and export once more."""
    database, pages = folder / "year.db", folder / "day.jsonl"
    url = f"sqlite:///{database}"
    fill(url, folder, videos)
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute(RECEIVED_OVER_A_YEAR)
    for unit, target in AGAIN:
        shutil.rmtree(folder / "out", ignore_errors=True)
        first = export(url, folder, f"--by={unit}", keep=True)
        newest = NEWEST + (2 if unit == "day" else 1) * ONE_DAY
        write_day(pages, videos * ONE_DAY // (SECONDS * max(videos // COPIED_VIDEOS, 1)), newest)
        store(url, pages)
        second = export(url, folder, f"--by={unit}", keep=True)
        ratio = second.cpu_seconds / first.cpu_seconds
        yield [
            f"by {unit}",
            shown([first]),
            shown([second]),
            f"1/{1 / ratio:.0f}",
            f"at most 1/{1 / target:.0f}",
            "yes" if ratio <= target else "NO",
        ]


def write_day(path: Path, videos: int, newest: int) -> None:
    """Write the pages of one day."""
    number = max(videos // PAGE_SIZE, 1) * PAGE_SIZE
    month = path.with_name("month.jsonl")
    write_pages(month, number * SECONDS // ONE_DAY, newest=newest)
    with month.open() as lines, path.open("w") as day:
        for _, line in zip(range(number // PAGE_SIZE), lines, strict=False):
            day.write(line)


def export(url: str, folder: Path, *options: str, keep: bool = False) -> Run:
    command = [SCRAPY, "export", "out", *options, "-s", f"TIKTOK_DATABASE_URL={url}"]
    return run(command, folder) if keep else emptied(folder, command)


def emptied(folder: Path, command: list[str]) -> Run:
    shutil.rmtree(folder / "out", ignore_errors=True)
    return run(command, folder)


if __name__ == "__main__":
    main()
