"""What the migration makes of databases whose windows were searched before days were counted."""

from __future__ import annotations

from datetime import date

import pytest
from alembic import command
from stored_pages import JANUARY, JANUARY_10, rows
from test_storage_migrations import config

from tiktok_crawler.date_range import DateRange
from tiktok_crawler.planning.task_states import Lost
from tiktok_crawler.storage.engine import database

pytestmark = pytest.mark.slow

TENTH = date(2024, 1, 10)


def on(days_before, serial=0, **fields):
    """A video, whose id and time agree; a larger serial is newer."""
    created = JANUARY_10 + 3600 - days_before * 86400 + serial
    return {"id": created - 30 << 32, "create_time": created} | fields


@pytest.fixture
def migrated(engine):
    """Forgets all about days, as if the windows had been searched by an earlier version."""

    def migrate():
        before = rows(engine, "window_day")
        command.downgrade(config(engine), "0101")
        database.migrate(engine)
        return before, rows(engine, "window_day")

    return migrate


def test_days_are_counted_from_the_stored_pages(search, migrated):
    run = search()
    second = run.ask(run.first(), on(0), on(1, 5), on(1, 4), cursor=5, has_more=True)
    third = run.ask(second, on(1, 5), {"id": on(3)["id"]}, cursor=110, has_more=True)
    run.ask(third, {"id": 3}, cursor=150)

    before, after = migrated()

    assert after == before
    assert sum(row["repeated"] for row in after) == 1
    assert sum(row["undated"] for row in after) == 2


def test_an_unfinished_search_has_reached_what_it_had_reached(search, migrated):
    run = search()
    request = run.book(run.first())
    run.store(request, on(5), on(6), cursor=2, has_more=True)
    run.ask(request.from_start(), on(0), on(1), cursor=100, has_more=True)

    before, after = migrated()

    assert after == before
    assert min(row["day"] for row in after) == date(2024, 1, 9)


def test_what_records_were_not_stored_for_is_not_known_any_more(search, migrated):
    run = search()
    run.ask(run.first(), on(0), {"id": 0}, cursor=4)

    before, after = migrated()

    (lacking,) = (row for row in after if row["refused"] is None)
    assert (lacking["day"], lacking["repeated"]) == (TENTH, None)
    whole = {row["day"]: row | {"refused": 0, "repeated": 0} for row in before}
    assert lacking | {"refused": 0, "repeated": 0} == whole[TENTH]


def test_days_that_were_kept_of_a_lost_search_are_not_known(search, migrated):
    run = search()
    second = run.ask(run.first(), on(0), on(1), on(2), cursor=3, has_more=True)
    kept = DateRange(TENTH, JANUARY.end)
    run.session.end(second, Lost(kept), run.later())

    _, after = migrated()

    unknown = {row["day"] for row in after if row["videos"] is None}
    assert unknown == set(kept)
    standings = run.session.plan(run.later()).standings
    assert standings.uncounted == tuple(kept)
