"""Which errors of PostgreSQL are outages, after which the same may succeed, and which are not."""

from __future__ import annotations

import time

import pytest
from sqlalchemy import make_url, text
from sqlalchemy.exc import DBAPIError

from tiktok_crawler.storage.engine import transactions
from tiktok_crawler.storage.engine.outage import explain, is_outage
from tiktok_crawler.storage.engine.transactions import transaction

IDLE = "SET LOCAL idle_in_transaction_session_timeout = 1"
IN_VAIN = "SELECT pg_sleep(0.2)"
WRITES = "INSERT INTO query_tag (name) VALUES ('t')"


@pytest.fixture
def postgresql(make_engine, prepared_postgresql_url, monkeypatch):
    monkeypatch.setattr(transactions, "PAUSE_SECONDS", 0.001)
    return make_engine(prepared_postgresql_url)


def failing(*statements):
    def work(connection):
        for statement in statements:
            connection.exec_driver_sql(statement)
            time.sleep(0.1 if statement == IDLE else 0)

    return work


def raising(code):
    return (f"DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '{code}'; END $$",)


OUTAGES = {
    "a statement that takes too long": ("SET LOCAL statement_timeout = 1", IN_VAIN),
    "a transaction that pauses for too long": (IDLE, IN_VAIN),
    "a lock that is not to be had": raising("55P03"),
    "a server that took no writes": ("SET TRANSACTION READ ONLY", WRITES),
    "others, each time": raising("40001"),
    "others that wait for this one, each time": raising("40P01"),
}


@pytest.mark.parametrize("statements", OUTAGES.values(), ids=OUTAGES)
def test_what_may_succeed_later_is_an_outage(postgresql, statements):
    with pytest.raises(DBAPIError) as error:
        transaction(postgresql, failing(*statements))
    assert is_outage(error.value)
    transaction(postgresql, failing(WRITES))


@pytest.mark.parametrize("statements", [(WRITES, WRITES), ("SELECT nothing",), raising("25P02")])
def test_what_fails_again_and_again_is_none(postgresql, statements):
    with pytest.raises(DBAPIError) as error:
        transaction(postgresql, failing(*statements))
    assert not is_outage(error.value)


def test_a_server_that_takes_no_writes_any_more_is_looked_for_anew(postgresql):
    session = text("SELECT pg_backend_pid()")
    with postgresql.connect() as one, postgresql.connect() as two:
        before = {one.scalar(session), two.scalar(session)}
    with pytest.raises(DBAPIError):
        transaction(postgresql, failing("SET TRANSACTION READ ONLY", WRITES))
    with postgresql.connect() as one, postgresql.connect() as two:
        assert before.isdisjoint({one.scalar(session), two.scalar(session)})


@pytest.mark.parametrize(
    ("password", "shown"),
    [("r", "role writer at port 5, r2d2"), ("r2d2", "role writer at port 5, ***")],
)
def test_a_password_is_masked_and_letters_that_it_has_are_not(password, shown):
    error = DBAPIError(None, None, Exception("role writer\nat port 5, r2d2"))
    assert explain(error, make_url(f"postgresql://u:{password}@h/d")) == shown
