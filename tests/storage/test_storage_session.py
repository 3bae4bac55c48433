"""One run on a database: what it waits for, and when it has lost its right to go on."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from stored_pages import NOON, Search

from tiktok_crawler.exceptions import QueryLockedError

LATER = NOON + timedelta(hours=1)


def test_a_crawl_waits_for_a_writer_only_for_a_moment_at_a_time(
    prepared_sqlite_url, make_engine, begin
):
    run = begin(Search(prepared_sqlite_url))
    request = run.session.open_task(run.first(), NOON)
    with make_engine(prepared_sqlite_url).begin():
        begun = time.monotonic()
        with pytest.raises(OperationalError, match="locked"):
            run.session.book(request, LATER)
        assert run.session.result().plan.window_count == 1, "what only reads waits for nobody"
    assert time.monotonic() - begun < 5


def end_other_sessions(engine):
    with engine.connect() as connection:
        others = "datname = current_database() AND pid <> pg_backend_pid()"
        sessions = f"SELECT pid FROM pg_stat_activity WHERE {others}"
        connection.execute(text(f"SELECT pg_terminate_backend(pid) FROM ({sessions}) AS s"))


def test_a_lock_that_was_lost_and_found_is_lost_if_another_run_has_begun(
    prepared_postgresql_url, make_engine, begin
):
    run = begin(Search(prepared_postgresql_url))
    first = run.first()
    request = run.book(first, NOON)
    end_other_sessions(make_engine(prepared_postgresql_url))
    request = run.book(request, LATER)
    end_other_sessions(make_engine(prepared_postgresql_url))

    with Search(prepared_postgresql_url, now=LATER) as other:
        (resumed,) = other.session.plan(LATER).open_windows
        other.ask(resumed)

    for unbooked in (request, first, request):
        with pytest.raises(QueryLockedError, match="another crawl of it has begun meanwhile"):
            run.book(unbooked, LATER)
