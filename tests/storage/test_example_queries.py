"""The queries of docs/queries give what they promise, whatever the session's time zone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from stored_pages import ACCOUNT, OTHER_QUERY, QUERY

from tiktok_crawler.date_range import DateRange
from tiktok_crawler.planning.task_states import Cut, Parked
from tiktok_crawler.research_api.endpoints import Pool
from tiktok_crawler.research_api.paging import START
from tiktok_crawler.research_api.query import Condition, Query
from tiktok_crawler.storage.engine.transactions import transaction
from tiktok_crawler.storage.ledger import quota
from tiktok_crawler.storage.models.example_queries import (
    DIALECTS,
    FOLDER,
    NAMES,
    explanation,
    query_file,
)

BREAD = 7319000000000000001
MINUTE = timedelta(minutes=1)
THIRD_QUERY = Query(and_=(Condition("region_code", "EQ", ("JP",)),))
QUERIES = {1: QUERY, 2: OTHER_QUERY, 3: THIRD_QUERY}
TAGS = {1: "butter", 2: "cheese", 3: "milk"}

OF_QUERY_1 = "query_id = 1"

EXPECTED = {
    "videos_per_day": [
        ("2024-01-01", 1, 1),
        ("2024-01-02", 2, 2),
        ("2024-01-03", 2, 1),
        ("2024-01-04", 1, 1),
        ("2024-01-06", 1, 1),
    ],
    "growth_of_a_video": [
        ("2024-01-05 12:01:00", 100, None),
        ("2024-01-12 12:01:00", 400, 300),
        ("2024-01-20 23:01:00", 390, -10),
    ],
    "fastest_growing": [
        (BREAD, "ann.bakes", "2024-01-05", "2024-01-20", 290),
        (4, "zoe", "2024-01-05", "2024-01-21", 30),
        (6, "zoe", "2024-01-08", "2024-01-11", 0),
    ],
    "hashtags_together": [
        ("bread", "butter", 2),
        ("Butter", "butter", 1),
        ("bread", "jam", 1),
        ("butter", "jam", 1),
    ],
    "top_accounts": [
        ("ann", 2, None),
        ("marie", 2, 55),
        ("zoe", 2, 47),
        ("ann.bakes", 1, 390),
    ],
    "tags": [
        ("butter", 8, 4, "2024-01-01 00:00:00", "2024-01-06 09:00:00", 6),
        ("cheese", 1, 1, "2024-01-02 12:00:00", "2024-01-02 12:00:00", 2),
        ("milk", 14, 2, "2024-01-02 12:00:00", "2024-01-05 12:00:00", 2),
    ],
    "vanished": [(2, "marie", "2024-01-05 12:01:00", "2024-01-12 12:00:00")],
    "changed_texts": [
        (BREAD, "username", "2024-01-12 12:01:00", '"ann"', "ann.bakes"),
        (BREAD, "video_description", "2024-01-12 12:01:00", '"My bread"', "Our bread"),
    ],
    "coverage": [
        ("2024-01-01", "complete", 1, 99, "2024-01-20 23:00:00", None),
        ("2024-01-02", "complete", 0, 0, "2024-01-20 23:00:00", None),
        ("2024-01-03", "unsettled", 2, 32, "2024-01-05 12:00:00", None),
        ("2024-01-04", "suspicious", 0, 100, "2024-01-10 12:00:00", None),
        ("2024-01-05", "parked", None, None, "2024-01-22 12:00:00", "the API said no"),
        ("2024-01-06", "open", 1, 99, "2024-01-10 13:00:00", None),
        ("2024-01-07", "missing", None, None, None, None),
    ],
    "requests_per_day": [
        ("2024-01-05", 1, 1, 1, 6),
        ("2024-01-06", 1, 2, 1, 1),
        ("2024-01-08", 1, 1, 1, 1),
        ("2024-01-09", 1, 3, 1, 14),
        ("2024-01-10", 4, 1, 2, 1),
        ("2024-01-11", 1, 3, 1, 13),
        ("2024-01-12", 1, 1, 1, 1),
        ("2024-01-20", 1, 1, 1, 1),
        ("2024-01-21", 1, 2, 1, 1),
        ("2024-01-22", 2, None, None, None),
    ],
}


VIDEOS_PER_DAY = {
    2: [("2024-01-02", 1, 1)],
    3: [
        ("2024-01-02", 4, 2),
        ("2024-01-03", 3, 1),
        ("2024-01-04", 4, 2),
        ("2024-01-05", 3, 1),
    ],
}
COVERED = {2: ["2024-01-02", "2024-01-03"], 3: [f"2024-01-0{day}" for day in range(1, 9)]}
"""Of the other queries, which share videos with the first one."""


def january(first, last):
    return DateRange(date(2024, 1, first), date(2024, 1, last))


def at(day, hour=0, minute=0, second=0):
    return datetime(2024, 1, day, hour, minute, second, tzinfo=UTC)


def video(number, published, username, **fields):
    return {"id": number, "create_time": int(published.timestamp()), "username": username} | fields


ZOE = video(4, at(2, 12), "zoe", view_count=10, video_description="Bonjour")
MIDNIGHT = at(2, 23, 59, 59)


@pytest.fixture
def filled(engine, search):
    """An engine on a database with three queries, of which the first has every kind of day."""
    wishes = (
        (1, january(1, 5)),
        (2, january(2, 3)),
        (3, january(1, 9)),
        (1, january(1, 7)),
        (1, january(3, 6)),
    )
    runs = {
        query: search(
            query=QUERIES[query], dates=days, tags=(TAGS[query],), account=ACCOUNT, now=at(5)
        )
        for query, days in wishes
    }
    search_for_butter(runs[1])
    search_for_cheese(runs[2])
    search_for_milk(runs[3])
    give_up(runs[1])
    follow = replace(ACCOUNT, pool=Pool.FOLLOW)
    transaction(engine, lambda connection: quota.fill(connection, follow, at(8, 12)))
    return engine


def search_days(run, days, now, *records, **answer):
    """Search a window with one request; the answer comes a minute later."""
    run.store(run.booked(days, now=now), *records, received_at=now + MINUTE, **answer)


def search_for_butter(run):
    """Of six videos, one is seen again, with another handle and text."""
    ann = video(BREAD, at(1), "ann", view_count=100, video_description="My bread")
    search_days(
        run,
        january(1, 3),
        at(5, 12),
        ann | {"hashtag_names": ["bread", "butter"]},
        video(2, MIDNIGHT, "marie", view_count=50, hashtag_names=["butter", "jam", "bread"]),
        video(3, at(3), "ann", hashtag_names=["butter", "Butter"]),
        video(5, at(3, 1), "ann"),
        ZOE,
        {"id": 8},
    )
    search_days(run, january(4, 4), at(8, 12), video(6, at(4, 8), "zoe", view_count=7))
    search_days(run, january(4, 4), at(10, 12), suspicious=True)
    marie = video(7, at(6, 9), "marie", view_count=5)
    search_days(run, january(6, 6), at(10, 13), marie, has_more=True)
    renamed = ann | {"username": "ann.bakes", "video_description": "Our bread"}
    search_days(run, january(1, 2), at(12, 12), renamed | {"view_count": 400})
    search_days(run, january(1, 2), at(20, 23), renamed | {"view_count": 390})


def search_for_cheese(run):
    """One video of the first query is found again after that one missed it."""
    search_days(run, january(2, 3), at(6), ZOE)
    search_days(run, january(2, 2), at(21, 12), ZOE | {"view_count": 40})


def search_for_milk(run):
    """Two videos of the first query among others, of which one vanishes and the rest change."""
    text = {"video_description": "Cream!", "view_count": 1, "hashtag_names": ["butter", "milk"]}
    milk = [video(20 + number, at(2 + number % 4, 12), "mia", **text) for number in range(12)]
    shared = ZOE, video(6, at(4, 8), "zoe", view_count=7)
    search_days(run, january(1, 9), at(9), *milk, *shared)
    changed = [one | {"video_description": "Milk!", "view_count": 10**6} for one in milk[1:]]
    search_days(run, january(1, 9), at(11, 12), *changed, *shared)


def give_up(run):
    """A window is cut, one of its days is parked twice, and a search of a complete day fails."""
    heavy = run.booked(january(5, 7), now=at(10, 12))
    run.session.end(heavy, Cut("too heavy", None), at(10, 12))
    refused = run.booked(january(5, 5), now=at(10, 14))
    run.session.end(refused, Parked("the API said nothing", None, START), at(10, 14))
    again = run.book(refused, at(22, 12))
    run.session.end(again, Parked("the API said no", None, START), at(22, 12))
    run.booked(january(1, 1), now=at(22, 12))


def answer(engine, statement):
    """The rows as both databases have them: times as text in UTC."""
    with engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql("SET TIME ZONE 'Pacific/Auckland'")
        return [tuple(map(plain, row)) for row in connection.exec_driver_sql(statement)]


def plain(value):
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return int(value)
    return value.removesuffix(".000000") if isinstance(value, str) else value


def test_each_query_finds_what_it_promises(filled):
    files = {name: query_file(name, filled.dialect.name) for name in NAMES}

    assert {name: answer(filled, file.read_text()) for name, file in files.items()} == EXPECTED


def test_another_query_is_chosen_by_its_number(filled):
    def rows(name, query_id):
        statement = query_file(name, filled.dialect.name).read_text()
        assert statement.count(OF_QUERY_1) == 1
        return answer(filled, statement.replace(OF_QUERY_1, f"query_id = {query_id}"))

    assert {number: rows("videos_per_day", number) for number in VIDEOS_PER_DAY} == VIDEOS_PER_DAY
    for number, covered in COVERED.items():
        days = rows("coverage", number)
        assert [day for day, coverage, *_ in days if coverage == "complete"] == covered


@pytest.mark.parametrize(
    "name", sorted(set(NAMES) - {"growth_of_a_video", "tags", "requests_per_day"})
)
def test_a_query_is_about_one_of_the_database(name):
    for dialect in DIALECTS:
        assert query_file(name, dialect).read_text().count(OF_QUERY_1) == 1


@pytest.mark.parametrize("name", NAMES)
def test_a_query_is_explained_alike_for_all_databases(name):
    first, second = (explanation(query_file(name, dialect)) for dialect in DIALECTS)

    assert first == second
    assert [line[:6] for line in first if line.startswith("Mind: ")] == ["Mind: "]


def test_the_document_has_all_queries():
    listed = {query_file(name, dialect) for name in NAMES for dialect in DIALECTS}

    assert len(NAMES) == 10
    assert listed == set(FOLDER.iterdir())
