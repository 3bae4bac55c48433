"""PostgreSQL behind a PgBouncer in transaction mode: all that works there works without it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from os import EX_OK

import pytest
from collected import COLLECTED, read
from poolers import needs_pgbouncer, pooled
from postgres_server import temporary_database
from processes import scrapy, served_sandbox
from sqlalchemy import make_url

pytestmark = [needs_pgbouncer, pytest.mark.slow]

QUERY = """
start_date: 2024-01-01
end_date: 2024-01-06
tags: [ours]
include: {any_hashtags: [butter, cheese]}
also_collect: [users: {max_seeds: 5}]
"""
COMMENTS = (
    "crawl",
    "comments",
    "-a",
    "from_tag=ours",
    "-a",
    "max_seeds=3",
    "-a",
    "max_per_video=100",
)
DAY = ("-a", "start_date=2024-01-01", "-a", "end_date=2024-01-01")

COMMANDS = (
    ("crawl", "videos", "-a", "query=query.yaml"),
    ("crawl", "videos", "-a", "any_hashtags=tea", *DAY, "-a", "tags=others"),
    COMMENTS,
    ("plan", "comments", "-a", "from_tag=ours"),
    ("plan", "query.yaml"),
    ("crawl", "compliance"),
    ("status",),
    ("export", "dataset", "--format", "jsonl"),
    ("report", "-o", "report.html"),
    ("delete", "--tag", "others", "--yes"),
    ("migrate",),
)

CONTENT = COLLECTED | {
    "comments": "SELECT id, video_id, text, like_count FROM comment ORDER BY id",
    "users": "SELECT username, follower_count FROM user_info ORDER BY username",
    "seeds": "SELECT listing, seed, state, cursor FROM seed ORDER BY 1, 2",
}


@pytest.fixture(scope="module")
def pooler(postgres_url):
    """A pooler that has fewer sessions than a crawl has connections."""
    with pooled(postgres_url, sessions=2) as url:
        yield make_url(url)


@contextmanager
def two_ways(server_url, pooler):
    """The URL of a new database, and its URL behind the pooler."""
    with temporary_database(server_url) as url:
        behind = pooler.set(database=make_url(url).database)
        yield url, behind.render_as_string(hide_password=False)


def run_all(folder, url, api_url):
    """Run the commands in a folder that is made; what each said in full."""
    folder.mkdir()
    (folder / "query.yaml").write_text(QUERY)
    sandbox = ("-s", "TIKTOK_SANDBOX=True", "-s", f"TIKTOK_SANDBOX_URL={api_url}")
    for command in COMMANDS:
        run = scrapy(folder, *command, *sandbox, TIKTOK_DATABASE_URL=url)
        assert run.returncode == EX_OK, (command, run.stdout, run.stderr)
        assert "ERROR" not in run.stderr, run.stderr
        assert "WARNING" not in run.stderr, run.stderr


def test_every_command_does_the_same_behind_a_pooler(postgres_url, pooler, tmp_path):
    with (
        served_sandbox(tmp_path) as api_url,
        temporary_database(postgres_url) as alone,
        two_ways(postgres_url, pooler) as (url, behind),
    ):
        with ThreadPoolExecutor() as threads:
            folders = tmp_path / "alone", tmp_path / "behind"
            list(threads.map(run_all, folders, (alone, behind), (api_url, api_url)))

        found = read(url, CONTENT)
        assert all(found.values())
        assert found == read(alone, CONTENT)
