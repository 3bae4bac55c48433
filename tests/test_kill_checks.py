"""`kill -9` while checks of existence are done: the next runs find what is gone, and no more."""

from __future__ import annotations

import signal
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from os import EX_TEMPFAIL

import pytest
from collected import read
from lanes import SIDE_BY_SIDE, Lane
from listed_pages import store_list
from marathon import in_marathon
from postgres_server import temporary_database
from sandboxes import served_by_thread
from sqlalchemy import create_engine, insert, update

from tiktok_crawler.research_api.endpoints import COMMENTS, CREATE_CHECK
from tiktok_crawler.sandbox import Sandbox
from tiktok_crawler.sandbox.faults.profile import (
    ComplianceBehaviour,
    DataBehaviour,
    Latency,
    ListBehaviour,
    Profile,
    Turnover,
)
from tiktok_crawler.storage.engine import database
from tiktok_crawler.storage.models.records import (
    VIDEOS_TO_HASHTAGS,
    Comment,
    Hashtag,
    Video,
)

pytestmark = pytest.mark.slow

LISTS = ListBehaviour(comments=60)
LATER = Profile(
    data=DataBehaviour(turnover=Turnover(videos=0.03, accounts=0.01)),
    lists=LISTS,
    compliance=ComplianceBehaviour(processing_polls=1),
    latency=Latency(seconds=0.02, up_to=0.2),
)
VIDEOS_PER_DAY = 800
FIRST_DAY, LAST_DAY = date(2024, 1, 1), date(2024, 1, 15)
EVERYTHING = {
    "and": [{"operation": "GTE", "field_name": "view_count", "field_values": ["0"]}],
}
LONG_AGO = datetime(2024, 6, 1, tzinfo=UTC)
DELETED = ("-s", "TIKTOK_ON_GONE=delete", "-s", "TIKTOK_GONE_GRACE=0")
MARKED: tuple[str, ...] = ()

ORPHANS = tuple(
    f"SELECT count(*) FROM {table} WHERE video_id NOT IN (SELECT id FROM video)"
    for table in ("videos_to_hashtags", "comment")
)


@cache
def stored_before() -> tuple[tuple[int, ...], dict[int, int]]:
    """The videos that there were, more than a check can ask about, and comments under some."""
    sandbox = Sandbox(videos_per_day=VIDEOS_PER_DAY, profile=Profile(lists=LISTS))
    records = sandbox.matches(EVERYTHING, FIRST_DAY, LAST_DAY)
    videos = tuple(sorted(record["id"] for record in records if "id" in record))
    under = {
        comment["id"]: video
        for video in videos[:20]
        if isinstance(truth := sandbox.truth("comments", str(video)), list)
        for comment in truth
    }
    return videos, under


@dataclass
class CheckLane(Lane):
    """A crawl that checks what still exists of a database that is full from its beginning."""

    settings: tuple[str, ...] = ()
    creations: int = 0

    begins, longest_seconds = "Checking what still exists", 1.5

    def prepare(self) -> tuple[str, ...]:
        self.fill()
        quickly = ("-s", "TIKTOK_CHECK_DELAY=0.01", "-s", "TIKTOK_GONE_LIMIT=0.5")
        return ("compliance", "-a", "max_age=9 days", *quickly, *self.settings)

    def check_requests(self) -> None:
        """At most one check more is created for each kill than there are."""
        answers = self.sandbox.statistics()["requests"].get(CREATE_CHECK.path, {})
        (checks,) = self.column("SELECT count(*) FROM compliance_check WHERE sent_at IS NOT NULL")
        assert sum(answers.values()) <= checks + self.kills

    def finish(self) -> None:
        super().finish()
        videos, under = stored_before()
        for table, ids in (("video", videos), ("comment", [*under])):
            there = set(self.sandbox.still_there(table, ids))
            assert len(there) < len(ids)
            found = set(self.column(f"SELECT id FROM {table}"))
            if self.settings:
                assert found == there
            else:
                gone = set(self.column(f"SELECT id FROM {table} WHERE gone_at IS NOT NULL"))
                assert (found, gone) == (set(ids), set(ids) - there)
        for orphans in ORPHANS:
            assert self.column(orphans) == [0]
        assert self.column("SELECT count(*) FROM compliance_check_record") == [0]
        if self.settings:
            told = self.column("SELECT sum(records) FROM removal WHERE kind = 'video'")
            assert told == [len(videos) - len(self.column("SELECT id FROM video"))]

    def column(self, statement: str) -> list:
        return [row[0] for row in read(self.database_url, {"rows": statement})["rows"]]

    def fill(self) -> None:
        videos, under = stored_before()
        engine = create_engine(database.database_url(self.database_url))
        database.prepare(engine, "sandbox")
        with engine.begin() as connection:
            connection.execute(insert(Hashtag), [{"id": 1, "name": "butter"}])
            rows = [{"id": id_, "crawled_at": LONG_AGO} for id_ in videos]
            connection.execute(insert(Video), rows)
            links = [{"hashtag_id": 1, "video_id": id_} for id_ in videos]
            connection.execute(insert(VIDEOS_TO_HASHTAGS), links)
        engine.dispose()
        by_video: defaultdict[int, list[dict[str, int]]] = defaultdict(list)
        for id_, video in under.items():
            by_video[video].append({"id": id_, "video_id": video})
        for video, comments in by_video.items():
            store_list(self.database_url, COMMENTS, str(video), *comments)
        with engine.begin() as connection:
            connection.execute(update(Comment).values(last_returned_at=LONG_AGO))
        engine.dispose()


@pytest.fixture
def make_lane(tmp_path, request):
    """Makes lanes that end with the test."""
    with ExitStack() as stack:

        def make(kind: str, name: str, settings: tuple[str, ...] = MARKED) -> CheckLane:
            folder = tmp_path / name
            url = f"sqlite:///{folder / 'crawl.db'}"
            if kind == "postgresql":
                server = request.getfixturevalue("postgres_url")
                url = stack.enter_context(temporary_database(server))
            sandbox = Sandbox(videos_per_day=VIDEOS_PER_DAY, profile=LATER, daily_quota=None)
            api_url = stack.enter_context(served_by_thread(sandbox))
            return CheckLane(folder, url, sandbox, api_url, settings=settings)

        yield make


@pytest.mark.parametrize(
    ("kind", "kills", "settings"),
    [
        ("sqlite", (2,), MARKED),
        in_marathon("sqlite", (2,), DELETED),
        ("postgresql", (2,), DELETED),
        *(
            in_marathon(kind, (3,) * 16, settings)
            for kind in ("sqlite", "postgresql")
            for settings in (MARKED, DELETED)
        ),
    ],
)
def test_killed_it_finds_all_that_is_gone_and_nothing_else(make_lane, kind, kills, settings):
    lanes = [make_lane(kind, f"killed-{number}", settings) for number in range(len(kills))]
    with ThreadPoolExecutor(SIDE_BY_SIDE) as threads:
        list(threads.map(Lane.be_killed, lanes, kills))
        list(threads.map(Lane.finish, lanes))


def test_interrupted_it_ends_with_75_and_creates_no_check_twice(make_lane):
    lane = make_lane("sqlite", "interrupted")
    for number in (signal.SIGINT, signal.SIGTERM):
        assert lane.interrupt(number, 0.2) == EX_TEMPFAIL
    lane.finish()
