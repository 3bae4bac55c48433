"""One run on a database: what it waits for, and when it has lost its right to go on."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
from sqlalchemy.exc import OperationalError
from stored_pages import ACCOUNT, JANUARY, NOON, collection

from tiktok_crawler.collection.plan import Wanted
from tiktok_crawler.collection.windows import Freshness
from tiktok_crawler.items import PageRequest
from tiktok_crawler.storage.session import Session

WANTED = Wanted(JANUARY, ("id",), Freshness(timedelta(days=2)))
LATER = NOON + timedelta(hours=1)


@pytest.fixture
def open_session(request):
    """Opens sessions on a database, which are closed when the test ends."""

    def open_on(url):
        session = Session(
            url, origin="sandbox", collection=collection(), wanted=WANTED, account=ACCOUNT
        )
        request.addfinalizer(session.close)
        session.open()
        return session

    return open_on


def test_a_crawl_waits_for_a_writer_only_for_a_moment_at_a_time(
    open_session, make_engine, prepared_sqlite_url
):
    session = open_session(prepared_sqlite_url)
    session.plan(NOON)
    with make_engine(prepared_sqlite_url).begin():
        begun = time.monotonic()
        with pytest.raises(OperationalError, match="locked"):
            session.book(PageRequest(None, JANUARY, ("id",), 100), LATER)
        assert session.close().plan.window_count == 1, "nothing to write, nothing to wait for"
    assert time.monotonic() - begun < 5
