"""The commands of docs/recipes.md work as they stand there, and cost what it says."""

from __future__ import annotations

import re
import shlex
import shutil
import sqlite3
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from processes import SCRAPY, environment

from tiktok_crawler.storage.engine import database

DOCUMENT = (Path(__file__).parents[1] / "docs" / "recipes.md").read_text(encoding="utf-8")
INTRODUCTION, *SECTIONS = re.split(r"^## ", DOCUMENT, flags=re.MULTILINE)
ALL_SECONDS = 900

# As if every command had been typed with this setting.
SANDBOX = f'scrapy() {{ {shlex.quote(SCRAPY)} "$@" -s TIKTOK_SANDBOX=True; }}\n'

COST = re.compile(r"Requests: +(?:none|at least ([\d,]+)(?:, at most ([\d,]+))?)")


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


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
                return connection.execute(statement).fetchall()
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
    kitchen.rows("UPDATE user_info SET follower_count = -7 WHERE status = 'found'")
    ((authors,),) = kitchen.rows(
        "SELECT count(DISTINCT username) FROM video"
        " JOIN videos_to_query_tags ON video_id = video.id"
        " JOIN query_tag ON query_tag.id = query_tag_id WHERE name = 'bread'"
    )
    assert kitchen.run_each([command.strip()]) == authors
    grown = [name for name, _, count in kitchen.rows(growth) if count == -7]
    assert len(grown) > authors * 0.9


@pytest.mark.parametrize("statement", STATEMENTS)
def test_each_sql_query_is_understood_by_postgresql(prepared_postgresql_url, statement):
    engine = database.create_engine_for(database.database_url(prepared_postgresql_url))
    with engine.connect() as connection:
        assert connection.exec_driver_sql(statement).all() == []
    engine.dispose()
