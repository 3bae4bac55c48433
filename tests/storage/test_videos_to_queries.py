"""The view of which query has found which video."""

from __future__ import annotations

from datetime import timedelta

import pytest
from listed_pages import store_list
from sqlalchemy import select, text
from stored_pages import NOON, OTHER_QUERY, QUERY, video

from tiktok_crawler.research_api.endpoints import LISTINGS
from tiktok_crawler.research_api.query import Condition, Query
from tiktok_crawler.storage.ledger.runs import RunStart, begin_run
from tiktok_crawler.storage.models.ledger import VIDEOS_TO_QUERIES

LATER = NOON + timedelta(days=9)
THIRD_QUERY = Query(and_=(Condition("region_code", "EQ", ("JP",)),))
READ_ALL = {"sqlite": "SCAN ", "postgresql": "Seq Scan on "}


@pytest.fixture
def find(engine, search):
    """One run of a query, which finds these videos in a window of a number of days."""

    def find(query, *numbers, run=True, now=NOON):
        found = search(query=query, now=now)
        found.session.run_id = begin_run(engine, RunStart("videos", {}), now) if run else None
        found.store(found.booked(now=now), *map(video, numbers), received_at=now)
        return found.session.run_id

    return find


def view(engine):
    with engine.connect() as connection:
        columns = [*VIDEOS_TO_QUERIES.c]
        rows = connection.execute(select(*columns).order_by("query_id", "video_id"))
        return [tuple(row) for row in rows]


def test_a_video_has_a_row_for_each_query_that_has_found_it(engine, find):
    first = find(QUERY, 1, 2)
    second = find(OTHER_QUERY, 2, 3)
    third = find(THIRD_QUERY, 1, 2, 3, 4)
    assert view(engine) == [
        (1, 1, first, first),
        (2, 1, first, first),
        (2, 2, second, second),
        (3, 2, second, second),
        *((number, 3, third, third) for number in (1, 2, 3, 4)),
    ]


def test_the_first_and_the_last_run_are_those_of_the_query(engine, find):
    first = find(QUERY, 1, 2)
    find(OTHER_QUERY, 1)
    last = find(QUERY, 1, now=LATER)
    of_query = [row for row in view(engine) if row[1] == 1]
    assert of_query == [(1, 1, first, last), (2, 1, first, first)]


def test_pages_of_unknown_runs_count_though_they_tell_no_run(engine, find):
    find(QUERY, 1, 2, run=False)
    known = find(QUERY, 1, now=LATER)
    assert view(engine) == [(1, 1, known, known), (2, 1, None, None)]


def test_videos_of_listings_are_found_by_no_query(engine, find, prepared_url):
    run = find(QUERY, 1)
    store_list(prepared_url, LISTINGS["reposted_videos"], "ann", video(1), video(2))
    assert view(engine) == [(1, 1, run, run)]


def test_the_documented_columns_are_those_that_it_has(engine):
    with engine.connect() as connection:
        found = connection.execute(text("SELECT * FROM videos_to_queries"))
        assert list(found.keys()) == VIDEOS_TO_QUERIES.columns.keys()


def test_the_videos_of_a_query_are_found_by_indexes(engine, find):
    """SQLite does so even where nearly all pages are those of listings, and it knows that."""
    find(QUERY, *range(50))
    statement = "SELECT username FROM video JOIN videos_to_queries ON video_id = id"
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("ANALYZE")
            connection.exec_driver_sql(
                "UPDATE sqlite_stat1 SET stat = '900000 400000 400000 1' WHERE tbl = 'crawl'"
            )
            connection.exec_driver_sql("ANALYZE sqlite_schema")
            explain = "EXPLAIN QUERY PLAN"
        else:
            connection.exec_driver_sql("SET enable_seqscan = off")
            explain = "EXPLAIN"
        plan = connection.exec_driver_sql(f"{explain} {statement} WHERE query_id = 1").all()
        connection.rollback()
    steps = [str(row[-1]) for row in plan]
    tables = ("crawl", "videos_to_crawls", "video", "crawl_window")
    read_as_a_whole = [f"{READ_ALL[engine.dialect.name]}{table}" for table in tables]
    assert steps
    assert not [step for step in steps if step.strip(" ->").split("  (")[0] in read_as_a_whole]
