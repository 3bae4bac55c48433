"""The writers that benchmarks compare: processes that take turns, each with its own database."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import peer
from pages import PAGE_SIZE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

ROOT = Path(__file__).parents[1]
TESTS = ROOT / "tests"
sys.path += [str(TESTS), str(TESTS / "storage")]
from postgres_server import running_server, temporary_database  # noqa: E402 - the tests' own

DURABLE = ("listen_addresses=",)
"""Settings of a PostgreSQL server that commits as it does by default."""


@dataclass
class Writer:
    """A process that stores pages in a database, `turn` of them when it is its turn."""

    process: subprocess.Popen[str]
    url: str
    turn: int
    page_seconds: list[float] = field(default_factory=list)

    @property
    def speed(self) -> str:
        return f"{PAGE_SIZE / median(self.page_seconds):,.0f} videos/s"

    def begin(self) -> None:
        """Start at the first page, in a new crawl."""
        self._order("begin")
        self.page_seconds = []

    def take_turn(self) -> None:
        """Store the next pages, and note how long one of them took."""
        self.page_seconds.append(float(self._order(str(self.turn))) / self.turn)

    def _order(self, words: str) -> str:
        assert self.process.stdin
        assert self.process.stdout
        print(words, file=self.process.stdin, flush=True)
        return self.process.stdout.readline()


@contextmanager
def writer(
    command: Iterable[str],
    url: str,
    pages: Path,
    *,
    turn: int,
    checkout: Path = ROOT,
    **variables: str,
) -> Iterator[Writer]:
    """Start a writer of pages.

    Args:
        command: the name of its script, and what else the script has to know.
        url: of the database.
        pages: the file that it takes pages from.
        turn: how many pages it stores when it is its turn.
        checkout: of this project, whose script it is; another one has its environment in `.venv`.
        variables: of its environment.
    """
    name, *words = command
    own = sys.executable if checkout == ROOT else f"{checkout}/.venv/bin/python"
    python = peer.python() if name == "peer" else own
    script, tests = checkout / "benchmarks" / f"write_{name}.py", checkout / "tests"
    process = subprocess.Popen(
        [python, script, url, pages, *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": f"{checkout}:{tests}:{tests / 'storage'}"} | variables,
    )
    try:
        yield Writer(process, url, turn)
    finally:
        process.communicate()


def alternate(writers: Iterable[Writer], rounds: int) -> None:
    """Store pages from the first on, all writers side by side."""
    for each in writers:
        each.begin()
    for _ in range(rounds):
        for each in writers:
            each.take_turn()


def ratio(fast: Writer, slow: Writer) -> float:
    """How many times as fast as the other one a writer is: the median of all rounds."""
    rounds = zip(fast.page_seconds, slow.page_seconds, strict=True)
    return median(slowly / quickly for quickly, slowly in rounds)


@contextmanager
def sqlite_databases(folder: Path) -> Iterator[Callable[[], str]]:
    """Makes URLs of new databases in a folder."""
    numbers = iter(range(1000))
    yield lambda: f"sqlite:///{folder / f'{next(numbers)}.db'}"


@contextmanager
def postgresql_databases(_: Path) -> Iterator[Callable[[], str]]:
    """Makes URLs of new databases on a server of their own, whose commits are durable."""
    with running_server(DURABLE) as server, ExitStack() as stack:
        yield lambda: stack.enter_context(temporary_database(server))


SYSTEMS = {"SQLite": sqlite_databases, "PostgreSQL": postgresql_databases}
"""Ways to make databases, each in a folder of its own."""
