"""`kill -9`, Ctrl-C and SIGTERM while something is listed: the next runs go on where it was."""

from __future__ import annotations

import signal
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import islice
from os import EX_TEMPFAIL

import pytest
from lanes import SIDE_BY_SIDE, Lane
from list_trials import Trial, WatchedSandbox, check_seed, seed_rows, truthful
from listing_crawls import ListingDatabase
from marathon import first, in_marathon
from postgres_server import temporary_database
from sandboxes import served_by_thread
from trials import asked_again

from tiktok_crawler.arguments.listing_arguments import SPIDERS
from tiktok_crawler.sandbox.faults.profile import DataBehaviour, Latency, ListBehaviour, Profile
from tiktok_crawler.sandbox.protocol.errors import SandboxProblem

pytestmark = pytest.mark.slow

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
class ListingLane(Lane):
    """A crawl of some seeds, which are in a file."""

    trial: Trial = field(kw_only=True)

    begins, longest_seconds = "asking about", 0.4

    def prepare(self) -> tuple[str, ...]:
        ((name, seeds),) = self.trial.seed_argument.items()
        (self.folder / "seeds.txt").write_text(seeds.replace(",", "\n"))
        return (self.trial.listing, "-a", f"{name}=@seeds.txt")

    def finish(self) -> None:
        super().finish()
        self.check_truth()
        assert "nothing to ask for" in self.run().stderr
        assert self.sandbox.exchanges == []

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

        def make(kind: str, listing: str, seeds: int) -> ListingLane:
            url = f"sqlite:///{tmp_path / listing / 'crawl.db'}"
            if kind == "postgresql":
                server = request.getfixturevalue("postgres_url")
                url = stack.enter_context(temporary_database(server))
            trial = Trial(listing, SLOW, seeds=listed_seeds(listing, seeds))
            sandbox = WatchedSandbox(SLOW)
            api_url = stack.enter_context(served_by_thread(sandbox))
            return ListingLane(tmp_path / listing, url, sandbox, api_url, trial=trial)

        yield make


@pytest.mark.parametrize("kind", first(1, ["postgresql", "sqlite"]))
@pytest.mark.parametrize(("kills", "seeds"), first(1, [(2, 12), (10, 40)]))
def test_killed_a_listing_collects_the_truth(make_lane, kind, kills, seeds):
    lanes = [make_lane(kind, listing, seeds) for listing in ("followers", "comments")]
    with ThreadPoolExecutor(len(lanes)) as threads:
        list(threads.map(lambda lane: lane.be_killed(kills), lanes))
        assert any(row.state != "complete" for lane in lanes for row in rows_of(lane))
        list(threads.map(ListingLane.finish, lanes))


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
        list(threads.map(ListingLane.finish, lanes))


def rows_of(lane: ListingLane):
    return seed_rows(ListingDatabase(lane.database_url, ""), lane.trial).values()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_a_listing_ends_with_75_and_pays_for_no_page_again(make_lane, number):
    lane = make_lane("sqlite", "followers", 12)
    assert lane.interrupt(number, 0.4) == EX_TEMPFAIL
    before = list(lane.sandbox.exchanges)
    assert before
    lane.check_requests()
    lane.run()
    assert asked_again([*before, *lane.sandbox.exchanges]) == []
    lane.check_truth()
