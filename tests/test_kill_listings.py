"""`kill -9`, Ctrl-C and SIGTERM while something is listed: the next runs go on where it was."""

from __future__ import annotations

import random
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import islice
from os import EX_OK, EX_TEMPFAIL
from typing import TYPE_CHECKING

import pytest
from list_trials import Trial, WatchedSandbox, asked_again, check_seed, seed_rows, truthful
from listing_crawls import ListingDatabase
from marathon import first, in_marathon
from postgres_server import temporary_database
from processes import scrapy, started
from sandboxes import served_by_thread

from tiktok_crawler.arguments.listing_arguments import SPIDERS
from tiktok_crawler.sandbox.faults.profile import DataBehaviour, Latency, ListBehaviour, Profile
from tiktok_crawler.sandbox.protocol.errors import SandboxProblem

if TYPE_CHECKING:
    from pathlib import Path

SIDE_BY_SIDE = 4
LISTS = ListBehaviour(followers=230, comments=230)
SLOW = Profile(lists=LISTS, latency=Latency(seconds=0.05, up_to=0.2))


def listed_seeds(listing: str, number: int) -> tuple[str, ...]:
    sandbox = truthful(DataBehaviour(), LISTS)
    listed = (
        s
        for s in sandbox.seeds(listing)
        if not isinstance(sandbox.truth(listing, s), SandboxProblem)
    )
    return tuple(islice(listed, number))


@dataclass
class Lane:
    """A crawl that is interrupted again and again, with an API and a database of its own."""

    folder: Path
    database_url: str
    trial: Trial
    sandbox: WatchedSandbox
    api_url: str
    kills: int = 0
    answered: set[tuple[str, int]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.folder.mkdir()
        self.moments = random.Random(self.trial.listing)
        ((name, seeds),) = self.trial.seed_argument.items()
        (self.folder / "seeds.txt").write_text(seeds.replace(",", "\n"))
        self.command = ("crawl", self.trial.listing, "-a", f"{name}=@seeds.txt")
        self.command += ("-s", "TIKTOK_SANDBOX=True", "-s", f"TIKTOK_SANDBOX_URL={self.api_url}")

    def be_killed(self, times: int) -> None:
        while self.kills < times:
            seconds = self.moments.uniform(0, 0.4)
            self.kills += self.interrupt(signal.SIGKILL, seconds) is not None
            time.sleep(0.3)  # the sandbox still answers what was in flight
            self.check_requests()

    def interrupt(self, number: int, seconds: float) -> int | None:
        """Crawl, and send a signal so much later; the exit status, None if it has not begun."""
        with started(self.folder, *self.command, TIKTOK_DATABASE_URL=self.database_url) as process:
            output = []
            for line in process.stdout:
                output.append(line)
                if "asking for" in line:
                    break
            else:
                # PostgreSQL frees a lock only when it notices that the holder is gone.
                assert "another crawl" in output[-1], "".join(output)
                return None
            time.sleep(seconds)
            process.send_signal(number)
            process.stdout.read()
            return process.wait()

    def finish(self) -> None:
        run = scrapy(self.folder, *self.command, TIKTOK_DATABASE_URL=self.database_url)
        assert run.returncode == EX_OK, run.stderr
        self.check_requests()
        self.check_truth()
        again = scrapy(self.folder, *self.command, TIKTOK_DATABASE_URL=self.database_url)
        assert again.returncode == EX_OK
        assert "nothing to ask for" in again.stderr
        assert self.sandbox.exchanges == []

    def check_requests(self) -> None:
        """A run asks for no page again, apart from those that were in flight before."""
        exchanges = self.sandbox.exchanges
        assert asked_again(exchanges) == []
        pages = {(each.seed, each.cursor) for each in exchanges}
        repeated = [seed for seed, _ in pages & self.answered]
        assert len(repeated) == len(set(repeated)) <= SIDE_BY_SIDE
        self.answered |= pages
        exchanges.clear()

    def check_truth(self) -> None:
        database = ListingDatabase(self.database_url, "")
        rows = seed_rows(database, self.trial)
        assert {seed: row.state for seed, row in rows.items()} == dict.fromkeys(
            self.trial.wanted, "complete"
        )
        for row in rows.values():
            check_seed(database, self.trial, row)


@pytest.fixture
def make_lane(tmp_path, request):
    """Makes lanes that end with the test."""
    with ExitStack() as stack:

        def make(kind: str, listing: str, seeds: int) -> Lane:
            url = f"sqlite:///{tmp_path / listing / 'crawl.db'}"
            if kind == "postgresql":
                server = request.getfixturevalue("postgres_url")
                url = stack.enter_context(temporary_database(server))
            trial = Trial(listing, SLOW, seeds=listed_seeds(listing, seeds))
            sandbox = WatchedSandbox(SLOW)
            api_url = stack.enter_context(served_by_thread(sandbox))
            return Lane(tmp_path / listing, url, trial, sandbox, api_url)

        yield make


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
@pytest.mark.parametrize(("kills", "seeds"), first(1, [(2, 12), (10, 40)]))
def test_killed_a_listing_collects_the_truth(make_lane, kind, kills, seeds):
    lanes = [make_lane(kind, listing, seeds) for listing in ("followers", "comments")]
    with ThreadPoolExecutor(len(lanes)) as threads:
        list(threads.map(lambda lane: lane.be_killed(kills), lanes))
        assert any(row.state != "complete" for lane in lanes for row in rows_of(lane))
        list(threads.map(Lane.finish, lanes))


OTHERS = tuple(name for name in SPIDERS if name not in ("followers", "comments"))


@pytest.mark.parametrize(
    ("kind", "listings", "seeds"),
    [
        ("sqlite", ("liked_videos", "products", "users"), 12),
        in_marathon("sqlite", OTHERS, 40),
        in_marathon("postgresql", OTHERS, 40),
    ],
)
def test_killed_once_any_other_listing_collects_the_truth(make_lane, kind, listings, seeds):
    lanes = [make_lane(kind, listing, seeds) for listing in listings]
    with ThreadPoolExecutor(SIDE_BY_SIDE) as threads:
        list(threads.map(lambda lane: lane.be_killed(1), lanes))
        list(threads.map(Lane.finish, lanes))


def rows_of(lane: Lane):
    return seed_rows(ListingDatabase(lane.database_url, ""), lane.trial).values()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_a_listing_ends_with_75_and_pays_for_no_page_again(make_lane, number):
    lane = make_lane("sqlite", "followers", 12)
    assert lane.interrupt(number, 0.4) == EX_TEMPFAIL
    before = list(lane.sandbox.exchanges)
    assert before
    lane.check_requests()
    run = scrapy(lane.folder, *lane.command, TIKTOK_DATABASE_URL=lane.database_url)
    assert run.returncode == EX_OK, run.stderr
    assert asked_again([*before, *lane.sandbox.exchanges]) == []
    lane.check_truth()
