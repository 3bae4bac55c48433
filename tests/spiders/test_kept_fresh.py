"""Nights of a query that is kept fresh: its counters are read at the ages that were asked for."""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from os import EX_OK

import pytest
from crawling import CrawlFolder, exit_status, stat
from marathon import in_marathon
from scrapy.utils.defer import deferred_f_from_coro_f
from sqlalchemy import create_engine, text
from trials import QUERY, WatchedSandbox, served

from tiktok_crawler.clock import utc_now
from tiktok_crawler.date_range import DAY, midnight
from tiktok_crawler.sandbox.faults.profile import DataBehaviour, Profile

FIRST_NIGHT = date(2024, 3, 10)
AT_FOUR = timedelta(hours=4)
PER_DAY = 6


class MovedClock:
    """The machine's clock, set to another time."""

    def __init__(self) -> None:
        self._ahead = timedelta(0)

    def __call__(self) -> datetime:
        return utc_now() + self._ahead

    def set_to(self, moment: datetime) -> None:
        self._ahead = moment - utc_now()


CLOCK = MovedClock()
"""A module that is imported meanwhile keeps it."""


@pytest.fixture
def clock(monkeypatch):
    """Everything of ours goes by this clock."""
    for name, module in list(sys.modules.items()):
        if name.startswith("tiktok_crawler.") and getattr(module, "utc_now", None) is utc_now:
            monkeypatch.setattr(module, "utc_now", CLOCK)
    yield CLOCK
    CLOCK.set_to(utc_now())


class FreshFolder(CrawlFolder):
    """A folder with a query that is crawled each night, and the sandbox beside it."""

    def __init__(self, path, database_url, clock, **keys):
        super().__init__(path)
        self.database_url, self.clock = database_url, clock
        dates = {"start_date": f"{FIRST_NIGHT - DAY}", "end_date": "yesterday"}
        content = dates | keys | {"query": QUERY}
        self.query_file.write_text("".join(f"{k}: {json.dumps(v)}\n" for k, v in content.items()))
        profile = Profile(data=DataBehaviour(hidden=0))
        self.sandbox = WatchedSandbox(profile, videos_per_day=PER_DAY, now=clock)

    async def night(self, number, **arguments):
        """Crawl in a night: how many requests that takes."""
        self.clock.set_to(midnight(FIRST_NIGHT + number * DAY) + AT_FOUR)
        async with served(self.sandbox) as url:
            settings = {"TIKTOK_SANDBOX": True, "TIKTOK_SANDBOX_URL": url}
            crawler = await self.crawl(url, settings, **arguments)
        assert exit_status(crawler) == EX_OK
        return stat(crawler, "requests/sent_count")

    def read(self, statement):
        engine = create_engine(self.database_url)
        with engine.connect() as connection:
            rows = connection.execute(text(statement)).all()
        engine.dispose()
        return rows

    def seen_at_ages(self):
        """In which nights after the end of its day, from 1 on, each video came."""
        found, published = defaultdict(set), {}
        for video_id, created_at, crawl_started_at in self.read(
            "SELECT video.id, create_time, crawl_started_at FROM videos_to_crawls "
            "JOIN crawl ON crawl.id = crawl_id JOIN video ON video.id = video_id"
        ):
            day, seen = map(_moment, (created_at, crawl_started_at))
            published[video_id] = day.date()
            found[video_id].add((seen.date() - day.date()).days)
        return found, published


@pytest.mark.parametrize(
    ("prepared_url", "nights"),
    [("sqlite", 31), ("postgresql", 16), in_marathon("postgresql", 31)],
    indirect=["prepared_url"],
)
@deferred_f_from_coro_f
async def test_counters_of_all_videos_are_read_at_the_same_ages(
    tmp_path, prepared_url, nights, clock
):
    folder = FreshFolder(tmp_path, prepared_url, clock, revisit=["3 days", "11 days"])
    missed = {7, 8}
    for night in range(nights):
        if night not in missed:
            await folder.night(night)

    seen, published = folder.seen_at_ages()
    last = FIRST_NIGHT + (nights - 1) * DAY
    assert len(seen) > PER_DAY * (nights - 4)
    for video_id, ages in seen.items():
        day = published[video_id]
        due = {_night_of(day, age, missed) for age in (2, 3, 11)}
        assert {(night - day).days for night in due if night <= last} - ages == set()
        assert len(ages) <= 4, "no day is searched more often"
    grown = folder.read(
        "SELECT video_id FROM video_statistics GROUP BY video_id HAVING count(*) > 2"
    )
    old = [video_id for video_id, day in published.items() if day <= last - 12 * DAY]
    assert len({video_id for (video_id,) in grown} & set(old)) > 0.8 * len(old)


def _moment(read):
    """A time as it comes from either database."""
    moment = datetime.fromisoformat(str(read))
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _night_of(day, age, missed):
    """The night in which a day is searched that has this age: the next one that is not missed."""
    night = day + (age + 1) * DAY
    while (night - FIRST_NIGHT).days in missed:
        night += DAY
    return max(night, FIRST_NIGHT)


@pytest.mark.parametrize("prepared_url", ["sqlite"], indirect=True)
@deferred_f_from_coro_f
async def test_a_month_that_was_collected_in_one_night_is_refreshed_evenly(
    tmp_path, prepared_url, clock
):
    keys = {"keep_fresh": "9 days with counters"}
    folder = FreshFolder(tmp_path, prepared_url, clock, **keys)
    dates = {"start_date": f"{FIRST_NIGHT - 60 * DAY}", "end_date": f"{FIRST_NIGHT - 4 * DAY}"}
    for night in range(18):
        await folder.night(night, **dates)
        assert await folder.night(night, **dates) == 0, "a night has one share"
        [(oldest,)] = folder.read(
            "SELECT min(last) FROM (SELECT max(crawl_started_at) AS last FROM videos_to_crawls "
            "JOIN crawl ON crawl.id = crawl_id GROUP BY video_id) AS each_video"
        )
        now = midnight(FIRST_NIGHT + night * DAY) + AT_FOUR
        assert now - _moment(oldest) < 9 * DAY
    [(refreshes, requests)] = folder.read("SELECT sum(refreshes), sum(requests) FROM api_quota")
    assert 0 < refreshes < requests <= 4 * len(range(18))
    [(stored,)] = folder.read("SELECT refreshing FROM collection LIMIT 1")
    assert (stored if isinstance(stored, dict) else json.loads(stored)) == keys
