"""One run on a database: what it waits for, and when it has lost its right to go on."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
from sqlalchemy.exc import OperationalError
from stored_pages import NOON, Search

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
