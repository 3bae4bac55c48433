"""Storing videos page by page, on SQLite and PostgreSQL, beside the field's existing tool.

All writers take turns, and ratios are those of one round. The floor is the leanest writer of the
same tables. Of a page, the other tool stores the 14 fields that it knows, this project all of them.
"""

from __future__ import annotations

import sqlite3
import tempfile
from argparse import ArgumentDefaultsHelpFormatter, ArgumentParser
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING

import peer
from measured import machine, print_table
from pages import NEWEST, PAGE_SIZE, SECONDS, write_pages
from prefill import multiply
from sqlalchemy import create_engine, func, make_url, select
from writers import SYSTEMS, Writer, alternate, ratio, writer

from tiktok_crawler.storage.models.base import Base

if TYPE_CHECKING:
    from argparse import Namespace

TARGETS = {
    ("SQLite", "for the first time"): 6,
    ("SQLite", "for the second time"): 20,
    ("PostgreSQL", "for the first time"): 3.5,
    ("PostgreSQL", "for the second time"): 15,
    **{(system, "against the floor"): 0.7 for system in SYSTEMS},
    **{(system, "with videos already there"): 0.6 for system in SYSTEMS},
}
"""How many times as fast as what stands beside it this project should be."""

SIZE_TARGET = 0.8

UNCHECKED = "-c session_replication_role=replica"
"""Options of a session on PostgreSQL in which triggers, those of foreign keys too, do nothing."""

COPIED_VIDEOS = 50_000
"""A database is filled with copies of so many videos."""

SHARED_TABLES = frozenset(
    [
        "video",
        "hashtag",
        "effect",
        "crawl",
        "query_tag",
        "videos_to_hashtags",
        "videos_to_effect_ids",
        "videos_to_crawls",
        "videos_to_query_tags",
        "crawls_to_query_tags",
    ]
)
"""What the other tool has as well, under these names or similar ones."""

OWN_TABLES = Base.metadata.tables.keys() - SHARED_TABLES


class Bench:
    """One database system with its writers; all ends when the stack is closed."""

    def __init__(self, stack: ExitStack, system: str, options: Namespace) -> None:
        self._stack = stack
        self._system = system
        self._options = options
        self._folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        self._new_url = stack.enter_context(SYSTEMS[system](self._folder))
        self._pages = self._folder / "pages.jsonl"
        write_pages(self._pages, options.videos)

    def rows(self) -> list[list[str]]:
        """What is measured of this system."""
        ours, floor = self._start("ours"), self._start("floor")
        theirs = self._start("peer", "lean", turn=self._options.peer_pages)
        filled = [self._start_filled()] if self._options.prefill else []
        unchecked = self._start_unchecked() if self._options.unchecked else []
        alternate([ours, floor, theirs, *unchecked, *filled], self._options.rounds)
        first = [
            self._row("for the first time", ours, theirs),
            *(self._row("without foreign keys", each, theirs) for each in unchecked),
            self._row("against the floor", ours, floor),
            *(self._row("with videos already there", each, ours) for each in filled),
        ]
        warn_of_omissions(ours.url, floor.url)
        sizes = [self._size(theirs)] if self._system == "SQLite" else []
        alternate([ours, theirs], self._options.rounds)
        return [*first, self._row("for the second time", ours, theirs), *sizes]

    def _start(self, *command: str, turn: int | None = None, **variables: str) -> Writer:
        pages = self._options.videos // PAGE_SIZE // self._options.rounds
        turn = min(turn or pages, pages)
        return self._stack.enter_context(
            writer(command, self._new_url(), self._pages, turn=turn, **variables)
        )

    def _start_unchecked(self) -> list[Writer]:
        """A writer of whose rows the server, if there is one, does not check the foreign keys."""
        is_server = self._system == "PostgreSQL"
        return [self._start("ours", PGOPTIONS=UNCHECKED)] if is_server else []

    def _start_filled(self) -> Writer:
        """A writer whose database has millions of older videos."""
        filled = self._start("ours")
        copies = self._options.prefill // COPIED_VIDEOS - 1
        older = self._folder / "older.jsonl"
        write_pages(older, COPIED_VIDEOS, newest=NEWEST - (copies + 1) * SECONDS)
        with writer(["ours"], filled.url, older, turn=COPIED_VIDEOS // PAGE_SIZE) as first:
            alternate([first], rounds=1)
        multiply(filled.url, copies)
        return filled

    def _row(self, what: str, ours: Writer, other: Writer) -> list[str]:
        times, target = ratio(ours, other), TARGETS.get((self._system, what))
        met = [f"at least {target}", "yes" if times >= target else "NO"] if target else ["", ""]
        return [f"{self._system}, {what}", ours.speed, other.speed, f"{times:.2f}", *met]

    def _size(self, theirs: Writer) -> list[str]:
        """What a video takes on disk, of the pages that the other tool has stored by now."""
        pages = theirs.turn * self._options.rounds
        with writer(["ours", "lean"], self._new_url(), self._pages, turn=pages) as lean:
            alternate([lean], rounds=1)
        ours, other = video_bytes(lean.url), video_bytes(theirs.url)
        return [
            "SQLite, size on disk",
            f"{ours:.0f} bytes/video",
            f"{other:.0f} bytes/video",
            f"{ours / other:.2f}",
            f"at most {SIZE_TARGET}",
            "yes" if ours / other <= SIZE_TARGET else "NO",
        ]


def main() -> None:
    options = parse_options()
    rows = []
    for system in options.systems:
        with ExitStack() as stack:
            rows += Bench(stack, system, options).rows()
    there = f"; {options.prefill:,} videos already there" if options.prefill else ""
    print(f"{machine()}, {peer.NAME} {peer.VERSION}; {options.rounds} rounds, medians;")
    print(f"{options.videos:,} videos, by the other tool {told(options.peer_pages)}{there}\n")
    print_table(["storing pages", "this project", "beside", "ratio", "target", "met"], *rows)


def parse_options() -> Namespace:
    parser = ArgumentParser(description=__doc__, formatter_class=ArgumentDefaultsHelpFormatter)
    parser.add_argument("--videos", type=int, default=200_000, help="how many are stored")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--peer-pages", type=int, help="let the other tool store fewer a round")
    parser.add_argument("--prefill", type=int, default=0, help="also with so many already there")
    parser.add_argument(
        "--unchecked", action="store_true", help="PostgreSQL also without foreign keys"
    )
    parser.add_argument("--systems", nargs="+", choices=SYSTEMS, default=list(SYSTEMS))
    return parser.parse_args()


def told(peer_pages: int | None) -> str:
    return f"{peer_pages * PAGE_SIZE:,} a round" if peer_pages else "as many"


def warn_of_omissions(ours: str, floor: str) -> None:
    """Say which tables the floor leaves out: its speed is then that of less work."""
    stored, written = row_counts(ours), row_counts(floor)
    for table in (name for name in stored if stored[name] != written[name]):
        print(f"The floor has {written[table]:,} rows of {table}, not {stored[table]:,}.")


def row_counts(url: str) -> dict[str, int]:
    engine = create_engine(url)
    with engine.connect() as connection:
        counts = {
            name: connection.scalar(select(func.count()).select_from(table)) or 0
            for name, table in Base.metadata.tables.items()
        }
    engine.dispose()
    return counts


def video_bytes(url: str) -> float:
    """Bytes a video of a SQLite file, vacuumed, with nothing in tables that only we have."""
    stored = Path(make_url(url).database or "")
    copy = stored.with_suffix(".copy")
    with closing(sqlite3.connect(stored)) as connection:
        connection.execute("VACUUM INTO ?", (f"{copy}",))
    with closing(sqlite3.connect(copy, isolation_level=None)) as connection:
        tables = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
        for (name,) in tables.fetchall():
            if name in OWN_TABLES:
                connection.execute(f"DELETE FROM {name}")
        connection.execute("VACUUM")
        (videos,) = connection.execute("SELECT count(*) FROM video").fetchone()
    return copy.stat().st_size / float(videos)


if __name__ == "__main__":
    main()
