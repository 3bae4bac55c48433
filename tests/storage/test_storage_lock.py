"""One crawl of a query at a time on a database."""

from __future__ import annotations

import os
import re
import signal
import socket
import stat
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from postgres_server import temporary_database
from sqlalchemy import text

from tiktok_crawler.exceptions import ConfigurationError, QueryLockedError
from tiktok_crawler.storage.engine.lock import QueryLock, describe_holder

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
    for _ in range(100):
        try:
            lock.acquire()
            break
        except QueryLockedError:
            assert engine.dialect.name == "postgresql", "a file's lock is gone at once"
    lock.verify()
    lock.release()


@pytest.mark.usefixtures("holder")
def test_other_queries_are_not_locked(engine):
    lock = QueryLock(engine, OTHER_FINGERPRINT)
    lock.acquire()
    lock.verify()
    lock.release()


def test_a_released_lock_can_be_taken_again(engine):
    first, second = QueryLock(engine, FINGERPRINT), QueryLock(engine, FINGERPRINT)
    for _ in range(2):
        first.acquire()
        first.verify()
        with pytest.raises(QueryLockedError, match=str(os.getpid())):
            second.acquire()
        first.release()
        second.acquire()
        second.release()


def test_a_lock_is_not_held_before_and_after(engine):
    lock = QueryLock(engine, FINGERPRINT)
    with pytest.raises(QueryLockedError, match="is lost"):
        lock.verify()
    lock.acquire()
    lock.release()
    lock.release()
    with pytest.raises(QueryLockedError, match="is lost"):
        lock.verify()


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
        sqlite_lock.verify()

    file.write_text("somebody else's")
    with pytest.raises(QueryLockedError, match="removed or replaced"):
        sqlite_lock.verify()
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
    sqlite_lock.verify()


def test_an_unsigned_lock_is_respected(sqlite_lock, make_engine, prepared_sqlite_url, tmp_path):
    lock_file(tmp_path).write_text("")

    with pytest.raises(QueryLockedError, match="has just begun, or has just ended"):
        QueryLock(make_engine(prepared_sqlite_url), FINGERPRINT).acquire()
    sqlite_lock.verify()


def test_a_file_that_cannot_be_locked_is_a_configuration_error(make_engine, tmp_path):
    engine = make_engine(f"sqlite:///{tmp_path / 'missing' / 'test.db'}")

    with pytest.raises(ConfigurationError, match=r"\.lock cannot be locked: No such file"):
        QueryLock(engine, FINGERPRINT).acquire()


def test_a_database_in_memory_needs_no_lock(make_engine):
    first, second = (QueryLock(make_engine("sqlite://"), FINGERPRINT) for _ in range(2))
    for lock in (first, second):
        lock.acquire()
        lock.verify()
        lock.release()


def end_sessions_with_locks(engine):
    with engine.connect() as connection:
        sessions = "SELECT pid FROM pg_locks WHERE locktype = 'advisory'"
        connection.execute(text(f"SELECT pg_terminate_backend(pid, 10000) FROM ({sessions}) AS s"))


def test_a_lock_whose_session_ended_is_taken_again(make_engine, prepared_postgresql_url):
    engine = make_engine(prepared_postgresql_url)
    lock, other = QueryLock(engine, FINGERPRINT), QueryLock(engine, FINGERPRINT)
    lock.acquire()
    end_sessions_with_locks(engine)

    lock.verify()
    with pytest.raises(QueryLockedError, match="another crawl"):
        other.acquire()
    lock.release()


def test_a_lock_that_another_crawl_has_taken_since_is_lost(make_engine, prepared_postgresql_url):
    engine = make_engine(prepared_postgresql_url)
    lock, other = QueryLock(engine, FINGERPRINT), QueryLock(engine, FINGERPRINT)
    lock.acquire()
    end_sessions_with_locks(engine)
    other.acquire()

    for _ in range(2):
        with pytest.raises(QueryLockedError, match=r"broke: process \d+ on .* has taken it"):
            lock.verify()
        other.release()
    lock.release()


def test_databases_of_one_server_have_locks_of_their_own(
    make_engine, prepared_postgresql_url, postgres_url
):
    first = QueryLock(make_engine(prepared_postgresql_url), FINGERPRINT)
    first.acquire()
    with temporary_database(postgres_url) as url:
        engine = make_engine(url)
        second = QueryLock(engine, FINGERPRINT)
        second.acquire()
        second.verify()
        second.release()
        engine.dispose()
    first.release()


def test_a_lock_takes_no_connection_from_the_pool(make_engine, prepared_postgresql_url):
    engine = make_engine(prepared_postgresql_url)
    lock = QueryLock(engine, FINGERPRINT)
    lock.acquire()
    assert engine.pool.checkedout() == 0
    engine.dispose()
    lock.verify()
    lock.release()


@pytest.mark.parametrize(
    ("name", "since", "described"),
    [
        ("tiktok_crawler host 7", NEW_YEAR, "process 7 on host, since 2024-01-01 00:00:00 UTC"),
        ("psql", None, "psql"),
        ("", None, "a session of another database user"),
        (None, None, "a session of another database user"),
    ],
)
def test_holders_are_described_as_far_as_they_are_known(name, since, described):
    assert describe_holder(name, since) == described


def test_all_of_the_fingerprints_bits_make_a_lock(make_engine, prepared_postgresql_url):
    engine = make_engine(prepared_postgresql_url)
    for fingerprint in ("f" * 64, "0" * 64, "7f" * 32, "80" * 32):
        lock = QueryLock(engine, fingerprint)
        lock.acquire()
        lock.verify()
        lock.release()
