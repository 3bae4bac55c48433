"""One run on a database: what it waits for, and when it has lost its right to go on."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from stored_pages import ACCOUNT, JANUARY, NOON, collection, page

from tiktok_crawler.exceptions import QueryLockedError
from tiktok_crawler.planning.coverage import Freshness
from tiktok_crawler.planning.plan import Wanted
from tiktok_crawler.research_api.tasks import PageRequest
from tiktok_crawler.storage.search_session import SearchSession

WANTED = Wanted(JANUARY, ("id",), Freshness(timedelta(days=2)))
LATER = NOON + timedelta(hours=1)


@pytest.fixture
def open_session(request):
    """Opens sessions on a database, which are closed when the test ends."""

    def open_on(url):
        session = SearchSession(
            url, origin="sandbox", collection=collection(), wanted=WANTED, account=ACCOUNT
        )
        request.addfinalizer(session.close)
        session.open()
        return session

    return open_on


def test_a_crawl_waits_for_a_writer_only_for_a_moment_at_a_time(
    prepared_sqlite_url, make_engine, open_session
):
    session = open_session(prepared_sqlite_url)
    session.plan(NOON)
    with make_engine(prepared_sqlite_url).begin():
        begun = time.monotonic()
        with pytest.raises(OperationalError, match="locked"):
            session.book(PageRequest(None, JANUARY, ("id",), 100), LATER)
        assert session.close().plan.window_count == 1, "nothing to write, nothing to wait for"
    assert time.monotonic() - begun < 5


def end_other_sessions(engine):
    with engine.connect() as connection:
        others = "datname = current_database() AND pid <> pg_backend_pid()"
        sessions = f"SELECT pid FROM pg_stat_activity WHERE {others}"
        connection.execute(text(f"SELECT pg_terminate_backend(pid) FROM ({sessions}) AS s"))


def test_a_lock_that_was_lost_and_found_is_lost_if_another_run_has_begun(
    prepared_postgresql_url, make_engine, open_session
):
    first, later = PageRequest(None, JANUARY, ("id",), 100), LATER + timedelta(hours=1)
    session = open_session(prepared_postgresql_url)
    session.plan(NOON)
    request = session.book(first, NOON)
    end_other_sessions(make_engine(prepared_postgresql_url))
    request = session.book(request, LATER)
    end_other_sessions(make_engine(prepared_postgresql_url))

    other = open_session(prepared_postgresql_url)
    (resumed,) = other.plan(later).open_windows
    other.save_page(page(other.book(resumed, later), received_at=later))
    other.close()

    for unbooked in (request, first, request):
        with pytest.raises(QueryLockedError, match="another crawl of it has begun meanwhile"):
            session.book(unbooked, later)
