"""Checks of existence on the sandbox: what is gone by then, and nothing else."""

from __future__ import annotations

import asyncio
from argparse import Namespace
from dataclasses import replace
from datetime import UTC, datetime
from os import EX_OK, EX_TEMPFAIL

import pytest
from crawling import CrawlFolder, exit_status, stat
from listing_crawls import SPIDERS
from marathon import first
from scrapy.crawler import Crawler
from scrapy.utils.defer import deferred_f_from_coro_f
from trials import WatchedSandbox, served

from tiktok_crawler.commands import gone as gone_command
from tiktok_crawler.commands import status as status_command
from tiktok_crawler.exceptions import UsageError
from tiktok_crawler.pipelines.storage import crawl_storage
from tiktok_crawler.reports.summary import Summary
from tiktok_crawler.research_api.endpoints import CHECK_STATUS
from tiktok_crawler.sandbox.faults.profile import (
    ComplianceBehaviour,
    DataBehaviour,
    Latency,
    Profile,
    Turnover,
)
from tiktok_crawler.sandbox.faults.schedule import FaultName, Requests, ScheduledFault

QUERY = """
start_date: 2024-01-01
end_date: 2024-01-31
include: {any_hashtags: [butter, cheese]}
view_count: {lte: 20000}
"""

LONG_AGO = "2024-06-01 00:00:00.000000"
CREATE = "/v2/research/validation_task/create/"


def world(*faults, turnover=None, **compliance):
    data = DataBehaviour(turnover=turnover) if turnover else DataBehaviour()
    return Profile(data=data, faults=faults, compliance=ComplianceBehaviour(**compliance))


LATER = Turnover(videos=0.03, accounts=0.01, renamed=0.01, growth=1)
MUCH_LATER = Turnover(videos=0.3)


class Study:
    """A folder, and crawls of it on the sandbox as it is at a time."""

    sandbox_type = WatchedSandbox

    def __init__(self, folder):
        self.folder = folder

    async def run(self, spider, profile=None, settings=None, **arguments):
        self.sandbox = self.sandbox_type(profile or world())
        async with served(self.sandbox) as url:
            self.settings = self.folder.settings(
                url,
                TIKTOK_SANDBOX=True,
                TIKTOK_SANDBOX_URL=url,
                TIKTOK_CHECK_DELAY=0,
                **(settings or {}),
            )
            crawler = Crawler(SPIDERS[spider], self.settings)
            await crawler.crawl_async(**arguments)
        return crawler

    async def collect(self):
        await self.run("videos", query=str(self.folder.query_file))
        self.videos = self.ids()

    async def collect_again(self, profile):
        self.grow_old()
        await self.run("videos", profile, query=str(self.folder.query_file), refresh_after="1d")

    async def check(self, profile=None, settings=None, **arguments):
        return await self.run("compliance", profile, settings, **{"max_age": "9 days"} | arguments)

    def grow_old(self, *, searched=LONG_AGO):
        """As if all had been collected long ago, and the days searched last at some time."""
        for table, column, at in (
            ("crawl_window", "searched_at", searched),
            ("crawl", "crawl_started_at", LONG_AGO),
            ("video", "crawled_at", LONG_AGO),
        ):
            self.folder.rows(f"UPDATE {table} SET {column} = '{at}'")

    @property
    def now(self):
        return f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S.%f}"

    def ids(self, condition="1 = 1", table="video"):
        return {row[0] for row in self.folder.rows(f"SELECT id FROM {table} WHERE {condition}")}

    @property
    def gone(self):
        return self.ids("gone_at IS NOT NULL")

    @property
    def missing(self):
        return self.ids("missing_since IS NOT NULL")

    def removed(self, table="video"):
        stored = self.ids(table=table)
        return stored - set(self.sandbox.still_there(table, sorted(stored)))

    def checks(self, *columns):
        return self.folder.rows(f"SELECT {', '.join(columns)} FROM compliance_check ORDER BY id")

    @property
    def creations(self):
        return sum(self.sandbox.statistics()["requests"].get(CREATE, {}).values())

    def decide(self, **options):
        gone_command.Command.act(
            Namespace(settings=self.settings),
            [],
            Namespace(**{"confirm": [], "reject": []} | options),
        )


@pytest.fixture
def folder(tmp_path, unused_url):
    found = CrawlFolder(tmp_path, unused_url)
    found.query_file.write_text(QUERY)
    return found


@pytest.fixture
def study(folder):
    return Study(folder)


@pytest.fixture
def quick_study(tmp_path):
    """A study with a SQLite file."""
    found = CrawlFolder(tmp_path)
    found.query_file.write_text(QUERY)
    return Study(found)


@pytest.mark.slow
@deferred_f_from_coro_f
async def test_all_that_is_gone_is_found_in_a_night_and_nothing_else(study):
    await study.collect()
    later = world(turnover=LATER)
    await study.collect_again(later)
    missing = study.missing

    crawler = await study.check(later)

    assert study.gone == study.removed()
    assert 3 < len(study.gone) < len(study.videos) / 10
    assert missing > study.gone, "some have left the query by growing"
    assert study.missing == study.gone
    assert exit_status(crawler) == EX_OK
    assert stat(crawler, "records/gone_count") == len(study.gone)
    assert stat(crawler, "requests/sent_count") == 6
    assert study.folder.rows("SELECT count(*) FROM compliance_check_record") == [(0,)]
    assert study.checks("is_second", "state", "verdict") == [
        (False, "done", None),
        (True, "done", "gone"),
    ]


@deferred_f_from_coro_f
async def test_what_no_search_asked_for_again_is_found_too(quick_study):
    study = quick_study
    await study.collect()
    study.grow_old()

    crawler = await study.check(world(turnover=LATER))

    assert study.gone == study.removed() != set()
    assert exit_status(crawler) == EX_OK


@pytest.mark.slow
@deferred_f_from_coro_f
async def test_comments_are_checked_like_videos(study):
    await study.collect()
    ids = sorted(study.videos)[:12]
    await study.run("comments", video_ids=",".join(map(str, ids)))
    study.folder.rows(f"UPDATE comment SET last_returned_at = '{LONG_AGO}'")
    study.grow_old()

    await study.check(world(turnover=LATER))

    assert study.checks("kind", "is_second", "state", "verdict", "error") == [
        ("video", False, "done", None, None),
        ("comment", False, "done", None, None),
        ("video", True, "done", "gone", None),
        ("comment", True, "done", "gone", None),
    ]
    assert study.ids("gone_at IS NOT NULL", "comment") == study.removed("comment") != set()


@deferred_f_from_coro_f
async def test_one_check_is_created_after_the_other_so_that_a_kill_leaves_one_in_doubt(study):
    await study.collect()
    await study.run("comments", video_ids=str(min(study.videos)))
    study.folder.rows(f"UPDATE comment SET last_returned_at = '{LONG_AGO}'")
    study.grow_old()
    in_doubt = []

    class SlowSandbox(WatchedSandbox):
        def answer(self, call):
            if call.path == CREATE:
                in_doubt.append(study.checks("state", "sent_at IS NOT NULL"))
            return super().answer(call)

    study.sandbox_type = SlowSandbox
    await study.check(replace(world(turnover=LATER), latency=Latency(seconds=0.1)))

    assert len(in_doubt) >= 3
    for checks in in_doubt:
        assert sum(state == "open" and is_sent for state, is_sent in checks) == 1


@deferred_f_from_coro_f
async def test_what_exists_is_asked_about_once_in_a_while(quick_study):
    study = quick_study
    await study.collect()
    crawler = await study.check(max_age="15 days")
    assert stat(crawler, "requests/sent_count") == 0, "it has just come"

    study.grow_old()
    assert stat(await study.check(max_age="15 days"), "requests/sent_count") == 3
    assert stat(await study.check(max_age="15 days"), "requests/sent_count") == 0


@deferred_f_from_coro_f
async def test_without_an_age_only_what_is_missing_is_asked_about(quick_study):
    study = quick_study
    await study.collect()
    study.grow_old()
    assert stat(await study.check(max_age="never"), "requests/sent_count") == 0

    one = min(study.videos)
    study.folder.rows(f"UPDATE video SET missing_since = '2024-06-02 00:00:00' WHERE id = {one}")
    assert stat(await study.check(max_age="never"), "requests/sent_count") == 3
    assert not study.missing


def fault_of(name, requests, **values):
    return ScheduledFault(fault=FaultName(name), of=Requests(requests), **values)


FAULTS = {
    "failed": fault_of("check_failed", "check_creations", every=2),
    "truncated": fault_of("truncated_file", "check_downloads", every=1, share=0.9),
    "cut line": fault_of("cut_line", "check_downloads", every=1, share=0.9),
    "unknown ids": fault_of("unknown_ids", "check_downloads", every=2, share=0.1),
    "500": fault_of("internal_error", "checks", every=2),
    "empty": fault_of("empty_file", "check_downloads", every=2),
    "CRLF": fault_of("crlf", "check_downloads", every=1),
    "header": fault_of("header_line", "check_downloads", every=1),
    "shuffled": fault_of("shuffled", "check_downloads", every=1),
}
HARMLESS = {"CRLF", "header", "shuffled", "500", "failed", "empty", "unknown ids"}


@pytest.mark.slow
@pytest.mark.parametrize("fault", first(5, FAULTS))
@deferred_f_from_coro_f
async def test_no_fault_makes_anything_gone_that_exists(quick_study, fault):
    study = quick_study
    await study.collect()
    study.grow_old()
    faulty = world(FAULTS[fault], turnover=LATER)

    for _ in range(3):
        await study.check(faulty)
        assert study.gone <= study.removed()

    assert (study.gone == study.removed()) == (fault in HARMLESS)
    await study.check(world(turnover=LATER))
    assert study.gone == study.removed()


@deferred_f_from_coro_f
async def test_a_check_that_takes_long_is_taken_up_by_the_next_run(study):
    await study.collect()
    study.grow_old()
    endless = world(turnover=LATER, processing_polls=100)

    crawler = await study.check(endless)
    assert exit_status(crawler) == EX_TEMPFAIL
    assert stat(crawler, "checks/left_count") == 1
    assert stat(crawler, "requests/sent_count") == 4
    assert study.checks("state") == [("processing",)]
    assert not study.gone


@pytest.mark.slow
@pytest.mark.parametrize("requests", first(2, (1, 3, 2, 4, 5)))
@deferred_f_from_coro_f
async def test_an_interrupted_check_goes_on_where_it_was(quick_study, requests):
    study = quick_study
    await study.collect()
    study.grow_old()
    later = world(turnover=LATER)
    study.sandbox = sandbox = WatchedSandbox(later)
    async with served(sandbox) as url:
        settings = {
            "TIKTOK_SANDBOX": True,
            "TIKTOK_SANDBOX_URL": url,
            "TIKTOK_CHECK_DELAY": 0,
        }
        given = study.folder.settings(url, **settings)
        for most in ({"max_requests": str(requests)}, {}):
            crawler = Crawler(SPIDERS["compliance"], given)
            await crawler.crawl_async(max_age="9 days", **most)

    assert exit_status(crawler) == EX_OK
    assert study.gone == study.removed() != set()
    assert study.creations == 2
    assert sum(count for (count,) in study.checks("requests")) <= 7, "asked about once more"


class Interrupting(WatchedSandbox):
    """Ends the crawl, as Ctrl-C does, when it is asked at a path."""

    at, crawler, loop = CREATE, None, None

    def answer(self, call):
        if call.path == self.at:
            asyncio.run_coroutine_threadsafe(self.crawler.stop_async(), self.loop)
        return super().answer(call)


@pytest.mark.parametrize("at", [CREATE, CHECK_STATUS.path])
@deferred_f_from_coro_f
async def test_an_interrupted_check_is_missing_in_the_summary(quick_study, at):
    study = quick_study
    await study.collect()
    study.grow_old()
    sandbox = Interrupting(world(turnover=LATER, processing_polls=100))
    async with served(sandbox) as url:
        settings = {
            "TIKTOK_SANDBOX": True,
            "TIKTOK_SANDBOX_URL": url,
            "TIKTOK_CHECK_DELAY": 0.01 if at == CHECK_STATUS.path else 60,
        }
        crawler = Crawler(SPIDERS["compliance"], study.folder.settings(url, **settings))
        sandbox.at, sandbox.crawler, sandbox.loop = at, crawler, asyncio.get_running_loop()
        await crawler.crawl_async(max_age="9 days")

    assert exit_status(crawler) == EX_TEMPFAIL
    assert stat(crawler, "checks/left_count") == 1
    checks = crawl_storage(crawler).checks_result
    summary = Summary((), (), crawler.stats.get_stats(), "here", checks=checks)
    text = summary.text(command="scrapy crawl compliance", now=datetime.now(UTC))
    assert "ended      early: it was interrupted, by Ctrl-C or a signal\n" in text
    assert "existence  1 check left to a later run\n" in text
    assert text.endswith("now, or whenever you like\n  command    scrapy crawl compliance")


class TakenOver(WatchedSandbox):
    """Lets others end the check that it is asked to create, or about, before it answers."""

    study, at, loses_lock = None, CREATE, False

    def answer(self, call):
        if call.path == self.at and not self.study.checks("id = 1 AND state = 'done'")[0][0]:
            self.study.folder.rows("UPDATE compliance_check SET state = 'done', task_id = '5'")
            if self.loses_lock:
                for lock in self.study.folder.path.glob("*.lock"):
                    lock.unlink()
        return super().answer(call)


@pytest.mark.parametrize("loses_lock", [False, True])
@pytest.mark.parametrize(("at", "requests"), [(CREATE, 1), (CHECK_STATUS.path, 2)])
@deferred_f_from_coro_f
async def test_a_check_that_others_have_taken_over_is_theirs(
    quick_study, caplog, at, requests, loses_lock
):
    study = quick_study
    await study.collect()
    study.grow_old()
    names = {"study": study, "at": at, "loses_lock": loses_lock}
    study.sandbox_type = type("TakenOverHere", (TakenOver,), names)

    crawler = await study.check(world(turnover=LATER))

    assert study.checks("state", "task_id", "requests") == [("done", "5", requests)]
    assert stat(crawler, "requests/sent_count") == requests
    assert exit_status(crawler) == EX_TEMPFAIL
    ending = "lock_lost" if loses_lock else "finished"
    assert crawler.stats.get_value("finish_reason") == ending
    message = "the lock on checks of existence is lost" if loses_lock else "has done so meanwhile"
    assert message in caplog.text
    assert "Traceback" not in caplog.text


@deferred_f_from_coro_f
async def test_a_kind_that_is_refused_stops_no_other(quick_study):
    study = quick_study
    await study.collect()
    await study.run("comments", video_ids=str(min(study.videos)))
    study.grow_old()
    study.folder.rows(f"UPDATE comment SET last_returned_at = '{LONG_AGO}'")

    crawler = await study.check(world(turnover=LATER, refused_categories=("comment",)))

    assert study.gone == study.removed()
    assert exit_status(crawler) == EX_TEMPFAIL
    assert [kind for kind, state in study.checks("kind", "state") if state == "failed"] == [
        "comment"
    ]


@deferred_f_from_coro_f
async def test_so_much_gone_at_once_is_held_until_a_person_says_so(study, capsys):
    await study.collect()
    study.grow_old()
    later = world(turnover=MUCH_LATER)

    for _ in range(2):
        crawler = await study.check(later)
        assert exit_status(crawler) == EX_TEMPFAIL
        assert not study.gone
    assert study.checks("verdict") == [(None,), ("held",)]
    said = status_command._report(study.settings, as_json=False)
    assert "scrapy gone --confirm 2" in said

    with pytest.raises(UsageError, match="check 1 waits for no word of a person; waiting: 2"):
        study.decide(confirm=[1])
    study.decide(confirm=[2])
    assert "check 2: " in capsys.readouterr().out
    assert study.gone == study.removed()
    assert exit_status(await study.check(later)) == EX_OK


@deferred_f_from_coro_f
async def test_what_a_person_rejects_is_asked_about_again(quick_study):
    study = quick_study
    await study.collect()
    study.grow_old()
    await study.check(world(turnover=MUCH_LATER))

    study.decide(reject=[2])

    assert not study.gone
    assert study.folder.rows("SELECT count(*) FROM compliance_check_record") == [(0,)]
    study.folder.rows(f"UPDATE compliance_check SET created_at = '{LONG_AGO}'")
    await study.check(world())
    assert not study.gone
    assert study.checks("verdict")[-1] == (None,)


@deferred_f_from_coro_f
async def test_candidates_are_no_reason_to_hold_anything(quick_study):
    study = quick_study
    await study.collect()
    later = world(turnover=MUCH_LATER)
    await study.collect_again(later)
    study.folder.rows("UPDATE video SET missing_since = '2024-06-02 00:00:00.000000'")

    crawler = await study.check(later)

    assert study.gone == study.removed()
    assert len(study.gone) > len(study.videos) / 5
    assert exit_status(crawler) == EX_OK


@deferred_f_from_coro_f
async def test_what_comes_back_is_gone_no_more(quick_study):
    study = quick_study
    await study.collect()
    study.grow_old()
    await study.check(world(turnover=LATER))
    assert study.gone

    await study.collect_again(world())

    assert not study.gone
    assert not study.missing


@pytest.mark.slow
@deferred_f_from_coro_f
async def test_what_is_gone_is_deleted_after_a_time_of_grace(study):
    await study.collect()
    study.grow_old()
    later = world(turnover=LATER)
    settings = {"TIKTOK_ON_GONE": "delete"}

    crawler = await study.check(later, settings)
    gone = study.gone
    assert gone
    assert stat(crawler, "records/deleted_count") == 0, "not before the time of grace has passed"

    crawler = await study.check(later, settings | {"TIKTOK_GONE_GRACE": 0})
    assert stat(crawler, "records/deleted_count") == len(gone)
    assert study.ids() == study.videos - gone
    assert study.folder.rows("SELECT kind, why, check_id, records FROM removal") == [
        ("video", "gone", 2, len(gone))
    ]
    assert study.folder.rows("SELECT count(*) FROM kept_out") == [(0,)], "they may come back"


@pytest.mark.slow
@deferred_f_from_coro_f
async def test_the_nightly_crawl_checks_what_it_keeps_fresh(study):
    study.folder.query_file.write_text(f"{QUERY}keep_fresh: 15 days\n")
    await study.collect()
    study.grow_old(searched=study.now)

    later = world(turnover=LATER)
    crawler = await study.run("videos", later, query=str(study.folder.query_file))

    assert study.gone == study.removed() != set()
    assert stat(crawler, "requests/sent_count") == 6
    assert exit_status(crawler) == EX_OK
    again = await study.run("videos", later, query=str(study.folder.query_file))
    assert stat(again, "requests/sent_count") == 0


@deferred_f_from_coro_f
async def test_with_counters_only_what_days_do_not_bring_again_is_checked(quick_study):
    study = quick_study
    study.folder.query_file.write_text(f"{QUERY}keep_fresh: 15 days with counters\n")
    await study.collect()
    study.grow_old()

    later = world(turnover=LATER)
    crawler = await study.run("videos", later, query=str(study.folder.query_file))

    assert study.gone == study.removed() != set()
    assert stat(crawler, "checks/done_count") == 2


@pytest.mark.slow
@deferred_f_from_coro_f
async def test_new_days_leave_of_the_quota_what_checks_take(quick_study):
    study = quick_study
    study.folder.query_file.write_text(f"{QUERY}keep_fresh: 15 days\n")
    await study.collect()
    study.grow_old(searched=study.now)
    study.folder.rows("DELETE FROM api_quota")
    more = QUERY.replace("end_date: 2024-01-31", "end_date: 2024-12-31")
    study.folder.query_file.write_text(f"{more}keep_fresh: 15 days\n")

    later = world(turnover=LATER)
    settings = {"TIKTOK_DAILY_BUDGET": 20}
    crawler = await study.run("videos", later, settings, query=str(study.folder.query_file))

    assert exit_status(crawler) == EX_TEMPFAIL
    assert study.gone
    assert study.folder.rows("SELECT requests, refreshes FROM api_quota") == [(20, 6)]
