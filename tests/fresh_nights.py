"""Nights of a query that is kept fresh, by a clock that is set, on the sandbox."""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from os import EX_OK

from crawling import CrawlFolder, exit_status, stat
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


@contextmanager
def moved_clock(monkeypatch):
    """Let everything of ours go by this clock."""
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
        self.behave()

    def behave(self, **parts):
        """Let the sandbox have these parts of a profile from now on."""
        profile = Profile(data=DataBehaviour(hidden=0), **parts)
        self.sandbox = WatchedSandbox(profile, videos_per_day=PER_DAY, now=self.clock)

    async def night(self, number, **arguments):
        """Crawl in a night: how many requests that takes."""
        crawler = await self.crawl_at(number, **arguments)
        assert exit_status(crawler) == EX_OK
        return stat(crawler, "requests/sent_count")

    async def crawl_at(self, number, settings=None, **arguments):
        """Crawl in a night, however that ends."""
        self.clock.set_to(midnight(FIRST_NIGHT + number * DAY) + AT_FOUR)
        async with served(self.sandbox) as url:
            own = {"TIKTOK_SANDBOX": True, "TIKTOK_SANDBOX_URL": url}
            return await self.crawl(url, own | (settings or {}), **arguments)

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
            day, seen = map(moment, (created_at, crawl_started_at))
            published[video_id] = day.date()
            found[video_id].add((seen.date() - day.date()).days)
        return found, published


def moment(read):
    """A time as it comes from either database."""
    moment = datetime.fromisoformat(str(read))
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
