"""What a database says of its queries, without being changed."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import text
from stored_pages import (
    ACCOUNT,
    JANUARY,
    NOON,
    OTHER_QUERY,
    QUERY,
    content,
    video,
)

from tiktok_crawler.date_range import DateRange
from tiktok_crawler.planning.coverage import Freshness
from tiktok_crawler.planning.plan import Wanted
from tiktok_crawler.planning.task_states import Parked
from tiktok_crawler.research_api.endpoints import VIDEO_QUERY, Pool
from tiktok_crawler.research_api.paging import START
from tiktok_crawler.research_api.query import Condition, Query
from tiktok_crawler.storage.ledger.quota import Spent
from tiktok_crawler.storage.ledger.status import read_status

LATER = NOON + timedelta(hours=1)
FEBRUARY = DateRange(date(2024, 2, 1), date(2024, 2, 29))
MARCH = DateRange(date(2024, 3, 1), date(2024, 3, 31))
FIRST_MARCH = DateRange(date(2024, 3, 1), date(2024, 3, 1))
FIRST_DAY = DateRange(JANUARY.start, JANUARY.start)


def terms(query, days, fields):
    return Wanted(query, days, fields or VIDEO_QUERY.fields, Freshness(timedelta(days=2)))


@pytest.fixture
def status(prepared_url):
    def read(now=NOON):
        return read_status(prepared_url, terms, now)

    return read


def only(status):
    (query,) = status.queries
    return query


def complete(run, days, **kwargs):
    run.store(run.booked(days, **kwargs))


def test_a_database_that_is_missing_is_not_created(tmp_path):
    status = read_status(f"sqlite:///{tmp_path / 'missing.db'}", terms, NOON)

    assert (status.origin, status.queries, status.spent) == (None, (), ())
    assert "missing.db" in status.location
    assert not list(tmp_path.iterdir())


def test_an_empty_database_has_no_origin(database_url):
    assert read_status(database_url, terms, NOON).origin is None


def test_a_database_without_queries_has_an_origin(status):
    assert status().origin == "sandbox"
    assert status().queries == ()


def test_wishes_of_all_runs_are_added_up(search, status):
    search(tags=("b", "a"), dates=MARCH)
    search(tags=("c",))
    search(dates=DateRange(date(2024, 1, 20), date(2024, 2, 3)))

    query = only(status())
    assert query.used.query == QUERY
    assert query.used.tags == ("a", "b", "c")
    assert query.used.days == (DateRange(JANUARY.start, date(2024, 2, 3)), MARCH)
    assert query.used.fields == ()
    assert (len(query.days.by_day), query.days.percent, query.days.covered) == (65, 0, ())
    assert (query.next_windows, query.next_new) == (3, 3)


def test_what_is_covered_open_parked_and_left_is_told(search, status):
    run = search(dates=DateRange(JANUARY.start, MARCH.end))
    complete(run, JANUARY)
    run.store(run.booked(FEBRUARY), video(1), video(2), has_more=True)
    parked = Parked("the API said no", "20240601LOG", START)
    run.session.end(run.booked(FIRST_MARCH), parked, LATER)

    query = only(status(LATER))
    assert query.days.covered == tuple(JANUARY)
    assert query.days.missing == (*FEBRUARY, *MARCH)
    assert query.days.percent == 34.0
    (open_,) = query.open_windows
    assert (open_.days, open_.pages, open_.videos) == (FEBRUARY, 1, 2)
    (given_up,) = query.parked_windows
    assert (given_up.days, given_up.updated_at) == (FIRST_MARCH, LATER)
    assert (given_up.error, given_up.error_log_id) == ("the API said no", "20240601LOG")
    assert (query.totals.videos, query.totals.requests) == (2, 3)
    assert (query.next_open, query.next_new, query.next_parked) == (1, 1, 1)


def test_a_window_that_lies_in_two_ranges_of_days_is_searched_once(search, status):
    for day in (1, 5):
        run = search(dates=DateRange(date(2024, 1, day), date(2024, 1, day)))
    run.booked()

    assert only(status()).next_windows == 1


@pytest.mark.slow
def test_all_but_one_day_is_not_a_hundred_percent(search, status):
    days = DateRange(date(2020, 1, 1), date(2024, 1, 1))
    run = search(dates=days)
    complete(run, DateRange(days.start, date(2023, 12, 31)))
    assert only(status()).days.percent == 99.9

    complete(run, DateRange(days.end, days.end))
    assert only(status()).days.percent == 100
    assert only(status()).next_windows == 0
    assert only(status()).days.missing == ()


def test_days_that_were_searched_early_are_unsettled_until_they_are_due(search, status):
    today = DateRange(NOON.date(), NOON.date())
    complete(search(dates=today), today)

    early, due = only(status()), only(status(NOON + timedelta(days=4)))
    assert (early.days.unsettled, early.days.percent, early.next_windows) == (tuple(today), 100, 0)
    assert (due.days.unsettled, due.days.percent, due.next_windows) == ((), 0, 1)


def test_coverage_is_judged_by_the_fields_of_the_newest_window(search, status):
    run = search()
    complete(run, JANUARY, fields=("id", "username"))
    assert only(status()).days.percent == 100

    run.booked(FIRST_DAY, fields=("id", "view_count"))
    assert only(status()).days.percent == 0


def test_queries_are_told_apart_in_the_order_of_their_first_use(search, status):
    search(query=OTHER_QUERY, tags=("x",))
    complete(search(tags=("y",)), JANUARY)

    one, other = status().queries
    assert (one.used.query, one.used.tags, one.days.percent) == (OTHER_QUERY, ("x",), 0)
    assert (other.used.query, other.used.tags, other.days.percent) == (QUERY, ("y",), 100)


def test_the_quota_is_that_of_today(search, status):
    search(account=ACCOUNT).booked()

    assert status().spent == (Spent(ACCOUNT.client, Pool.RESEARCH, 1, parts={"videos": 1}),)
    assert status(datetime(2024, 6, 2, tzinfo=UTC)).spent == ()


def test_reading_changes_nothing(engine, search, status):
    search(tags=("t",)).booked()
    before = content(engine)
    status()

    assert content(engine) == before


def test_reading_works_beside_a_writer(make_engine, prepared_sqlite_url):
    with make_engine(prepared_sqlite_url).begin() as writer:
        writer.execute(text("INSERT INTO query_tag (name) VALUES ('t')"))
        assert read_status(prepared_sqlite_url, terms, NOON).origin == "sandbox"


def test_values_that_brought_no_video_are_told_of_each_query(search, status):
    names = Query((Condition("hashtag_name", "IN", ("butter", "electons")),))
    complete(search(query=names), JANUARY)
    assert only(status()).unseen.is_empty
    run = search(query=names)
    run.store(run.booked(FEBRUARY), video(1, hashtag_names=["butter"]))

    unseen = only(status()).unseen
    assert [value.value for value in unseen.values] == ["electons"]
    assert (unseen.is_empty, unseen.query, unseen.origin) == (False, names, "sandbox")
