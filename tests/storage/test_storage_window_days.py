"""The table that says what came of each day of a window."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from alembic import command
from sqlalchemy import func, select
from stored_pages import JANUARY, JANUARY_10, MINUTE, NOON, content, page, rows
from test_storage_migrations import config

from tiktok_crawler.date_range import DAY, DateRange
from tiktok_crawler.planning.task_states import Lost
from tiktok_crawler.planning.window_days import DayCount
from tiktok_crawler.storage.engine import database
from tiktok_crawler.storage.models.ledger import VIDEOS_TO_CRAWLS

TENTH = date(2024, 1, 10)


def on(days_before_the_11th, serial=0):
    """A video, whose id and time agree; a larger serial is newer."""
    created = JANUARY_10 + 86400 - days_before_the_11th * 86400 + serial
    return {"id": created - 30 << 32, "create_time": created}


def days(engine, window_id=1):
    """What the table has of a window's days, without those of which nothing came."""
    counts = {
        row["day"]: DayCount(*list(row.values())[2:])
        for row in rows(engine, "window_day")
        if row["crawl_window_id"] == window_id
    }
    return {day: count for day, count in counts.items() if count != DayCount()}


def passed(engine, window_id=1):
    found = rows(engine, "window_day")
    return {row["day"] for row in found if row["crawl_window_id"] == window_id}


def test_each_page_adds_to_the_days_of_its_window(engine, search):
    run = search()
    first = on(1, 5), on(1, 3), on(2, 7)
    second = run.ask(run.first(), *first, cursor=5, has_more=True)
    assert days(engine) == {TENTH: DayCount(2, 1), TENTH - DAY: DayCount(1, 1)}
    assert passed(engine) == set(DateRange(TENTH - DAY, JANUARY.end))

    run.ask(second, on(2, 6), {"id": 3}, {"create_time": 5}, cursor=8)
    assert days(engine)[TENTH - DAY] == DayCount(3, 1, undated=1, refused=1)
    assert passed(engine) == set(JANUARY)


def test_the_first_page_of_a_new_search_replaces_the_days(engine, search):
    run = search()
    request = run.book(run.first())
    run.store(request, on(1), on(2), has_more=True)
    assert len(days(engine)) == 2

    run.ask(request.from_start(), on(1), cursor=1, has_more=True)

    assert days(engine) == {TENTH: DayCount(1)}
    assert passed(engine) == set(DateRange(TENTH, JANUARY.end))


def test_a_video_that_an_earlier_page_of_the_search_had_is_counted_as_repeated(engine, search):
    run = search()
    second = run.ask(run.first(), on(1, 9), on(1, 8), cursor=2, has_more=True)
    third = run.ask(second, on(1, 7), on(1, 6), cursor=4, has_more=True)
    run.ask(third, on(1, 9), on(1, 7), on(1, 5), cursor=7)

    assert days(engine) == {TENTH: DayCount(5, 2, repeated=2)}


def test_a_page_that_stood_still_and_came_again_withholds_nothing_more(engine, search):
    run = search()
    second = run.ask(run.first(), on(1, 9), cursor=1, has_more=True)
    again = run.ask(second, on(1, 8), on(1, 7), cursor=1, has_more=True)
    run.ask(again, on(1, 8), on(1, 7), cursor=5)

    assert days(engine) == {TENTH: DayCount(3, 2, repeated=2)}


def test_what_a_search_before_had_is_not_repeated(engine, search):
    run = search()
    request = run.book(run.first())
    run.store(request, on(1, 9), cursor=1, has_more=True)
    second = run.ask(request.from_start(), on(1, 9), cursor=1, has_more=True)
    run.ask(second, on(1, 8), cursor=2)

    assert days(engine) == {TENTH: DayCount(2)}


def test_a_page_that_is_stored_twice_counts_once(engine, search):
    run = search()
    request = run.book(run.first())
    answer = page(request, on(1), on(2), cursor=2, received_at=NOON + MINUTE)
    run.session.save_page(answer)
    before = content(engine)

    run.session.save_page(answer)

    assert content(engine) == before


def test_a_page_that_moves_no_task_counts_for_nothing(engine, search):
    run = search()
    run.session.save_page(page(run.book(run.first()), on(1)), moves_task=False)
    assert passed(engine) == set()


def test_the_days_that_a_lost_search_had_passed_go_to_the_window_that_has_them(engine, search):
    run = search()
    second = run.ask(run.first(), on(1), on(2), on(3), cursor=6, has_more=True)
    kept = DateRange(TENTH - DAY, JANUARY.end)

    rest = run.session.end(second, Lost(kept), run.later())

    assert passed(engine, window_id=2) == set(kept)
    assert days(engine, window_id=2) == {TENTH: DayCount(1, 1), TENTH - DAY: DayCount(1, 1)}
    assert passed(engine, rest.task.row_id) == set()
    run.ask(run.book(rest), on(3), cursor=1)
    standings = run.session.plan(NOON + timedelta(days=9)).standings
    assert standings.found == DayCount(3, 2)
    assert standings.has_nothing_missing


@pytest.mark.parametrize("is_done", [True, False])
def test_a_plan_tells_each_day_and_what_came_of_it(search, is_done):
    run = search(dates=DateRange(JANUARY.start, date(2024, 2, 10)))
    run.ask(run.first(), on(1), on(2), cursor=3, has_more=not is_done)

    standings = run.session.plan(run.later()).standings

    assert standings.found == DayCount(2, 1)
    assert len(standings.covered) == (31 if is_done else 0)
    assert standings.in_state("gap") == tuple(DateRange(date(2024, 2, 1), date(2024, 2, 10)))
    reached = [day for day in standings.in_state("open") if standings.by_day[day].count]
    assert reached == ([] if is_done else list(DateRange(TENTH - DAY, JANUARY.end)))


def test_the_days_add_up_to_what_is_stored(engine, search):
    run = search()
    request = run.first()
    for number in range(5):
        videos = [on(1 + number, serial) for serial in range(40, 0, -1)]
        request = run.ask(request, *videos, cursor=50 * number + 50, has_more=number < 4)

    with engine.connect() as connection:
        stored = connection.scalar(select(func.count()).select_from(VIDEOS_TO_CRAWLS))
    found = run.session.plan(run.later()).standings.found
    assert (found.videos, found.withheld) == (stored, 50) == (200, 50)
    assert run.saved.new_count == 40


def test_another_process_goes_on_counting_where_a_search_was(engine, search):
    run = search()
    second = run.ask(run.first(), on(1, 9), on(1, 8), cursor=2, has_more=True)

    other = search()
    other.ask(second, on(1, 9), on(1, 7), cursor=4)

    assert days(engine) == {TENTH: DayCount(3, 1, repeated=1)}


def test_a_page_whose_commit_was_in_doubt_is_counted_once_and_the_next_one_after_it(
    engine, search, interrupted
):
    run = search()
    request = run.book(run.first())
    second = run.store(request, on(1, 9), cursor=1, has_more=True)
    answer = page(second, on(1, 8), cursor=2, has_more=True, received_at=run.later())
    with interrupted(run.session.engine, "INSERT INTO window_day"):
        run.session.save_page(answer)
    for _ in range(2):
        run.session.save_page(answer)
    run.ask(answer.next_request, on(1, 9), on(1, 7), cursor=4)

    assert days(engine) == {TENTH: DayCount(3, 1, repeated=1)}


def test_a_page_without_a_cursor_of_its_own_withholds_nothing(engine, search):
    """Where it is reckoned, it counts no matches."""
    run = search()
    second = run.ask(run.first(), on(1, 9), cursor=100, is_cursor_given=False, has_more=True)
    run.ask(second, on(1, 8), cursor=3)
    assert days(engine) == {TENTH: DayCount(2, 1)}


@pytest.mark.slow
def test_a_search_that_goes_on_after_the_migration_withholds_what_the_api_does(engine, search):
    """What its pages brought was not counted: its cursor tells for how many matches they stand."""
    run = search()
    without_id = [{"create_time": JANUARY_10}] * 4
    second = run.ask(run.first(), on(1, 9), *without_id, cursor=5, has_more=True)
    command.downgrade(config(engine), "0101")
    database.migrate(engine)

    search().ask(second, on(1, 8), cursor=6)

    (counted,) = days(engine).values()
    assert (counted.videos, counted.withheld) == (2, 0)


def test_an_open_window_has_reached_a_day_of_its_own(search):
    run = search()
    early = {"id": 1, "create_time": JANUARY_10 - 90 * 86400}
    run.ask(run.first(), on(1, 9), early, cursor=5, has_more=True)
    (window,) = run.session._read(lambda on: run.session._windows(on).unfinished())
    assert window.reached == TENTH
