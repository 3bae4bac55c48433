"""Two writers of the same records at once: neither takes back what the other one has brought."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from asked import seed_request
from sqlalchemy import select, text
from stored_pages import MINUTE, NOON, page, row, rows

from tiktok_crawler.research_api.endpoints import COMMENTS, USERS
from tiktok_crawler.storage.engine.statements import statements_for
from tiktok_crawler.storage.engine.transactions import transaction
from tiktok_crawler.storage.ledger.tasks import Tasks
from tiktok_crawler.storage.page_store import PageStore
from tiktok_crawler.storage.records.all_types import listed

LATER = NOON + MINUTE
LONGEST_SECONDS = 20
WAITING = text(
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE datname = current_database() AND wait_event_type = 'Lock'"
)


@pytest.fixture
def make_postgresql(make_engine, prepared_postgresql_url):
    return lambda: make_engine(prepared_postgresql_url)


def save(engine, listing, record, *, cursor, received_at):
    """Store a record as the answer to a request at a cursor of the only seed."""
    request = seed_request(listing, "7", cursor=cursor)
    row_id = transaction(
        engine,
        lambda on: Tasks(on, statements_for(engine.dialect)).open_seed(request, NOON),
    )
    answer = page(request.opened(row_id), record, received_at=received_at, has_more=True)
    PageStore(engine).save(answer, tags=(), moves_task=False)


def wait_for(writers, engine):
    """Until so many writers wait for a row."""
    deadline = time.monotonic() + LONGEST_SECONDS
    with engine.connect() as connection:
        while connection.scalar(WAITING) < writers:
            assert time.monotonic() < deadline
            time.sleep(0.01)
            connection.rollback()


def write_at_once(make, listing, *records):
    """Let writers begin while the rows are locked, so that none has ended before all have begun.

    All have their answers from the same time: there is no later one, which would be right.
    """
    with ThreadPoolExecutor() as threads, make().begin() as holder:
        holder.execute(select(listed(listing).type.columns[0]).with_for_update())
        written = [
            threads.submit(save, make(), listing, record, cursor=place, received_at=LATER)
            for place, record in enumerate(records, start=1)
        ]
        wait_for(len(records), make())
        holder.rollback()
        for each in written:
            each.result(LONGEST_SECONDS)


def test_both_writers_of_a_comment_are_heard(make_postgresql):
    engine = make_postgresql()
    save(engine, COMMENTS, {"id": 5, "text": "yes", "like_count": 1}, cursor=0, received_at=NOON)

    write_at_once(
        make_postgresql,
        COMMENTS,
        {"id": 5, "like_count": 2},
        {"id": 5, "reply_count": 3},
    )

    comment = row(engine, "comment")
    assert (comment["text"], comment["like_count"], comment["reply_count"]) == ("yes", 2, 3)


def test_both_writers_of_a_profile_are_heard_and_each_value_is_replaced_once(make_postgresql):
    engine = make_postgresql()
    save(engine, USERS, {"display_name": "Ann", "follower_count": 3}, cursor=0, received_at=NOON)

    write_at_once(
        make_postgresql,
        USERS,
        {"display_name": "Anna"},
        {"follower_count": 4},
    )

    profile = row(engine, "user_info")
    assert (profile["display_name"], profile["follower_count"]) == ("Anna", 4)
    replaced = {(old["field"], old["old_value"]) for old in rows(engine, "user_info_history")}
    assert replaced == {("display_name", "Ann"), ("follower_count", 3)}
