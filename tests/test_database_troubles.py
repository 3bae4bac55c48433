"""A database that goes away, or has no room left: the crawl waits or ends, and nothing is lost."""

from __future__ import annotations

import asyncio
import json
import os
import resource
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from crawling import CrawlFolder, exit_status
from postgres_server import RestartableServer, restartable_server, temporary_database
from processes import environment
from sandboxes import served_by_thread
from scrapy.utils.defer import deferred_f_from_coro_f
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.pool import NullPool
from trials import QUERY, QUERY_FILE, WANTED, WatchedSandbox, asked_again, logged_problems

from tiktok_crawler.crawling import storage_thread
from tiktok_crawler.sandbox.faults.profile import Latency, Profile
from tiktok_crawler.storage import session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from scrapy.crawler import Crawler

pytestmark = pytest.mark.slow

SLOWLY = Profile(latency=Latency(seconds=0.05))
VIDEOS_PER_DAY = 150
WINDOW_DAYS = 2
"""Five windows of three pages each, or of two: enough to be in the middle of."""

OUTAGE_AFTER = 5
LONGEST_SECONDS = 40
TROUBLE_SECONDS = 3

IMPATIENT = """
import sys
from scrapy.cmdline import execute
from tiktok_crawler.crawling import storage_thread
storage_thread.PATIENCE_SECONDS = 1.0
execute(["scrapy", *sys.argv[1:]])
"""
CRAWL = ("crawl", "videos", "-a", "query=query.yaml", "-s", "TIKTOK_SANDBOX=True")
CRAWL += ("-s", f"TIKTOK_WINDOW_DAYS={WINDOW_DAYS}")


@pytest.fixture(scope="module")
def server() -> Iterator[RestartableServer]:
    """A PostgreSQL server of this file's own."""
    with restartable_server() as running:
        yield running


@pytest.fixture
def folder(server, tmp_path) -> Iterator[CrawlFolder]:
    crawl_folder = CrawlFolder(tmp_path)
    crawl_folder.query_file.write_text(QUERY_FILE)
    with temporary_database(server.url) as crawl_folder.database_url:
        yield crawl_folder
        server.start()


@pytest.fixture
def sandbox() -> WatchedSandbox:
    return WatchedSandbox(SLOWLY, videos_per_day=VIDEOS_PER_DAY)


async def crawl(folder: CrawlFolder, api_url: str) -> Crawler:
    return await folder.crawl(
        api_url,
        {
            "TIKTOK_SANDBOX": True,
            "TIKTOK_SANDBOX_URL": api_url,
            "TIKTOK_WINDOW_DAYS": WINDOW_DAYS,
            "CLOSESPIDER_TIMEOUT": LONGEST_SECONDS,
        },
    )


async def outage(
    server: RestartableServer, sandbox: WatchedSandbox, seconds: float = LONGEST_SECONDS
) -> None:
    """Stop the server in the middle of a crawl, for so long."""
    await midst(sandbox)
    server.stop()
    await asyncio.sleep(seconds)
    server.start()


async def midst(sandbox: WatchedSandbox) -> None:
    """Wait for the middle of a crawl."""
    while len(sandbox.exchanges) < OUTAGE_AFTER:  # noqa: ASYNC110 - it is served by a thread
        await asyncio.sleep(0.01)


async def time_out(url: str, sandbox: WatchedSandbox) -> None:
    """Lock, where statements may not take long."""
    administer(url, f"ALTER DATABASE {make_url(url).database} SET statement_timeout = '500ms'")
    await lock(url, sandbox)


async def lock(url: str, sandbox: WatchedSandbox) -> None:
    """Keep others from writing videos for a while."""
    await midst(sandbox)
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("LOCK TABLE video IN SHARE MODE"))
        await asyncio.sleep(TROUBLE_SECONDS)
    engine.dispose()


async def fail_over(url: str, sandbox: WatchedSandbox) -> None:
    """Let the server take no writes for a while, as if another one were becoming the primary."""
    await midst(sandbox)
    database = make_url(url).database
    end_sessions = (
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}'"
    )
    administer(url, f"ALTER DATABASE {database} SET default_transaction_read_only = on")
    administer(url, f"{end_sessions} AND pid <> pg_backend_pid()")
    await asyncio.sleep(TROUBLE_SECONDS)
    # Who stays connected can still only read.
    administer(url, f"ALTER DATABASE {database} SET default_transaction_read_only = off")


def administer(url: str, statement: str) -> None:
    engine = create_engine(url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with engine.connect() as connection:
        connection.execute(text("SET default_transaction_read_only = off"))
        connection.execute(text(statement))


def check_all_there(database_url: str, sandbox: WatchedSandbox) -> None:
    """The database equals the truth, and no page is stored twice."""
    engine = create_engine(database_url)
    with engine.connect() as connection:
        videos = set(connection.scalars(text("SELECT id FROM video")))
        pages = list(connection.scalars(text("SELECT log_id FROM crawl")))
    engine.dispose()
    assert videos == {video["id"] for video in sandbox.matches(QUERY, WANTED.start, WANTED.end)}
    assert len(pages) == len(set(pages))


@deferred_f_from_coro_f
async def test_a_server_that_comes_back_is_waited_for(folder, server, sandbox):
    with served_by_thread(sandbox) as url, logged_problems() as problems:
        trouble = asyncio.ensure_future(outage(server, sandbox, TROUBLE_SECONDS))
        crawler = await crawl(folder, url)
        await trouble
    assert problems == []
    assert exit_status(crawler) == 0
    assert asked_again(sandbox.exchanges) == []
    check_all_there(folder.database_url, sandbox)


@pytest.mark.parametrize("trouble", [lock, time_out, fail_over])
@deferred_f_from_coro_f
async def test_a_server_that_refuses_for_a_while_is_waited_for(
    monkeypatch, folder, sandbox, trouble
):
    monkeypatch.setattr(session, "QUEUED_SECONDS", 1)
    with served_by_thread(sandbox) as url, logged_problems() as problems:
        begun = asyncio.ensure_future(trouble(folder.database_url, sandbox))
        crawler = await crawl(folder, url)
        await begun
    assert problems == []
    assert exit_status(crawler) == 0
    assert crawler.stats.get_value("tiktok/storage/outage_count") > 0
    assert asked_again(sandbox.exchanges) == []
    check_all_there(folder.database_url, sandbox)


@deferred_f_from_coro_f
async def test_a_server_that_stays_away_ends_the_crawl_and_no_page_is_marked(
    monkeypatch, folder, server, sandbox
):
    monkeypatch.setattr(storage_thread, "PATIENCE_SECONDS", 1.0)
    with served_by_thread(sandbox) as url:
        with logged_problems() as problems:
            trouble = asyncio.ensure_future(outage(server, sandbox))
            stopped = await crawl(folder, url)
            trouble.cancel()
        delivered = {each.log_id for each in sandbox.exchanges if each.page is not None}
        server.start()
        marked = pages_of(folder.database_url)
        crawler = await crawl(folder, url)
    assert problems == []
    assert exit_status(stopped) == 70
    assert stopped.stats.get_value("finish_reason") == "storage_failed"
    assert marked < delivered
    assert exit_status(crawler) == 0
    assert len(asked_again(sandbox.exchanges)) <= len(delivered - marked)
    check_all_there(folder.database_url, sandbox)


@pytest.fixture
def one_at_a_time(server) -> Iterator[str]:
    """The URL of a role that is given one connection."""
    with temporary_database(server.url) as database_url:
        engine = create_engine(database_url, poolclass=NullPool)
        with engine.begin() as connection:
            connection.execute(text("CREATE ROLE lonely LOGIN CONNECTION LIMIT 1"))
            connection.execute(text("GRANT CREATE ON SCHEMA public TO lonely"))
        yield make_url(database_url).set(username="lonely").render_as_string(hide_password=False)
        with engine.begin() as connection:
            connection.execute(text("DROP OWNED BY lonely"))
            connection.execute(text("DROP ROLE lonely"))


@deferred_f_from_coro_f
async def test_a_connection_that_is_not_to_be_had_is_waited_for(
    monkeypatch, one_at_a_time, folder, sandbox, caplog
):
    monkeypatch.setattr(storage_thread, "PATIENCE_SECONDS", 1.0)
    folder.database_url = one_at_a_time
    days = f"start_date: {WANTED.start}\nend_date: {WANTED.end}\n"
    folder.query_file.write_text(f"{days}each: {{hashtags: [butter, cheese]}}\n")
    with served_by_thread(sandbox) as url, logged_problems() as problems:
        crawler = await crawl(folder, url)
    assert problems == []
    assert exit_status(crawler) == 70
    assert "The database cannot be used now, and is tried again" in caplog.text
    assert "Traceback" not in caplog.text


def pages_of(database_url: str) -> set[str]:
    engine = create_engine(database_url)
    with engine.connect() as connection:
        pages = set(connection.scalars(text("SELECT log_id FROM crawl")))
    engine.dispose()
    return pages


def run(folder: Path, api_url: str, limit: Callable[[], None] | None = None) -> Any:
    """A crawl as a process that does not wait long for its database.

    What coverage writes of it would meet the same troubles.
    """
    variables = environment(folder, TIKTOK_DATABASE_URL="sqlite:///crawl.db")
    return subprocess.run(
        [sys.executable, "-c", IMPATIENT, *CRAWL, "-s", f"TIKTOK_SANDBOX_URL={api_url}"],
        cwd=folder,
        env={k: v for k, v in variables.items() if not k.startswith("COVERAGE_")},
        capture_output=True,
        text=True,
        timeout=LONGEST_SECONDS,
        preexec_fn=limit,
        check=False,
    )


@contextmanager
def small_disk(path: Path) -> Iterator[None]:
    """A disk of one megabyte is mounted there."""
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(path)]
    if os.geteuid() or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only root can mount a small disk")
    try:
        yield
    finally:
        subprocess.run(["umount", str(path)], check=True)


def limit_file_size() -> None:
    """No file may have more than 600 KB; Python ignores the signal that says so."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, 600_000))


def check_stopped_in_order(stopped: Any, folder: Path, sandbox: WatchedSandbox) -> None:
    """One clear message, status 70, and in the database whole pages that can be read.

    What fails can be a page, or the booking before it.
    """
    assert stopped.returncode == 70, stopped.stderr
    assert "Traceback" not in stopped.stderr
    errors = [line for line in stopped.stderr.splitlines() if "] ERROR" in line]
    assert len(errors) == 1, json.dumps(errors, indent=1)
    delivered = {each.log_id for each in sandbox.exchanges if each.page is not None}
    assert set() < pages_of(f"sqlite:///{folder / 'crawl.db'}") <= delivered


def test_a_full_disk_ends_the_crawl_and_the_next_one_goes_on(tmp_path, sandbox):
    with small_disk(tmp_path), served_by_thread(sandbox) as url:
        (tmp_path / "query.yaml").write_text(QUERY_FILE)
        stopped = run(tmp_path, url)
        check_stopped_in_order(stopped, tmp_path, sandbox)
        subprocess.run(["mount", "-o", "remount,size=64m", str(tmp_path)], check=True)
        finished = run(tmp_path, url)
        assert finished.returncode == 0, finished.stderr
        check_all_there(f"sqlite:///{tmp_path / 'crawl.db'}", sandbox)


def test_a_file_that_may_not_grow_ends_the_crawl_and_the_next_one_goes_on(tmp_path, sandbox):
    with served_by_thread(sandbox) as url:
        (tmp_path / "query.yaml").write_text(QUERY_FILE)
        for _ in range(2):
            # The second time the file may not grow from the beginning.
            check_stopped_in_order(run(tmp_path, url, limit_file_size), tmp_path, sandbox)
        finished = run(tmp_path, url)
    assert finished.returncode == 0, finished.stderr
    check_all_there(f"sqlite:///{tmp_path / 'crawl.db'}", sandbox)
