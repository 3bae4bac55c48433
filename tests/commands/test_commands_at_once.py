"""Commands that start at the same moment on one database, as processes."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from archived import content
from processes import scrapy, served_sandbox

from tiktok_crawler.storage.engine import database, migrations

pytestmark = pytest.mark.slow

QUERY = """
start_date: 2024-01-01
end_date: 2024-01-10
include: {{any_hashtags: [{hashtag}]}}
"""
STARTING_SECONDS = 1.5
"""How long commands are given to come where they wait; what comes later has not to wait."""


@contextmanager
def exclusively(url):
    """Nobody else changes the tables until the end of the block."""
    engine = database.create_engine_for(database.database_url(url))
    with migrations.exclusively(engine) as connection:
        yield connection
    engine.dispose()


def at_once(url, folder, *commands):
    """Run commands that wait for each other's tables, and go on together."""

    def run(arguments):
        return scrapy(folder, *arguments, TIKTOK_DATABASE_URL=url)

    with ThreadPoolExecutor(len(commands)) as threads:
        with exclusively(url):
            runs = [threads.submit(run, arguments) for arguments in commands]
            time.sleep(STARTING_SECONDS)
        return [run.result() for run in runs]


def test_two_crawls_create_an_empty_database_once(database_url, tmp_path):
    for hashtag in ("butter", "cheese"):
        (tmp_path / hashtag).write_text(QUERY.format(hashtag=hashtag))
    with served_sandbox(tmp_path) as url:
        sandbox = ("-s", "TIKTOK_SANDBOX=True", "-s", f"TIKTOK_SANDBOX_URL={url}")
        crawls = [("crawl", "videos", "-a", f"query={name}") for name in ("butter", "cheese")]
        runs = at_once(database_url, tmp_path, *((*crawl, *sandbox) for crawl in crawls))

    assert [(run.returncode, "Traceback" in run.stderr) for run in runs] == [(0, False)] * 2
    stored = content(database_url)
    assert len(stored["query"]) == 2
    assert {row["state"] for row in stored["crawl_window"]} == {"complete"}
    with exclusively(database_url) as connection:
        assert database.revision(connection) == database.HEAD


def test_two_migrations_set_up_an_empty_database_once(database_url, tmp_path):
    runs = at_once(database_url, tmp_path, ["migrate"], ["migrate"])

    assert [(run.returncode, run.stderr) for run in runs] == [(0, "")] * 2
    did, found_done = sorted((run.stdout for run in runs), key=len, reverse=True)
    assert did.endswith(f"brought from revision none to {database.HEAD}\n")
    assert found_done.endswith(f"up to date at revision {database.HEAD}\n")
