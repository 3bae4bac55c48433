"""Crawls that Scrapyd starts and stops, as docs/nodes.md has it."""

from __future__ import annotations

from os import EX_CONFIG, EX_OK, EX_TEMPFAIL, EX_USAGE

import pytest
from collected import read
from processes import scrapy
from sandboxes import served_by_thread
from scrapyd_nodes import CONF, node, until
from trials import QUERY, QUERY_FILE, WANTED, WatchedSandbox, asked_again

from tiktok_crawler.sandbox.faults.profile import Latency, Profile

pytestmark = pytest.mark.slow

RUNS = {"runs": "SELECT job, close_reason, exit_status, arguments, feeds FROM run ORDER BY id"}
VIDEOS = {"videos": "SELECT id FROM video ORDER BY id"}


def setting(name: str, value: object) -> tuple[str, str]:
    return "setting", f"{name}={value}"


@pytest.fixture(scope="module")
def daemon(tmp_path_factory):
    """A node with a query file, which also writes feeds."""
    folder = tmp_path_factory.mktemp("node")
    (folder / "query.yaml").write_text(QUERY_FILE)
    with node(folder, CONF, "items_dir = scrapyd/items") as daemon:
        yield daemon


@pytest.fixture
def sandbox():
    return WatchedSandbox(Profile(latency=Latency(seconds=0.05)))


@pytest.fixture
def database_url(sqlite_url):
    return sqlite_url


@pytest.fixture
def crawl(sandbox, database_url):
    """The parameters of a crawl of the query, from the sandbox into the database."""
    with served_by_thread(sandbox) as url:
        yield (
            ("query", "query.yaml"),
            setting("TIKTOK_SANDBOX", value=True),
            setting("TIKTOK_SANDBOX_URL", url),
            setting("TIKTOK_DATABASE_URL", database_url),
        )


def truth_of(sandbox):
    return sorted(video["id"] for video in sandbox.matches(QUERY, WANTED.start, WANTED.end))


def runs_of(url):
    return read(url, RUNS)["runs"]


def test_a_job_collects_writes_its_feed_and_is_named_in_its_run(
    daemon, crawl, sandbox, database_url
):
    job = daemon.schedule("videos", ("priority", "1"), *crawl)
    daemon.wait(job)

    assert [row[0] for row in read(database_url, VIDEOS)["videos"]] == truth_of(sandbox)
    assert "Missing      nothing" in daemon.log("videos", job)
    [(name, reason, status, arguments, feeds)] = runs_of(database_url)
    assert (name, reason, status) == (job, "finished", EX_OK)
    assert "query.yaml" in arguments
    assert "_job" not in arguments
    assert f"{job}.jl" in feeds
    told = scrapy(daemon.folder, "status", TIKTOK_DATABASE_URL=database_url).stdout
    assert f"Last run: videos, job {job}, begun" in told


def test_a_cancelled_job_ends_in_order_and_the_next_one_goes_on(
    daemon, crawl, sandbox, database_url
):
    narrow = setting("TIKTOK_WINDOW_DAYS", 1)
    slowly = setting("CONCURRENT_REQUESTS", 1)
    first = daemon.schedule("videos", narrow, slowly, *crawl)
    until(lambda: len(sandbox.exchanges) > 1)
    daemon.cancel(first)
    daemon.wait(first)
    second = daemon.schedule("videos", narrow, *crawl)
    daemon.wait(second)

    ends = [run[:3] for run in runs_of(database_url)]
    assert ends == [(first, "shutdown", EX_TEMPFAIL), (second, "finished", EX_OK)]
    assert asked_again(sandbox.exchanges) == []
    assert [row[0] for row in read(database_url, VIDEOS)["videos"]] == truth_of(sandbox)


def test_what_cannot_be_is_refused_in_one_sentence(daemon, crawl, tmp_path):
    before = len((daemon.folder / "daemon.log").read_text())
    for given in (setting("JOBDIR", "jobs"), ("nonsense", "1")):
        daemon.wait(daemon.schedule("videos", given, *crawl))

    said = (daemon.folder / "daemon.log").read_text()[before:]
    assert "JOBDIR must not be set: " in said
    assert "Under Scrapyd, leave jobs_dir empty" in said
    assert f"exitstatus={EX_CONFIG} " in said
    assert "-a nonsense=...: there is no such argument" in said
    assert f"exitstatus={EX_USAGE} " in said
    assert "Traceback" not in said
    assert not list(tmp_path.iterdir())
