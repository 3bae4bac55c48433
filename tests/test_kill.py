"""`kill -9` at any moment, also while the API misbehaves: the next runs collect the same."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import date

import pytest
from collected import COLLECTED, read
from lanes import Lane
from marathon import in_marathon, in_slow
from postgres_server import temporary_database
from sandboxes import served_by_thread
from trials import WatchedSandbox

from tiktok_crawler.date_range import DateRange
from tiktok_crawler.sandbox.faults.profile import Latency, Profile, SearchBehaviour
from tiktok_crawler.sandbox.faults.schedule import FaultName, ScheduledFault

KINDS = ("sqlite", "postgresql")

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
GOOD_HOURS = Profile(latency=Latency(seconds=0.1, up_to=0.5))
QUICKLY = (
    *("-s", "TIKTOK_RETRY_DELAY=0.05", "-s", "TIKTOK_RETRY_DELAY_MAX=0.1"),
    *("-s", "TIKTOK_SEARCH_ID_DELAY=0.05", "-s", "TIKTOK_WINDOW_DAYS=14"),
)

CONTENT = COLLECTED | {
    "covered days": "SELECT start_date, end_date FROM crawl_window WHERE state = 'complete'",
    "delivered videos": "SELECT DISTINCT video_id FROM videos_to_crawls ORDER BY 1",
}


class SearchLane(Lane):
    """A crawl of the query."""

    begins, longest_seconds = "Collecting", 0.7

    def prepare(self) -> tuple[str, ...]:
        (self.folder / "query.yaml").write_text(QUERY)
        return ("videos", "-a", "query=query.yaml", *QUICKLY)

    def content(self) -> dict[str, list[tuple]]:
        rows = read(self.database_url, CONTENT)
        days = [_days(*row) for row in rows["covered days"]]
        return rows | {"covered days": sorted(day for each in days for day in each)}


class SeveralLane(SearchLane):
    """A crawl of several query files, two of which have the same query."""

    def prepare(self) -> tuple[str, ...]:
        queries = self.folder / "queries"
        queries.mkdir()
        (queries / "spring.yaml").write_text(QUERY.replace("07-31", "03-31"))
        (queries / "summer.yaml").write_text(QUERY.replace("01-01", "04-01"))
        (queries / "some.yaml").write_text(QUERY.replace('"0"', '"5000"'))
        return ("videos", "-a", "query=queries", *QUICKLY)


def _days(start: date | str, end: date | str) -> DateRange:
    return DateRange(date.fromisoformat(str(start)), date.fromisoformat(str(end)))


@pytest.mark.parametrize(
    ("lane_of", "kind", "hours"),
    [
        (SearchLane, "sqlite", ((4,), ())),
        (SearchLane, "postgresql", ((), (4,))),
        in_slow(SeveralLane, "sqlite", ((), (4,))),
        in_marathon(SearchLane, "sqlite", ((5, 5, 5, 5), (4,))),
        in_marathon(SeveralLane, "sqlite", ((5, 5, 5, 5), ())),
        *(
            in_marathon(lane, kind, ((), (13, 12, 13, 12)))
            for kind in KINDS
            for lane in (SearchLane, SeveralLane)
        ),
    ],
)
def test_killed_it_collects_the_same(lane_of, kind, hours, tmp_path, request):
    """So many times, of crawls side by side, in good hours of the API and in bad ones."""
    good_hours, bad_hours = hours
    kills = (*good_hours, *bad_hours)
    with ExitStack() as stack:

        def lane(name: str, api: Profile) -> SearchLane:
            folder = tmp_path / name
            url = f"sqlite:///{folder / 'crawl.db'}"
            if kind == "postgresql":
                server = request.getfixturevalue("postgres_url")
                url = stack.enter_context(temporary_database(server))
            sandbox = WatchedSandbox(api, videos_per_day=VIDEOS_PER_DAY)
            api_url = stack.enter_context(served_by_thread(sandbox))
            return lane_of(folder, url, sandbox, api_url)

        undisturbed = lane("undisturbed", Profile())
        profiles = [GOOD_HOURS] * len(good_hours) + [BAD_HOURS] * len(bad_hours)
        killed = [lane(f"killed-{n}", profile) for n, profile in enumerate(profiles)]
        with ThreadPoolExecutor(len(kills)) as threads:
            list(threads.map(Lane.be_killed, killed, kills))
            list(threads.map(Lane.finish, [undisturbed, *killed]))
        truth = undisturbed.content()
        assert all(truth.values()), "there is something to compare"
        for each, profile in zip(killed, profiles, strict=True):
            assert each.content() == truth
            if profile is GOOD_HOURS:
                assert each.answered == undisturbed.answered, "the least possible pages"
