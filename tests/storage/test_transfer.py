"""What is copied from SQLite to PostgreSQL is compared however it is written, in flat memory."""

from __future__ import annotations

import tracemalloc
from datetime import UTC, datetime

import pytest
from sqlalchemy import insert, select, text

from tiktok_crawler.exceptions import CopyError
from tiktok_crawler.storage.engine import database
from tiktok_crawler.storage.engine.transfer import Content, transfer
from tiktok_crawler.storage.models.records import Hashtag, UserInfo, UserInfoHistory, Video

pytestmark = pytest.mark.slow

HASHTAG, VIDEO = Hashtag.__table__, Video.__table__
PLACES = {column.name: place for place, column in enumerate(VIDEO.columns)}


def content(**values):
    found = Content(VIDEO)
    row = [None] * len(PLACES)
    for name, value in values.items():
        row[PLACES[name]] = value
    found.add([row])
    return found


@pytest.mark.parametrize(
    ("here", "there"),
    [
        ({"extra_data": '{"a":1,"b":[2]}'}, {"extra_data": '{"b": [2], "a": 1}'}),
        ({"extra_data": '{"a":1e16}'}, {"extra_data": '{"a": 10000000000000000}'}),
        ({"extra_data": '{"a":100.0}'}, {"extra_data": '{"a": 100.0}'}),
        ({"extra_data": '{"a":"ü 1.5"}'}, {"extra_data": '{"a": "ü 1.5"}'}),
        ({"is_stem_verified": 1}, {"is_stem_verified": True}),
        ({"crawled_at": "2024-01-01 00:00:00"}, {"crawled_at": "2024-01-01 00:00:00.000000"}),
    ],
)
def test_equal_values_have_one_checksum(here, there):
    assert content(**here) == content(**there)


@pytest.mark.parametrize(
    ("here", "there"),
    [
        ({"extra_data": '{"a":1}'}, {"extra_data": '{"a": 2}'}),
        ({"extra_data": '{"a":12345678901234567890123}'}, {"extra_data": '{"a": 1e23}'}),
        ({"extra_data": '{"a":0.1}'}, {"extra_data": '{"a": 0.10000000000000002}'}),
        ({"is_stem_verified": 0}, {"is_stem_verified": None}),
        ({"username": "a"}, {"region_code": "a"}),
        ({"crawled_at": "2024-01-01 00:00:00"}, {"crawled_at": "2024-01-01 00:00:00.000001"}),
    ],
)
def test_other_values_have_another(here, there):
    assert content(**here) != content(**there)


def test_earlier_values_of_all_types_are_copied(make_engine, prepared_sqlite_url, postgresql_url):
    """SQLite makes numbers of JSON documents that are one."""
    before = [7, -9_223_372_036_854_775_808, 0.1 + 0.2, True, "1.5", [7], {"a": None}]
    source, target = make_engine(prepared_sqlite_url), make_engine(postgresql_url)
    now = datetime(2024, 1, 1, tzinfo=UTC)
    revisions = [
        {"username": "ann", "field": "f", "old_value": old, "until": now} for old in before
    ]
    with source.begin() as connection:
        user = {"username": "ann", "status": "found", "first_seen_at": now, "last_seen_at": now}
        connection.execute(insert(UserInfo), user)
        connection.execute(insert(UserInfoHistory), revisions)

    transfer(source, target, print)

    with target.connect() as connection:
        assert connection.scalars(select(UserInfoHistory.old_value)).all() == before


def test_a_copy_of_what_changes_meanwhile_is_not_kept(
    make_engine, prepared_sqlite_url, postgresql_url
):
    source, target = make_engine(prepared_sqlite_url), make_engine(postgresql_url)

    def crawl(text):
        if text.startswith("compared"):
            with make_engine(prepared_sqlite_url).begin() as connection:
                connection.execute(insert(HASHTAG), {"name": text})

    with pytest.raises(CopyError, match="a crawl has stored something in SQLite database"):
        transfer(source, target, crawl)

    assert database.is_new(target)
    assert transfer(source, target, print)


def test_a_large_table_needs_no_more_memory_than_a_block(
    make_engine, prepared_sqlite_url, postgresql_url
):
    source = make_engine(prepared_sqlite_url)
    names = [{"name": f"{number:02500}"} for number in range(16_000)]
    with source.begin() as connection:
        connection.execute(insert(HASHTAG), names)
        connection.execute(text("INSERT INTO effect (effect_id) VALUES ('7')"))
    del names
    told = []
    tracemalloc.start()
    try:
        copied = transfer(source, make_engine(postgresql_url), told.append)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert {each.table.name: each.rows for each in copied}["hashtag"] == 16_000
    assert peak < 30_000_000
    assert "copied 16,000 rows of hashtag" in told
    assert "compared 16,000 rows of hashtag" in told
    assert {"copied 1 row of effect", "compared 1 row of effect"} <= set(told)
    with make_engine(postgresql_url).begin() as connection:
        added = connection.scalar(text("INSERT INTO hashtag (name) VALUES ('new') RETURNING id"))
    assert added == 16_001
