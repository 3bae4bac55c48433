"""The commands of docs/recipes.md work as they stand there, and cost what it says."""

from __future__ import annotations

import re
import shlex
import shutil
import sqlite3
import subprocess
from collections import Counter
from dataclasses import dataclass
from datetime import date
from os import EX_OK
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from crawling import exit_status
from listing_crawls import ListingDatabase
from marathon import first
from processes import SCRAPY, environment
from sandboxes import recording_sandbox
from scrapy.utils.defer import deferred_f_from_coro_f
from several_queries import OTHERS, collect_others, one_of, truth

from tiktok_crawler.storage.engine import database

if TYPE_CHECKING:
    from tiktok_crawler.sandbox import Sandbox

pytestmark = pytest.mark.slow

DOCUMENT = (Path(__file__).parents[1] / "docs" / "recipes.md").read_text(encoding="utf-8")
INTRODUCTION, *SECTIONS = re.split(r"^## ", DOCUMENT, flags=re.MULTILINE)
ALL_SECONDS = 900

# As if every command had been typed with this setting.
SANDBOX = f'scrapy() {{ {shlex.quote(SCRAPY)} "$@" -s TIKTOK_SANDBOX=True; }}\n'

COST = re.compile(
    r"[Nn]o requests|(?:^|: +)(?:About [\d,]+ requests?, )?(?:[Aa]t least )?"
    r"([\d,]+)(?: to ([\d,]+))?(?: requests?)?(?:: |, and one more)",
    re.MULTILINE,
)


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


# On the databases of the tests the recipes' query is not the first.
OF_QUERY_1, OF_QUERY_3 = "query_id = 1", "query_id = 3"

STATEMENTS = [statement for section in SECTIONS for statement in blocks(section, "sql")]


@dataclass
class Kitchen:
    """A folder in which recipes are followed, with a database of its own."""

    folder: Path

    def run(self, commands: str) -> str:
        """What some lines of a shell print."""
        run = subprocess.run(
            ["bash", "-euc", SANDBOX + commands],
            cwd=self.folder,
            env=environment(self.folder, TIKTOK_DATABASE_URL="sqlite:///tiktok.db"),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=ALL_SECONDS,
            check=False,
        )
        assert run.returncode == 0, run.stderr
        return run.stdout

    def rows(self, statement: str) -> list[tuple[object, ...]]:
        connection = sqlite3.connect(self.folder / "tiktok.db")
        try:
            with connection:
                return connection.execute(statement.replace(OF_QUERY_1, OF_QUERY_3)).fetchall()
        finally:
            connection.close()

    @property
    def requests(self) -> int:
        """All that were booked so far."""
        if not (self.folder / "tiktok.db").exists():
            return 0
        ((requests,),) = self.rows("SELECT sum(requests) FROM api_quota")
        return int(str(requests))

    def run_each(self, commands: list[str]) -> int:
        """How many requests some commands take; what a plan says right before a crawl is true."""
        before, said = self.requests, None
        for command in commands:
            began = self.requests
            printed = self.run(command)
            if said and command.split()[2:] == said[0]:
                least, most = said[1]
                assert least <= self.requests - began <= most, command
            costs = COST.findall(printed)
            said = (command.split()[2:], bounds(costs[-1])) if costs else None
        return self.requests - before


def bounds(cost: tuple[str, str]) -> tuple[int, int]:
    least, most = (int(number.replace(",", "") or 0) for number in cost)
    return least, most or 10**6


@pytest.fixture(scope="module")
def kitchen(tmp_path_factory) -> Kitchen:
    folder = tmp_path_factory.mktemp("recipes")
    (query,) = blocks(INTRODUCTION, "yaml")
    (folder / "bread.yaml").write_text(query)
    collect_others(folder, TIKTOK_DATABASE_URL="sqlite:///tiktok.db")
    return Kitchen(folder)


def follow(kitchen: Kitchen, section: str) -> None:
    commands = [line for block in blocks(section, "sh") for line in block.splitlines()]
    (promised,) = re.findall(r"In\s+the\s+sandbox:\s+([\d,]+)\s+requests", section)
    assert kitchen.run_each(commands) == int(promised.replace(",", "")), section.splitlines()[0]
    for statement in blocks(section, "sql"):
        assert kitchen.rows(statement), statement


@pytest.mark.marathon
def test_each_recipe_can_be_followed_and_costs_what_it_says(kitchen):
    if shutil.which("sqlite3") is None:
        pytest.skip("the recipes use the program sqlite3")
    assert len(SECTIONS) >= 8
    for section in SECTIONS:
        follow(kitchen, section)
    check_the_hundred_most_discussed(kitchen)
    check_the_network(kitchen)
    check_the_tables(kitchen.folder)
    check_a_week_later(kitchen)


def check_the_hundred_most_discussed(kitchen):
    counts = [count for (count,) in kitchen.rows("SELECT comment_count FROM video")]
    listed = kitchen.rows(
        "SELECT comment_count FROM video JOIN seed ON seed.seed = CAST(video.id AS TEXT)"
        " WHERE listing = 'comments' AND state = 'complete'"
    )
    # Reposted videos came later, and are no videos of the hashtag.
    assert len(listed) == 100
    assert len(counts) > 100


def check_the_network(kitchen):
    states = kitchen.rows("SELECT count(*) FROM seed WHERE listing = 'following'")
    assert states == [(25,)]


def check_the_tables(folder):
    profiles = (folder / "profiles.csv").read_text(encoding="utf-8").splitlines()
    assert profiles[0].startswith("username,")
    assert (folder / "comments.csv").read_text(encoding="utf-8").startswith("id,video_id,")


def check_a_week_later(kitchen):
    """Next Monday every profile is asked for once more, and what has changed can be read."""
    (section,) = [section for section in SECTIONS if blocks(section, "crontab")]
    (command,) = blocks(section, "sh")
    (cron,) = blocks(section, "crontab")
    assert f".venv/bin/{command.strip()} >> " in cron
    (growth,) = blocks(section, "sql")
    kitchen.rows(
        "UPDATE seed SET completed_at ="
        " strftime('%Y-%m-%d %H:%M:%f000', completed_at, '-7 days', '+10 minutes')"
        " WHERE listing = 'users'"
    )
    for table in ("api_quota", "api_quota_share"):
        kitchen.rows(f"UPDATE {table} SET day = date(day, '-7 days')")
    kitchen.rows("UPDATE user_info SET follower_count = -7 WHERE status = 'found'")
    ((authors,),) = kitchen.rows(
        "SELECT count(DISTINCT username) FROM video"
        " JOIN videos_to_query_tags ON video_id = video.id"
        " JOIN query_tag ON query_tag.id = query_tag_id WHERE name = 'bread'"
    )
    assert kitchen.run_each([command.strip()]) == authors
    grown = [name for name, _, count in kitchen.rows(growth) if count == -7]
    assert len(grown) > authors * 0.9


BREAD = {"and": [one_of("hashtag_name", "bread")]}
FIRST_DAYS = date(2024, 1, 1), date(2024, 1, 2)


@dataclass
class Larder:
    """A database of three queries, with lists of each, of which the recipes' query is the last."""

    database: ListingDatabase
    sandbox: Sandbox

    async def fill(self, folder: Path) -> None:
        for name, text in OTHERS.items():
            (folder / name).write_text(text)
            await self.crawl("videos", query=str(folder / name))
        (query,) = blocks(INTRODUCTION, "yaml")
        (folder / "bread.yaml").write_text(query)
        await self.crawl("videos", query=str(folder / "bread.yaml"), end_date="2024-01-02")
        for tag in ("bread", "other"):
            await self.crawl("comments", from_tag=tag, max_seeds="4")
            await self.crawl("users", from_tag=tag, max_seeds="60")
            await self.crawl("reposted_videos", from_tag=tag, max_seeds="12", tags="reposted")

    async def crawl(self, spider: str, **arguments: str) -> None:
        crawler = await self.database.crawl(spider, **arguments)
        assert exit_status(crawler) == EX_OK

    def rows(self, title: str) -> list[tuple[Any, ...]]:
        """The answer to the only statement of the recipe whose title has these words."""
        (section,) = [text for text in SECTIONS if title in text.splitlines()[0]]
        (statement,) = blocks(section, "sql")
        assert statement.count(OF_QUERY_1) == 1
        return self.database.rows(statement.replace(OF_QUERY_1, OF_QUERY_3))

    def truth(self, listing: str, seed: str) -> list[dict[str, Any]]:
        """The records of a seed; none if the API does not list them."""
        found = self.sandbox.truth(listing, seed)
        return found if isinstance(found, list) else []


@pytest.mark.parametrize("prepared_url", first(1, ["sqlite", "postgresql"]), indirect=True)
@deferred_f_from_coro_f
async def test_the_sql_of_recipes_is_about_one_query_of_three(prepared_url, tmp_path):
    with recording_sandbox() as (sandbox, url):
        larder = Larder(ListingDatabase(prepared_url, url), sandbox)
        await larder.fill(tmp_path)

    videos = {video["id"]: video for video in truth(BREAD, *FIRST_DAYS)}
    check_the_profiles(larder, videos)
    check_the_comments(larder, videos)
    check_the_reposts(larder, videos)


def check_the_profiles(larder: Larder, videos: dict[int, dict[str, Any]]) -> None:
    listed = larder.rows("profiles of their authors")
    assert sorted(row[0] for row in listed) == sorted(videos)
    authors = {video["username"] for video in videos.values()}
    found = {name for name in authors if larder.truth("users", name)}
    assert {row[1] for row in listed if row[5] == "found"} == found
    assert {row[0] for row in larder.rows("How accounts grow")} == found


def check_the_comments(larder: Larder, videos: dict[int, dict[str, Any]]) -> None:
    counts = {id_: video["comment_count"] for id_, video in videos.items()}
    most = sorted(counts, key=lambda id_: (-counts[id_], id_))[:4]
    assert {row[0]: row[1] for row in larder.rows("All comments")} == {
        id_: counts[id_] for id_ in most
    }


def check_the_reposts(larder: Larder, videos: dict[int, dict[str, Any]]) -> None:
    of_author = Counter(video["username"] for video in videos.values())
    first = sorted(of_author, key=lambda name: (-of_author[name], name))[:12]
    reposts = Counter(
        video["username"] for name in first for video in larder.truth("reposted_videos", name)
    )
    listed = larder.rows("What accounts repost")
    assert listed
    assert [row[1] for row in listed] == [reposts[row[0]] for row in listed]


@pytest.mark.parametrize("statement", STATEMENTS)
def test_each_sql_query_is_understood_by_postgresql(prepared_postgresql_url, statement):
    engine = database.create_engine_for(database.database_url(prepared_postgresql_url))
    with engine.connect() as connection:
        assert connection.exec_driver_sql(statement).all() == []
    engine.dispose()
