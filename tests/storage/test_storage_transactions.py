"""Several writers on one database."""

from __future__ import annotations

import threading
import time
from datetime import timedelta

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError, OperationalError
from stored_pages import rows

from tiktok_crawler.crawling import storage_thread
from tiktok_crawler.storage.engine import transactions
from tiktok_crawler.storage.engine.migrations import exclusively
from tiktok_crawler.storage.engine.outage import is_outage
from tiktok_crawler.storage.engine.sqlite import PATIENT_SECONDS
from tiktok_crawler.storage.engine.transactions import (
    LONGEST_PAUSE_SECONDS,
    PAUSES_SECONDS,
    WAITS_SECONDS,
    reading,
    transaction,
)
from tiktok_crawler.storage.engine.workers import LEASE


def rename(tag_id):
    return text(f"UPDATE query_tag SET name = name || '+' WHERE id = {tag_id}")


@pytest.fixture
def two_tags(engine):
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO query_tag (id, name) VALUES (1, 'a'), (2, 'b')"))
    return engine


def test_writers_that_wait_for_each_other_both_succeed(two_tags):
    both_have_one = threading.Barrier(2)
    tries = []

    def write(first, second):
        def work(connection):
            tries.append(first)
            connection.execute(rename(first))
            # SQLite lets only one of them come this far.
            if two_tags.dialect.name == "postgresql" and len(tries) <= 2:
                both_have_one.wait(10)
            connection.execute(rename(second))

        transaction(two_tags, work)

    threads = [threading.Thread(target=write, args=order) for order in ((1, 2), (2, 1))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [found["name"] for found in rows(two_tags, "query_tag")] == ["a++", "b++"]
    assert len(tries) == (3 if two_tags.dialect.name == "postgresql" else 2)


def test_sqlite_waits_as_long_as_it_is_told_and_only_once(make_engine, prepared_sqlite_url):
    first, second = make_engine(prepared_sqlite_url), make_engine(prepared_sqlite_url)
    impatient = second.execution_options(**{WAITS_SECONDS: 1})
    tries = []
    begun = time.monotonic()
    with first.begin(), pytest.raises(OperationalError, match="locked"):
        transaction(impatient, tries.append)

    assert 1 <= time.monotonic() - begun < 3
    assert tries == []
    transaction(impatient, tries.append)
    with second.begin() as patient:
        assert patient.scalar(text("PRAGMA busy_timeout")) == PATIENT_SECONDS * 1000


@pytest.fixture
def postgresql(make_engine, prepared_postgresql_url):
    engine = make_engine(prepared_postgresql_url)
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO query_tag (id, name) VALUES (1, 'a'), (2, 'b')"))
    return engine


def test_postgresql_waits_for_a_lock_as_long_as_it_is_told(postgresql):
    impatient = postgresql.execution_options(**{WAITS_SECONDS: 0.1})
    with postgresql.begin() as first:
        first.execute(rename(1))
        with pytest.raises(OperationalError) as error:
            transaction(impatient, lambda on: on.execute(rename(1)))
    assert is_outage(error.value)
    transaction(impatient, lambda on: on.execute(rename(1)))


def test_who_pauses_in_a_transaction_keeps_others_waiting_no_longer_than_told(postgresql):
    sleepy = postgresql.execution_options(**{PAUSES_SECONDS: 0.1})

    def pause(connection):
        connection.execute(rename(1))
        transaction(postgresql, lambda on: on.execute(rename(1)))
        connection.execute(rename(2))

    with pytest.raises(DBAPIError) as error:
        transaction(sleepy, pause)
    assert is_outage(error.value)
    assert [found["name"] for found in rows(postgresql, "query_tag")] == ["a+", "b"]


def test_pauses_are_shorter_than_waits_and_waits_than_leases():
    patience = timedelta(seconds=storage_thread.PATIENCE_SECONDS)
    assert timedelta(seconds=LONGEST_PAUSE_SECONDS) < patience < LEASE


LONGEST_PAUSE = text("SHOW idle_in_transaction_session_timeout")


def test_what_changes_tables_may_pause_and_what_writes_may_not_for_long(postgresql):
    with exclusively(postgresql) as connection:
        assert connection.scalar(LONGEST_PAUSE) == "0"
    assert transaction(postgresql, lambda on: on.scalar(LONGEST_PAUSE)) == "30s"
    with reading(postgresql) as connection:
        assert connection.scalar(LONGEST_PAUSE) == "0"


def test_what_a_transaction_demands_goes_before_many_rows_as_before_one(postgresql):
    def work(connection):
        named = {"id_": 1, "name": "c"}, {"id_": 2, "name": "d"}
        renamed = text("UPDATE query_tag SET name = :name WHERE id = :id_")
        connection.execute(renamed, list(named))
        return connection.scalar(LONGEST_PAUSE)

    assert transaction(postgresql, work) == "30s"
    assert [found["name"] for found in rows(postgresql, "query_tag")] == ["c", "d"]


@pytest.mark.parametrize("failures", [1, 3])
def test_work_is_done_again_after_interference(two_tags, monkeypatch, failures):
    monkeypatch.setattr(transactions, "PAUSE_SECONDS", 0.001)
    tries = []

    def work(connection):
        tries.append(1)
        connection.execute(rename(1))
        if len(tries) <= failures:
            raise OperationalError("", {}, SerializationFailureError())
        return "done"

    assert transaction(two_tags, work) == "done"
    assert len(tries) == failures + 1
    assert rows(two_tags, "query_tag")[0]["name"] == "a+"


class SerializationFailureError(Exception):
    pgcode = "40001"


def test_other_errors_of_the_database_are_not_tried_again(engine):
    tries = []

    def work(_connection):
        tries.append(1)
        raise OperationalError("", {}, Exception("disk full"))

    with pytest.raises(OperationalError, match="disk full"):
        transaction(engine, work)
    assert tries == [1]


def test_only_what_may_be_flushed_later_is(engine):
    if engine.dialect.name == "sqlite":
        asked, later, at_once = text("PRAGMA synchronous"), 1, 2
    else:
        asked, later = text("SHOW synchronous_commit"), "off"
        event.listen(engine, "connect", commit_synchronously)
        at_once = "on"
    for flushed_later, expected in ((True, later), (False, at_once)) * 2:
        found = transaction(engine, lambda on: on.scalar(asked), flushed_later=flushed_later)
        assert found == expected


def commit_synchronously(connection, _record):
    """As every server does that is not told otherwise."""
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit TO on")
    connection.commit()
