"""One crawl of a query at a time on a database."""

from __future__ import annotations

import os
import re
import signal
import socket
import stat
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from unittest.mock import Mock

import pytest
from marathon import first
from sqlalchemy import make_url, select, text, update
from sqlalchemy.exc import OperationalError

from tiktok_crawler.exceptions import ConfigurationError, QueryLockedError
from tiktok_crawler.storage.engine import process_identity, workers
from tiktok_crawler.storage.engine.lock import QueryLock, describe_holder, others_at_work
from tiktok_crawler.storage.engine.process_identity import is_gone, this_process
from tiktok_crawler.storage.engine.transactions import transaction
from tiktok_crawler.storage.engine.workers import Lease
from tiktok_crawler.storage.models.ledger import WorkerRow

FINGERPRINT = "9f" * 32
OTHER_FINGERPRINT = "0a" * 32
NEW_YEAR = datetime(2024, 1, 1, tzinfo=UTC)

HOLDER = """
import sys, time
from tiktok_crawler.storage.engine import database
from tiktok_crawler.storage.engine.lock import QueryLock
engine = database.create_engine_for(database.database_url(sys.argv[1]))
QueryLock(engine, sys.argv[2]).acquire()
print("locked", flush=True)
time.sleep(60)
"""


IDENTITY = """
import time
from tiktok_crawler.storage.engine.process_identity import this_process
print(this_process(), flush=True)
time.sleep(60)
"""


@pytest.fixture
def holder(prepared_url):
    """Another process that holds the lock."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, prepared_url, FINGERPRINT], stdout=subprocess.PIPE
    )
    assert process.stdout.readline() == b"locked\n"
    yield process
    process.kill()
    process.communicate()


def verify(lock):
    """Makes sure that a lock is held, as each booking does."""
    transaction(lock.engine, lock.verify)


def lock_file(directory):
    (found,) = directory.glob("*.lock")
    return found


def test_a_second_crawl_learns_who_holds_the_lock(engine, holder):
    with pytest.raises(QueryLockedError) as refusal:
        QueryLock(engine, FINGERPRINT).acquire()

    message = str(refusal.value)
    assert f"process {holder.pid} on {socket.gethostname()}, since " in message
    since = re.search(r"since (.*) UTC; run again when it has ended$", message)[1]
    age = datetime.now(UTC) - datetime.fromisoformat(since).replace(tzinfo=UTC)
    assert timedelta(0) <= age < timedelta(minutes=1)


def test_the_lock_dies_with_its_process(engine, holder):
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()

    lock = QueryLock(engine, FINGERPRINT)
    lock.acquire()
    verify(lock)
    lock.release()


@pytest.mark.usefixtures("holder")
def test_other_queries_are_not_locked(engine):
    lock = QueryLock(engine, OTHER_FINGERPRINT)
    lock.acquire()
    verify(lock)
    lock.release()


def test_a_released_lock_can_be_taken_again(engine):
    first, second = QueryLock(engine, FINGERPRINT), QueryLock(engine, FINGERPRINT)
    for _ in range(2):
        first.acquire()
        verify(first)
        with pytest.raises(QueryLockedError, match=str(os.getpid())):
            second.acquire()
        first.release()
        second.acquire()
        second.release()


def test_a_lock_is_not_held_before_and_after(engine):
    lock = QueryLock(engine, FINGERPRINT)
    with pytest.raises(QueryLockedError, match="is lost"):
        verify(lock)
    lock.acquire()
    lock.release()
    lock.release()
    with pytest.raises(QueryLockedError, match="is lost"):
        verify(lock)


@pytest.fixture
def sqlite_lock(make_engine, prepared_sqlite_url):
    lock = QueryLock(make_engine(prepared_sqlite_url), FINGERPRINT)
    lock.acquire()
    yield lock
    lock.release()


@pytest.mark.usefixtures("sqlite_lock")
def test_the_file_is_beside_the_database_and_its_owners_alone(tmp_path):
    file = lock_file(tmp_path)

    assert file.name == f"test.db.{FINGERPRINT[:16]}.lock"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert f"process {os.getpid()} on" in file.read_text()


def test_no_file_is_left(sqlite_lock, tmp_path):
    sqlite_lock.release()

    assert not list(tmp_path.glob("*.lock"))


def test_a_file_that_is_removed_or_replaced_is_a_lost_lock(sqlite_lock, tmp_path):
    file = lock_file(tmp_path)
    file.unlink()
    with pytest.raises(QueryLockedError, match="removed or replaced"):
        verify(sqlite_lock)

    file.write_text("somebody else's")
    with pytest.raises(QueryLockedError, match="removed or replaced"):
        verify(sqlite_lock)
    sqlite_lock.release()
    assert file.read_text() == "somebody else's"


def test_one_database_has_one_lock_whatever_it_is_called(
    sqlite_lock, make_engine, tmp_path, monkeypatch
):
    (tmp_path / "link.db").symlink_to(tmp_path / "test.db")
    monkeypatch.chdir(tmp_path)

    for name in ("test.db", "link.db", "../" + tmp_path.name + "/test.db"):
        with pytest.raises(QueryLockedError):
            QueryLock(make_engine(f"sqlite:///{name}"), FINGERPRINT).acquire()
    verify(sqlite_lock)


def test_an_unsigned_lock_is_respected(sqlite_lock, make_engine, prepared_sqlite_url, tmp_path):
    lock_file(tmp_path).write_text("")

    with pytest.raises(QueryLockedError, match="has just begun, or has just ended"):
        QueryLock(make_engine(prepared_sqlite_url), FINGERPRINT).acquire()
    verify(sqlite_lock)


def test_a_file_that_cannot_be_locked_is_a_configuration_error(make_engine, tmp_path):
    engine = make_engine(f"sqlite:///{tmp_path / 'missing' / 'test.db'}")

    with pytest.raises(ConfigurationError, match=r"\.lock cannot be locked: No such file"):
        QueryLock(engine, FINGERPRINT).acquire()


def test_a_database_in_memory_needs_no_lock(make_engine):
    first, second = (QueryLock(make_engine("sqlite://"), FINGERPRINT) for _ in range(2))
    for lock in (first, second):
        lock.acquire()
        verify(lock)
        lock.release()


def run_out(engine):
    """Lets the lock of whoever is at work run out, as if that had been away for long."""
    with engine.begin() as connection:
        connection.execute(update(WorkerRow).values(alive_until=NEW_YEAR))


@pytest.fixture
def pair(make_engine, prepared_postgresql_url):
    engines = [make_engine(prepared_postgresql_url) for _ in range(2)]
    locks = [QueryLock(engine, FINGERPRINT) for engine in engines]
    yield locks
    for lock in locks:
        lock.release()


def test_a_lock_that_has_run_out_is_kept_as_long_as_nobody_takes_it(pair):
    lock, other = pair
    lock.acquire()
    run_out(lock.engine)

    verify(lock)
    lock.release()
    other.acquire()


def test_a_lock_that_has_run_out_can_be_taken_and_is_lost_then(pair):
    lock, other = pair
    lock.acquire()
    run_out(lock.engine)
    other.acquire()

    for _ in range(2):
        with pytest.raises(QueryLockedError, match=r"for too long: process \d+ on .* has taken it"):
            verify(lock)
        other.release()


def test_what_a_process_could_not_give_back_is_no_hindrance_to_itself(pair, monkeypatch):
    lock, other = pair
    lock.acquire()
    away = OperationalError("", {}, Exception())
    with monkeypatch.context() as patched:
        patched.setattr(workers, "transaction", Mock(side_effect=away))
        lock.release()

    other.acquire()
    verify(other)


def test_a_row_whose_commit_was_in_doubt_is_no_hindrance_to_its_process(pair, monkeypatch):
    lock, other = pair

    def in_doubt(engine, work):
        transaction(engine, work)
        raise OperationalError("", {}, Exception())

    with monkeypatch.context() as patched:
        patched.setattr(workers, "transaction", in_doubt)
        with pytest.raises(OperationalError):
            lock.acquire()

    other.acquire()
    verify(other)


@pytest.mark.parametrize("level", first(1, [r"repeatable\ read", "serializable"]))
def test_of_two_that_begin_at_once_one_is_alone_whatever_the_default_isolation_is(
    make_engine, prepared_postgresql_url, level
):
    options = {"options": f"-c default_transaction_isolation={level}"}
    url = make_url(prepared_postgresql_url).update_query_dict(options)
    engine = make_engine(url.render_as_string(hide_password=False))
    waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'advisory'")
    locks = [QueryLock(engine, FINGERPRINT) for _ in range(2)]
    with ThreadPoolExecutor() as threads:
        with engine.connect() as gate:
            Lease(engine, FINGERPRINT[:16], alone=True).take_in(gate)
            begun = [threads.submit(lock.acquire) for lock in locks]
            while gate.scalar(waiting) < len(locks):
                assert not any(each.done() for each in begun)
            gate.rollback()
        assert sorted(type(each.exception()) is QueryLockedError for each in begun) == [False, True]
    for lock in locks:
        lock.release()


def test_a_lock_that_others_have_had_meanwhile_stays_lost(pair):
    lock, other = pair
    lock.acquire()
    run_out(lock.engine)
    other.acquire()
    other.release()

    for _ in range(2):
        with pytest.raises(QueryLockedError, match=r"this query is lost, .* for too long: another"):
            verify(lock)
    other.acquire()
    verify(other)


def test_a_shared_lock_that_others_have_had_meanwhile_is_taken_anew(pair):
    _, other = pair
    lock = QueryLock(other.engine, FINGERPRINT, alone=False)
    lock.acquire()
    first = lock.worker_id
    run_out(lock.engine)
    other.acquire()
    other.release()

    verify(lock)
    assert lock.worker_id != first
    with pytest.raises(QueryLockedError, match="another crawl"):
        other.acquire()
    lock.release()


def test_a_lock_is_renewed_as_long_as_its_process_lives(pair, monkeypatch):
    monkeypatch.setattr(workers, "RENEWED_EVERY", timedelta(milliseconds=20))
    lock, other = pair
    lock.acquire()
    lock.release()
    lock.acquire()
    run_out(lock.engine)

    until = time.monotonic() + 10
    with lock.engine.connect() as connection:
        while connection.scalar(select(WorkerRow.alive_until)) == NEW_YEAR:
            assert time.monotonic() < until
            connection.rollback()
    with pytest.raises(QueryLockedError, match="another crawl"):
        other.acquire()


def test_whoever_need_not_be_alone_shares_a_lock_with_others_like_it(engine):
    first, second = (QueryLock(engine, FINGERPRINT, alone=False) for _ in range(2))
    first.acquire()
    if engine.dialect.name == "sqlite":
        with pytest.raises(QueryLockedError, match="another crawl"):
            second.acquire()
        assert first.worker_id is None
        assert others_at_work(engine, FINGERPRINT) == []
    else:
        second.acquire()
        assert first.worker_id != second.worker_id
        assert len(others_at_work(engine, FINGERPRINT)) == 2
        second.release()
    with pytest.raises(QueryLockedError, match="another crawl"):
        QueryLock(engine, FINGERPRINT).acquire()
    first.release()
    assert others_at_work(engine, FINGERPRINT) == []


@pytest.fixture
def other():
    """Another process, whose identity is its first line."""
    command = [sys.executable, "-c", IDENTITY]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


def test_a_process_is_known_as_gone_when_it_has_ended(other):
    identity = other.stdout.readline().strip()
    assert not is_gone(identity)
    other.kill()
    other.wait()
    assert is_gone(identity)
    boot, *others = this_process().split()
    assert not is_gone(" ".join([boot[::-1], *others])), "nobody knows of other machines"
    assert is_gone(" ".join([boot, *others[:-1], "1"])), "a number is used again"
    assert not is_gone(None)


def test_a_process_that_is_hidden_is_not_taken_for_gone(other, tmp_path, monkeypatch):
    identity = other.stdout.readline().strip()
    for shown in ("sys", "self", str(os.getpid())):
        (tmp_path / shown).symlink_to(f"/proc/{shown}")
    monkeypatch.setattr(process_identity, "PROC", tmp_path)
    assert not is_gone(identity)
    with monkeypatch.context() as another_users:
        another_users.setattr(os, "kill", Mock(side_effect=PermissionError))
        assert not is_gone(identity)
    other.kill()
    other.wait()
    assert is_gone(identity)


@pytest.mark.parametrize(
    ("name", "since", "described"),
    [
        ("tiktok_crawler host 7", NEW_YEAR, "process 7 on host, since 2024-01-01 00:00:00 UTC"),
        ("psql", NEW_YEAR, "psql, since 2024-01-01 00:00:00 UTC"),
    ],
)
def test_holders_are_described_as_far_as_they_are_known(name, since, described):
    assert describe_holder(name, since) == described


def test_all_of_the_fingerprints_bits_make_a_lock(make_engine, prepared_postgresql_url):
    engine = make_engine(prepared_postgresql_url)
    for fingerprint in ("f" * 64, "0" * 64, "7f" * 32, "80" * 32):
        lock = QueryLock(engine, fingerprint)
        lock.acquire()
        verify(lock)
        lock.release()


IN_A_TRANSACTION = """
import sys
from tiktok_crawler.storage.engine import database
from tiktok_crawler.storage.engine.lock import QueryLock
engine = database.create_engine_for(database.database_url(sys.argv[1]))
lock = QueryLock(engine, sys.argv[2])
lock.acquire()
with engine.begin() as connection:
    lock.hold(connection)
    connection.exec_driver_sql("SELECT pg_sleep(2)")
"""


@pytest.mark.slow
def test_what_a_process_has_sent_before_its_end_is_waited_for(make_engine, prepared_postgresql_url):
    engine = make_engine(prepared_postgresql_url)
    command = [sys.executable, "-c", IN_A_TRANSACTION, prepared_postgresql_url, FINGERPRINT]
    sleeping = text("SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(2)'")

    def is_at_work():
        with engine.connect() as connection:
            active = text(f"{sleeping} AND state = 'active'")
            return connection.scalar(active) == 1

    with subprocess.Popen(command) as process:
        while not is_at_work():
            assert process.poll() is None
        process.kill()
    assert is_at_work()
    lock = QueryLock(engine, FINGERPRINT)
    lock.acquire()
    assert not is_at_work()
    lock.release()
