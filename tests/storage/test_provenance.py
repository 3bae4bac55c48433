"""The facts of a dataset, beside what the tables say."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from listed_pages import store_list
from sqlalchemy import insert
from stored_pages import ACCOUNT, JANUARY, MINUTE, NOON, OTHER_QUERY, video

from tiktok_crawler.date_range import DateRange
from tiktok_crawler.planning.coverage import Freshness
from tiktok_crawler.planning.plan import Wanted
from tiktok_crawler.research_api.endpoints import COMMENTS, VIDEO_QUERY
from tiktok_crawler.storage.engine.transactions import reading
from tiktok_crawler.storage.ledger.provenance import (
    EarlyEnd,
    Pages,
    QuotaDay,
    RunDay,
    read_provenance,
)
from tiktok_crawler.storage.ledger.runs import RunEnd, RunStart, begin_run, end_run, version
from tiktok_crawler.storage.models import METADATA
from tiktok_crawler.storage.models.ledger import QueryTag

FEBRUARY = DateRange(date(2024, 2, 1), date(2024, 2, 29))


def terms(query, days, fields):
    return Wanted(query, days, fields or VIDEO_QUERY.fields, Freshness(timedelta(days=2)))


@pytest.fixture
def provenance(engine):
    def read():
        with reading(engine) as connection:
            return read_provenance(connection, terms, NOON)

    return read


def test_pages_are_those_of_each_query(search, provenance):
    search(query=OTHER_QUERY)
    run = search()
    going_on = run.store(run.booked(), video(1), video(2), has_more=True)
    run.ask(going_on, video(3))

    other, queried = provenance().queries
    assert other.pages == Pages()
    assert queried.pages == Pages(2, run.now - 2 * MINUTE, run.now, 3)
    assert queried.status.days.covered == tuple(JANUARY)
    assert queried.status.days.by_day[JANUARY.end].searched_at == NOON


def test_pages_of_listings_are_those_of_all_their_seeds(prepared_url, provenance):
    first = store_list(prepared_url, COMMENTS, "1", {"id": 1}, {"id": 2})
    last = store_list(prepared_url, COMMENTS, "2", {"id": 3}, now=NOON + timedelta(days=1))

    (listing,) = provenance().listings
    assert listing.status.seeds == 2
    assert listing.pages == Pages(2, first.now, last.now, 3)


def test_runs_are_added_up_by_the_day_on_which_they_began(engine, provenance):
    for hours, reason, faults in (
        (0, "finished", {"fault": 2}),
        (1, "shutdown", {"fault": 1, "no_answer": 4}),
        (13, "finished", {}),
    ):
        begun_at = NOON + timedelta(hours=hours)
        run_id = begin_run(engine, RunStart("videos", {}), begun_at)
        end_run(engine, run_id, RunEnd(reason, 0, 10, faults), begun_at + MINUTE)
    begin_run(engine, RunStart("users", {}), NOON + timedelta(days=2))

    runs = provenance().runs
    assert runs.days == (
        RunDay(date(2024, 6, 1), 2, 20, {"fault": 3, "no_answer": 4}),
        RunDay(date(2024, 6, 2), 1, 10, {}),
        RunDay(date(2024, 6, 3), 1, 0, {}),
    )
    assert (runs.count, runs.requests) == (4, 30)
    assert list(runs.faults.items()) == [("no_answer", 4), ("fault", 3)]
    assert runs.endings == {"finished": 2, "shutdown": 1, None: 1}
    assert runs.versions == (version(),)
    assert (runs.first_begun_at, runs.last_begun_at) == (NOON, NOON + timedelta(days=2))


def test_what_was_spent_is_told_by_day_and_pool(search, provenance):
    run = search(account=ACCOUNT)
    run.booked()
    run.booked(FEBRUARY, now=NOON + timedelta(days=1))
    run.session.fill_quota(NOON + timedelta(days=1))

    first, second = provenance().quota
    assert first == QuotaDay(date(2024, 6, 1), "research", 1, is_used_up=False)
    assert (second.requests, second.is_used_up) == (1, True)


def test_rows_of_all_tables_are_counted(search, provenance):
    run = search(tags=("a", "b"))
    run.store(run.booked(), video(1, hashtag_names=["tea", "milk"]), video(2))

    rows = provenance().rows
    assert rows.keys() == METADATA.tables.keys()
    assert (rows["video"], rows["hashtag"], rows["videos_to_hashtags"]) == (2, 2, 2)
    assert (rows["query_tag"], rows["comment"]) == (2, 0)


def test_it_names_the_kind_of_database_the_origin_and_the_version(engine, provenance):
    facts = provenance()

    kinds = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
    assert facts.database == kinds[engine.dialect.name]
    assert (facts.status.origin, facts.version) == ("sandbox", version())


def test_all_of_it_is_of_one_moment(engine, make_engine, prepared_url):
    with reading(engine) as connection:
        before = read_provenance(connection, terms, NOON)
        with make_engine(prepared_url).begin() as writer:
            writer.execute(insert(QueryTag).values(name="later"))
        assert read_provenance(connection, terms, NOON) == before

    with reading(engine) as connection:
        assert read_provenance(connection, terms, NOON) != before


def test_the_last_run_of_a_spider_tells_whether_it_came_to_its_end(engine, provenance):
    for hour, (spider, reason) in enumerate(
        [("users", "shutdown"), ("videos", "shutdown"), ("videos", "finished"), ("comments", None)]
    ):
        at = NOON + timedelta(hours=hour)
        run_id = begin_run(engine, RunStart(spider, {}), at)
        if reason:
            end_run(engine, run_id, RunEnd(reason, 75), at)

    comments, users = provenance().runs.early_ends
    assert users == EarlyEnd("users", NOON, "shutdown")
    assert comments == EarlyEnd("comments", NOON + timedelta(hours=3), None)
