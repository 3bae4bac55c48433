"""One run on a database: what it waits for, and when it has lost its right to go on."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
from sqlalchemy.exc import OperationalError
from stored_pages import NOON, OTHER_QUERY, Search

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


def test_videos_are_counted_that_no_page_of_the_query_had_before(search):
    other = search(query=OTHER_QUERY)
    other.ask(other.first(), {"id": 1}, {"id": 2})
    run = search()
    run.session.counted = run.collection

    following = run.ask(run.first(), {"id": 1}, {"id": 3}, {"id": 4}, has_more=True)
    assert (run.saved.new_count, run.saved.first_count) == (2, 2 + 1)
    run.ask(following, {"id": 2}, {"id": 3}, {"id": 5})
    assert (run.saved.new_count, run.saved.first_count) == (1, 1 + 1)
    assert run.session.video_count() == 5


def test_nobody_counts_such_videos_without_a_limit(search):
    run = search()
    run.ask(run.first(), {"id": 1})
    assert run.saved.first_count == 0
