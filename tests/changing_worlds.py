"""Nights of a study whose world changes: searches, checks, deletions and replays at random.

A night is one command. What is removed stays so, and each night is twenty days after the one
before. After each the database has nothing marked as gone that the API still lists, lacks nothing
that it lists, and holds nothing that a person asked to delete.
"""

from __future__ import annotations

from argparse import Namespace
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from archived import replay
from crawling import CrawlFolder
from listing_crawls import SPIDERS
from new_databases import new_database
from scrapy.crawler import Crawler
from sqlalchemy import create_engine, text
from trials import WatchedSandbox, logged_problems, served

from tiktok_crawler.commands import delete as delete_command
from tiktok_crawler.commands import gone as gone_command
from tiktok_crawler.sandbox.faults.profile import (
    ComplianceBehaviour,
    DataBehaviour,
    Profile,
    SearchBehaviour,
    Turnover,
)
from tiktok_crawler.sandbox.faults.schedule import FaultName, Requests, ScheduledFault
from tiktok_crawler.storage.models.base import Base

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from pathlib import Path
    from random import Random

QUERY = """
start_date: 2024-01-01
end_date: 2024-01-20
include: {any_hashtags: [butter, cheese]}
view_count: {lte: 20000}
"""
DAYS_BETWEEN = 20

TURNOVERS = (
    None,
    Turnover(videos=0.02, renamed=0.02),
    Turnover(videos=0.04, accounts=0.01, renamed=0.04, growth=0.2),
    Turnover(videos=0.06, accounts=0.02, renamed=0.06, growth=1),
    Turnover(videos=0.3, accounts=0.05, renamed=0.08, growth=1),
)
"""Each removes what the one before has removed, and more."""

TIMES = {
    "crawl_window": ("searched_at",),
    "crawl": ("crawl_started_at",),
    "video": ("crawled_at", "crawled_updated_at", "missing_since", "gone_at"),
    "comment": ("crawled_at", "last_returned_at", "missing_since", "gone_at"),
    "compliance_check": ("created_at", "sent_at", "ended_at", "verdict_at"),
}
EARLIER = {
    "sqlite": f"strftime('%Y-%m-%d %H:%M:%f', {{0}}, '-{DAYS_BETWEEN} days') || '000'",
    "postgresql": f"{{0}} - interval '{DAYS_BETWEEN} days'",
}

OF_SEARCHES = tuple(
    ScheduledFault(fault=fault, of=Requests.SEARCHES, **when)
    for fault in (FaultName.SEARCH_LOST, FaultName.INTERNAL_ERROR, FaultName.TRUNCATED_JSON)
    for when in ({"rate": 0.3}, {"request": 2})
)
OF_CHECKS = (
    *(
        ScheduledFault(fault=fault, of=Requests.CHECK_DOWNLOADS, share=share, **when)
        for fault in (
            FaultName.TRUNCATED_FILE,
            FaultName.CUT_LINE,
            FaultName.EMPTY_FILE,
            FaultName.UNKNOWN_IDS,
            FaultName.SHUFFLED,
            FaultName.CRLF,
            FaultName.HEADER_LINE,
        )
        for share in (0.5, 0.99)
        for when in ({"rate": 0.6}, {"every": 1}, {"request": 1}, {"request": 2})
    ),
    *(
        ScheduledFault(fault=fault, of=Requests.CHECK_CREATIONS, rate=0.5)
        for fault in (FaultName.CHECK_FAILED, FaultName.CHECK_ENDLESS)
    ),
    ScheduledFault(fault=FaultName.INTERNAL_ERROR, of=Requests.CHECKS, rate=0.4),
)


@dataclass
class Asked:
    """What persons asked to delete."""

    ids: defaultdict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    names: set[str] = field(default_factory=set)


class Nights:
    """A folder with an archive, and the nights of its study."""

    def __init__(self, path: Path, chance: Random, database_url: str = "") -> None:
        self.folder = CrawlFolder(path, database_url)
        self.folder.query_file.write_text(QUERY)
        self.chance = chance
        self.level = 0
        self.asked = Asked()
        self.known: defaultdict[str, set[int]] = defaultdict(set)
        self.told: list[str] = []
        self.settings: dict[str, Any] = {
            "TIKTOK_SANDBOX": True,
            "TIKTOK_ARCHIVE": str(path / "archive"),
            "TIKTOK_CHECK_DELAY": 0,
            "DOWNLOAD_MAXSIZE": 2**22,
            "TIKTOK_PROBE_INTERVAL": 0.01,
            "TIKTOK_PROBE_TIMES": 2,
        }
        self.replays = 0

    async def happen(self, number: int) -> None:
        """Let so many nights happen, and in the end one on which all is there again."""
        await self._night(self.search)
        deeds: Sequence[Callable[[], Awaitable[None]]] = (
            *[self.search] * 3,
            *[self.check] * 5,
            self.list_comments,
            self.delete,
            self.decide,
            self.replay,
        )
        for _ in range(number):
            if self.chance.random() < 0.4:
                self.level = min(self.level + 1, len(TURNOVERS) - 1)
            await self._night(self.chance.choice(deeds))
        await self._end()

    async def _night(self, deed: Callable[[], Awaitable[None]]) -> None:
        self.told.append(f"{deed.__name__}, world {self.level}")
        self._let_time_pass()
        with logged_problems() as problems:
            await deed()
        assert problems == [], self.told
        self._check_invariants()

    async def search(self, *, is_good: bool = False) -> None:
        chance = self.chance
        faults = () if is_good or chance.random() < 0.5 else (chance.choice(OF_SEARCHES),)
        searches = SearchBehaviour(
            silent_share=0 if is_good else chance.choice([0, 0, 0.1, 0.3]),
            silent_tries=chance.choice([None, 1]),
        )
        world = self._world(faults=faults, searches=searches)
        query = str(self.folder.query_file)
        await self._crawl("videos", world, query=query, refresh_after="1 day")

    async def check(self) -> None:
        chance = self.chance
        faults = tuple(chance.sample(OF_CHECKS, chance.choice([0, 1, 1, 2])))
        polls = ComplianceBehaviour(processing_polls=chance.choice([0, 0, 1, 5]))
        world = self._world(faults=faults, compliance=polls)
        deletes = chance.random() < 0.3
        settings = {
            "TIKTOK_GONE_LIMIT": chance.choice([0.05, 1]),
            "TIKTOK_ON_GONE": "delete" if deletes else "mark",
            "TIKTOK_GONE_GRACE": 0,
        }
        most = {"max_requests": str(chance.randint(1, 8))} if chance.random() < 0.3 else {}
        age = chance.choice(["9 days", "never"])
        await self._crawl("compliance", world, settings, max_age=age, **most)

    async def list_comments(self) -> None:
        videos = sorted(self._ids("video"))
        some = self.chance.sample(videos, min(3, len(videos)))
        ids = ",".join(map(str, some))
        await self._crawl("comments", self._world(), video_ids=ids, max_per_video="60")

    async def delete(self) -> None:
        named: dict[str, Any] = dict.fromkeys(("usernames", "video_ids", "comment_ids"))
        what = self.chance.choice(list(named))
        if what == "usernames":
            names = self._column("SELECT DISTINCT username FROM video ORDER BY 1")
            chosen = self.chance.sample([name for name in names if name], min(2, len(names)))
            self.asked.names |= set(chosen)
            listed = ", ".join(f"'{name}'" for name in chosen)
            self._keep_out(self._ids("video", f"username IN ({listed})") if chosen else set())
        else:
            table = what.removesuffix("_ids")
            ids = sorted(self._ids(table))
            chosen = self.chance.sample(ids, min(3, len(ids)))
            if table == "video":
                self._keep_out(set(chosen))
            self.asked.ids[table] |= set(chosen)
        if chosen:
            self._delete(named | {what: ",".join(map(str, chosen))})

    async def decide(self) -> None:
        """Let a person say that what is held is so, or that it is not."""
        held = self._column("SELECT id FROM compliance_check WHERE verdict = 'held'")
        if held:
            words: dict[str, list[int]] = {"confirm": [], "reject": []}
            for check_id in held:
                words[self.chance.choice(list(words))].append(check_id)
            self._act(gone_command.Command, words)

    async def replay(self) -> None:
        self.replays += 1
        path = self.folder.path / f"replayed-{self.replays}.db"
        url = new_database(path)
        replay(url, self.folder.path / "archive")
        self._check_asked(url)
        path.unlink()

    async def _end(self) -> None:
        """All is there again: a search on a good day brings it back, and checks find no more."""
        self.level = 0
        for _ in range(2):
            self._let_time_pass()
            await self.search(is_good=True)
        self._check_asked(self.folder.database_url)
        assert not self._ids("video", "gone_at IS NOT NULL"), self.told
        assert self.known["video"] <= self._ids("video") | self.asked.ids["video"], self.told

    def _check_invariants(self) -> None:
        self._check_asked(self.folder.database_url)
        sandbox = WatchedSandbox(self._world())
        for table in ("video", "comment"):
            there = self._ids(table)
            self.known[table] |= there
            gone = self._ids(table, "gone_at IS NOT NULL")
            lost = self.known[table] - there - self.asked.ids[table]
            wrong = sandbox.still_there(table, sorted(gone | lost))
            assert wrong == [], self.told

    def _check_asked(self, url: str) -> None:
        for table, ids in self.asked.ids.items():
            assert not ids & set(self._column(f"SELECT id FROM {table}", url)), self.told
        for table in ("video", "user_info"):
            names = set(self._column(f"SELECT username FROM {table}", url))
            assert not self.asked.names & names, self.told

    def _keep_out(self, videos: set[int]) -> None:
        self.asked.ids["video"] |= videos
        under = ", ".join(map(str, videos)) or "0"
        comments = self._ids("comment", f"video_id IN ({under})")
        self.asked.ids["comment"] |= comments

    def _world(self, **values: Any) -> Profile:
        turnover = TURNOVERS[self.level]
        seed = self.chance.randrange(1000)
        return Profile(seed=seed, data=DataBehaviour(turnover=turnover), **values)

    async def _crawl(
        self, spider: str, world: Profile, settings: dict[str, Any] | None = None, **arguments: str
    ) -> None:
        sandbox = WatchedSandbox(world)
        async with served(sandbox) as url:
            given = self.settings | {"TIKTOK_SANDBOX_URL": url} | (settings or {})
            crawler = Crawler(SPIDERS[spider], self.folder.settings(url, **given))
            await crawler.crawl_async(**arguments)

    def _delete(self, named: dict[str, Any]) -> None:
        none = dict.fromkeys(("query", "tag", "older_than", "gone", "dry_run", "vacuum"))
        self._act(delete_command.Command, none | {"yes": True, "archive": []} | named)

    def _act(self, command: Any, options: dict[str, Any]) -> None:
        settings = self.folder.settings("", **self.settings)
        command.act(Namespace(settings=settings), [], Namespace(**options))

    def _let_time_pass(self) -> None:
        engine = create_engine(self.folder.database_url)
        earlier = EARLIER[engine.dialect.name]
        with engine.begin() as connection:
            for table, columns in TIMES.items():
                changes = ", ".join(f"{name} = {earlier.format(name)}" for name in columns)
                connection.execute(text(f"UPDATE {table} SET {changes}"))
        engine.dispose()

    def _ids(self, table: str, condition: str = "1 = 1") -> set[int]:
        assert table in Base.metadata.tables
        return set(self._column(f"SELECT id FROM {table} WHERE {condition}"))

    def _column(self, statement: str, url: str | None = None) -> list[Any]:
        engine = create_engine(url or self.folder.database_url)
        with engine.connect() as connection:
            found = [row[0] for row in connection.exec_driver_sql(statement)]
        engine.dispose()
        return found
