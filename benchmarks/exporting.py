"""`scrapy export`, beside pandas and beside bare loops; peak memory; a second export.

Both take turns, and ratios are those of one round: above 1, this project is the faster one.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from argparse import ArgumentDefaultsHelpFormatter, ArgumentParser
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from measured import SCRAPY, Run, machine, print_table, run
from pages import NEWEST, PAGE_SIZE, SECONDS, write_pages
from prefill import multiply
from writers import SYSTEMS, alternate, writer

from tiktok_crawler.storage.models.records import Video

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterator

COPIED_VIDEOS = 50_000
PEER = Path(__file__).with_name("export_peers.py")

OF_VIDEOS = "video,video_hashtag,video_effect,video_query_tag,video_statistics,video_source"
STORED = ",".join(column.name for column in Video.__table__.columns)

COMPARED = (
    ("Parquet, table video", "pandas", ["--tables=video", f"--columns={STORED}"], 1.5, 400),
    ("Parquet, tables of videos", "all", [f"--tables={OF_VIDEOS}"], 1.5, 400),
    ("CSV, table video", "csv", ["--tables=video", "--format=csv"], 0.7, 250),
    ("JSON lines, table video", "jsonl", ["--tables=video", "--format=jsonl"], 0.7, 250),
)
LOOPS = ("csv", "jsonl")
"""Beside these, only SQLite is measured."""

AGAIN = (("month", 1 / 8), ("day", 1 / 20))
ONE_DAY = 86_400


def main() -> None:
    options = parse_options()
    rows = []
    for system in options.systems:
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            url = stack.enter_context(SYSTEMS[system](folder))()
            fill(url, folder, options.videos)
            for case in COMPARED:
                if system == "SQLite" or case[1] not in LOOPS:
                    rows += compared(system, url, folder, case, options.rounds)
    with tempfile.TemporaryDirectory() as name:
        again = list(second_exports(Path(name), options.year))
    print(f"{machine()}; {options.videos:,} videos, {options.rounds} rounds, medians\n")
    header = ["export", "this project", "beside", "ratio", "target", "peak", "target", "met"]
    print_table(header, *rows)
    print(f"\nA year of {options.year:,} videos, and one day more:\n")
    print_table(["second export", "first", "second", "ratio", "target", "met"], *again)


def parse_options() -> Namespace:
    parser = ArgumentParser(description=__doc__, formatter_class=ArgumentDefaultsHelpFormatter)
    parser.add_argument("--videos", type=int, default=1_000_000)
    parser.add_argument("--year", type=int, default=600_000, help="videos of the second export")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--systems", nargs="+", choices=SYSTEMS, default=list(SYSTEMS))
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


def compared(
    system: str, url: str, folder: Path, case: tuple[str, str, list[str], float, int], rounds: int
) -> Iterator[list[str]]:
    """Export, and do the same otherwise, by turns."""
    what, peer, options, target, most_mb = case
    turns = []
    for _ in range(rounds):
        ours = export(url, folder, *options)
        theirs = emptied(folder, [sys.executable, str(PEER), url, "out", peer])
        turns.append((ours, theirs))
    ratio = median(theirs.seconds / ours.seconds for ours, theirs in turns)
    peak = max(ours.peak_mb for ours, _ in turns)
    yield [
        f"{system}, {what}",
        f"{median(ours.seconds for ours, _ in turns):.1f} s",
        f"{median(theirs.seconds for _, theirs in turns):.1f} s",
        f"{ratio:.2f}",
        f"at least {target}",
        f"{peak:.0f} MB",
        f"at most {most_mb} MB",
        "yes" if ratio >= target and peak <= most_mb else "NO",
    ]


def second_exports(folder: Path, videos: int) -> Iterator[list[str]]:
    """Export a year, collect a day more, and export once more."""
    url, pages = f"sqlite:///{folder / 'year.db'}", folder / "day.jsonl"
    fill(url, folder, videos)
    for unit, target in AGAIN:
        shutil.rmtree(folder / "out", ignore_errors=True)
        first = export(url, folder, f"--by={unit}", keep=True)
        newest = NEWEST + (2 if unit == "day" else 1) * ONE_DAY
        write_day(pages, videos * ONE_DAY // (SECONDS * max(videos // COPIED_VIDEOS, 1)), newest)
        store(url, pages)
        second = export(url, folder, f"--by={unit}", keep=True)
        ratio = second.seconds / first.seconds
        yield [
            f"by {unit}",
            f"{first.seconds:.1f} s",
            f"{second.seconds:.1f} s",
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
