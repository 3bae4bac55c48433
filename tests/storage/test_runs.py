"""Table `run`: when a run began, and how it ended."""

from __future__ import annotations

from datetime import timedelta

from stored_pages import NOON, first_request, page, row, rows, video

from tiktok_crawler.storage.ledger.runs import (
    RunEnd,
    RunStart,
    begin_run,
    end_run,
    recent_runs,
    version,
)
from tiktok_crawler.storage.page_store import PageStore

START = RunStart("videos", {"query": "query.yaml", "tags": "a\x00b"}, job="26c5")
HOUR = timedelta(hours=1)


def last(engine):
    with engine.connect() as connection:
        return next(iter(recent_runs(connection)), None)


def test_a_run_is_there_as_soon_as_it_has_begun(engine):
    run_id = begin_run(engine, START, NOON)

    assert row(engine, "run") == {
        "id": run_id,
        "spider": "videos",
        "arguments": {"query": "query.yaml", "tags": "ab"},
        "job": "26c5",
        "version": version(),
        "begun_at": NOON,
        "ended_at": None,
        "close_reason": None,
        "exit_status": None,
        "requests": 0,
        "faults": {},
        "feeds": [],
        "exports": [],
    }
    run = last(engine)
    assert (run.spider, run.job, run.begun_at) == ("videos", "26c5", NOON)
    assert (run.ended_at, run.close_reason, run.exit_status, run.requests) == (None, None, None, 0)


def test_its_end_is_written_into_its_own_row_and_can_be_corrected(engine):
    first, second = (begin_run(engine, START, NOON) for _ in range(2))
    end_run(engine, first, RunEnd("finished", 0, 7), NOON + HOUR)
    end_run(engine, first, RunEnd("finished", 70, 7, {"fault": 2}, ("a.csv",)), NOON + 2 * HOUR)

    ended, other = rows(engine, "run")
    assert (ended["close_reason"], ended["exit_status"], ended["requests"]) == ("finished", 70, 7)
    assert (ended["faults"], ended["feeds"]) == ({"fault": 2}, ["a.csv"])
    assert ended["ended_at"] == NOON + 2 * HOUR
    assert (other["id"], other["ended_at"]) == (second, None)


def test_the_last_run_is_the_one_that_began_last(engine):
    assert last(engine) is None
    first = begin_run(engine, START, NOON)
    begin_run(engine, RunStart("users", {}), NOON + HOUR)
    end_run(engine, first, RunEnd("finished", 0), NOON + 2 * HOUR)

    assert (last(engine).spider, last(engine).begun_at) == ("users", NOON + HOUR)
    assert last(engine).ended_at is None


def test_a_page_tells_which_run_asked_for_it(engine):
    request = first_request(engine)
    run_id = begin_run(engine, START, NOON)
    PageStore(engine).save(page(request, video(1)), tags=(), run_id=run_id)

    assert row(engine, "crawl")["run_id"] == run_id
