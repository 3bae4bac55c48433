"""Runs of checks on a database: what they ask about, and what files say, without a crawl."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import insert
from stored_pages import MINUTE, NOON

from tiktok_crawler.planning.quota import QuotaAccount
from tiktok_crawler.research_api.endpoints import Pool
from tiktok_crawler.research_api.tasks import PageRequest
from tiktok_crawler.storage.check_session import CheckSession
from tiktok_crawler.storage.ledger.runs import RunStart, begin_run
from tiktok_crawler.storage.models.records import Video

ACCOUNT = QuotaAccount("", Pool.RESEARCH).of_client("key-of-ann")
LONG_AGO = NOON - timedelta(days=100)


def store_videos(engine, ids, **values):
    """Store videos as if searches had brought them long ago."""
    rows = [{"id": id_, "crawled_at": LONG_AGO, **values} for id_ in ids]
    with engine.begin() as connection:
        connection.execute(insert(Video), rows)


class CheckRun:
    """One run of checks; each step is a minute after the one before."""

    def __init__(self, url, *, now=NOON, session=CheckSession, limit=0.05):
        self.now = now
        self.session = session(
            url, origin="sandbox", account=ACCOUNT, max_age=timedelta(days=15), limit=limit
        )

    def __enter__(self):
        self.session.open()
        engine = self.session.engine
        self.session.run_id = begin_run(engine, RunStart("compliance", {}), self.later())
        self.session.begin(self.now)
        self.plan = self.session.plan(self.now)
        return self

    def later(self):
        self.now += MINUTE
        return self.now

    def begin(self, *, nothing_open=True):
        return self.session.next_check(self.later(), nothing_open=nothing_open)

    def send(self, step):
        """Create a check, and return the step that downloads its file."""
        self.session.book(PageRequest(step, refreshes=True), self.later())
        task_id = str(10**19 + step.row_id)
        self.session.created(step, task_id)
        return step.status(task_id).download()

    def answer(self, step, *gone):
        """Let the file of a check list all ids but those that are gone."""
        download = self.send(step)
        return self.come(download, [id_ for id_ in step.ids if id_ not in gone])

    def come(self, download, listed):
        file = "".join(f"{id_}\n" for id_ in listed).encode()
        return self.session.came(download, file, self.later())

    def check(self, *gone):
        """Do all checks that there are to do."""
        while step := self.begin():
            self.answer(step, *gone)

    def decide(self):
        return self.session.decide(self.later())
