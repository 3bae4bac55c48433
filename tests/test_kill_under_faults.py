"""`kill -9` while the API misbehaves: the next runs collect what an undisturbed crawl collects."""

from __future__ import annotations

import random
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

import pytest
from collected import COLLECTED, read
from marathon import in_marathon
from postgres_server import temporary_database
from processes import scrapy, started
from sandboxes import served_by_thread
from trials import Exchange, WatchedSandbox, asked_again

from tiktok_crawler.date_range import DateRange
from tiktok_crawler.sandbox.faults.profile import Latency, Profile, SearchBehaviour
from tiktok_crawler.sandbox.faults.schedule import FaultName, ScheduledFault

if TYPE_CHECKING:
    from pathlib import Path

KINDS = ("sqlite", "postgresql")

OPEN_WINDOWS = 4
VIDEOS_PER_DAY = 30

QUERY = """
start_date: 2024-01-01
end_date: 2024-07-31
tags: [one, two]
query: {and: [{operation: GTE, field_name: view_count, field_values: ["0"]}]}
"""
BAD_HOURS = Profile(
    faults=(ScheduledFault(fault=FaultName.INTERNAL_ERROR, rate=0.1),),
    searches=SearchBehaviour(refuse_new_ids=1),
    latency=Latency(seconds=0.02, up_to=0.2),
)
QUICKLY = (
    *("-s", "TIKTOK_RETRY_DELAY=0.05", "-s", "TIKTOK_RETRY_DELAY_MAX=0.1"),
    *("-s", "TIKTOK_SEARCH_ID_DELAY=0.05", "-s", "TIKTOK_WINDOW_DAYS=14"),
)

CONTENT = COLLECTED | {
    "covered days": "SELECT start_date, end_date FROM crawl_window WHERE state = 'complete'",
    "delivered videos": "SELECT DISTINCT video_id FROM videos_to_crawls ORDER BY 1",
}


@dataclass
class Lane:
    """A crawl that is killed again and again, with an API and a database of its own."""

    folder: Path
    database_url: str
    sandbox: WatchedSandbox
    api_url: str
    moments: random.Random
    wanted_kills: int = 0
    kills: int = 0
    answered: set[tuple] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.folder.mkdir()
        (self.folder / "query.yaml").write_text(QUERY)
        url = ("-s", f"TIKTOK_SANDBOX_URL={self.api_url}")
        crawl = ("crawl", "videos", "-a", "query=query.yaml", "-s", "TIKTOK_SANDBOX=True")
        self.command = (*crawl, *url, *QUICKLY)

    def crawl_and_be_killed(self) -> None:
        while self.kills < self.wanted_kills:
            self._crawl_and_kill()
            self.check_requests(self.sandbox.exchanges)
            self.sandbox.exchanges.clear()

    def finish(self) -> None:
        run = scrapy(self.folder, *self.command, TIKTOK_DATABASE_URL=self.database_url)
        assert run.returncode == 0, run.stderr
        self.check_requests(self.sandbox.exchanges)

    def _crawl_and_kill(self) -> None:
        with started(self.folder, *self.command, TIKTOK_DATABASE_URL=self.database_url) as process:
            output = []
            for line in process.stdout:
                output.append(line)
                if "Collecting" in line:
                    break
            else:
                # PostgreSQL frees a lock only when it notices that the holder is gone.
                assert "another crawl of this query is running" in output[-1], "".join(output)
                return
            time.sleep(self.moments.uniform(0, 0.7))
            self.kills += process.poll() is None
            process.send_signal(signal.SIGKILL)
            process.wait()
        time.sleep(0.3)  # the sandbox still answers what was in flight

    def check_requests(self, exchanges: list[Exchange]) -> None:
        """A run asks for no page again, apart from one a window that was in flight before."""
        assert asked_again(exchanges) == []
        pages = {(each.window, each.cursor) for each in exchanges if each.moves_on}
        repeated = [window for window, _ in pages & self.answered]
        assert len(repeated) == len(set(repeated)) <= OPEN_WINDOWS
        self.answered |= pages

    def content(self) -> dict[str, list[tuple]]:
        rows = read(self.database_url, CONTENT)
        days = [_days(*row) for row in rows["covered days"]]
        return rows | {"covered days": sorted(day for each in days for day in each)}


def _days(start: date | str, end: date | str) -> DateRange:
    return DateRange(date.fromisoformat(str(start)), date.fromisoformat(str(end)))


@pytest.mark.parametrize(
    ("kind", "kills"),
    [
        *((kind, (4,)) for kind in KINDS),
        *(in_marathon(kind, (13, 12, 13, 12)) for kind in KINDS),
    ],
)
def test_killed_on_bad_days_it_collects_the_same(kind, kills, tmp_path, request):
    """So many times, of crawls side by side."""
    with ExitStack() as stack:

        def lane(name: str, profile: Profile, kills: int = 0) -> Lane:
            folder = tmp_path / name
            url = f"sqlite:///{folder / 'crawl.db'}"
            if kind == "postgresql":
                server = request.getfixturevalue("postgres_url")
                url = stack.enter_context(temporary_database(server))
            sandbox = WatchedSandbox(profile, videos_per_day=VIDEOS_PER_DAY)
            api_url = stack.enter_context(served_by_thread(sandbox))
            return Lane(folder, url, sandbox, api_url, random.Random(name), kills)

        undisturbed = lane("undisturbed", Profile())
        killed = [lane(f"killed-{number}", BAD_HOURS, times) for number, times in enumerate(kills)]
        with ThreadPoolExecutor(len(kills)) as threads:
            list(threads.map(Lane.crawl_and_be_killed, killed))
            list(threads.map(Lane.finish, [undisturbed, *killed]))
        truth = undisturbed.content()
        assert all(truth.values()), "there is something to compare"
        for each in killed:
            assert each.content() == truth
