"""Several runs of one query or listing at a time, on PostgreSQL: each does what no other has."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime, timedelta

import pytest
from listed_pages import Crawl, stage
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError
from stored_pages import JANUARY, NOON, Search, collection, rows, video

from tiktok_crawler.date_range import DateRange
from tiktok_crawler.exceptions import QueryLockedError, TaskTakenError
from tiktok_crawler.planning.task_states import Cut, Lost, Parked
from tiktok_crawler.research_api.endpoints import COMMENTS
from tiktok_crawler.storage.engine import transactions
from tiktok_crawler.storage.engine.lock import QueryLock
from tiktok_crawler.storage.engine.outage import is_outage
from tiktok_crawler.storage.engine.workers import at_work

FIRST_DAYS = DateRange(date(2024, 1, 1), date(2024, 1, 10))
LAST_DAYS = DateRange(date(2024, 1, 11), date(2024, 1, 31))
LATER = NOON + timedelta(hours=1)


@pytest.fixture
def database(make_engine, prepared_postgresql_url):
    return make_engine(prepared_postgresql_url)


@pytest.fixture
def start():
    """Starts runs, which are at work until they are released."""
    runs = []

    def start(run):
        runs.append(run)
        return run.__enter__()

    yield start
    for run in runs:
        run.session.release()


@pytest.fixture
def search(prepared_postgresql_url, start):
    return lambda **wish: start(Search(prepared_postgresql_url, alone=False, **wish))


@pytest.fixture
def crawl(prepared_postgresql_url, start):
    def crawl(*seeds, **options):
        wanted = stage(COMMENTS, *seeds)
        return start(Crawl(prepared_postgresql_url, wanted, alone=False, **options))

    return crawl


def run_out(database):
    """Lets all that is at work count as gone, as if it had not been heard of for long."""
    with database.begin() as connection:
        connection.execute(text("UPDATE worker SET alive_until = '2024-01-01'"))


def days_of(requests):
    return [request.window.days for request in requests]


def test_what_one_run_works_on_another_leaves_to_it(search):
    first = search()
    first.session.plan(NOON)
    first.ask(first.first(FIRST_DAYS), video(1), has_more=True)

    plan = search().session.plan(LATER)

    assert days_of(plan.taken_windows) == [FIRST_DAYS]
    assert (plan.open_windows, plan.new_windows) == ((), (LAST_DAYS,))
    assert not plan.is_fulfilled


def test_what_another_run_is_about_to_ask_for_is_its_own(search):
    first = search()
    first.session.plan(NOON)
    first.session.open_task(first.first(FIRST_DAYS), NOON)

    plan = search().session.plan(LATER)
    assert (days_of(plan.taken_windows), plan.new_windows) == ([FIRST_DAYS], (LAST_DAYS,))


@pytest.mark.parametrize("has_ended", [False, True])
def test_days_that_another_run_has_begun_since_are_not_begun_again(search, database, has_ended):
    first, second = search(), search()
    for run in (first, second):
        assert run.session.plan(NOON).new_windows == (JANUARY,)
    request = first.book(first.first(LAST_DAYS))
    if has_ended:
        first.store(request, video(1))

    with pytest.raises(TaskTakenError, match=r"another crawl works on 2024-01-01\.\.2024-01-31"):
        second.book(second.first())
    second.ask(second.first(FIRST_DAYS), video(2))
    assert [row["requests"] for row in rows(database, "crawl_window")] == [1, 1]


def test_own_windows_are_no_others(search):
    run = search()
    run.session.plan(NOON)
    request = run.book(run.first())
    run.session.end(request, Cut("too heavy", None), LATER)
    rest = run.book(run.first(LAST_DAYS))
    rest = run.session.end(rest, Lost(DateRange(LAST_DAYS.end, LAST_DAYS.end)), LATER)
    run.ask(rest, video(1))
    run.ask(run.first(FIRST_DAYS), video(2))
    run.ask(run.first(second_try=True), video(1))


def test_what_a_run_leaves_behind_is_free_when_it_ends(search):
    first = search()
    first.session.plan(NOON)
    following = first.ask(first.first(), video(1), has_more=True)
    second = search()
    assert second.session.plan(LATER).taken_windows
    first.session.release()

    assert second.session.plan(LATER).open_windows == (following,)


def test_what_is_postponed_is_free(search):
    first = search()
    first.session.plan(NOON)
    request = first.book(first.first())
    first.session.end(request, Parked("HTTP 500", None, request.place), LATER)

    plan = search().session.plan(LATER + timedelta(days=2))
    assert (days_of(plan.parked_windows), plan.taken_windows) == ([JANUARY], ())


def test_what_was_opened_and_not_asked_for_stays_as_long_as_its_run(search, database):
    first = search()
    first.session.plan(NOON)
    first.session.open_task(first.first(), NOON)
    search()
    assert len(rows(database, "crawl_window")) == 1
    first.session.release()
    search()
    assert rows(database, "crawl_window") == []


@pytest.fixture
def taken_over(search, database):
    """A run that was away for too long, with its request, and another that has gone on."""
    first = search()
    first.session.plan(NOON)
    following = first.book(first.ask(first.first(), video(1), has_more=True))
    run_out(database)
    second = search(now=LATER)
    (resumed,) = second.session.plan(LATER).open_windows
    assert resumed == following
    return first, following, second, second.book(resumed)


def test_whoever_was_away_for_too_long_asks_for_nothing_that_others_have(taken_over, database):
    first, lost, second, request = taken_over
    with pytest.raises(TaskTakenError):
        first.session.book(lost, LATER)
    with pytest.raises(TaskTakenError):
        first.session.end(lost, Parked("HTTP 500", None, lost.place), LATER)

    second.store(request, video(2))
    with pytest.raises(TaskTakenError):
        first.session.book(lost, LATER)
    (window,) = rows(database, "crawl_window")
    assert (window["state"], window["requests"]) == ("complete", 3)


def test_a_run_whose_machine_sleeps_in_a_transaction_keeps_nothing_from_others(
    search, database, monkeypatch
):
    monkeypatch.setattr(transactions, "LONGEST_PAUSE_SECONDS", 0.1)
    first = search()
    first.session.plan(NOON)
    request = first.session.open_task(first.first(FIRST_DAYS), NOON)

    def sleep(_connection):
        monkeypatch.undo()
        run_out(database)
        second = search(now=LATER)
        while second.session.plan(LATER).taken_windows:
            second.session.release()
            second = search(now=LATER)
        second.ask(second.first(FIRST_DAYS), video(1))

    event.listen(first.session.engine, "commit", sleep, once=True)
    with pytest.raises(DBAPIError) as error:
        first.book(request)
    assert is_outage(error.value)
    with pytest.raises(TaskTakenError):
        first.book(request)


def test_a_page_that_comes_too_late_is_stored_and_moves_nothing(taken_over, database):
    first, lost, second, request = taken_over
    first.store(lost, video(3), has_more=True)
    assert rows(database, "crawl_window")[0]["cursor"] == 100

    second.store(request, video(2))
    (window,) = rows(database, "crawl_window")
    assert (window["state"], window["videos"]) == ("complete", 2)
    assert [row["id"] for row in rows(database, "video")] == [1, 2, 3]


def test_whoever_was_away_goes_on_if_nobody_has_taken_anything(search, database):
    first = search()
    first.session.plan(NOON)
    following = first.ask(first.first(), video(1), has_more=True)
    run_out(database)
    other = search()
    other.session.release()

    first.ask(following, video(2))
    (window,) = rows(database, "crawl_window")
    assert (window["state"], window["requests"]) == ("complete", 2)


def test_whoever_was_alone_and_away_changes_nothing_that_others_have_ended(
    prepared_postgresql_url, start, database
):
    first = start(Search(prepared_postgresql_url))
    lost = first.booked()
    run_out(database)
    second = start(Search(prepared_postgresql_url, now=LATER))
    (resumed,) = second.session.plan(LATER).open_windows
    second.ask(resumed, video(1))
    second.session.release()

    with pytest.raises(TaskTakenError, match=r"another crawl works on 2024-01-01\.\.2024-01-31"):
        first.session.end(lost, Parked("HTTP 500", None, lost.place), LATER)
    for deed in (first.session.open_task, first.session.book):
        with pytest.raises(QueryLockedError, match="the lock on this query is lost"):
            deed(first.first(FIRST_DAYS), LATER)
    first.store(lost, video(2))
    (window,) = rows(database, "crawl_window")
    assert (window["state"], window["requests"], window["videos"]) == ("complete", 2, 1)


def test_who_is_at_work_is_known_once_and_as_long_as_it_is(search, crawl, database):
    with database.connect() as connection:
        assert at_work(connection) == []
        runs = search(), crawl("7")
        (holder,) = at_work(connection)
        assert str(os.getpid()) in holder.name
        runs[1].session.release()
        assert at_work(connection) == [holder]
        connection.rollback()
        run_out(database)
        assert at_work(connection) == []
    assert len(rows(database, "worker")) == 1, "whoever looks deletes nothing"


def test_the_clock_of_a_machine_says_nothing_about_who_is_at_work(search):
    first = search(now=datetime(2020, 1, 1, tzinfo=UTC))
    first.session.plan(first.now)
    first.book(first.first())
    assert search(now=datetime(2040, 1, 1, tzinfo=UTC)).session.plan(LATER).taken_windows


def test_what_needs_a_query_alone_waits_for_all_runs_of_it(search, database):
    first, second = search(), search()
    lock = QueryLock(database, collection().query.fingerprint, holder="command")
    for run in (first, second):
        with pytest.raises(QueryLockedError, match="another command of this query is running"):
            lock.acquire()
        run.session.release()
    lock.acquire()
    with pytest.raises(QueryLockedError, match="another crawl of this query is running"):
        search()
    lock.release()


def test_a_seed_is_one_run_s(crawl, database):
    first, second = crawl("7", "8"), crawl("7", "8")
    comments = {"id": 5, "text": "yes"}
    following = first.ask(first.requests[0], comments, has_more=True)
    with pytest.raises(TaskTakenError, match="another crawl works on comments of video_id 7"):
        second.book(second.requests[0])
    second.ask(second.requests[1], {"id": 6, "text": "no"})
    with pytest.raises(TaskTakenError, match="another crawl works on comments of video_id 8"):
        first.book(first.requests[1])
    first.ask(following, {"id": 9, "text": "perhaps"})

    with pytest.raises(TaskTakenError):
        second.book(second.requests[0])
    states = [(row["seed"], row["state"], row["requests"]) for row in rows(database, "seed")]
    assert states == [("7", "complete", 2), ("8", "complete", 1)]


def test_a_seed_that_others_have_left_is_gone_on_with_by_a_new_plan(crawl, database):
    first, second = crawl("7"), crawl("7")
    following = first.ask(first.requests[0], {"id": 5, "text": "yes"}, has_more=True)
    first.session.release()
    with pytest.raises(TaskTakenError):
        second.book(second.requests[0])

    third = crawl("7", now=LATER)
    assert third.requests == (following,)
    third.ask(third.requests[0], {"id": 6, "text": "no"})
    assert [row["requests"] for row in rows(database, "seed")] == [2]
