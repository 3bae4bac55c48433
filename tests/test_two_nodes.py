"""Several crawls of one query or listing with one PostgreSQL share it, whatever becomes of one."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from os import EX_OK, EX_TEMPFAIL
from typing import TYPE_CHECKING, Any

import list_trials
import pytest
import trials
from collected import COLLECTED, read
from marathon import in_marathon
from poolers import needs_pgbouncer, pooled
from postgres_server import temporary_database
from processes import scrapy, started
from sandboxes import served_by_thread
from scrapyd_nodes import CONF, node, until
from sqlalchemy import create_engine, make_url, text

from tiktok_crawler.sandbox.faults.profile import Latency, Profile, QuotaBehaviour

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from processes import Started

pytestmark = pytest.mark.slow

QUERY = """
start_date: 2024-01-01
end_date: 2024-01-24
tags: [ours]
query: {and: [{operation: GTE, field_name: view_count, field_values: ["0"]}]}
"""
VIDEOS = ("crawl", "videos", "-a", "query=query.yaml", "-s", "TIKTOK_WINDOW_DAYS=1")
COMMENTS = ("crawl", "comments", "-a", "from_tag=ours", "-a", "max_seeds=24")
COMMENTS += ("-a", "max_per_video=100")
SIDE_BY_SIDE = 2
"""How many windows or seeds a node works on at a time."""
SLOWLY = Latency(seconds=0.2)
VERY_SLOWLY = Latency(seconds=0.5)

RUNS = "SELECT close_reason, exit_status FROM run ORDER BY id"
PAGES = "SELECT run_id, count(*) FROM crawl WHERE run_id IS NOT NULL GROUP BY 1 ORDER BY 1"
OPEN = "SELECT id FROM crawl_window WHERE state = 'open'"
OLDEST = "(SELECT min(id) FROM worker)"
LISTED = {
    "comments": "SELECT id, video_id, text, like_count FROM comment ORDER BY id",
    "seeds": "SELECT listing, seed, state, cursor FROM seed ORDER BY 1, 2",
}
MOVED = text("UPDATE worker SET process = NULL WHERE name LIKE :name")
RUN_OUT = text(
    "UPDATE worker SET alive_until = alive_until - interval '2 minutes' WHERE name LIKE :name"
)


@dataclass
class Group:
    """People who crawl in a folder, with one database, and one sandbox that remembers all."""

    folder: Path
    database_url: str
    sandbox: Any
    api_url: str
    seen_by_nodes: str = ""
    """The URL of the database for the nodes, if it is another one."""
    settings: tuple[str, ...] = field(default=("-s", f"CONCURRENT_REQUESTS={SIDE_BY_SIDE}"))

    def __post_init__(self) -> None:
        self.folder.mkdir()
        (self.folder / "query.yaml").write_text(QUERY)
        sandbox = ("-s", "TIKTOK_SANDBOX=True", "-s", f"TIKTOK_SANDBOX_URL={self.api_url}")
        self.settings = (*self.settings, *sandbox)
        self.variables = {"TIKTOK_DATABASE_URL": self.seen_by_nodes or self.database_url}

    def begin(self) -> None:
        """Make the tables, and let the query succeed once: until then it is asked alone."""
        run = scrapy(self.folder, *VIDEOS, "-a", "max_requests=1", *self.settings, **self.variables)
        assert run.returncode == EX_TEMPFAIL, run.stderr

    def crawl(self, *command: str) -> Any:
        """Crawl to the end, in the foreground."""
        return scrapy(self.folder, *command, *self.settings, **self.variables)

    @contextmanager
    def at_work(self, *command: str) -> Iterator[Started]:
        """A node that has begun: a request of it is on its way, or answered."""
        before = len(self.sandbox.exchanges)
        with started(self.folder, *command, *self.settings, **self.variables) as process:
            until(lambda: len(self.sandbox.exchanges) > before or process.poll() is not None)
            yield process

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return read(self.database_url, {"": sql})[""]

    def change(self, statement: Any, process: Started) -> None:
        """Change the row of a node that is at work."""
        engine = create_engine(self.database_url)
        with engine.begin() as connection:
            name = f"% {process.pid}"
            assert connection.execute(statement, {"name": name}).rowcount == 1
        engine.dispose()


@pytest.fixture
def make_group(tmp_path, postgres_url):
    """Makes groups that end with the test."""
    with ExitStack() as stack:

        def make(sandbox: Any, *, pooler: str | None = None) -> Group:
            url = stack.enter_context(temporary_database(postgres_url))
            behind = pooler and make_url(pooler).set(database=make_url(url).database)
            seen = behind.render_as_string(hide_password=False) if behind else ""
            api_url = stack.enter_context(served_by_thread(sandbox))
            return Group(tmp_path / "group", url, sandbox, api_url, seen)

        yield make


@pytest.fixture(scope="module")
def alone(postgres_url, tmp_path_factory):
    """What one node collects alone, of an API that is quick: the content, and all requests."""
    searches, lists = trials.WatchedSandbox(Profile()), list_trials.WatchedSandbox(Profile())
    found = {}
    for sandbox, commands in ((searches, [VIDEOS]), (lists, [VIDEOS, COMMENTS])):
        folder = tmp_path_factory.mktemp("alone") / "group"
        with temporary_database(postgres_url) as url, served_by_thread(sandbox) as api_url:
            group = Group(folder, url, sandbox, api_url)
            for command in commands:
                assert group.crawl(*command).returncode == EX_OK
            found |= read(url, COLLECTED if sandbox is searches else LISTED)
    return found, len(searches.exchanges), len(lists.exchanges)


def watched(latency: Latency = SLOWLY) -> Any:
    return trials.WatchedSandbox(Profile(latency=latency))


def ended(process: Started) -> tuple[int, str]:
    """The exit status and the output of a node."""
    output, _ = process.communicate(timeout=300)
    assert "Traceback" not in output, output
    return process.wait(), output


def crawl_together(group: Group, *command: str, status: int = EX_OK) -> None:
    """Let two nodes crawl at a time; both end with a status."""
    with group.at_work(*command) as first, group.at_work(*command) as second:
        ends = [ended(first), ended(second)]
    assert [found for found, _ in ends] == [status, status], ends


def check_shared(group: Group, runs: int, reasons: tuple[Any, ...] = ("finished", EX_OK)) -> None:
    """So many runs have each done a part, and ended in order."""
    assert group.rows(RUNS)[-runs:] == [reasons] * runs
    pages = dict(group.rows(PAGES)[-runs:])
    assert len(pages) == runs
    assert all(pages.values()), pages


def check_content(group: Group, queries: Any, content: Any) -> None:
    """There is the same as one node collects alone."""
    found = read(group.database_url, queries)
    assert all(found.values())
    assert found == {name: content[name] for name in queries}


def test_two_nodes_share_a_query(make_group, alone):
    group = make_group(watched())
    group.begin()
    crawl_together(group, *VIDEOS)
    check_shared(group, 2)
    assert trials.asked_again(group.sandbox.exchanges) == []
    content, requests, _ = alone
    check_content(group, COLLECTED, content)
    assert len(group.sandbox.exchanges) == requests


@pytest.mark.marathon
@needs_pgbouncer
def test_two_nodes_share_a_query_behind_a_pooler(make_group, postgres_url):
    with pooled(postgres_url, sessions=2) as pooler:
        group = make_group(watched(), pooler=pooler)
        group.begin()
        crawl_together(group, *VIDEOS)

    check_shared(group, 2)
    assert trials.asked_again(group.sandbox.exchanges) == []


def test_what_a_dead_node_leaves_is_done_by_another_of_its_machine_at_once(make_group, alone):
    group = make_group(watched())
    group.begin()
    with group.at_work(*VIDEOS) as first, group.at_work(*VIDEOS) as second:
        first.kill()
        first.wait()
        end = ended(second)

    check_done_by_the_second(group, end)
    check_content(group, COLLECTED, alone[0])


def test_what_a_dead_node_leaves_is_done_by_one_of_another_machine_two_minutes_later(make_group):
    group = make_group(watched())
    group.begin()
    with group.at_work(*VIDEOS) as first, group.at_work(*VIDEOS) as second:
        group.change(MOVED, first)
        first.kill()
        first.wait()
        until(lambda: group.rows(OPEN) == group.rows(f"{OPEN} AND worker_id = {OLDEST}"))
        assert group.rows(OPEN)
        group.change(RUN_OUT, first)
        end = ended(second)

    check_done_by_the_second(group, end)


def check_done_by_the_second(group: Group, end: tuple[int, str]) -> None:
    status, output = end
    assert status == EX_OK, output
    assert group.rows(RUNS)[-2:] == [(None, None), ("finished", EX_OK)]
    assert group.rows(OPEN) == []
    check_paid(group)


def check_paid(group: Group) -> None:
    """No page was asked for twice, but those that were on their way when a node died."""
    asked = Counter((each.task, each.cursor) for each in group.sandbox.exchanges)
    assert sum(asked.values()) - len(asked) <= SIDE_BY_SIDE


@pytest.mark.marathon
def test_two_nodes_share_the_seeds_of_a_listing(make_group, alone):
    group = make_group(list_trials.WatchedSandbox(Profile(latency=SLOWLY)))
    assert group.crawl(*VIDEOS).returncode == EX_OK
    crawl_together(group, *COMMENTS)
    check_shared(group, 2)
    assert trials.asked_again(group.sandbox.exchanges) == []
    content, _, requests = alone
    check_content(group, LISTED, content)
    assert len(group.sandbox.exchanges) == requests


def test_two_nodes_send_together_not_one_request_more_than_the_budget(make_group):
    group = make_group(watched())
    group.begin()
    limit = ("-s", "TIKTOK_DAILY_BUDGET=12")
    crawl_together(group, *VIDEOS, *limit, status=EX_TEMPFAIL)
    assert len(group.sandbox.exchanges) == 12
    check_shared(group, 2, ("daily_budget_spent", EX_TEMPFAIL))


def test_two_nodes_that_use_the_quota_up_are_refused_once_for_each_request_on_its_way(make_group):
    profile = Profile(latency=SLOWLY, quota=QuotaBehaviour(daily=12))
    group = make_group(trials.WatchedSandbox(profile))
    group.begin()
    stop = ("-s", "TIKTOK_QUOTA_POLICY=stop")
    crawl_together(group, *VIDEOS, *stop, status=EX_TEMPFAIL)
    pages = [each for each in group.sandbox.exchanges if each.page is not None]
    assert len(pages) == 12
    assert len(group.sandbox.exchanges) - len(pages) <= 2 * SIDE_BY_SIDE
    assert trials.asked_again(group.sandbox.exchanges) == []


@pytest.mark.parametrize("latency", [SLOWLY, in_marathon(VERY_SLOWLY)])
def test_two_nodes_of_scrapyds_share_a_query_and_one_is_killed(
    make_group, alone, latency, tmp_path
):
    group = make_group(watched(latency))
    group.begin()
    settings = [("setting", each) for each in group.settings if each != "-s"]
    given = (("query", "query.yaml"), ("setting", "TIKTOK_WINDOW_DAYS=1"), *settings)
    with ExitStack() as stack:
        daemons = []
        for name in ("first", "second"):
            (tmp_path / name).mkdir()
            (tmp_path / name / "query.yaml").write_text(QUERY)
            daemons.append(stack.enter_context(node(tmp_path / name, CONF, **group.variables)))
        first, second = daemons
        with ThreadPoolExecutor() as threads:
            jobs = list(threads.map(lambda daemon: daemon.schedule("videos", *given), daemons))
        until(lambda: len(dict(group.rows(PAGES))) == 3)
        first.kill_job(jobs[0])
        second.wait(jobs[1])

        runs = dict(group.rows("SELECT job, exit_status FROM run WHERE job IS NOT NULL"))
        assert runs == {jobs[0]: None, jobs[1]: EX_OK}, second.log("videos", jobs[1])
    check_paid(group)
    check_content(group, COLLECTED, alone[0])
