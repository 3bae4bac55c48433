"""A Python whose SQLite is too old is told in one line, before anything is opened or asked for."""

from __future__ import annotations

import sqlite3
import subprocess
import sys

import pytest
from marathon import in_marathon
from processes import environment

from tiktok_crawler.exceptions import ConfigurationError
from tiktok_crawler.storage.engine.database import database_url

AS_OLD = """
import sqlite3, sys
sqlite3.sqlite_version, sqlite3.sqlite_version_info = "3.34.1", (3, 34, 1)
from scrapy.cmdline import execute
execute(["scrapy", *sys.argv[1:]])
"""
"""No test can bring an old library; this is where Python tells which one it has."""

COMMANDS = [
    ("crawl", "videos", "-a", "query=query.yaml"),
    in_marathon(("plan", "query.yaml")),
    in_marathon(("status",)),
    in_marathon(("migrate",)),
]


@pytest.fixture
def old_sqlite(monkeypatch):
    monkeypatch.setattr(sqlite3, "sqlite_version", "3.34.1")
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 34, 1))


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_every_command_names_the_version_found_the_one_needed_and_the_ways_out(tmp_path, command):
    run = subprocess.run(
        [sys.executable, "-c", AS_OLD, *command, "-s", "TIKTOK_SANDBOX=True"],
        cwd=tmp_path,
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.returncode, run.stdout, run.stderr.count("\n")) == (78, "", 1)
    assert run.stderr.startswith("error: this Python has SQLite 3.34.1, and 3.35 or later")
    for way_out in ("uv's", "conda's", "PostgreSQL"):
        assert way_out in run.stderr
    assert not list(tmp_path.glob("*.db"))


@pytest.mark.usefixtures("old_sqlite")
def test_a_script_is_told_too_and_postgresql_does_not_need_it():
    with pytest.raises(ConfigurationError, match=r"3\.34\.1"):
        database_url("sqlite:///tiktok.db")
    assert database_url("postgresql://h/d")


def test_the_first_version_with_returning_is_enough(monkeypatch):
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 35, 0))
    assert database_url("sqlite:///tiktok.db")
