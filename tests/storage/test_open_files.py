"""What is stored in a SQLite file that is not where it was is not stored."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from datetime import date

import pytest
from sqlalchemy import text
from stored_pages import NOON, Search, video

from tiktok_crawler.date_range import DateRange
from tiktok_crawler.exceptions import DatabaseLostError
from tiktok_crawler.storage.deletion import disk
from tiktok_crawler.storage.engine import database, sqlite
from tiktok_crawler.storage.engine.open_files import Hold
from tiktok_crawler.storage.engine.transactions import reading, transaction

FEBRUARY = DateRange(date(2024, 2, 1), date(2024, 2, 29))


def test_a_second_session_takes_no_other_file_than_the_first(prepared_sqlite_url, tmp_path):
    first, second = Search(prepared_sqlite_url).session, Search(prepared_sqlite_url).session
    first.hold = second.hold = Hold()
    first.open()
    first.release()
    (tmp_path / "test.db").unlink()

    with pytest.raises(DatabaseLostError, match=r"test.db was removed or renamed, or its disk"):
        second.open()
    assert not (tmp_path / "test.db").exists()


def test_a_transaction_is_not_safe_in_a_file_that_is_gone(prepared_sqlite_url, tmp_path):
    with database.opened(prepared_sqlite_url) as engine:
        with pytest.raises(DatabaseLostError, match="removed"):
            transaction(engine, lambda _: (tmp_path / "test.db").unlink())
        with reading(engine) as connection, pytest.raises(DatabaseLostError, match="removed"):
            connection.begin()


def test_connections_that_come_and_go_lose_nothing(prepared_sqlite_url):
    """With the last one SQLite removes the log, and with the next one it makes a new one."""
    hold = Hold()
    for _ in range(3):
        with database.opened(prepared_sqlite_url, hold) as engine:
            transaction(engine, lambda connection: connection.execute(text("SELECT 1")))


def test_the_log_is_emptied_into_the_file_at_a_quota_wait_and_at_the_end(
    make_engine, prepared_sqlite_url, tmp_path
):
    log = tmp_path / "test.db-wal"
    # Otherwise the last one to close the file would remove the log.
    with make_engine(prepared_sqlite_url).connect() as other:
        other.execute(text("SELECT 1")).all()
        other.rollback()
        with Search(prepared_sqlite_url) as run:
            booked = run.booked()
            assert log.stat().st_size > 0
            run.session.fill_quota(NOON)
            assert log.stat().st_size == 0
            # It was on its way when another request was refused.
            run.store(booked, video(1))
            assert log.stat().st_size == 0
            assert copied(tmp_path) == 1
            run.ask(run.first(FEBRUARY), video(2))
        assert log.stat().st_size == 0
        assert copied(tmp_path) == 2


def test_a_reader_of_an_earlier_state_keeps_the_log_and_nobody_waits_for_long(
    make_engine, prepared_sqlite_url, tmp_path, monkeypatch
):
    monkeypatch.setattr(sqlite, "IMPATIENT_SECONDS", 0)
    with reading(make_engine(prepared_sqlite_url)) as reader:
        reader.execute(text("SELECT count(*) FROM video")).all()
        with Search(prepared_sqlite_url) as run:
            run.store(run.booked(), video(1))
        assert (tmp_path / "test.db-wal").stat().st_size > 0


def test_a_file_that_others_write_is_not_vacuumed(make_engine, prepared_sqlite_url, monkeypatch):
    monkeypatch.setattr(sqlite, "PATIENT_SECONDS", 0)
    with make_engine(prepared_sqlite_url).begin() as writer:
        writer.execute(text(FILL), {"n": 1})
        assert not disk.vacuum(make_engine(prepared_sqlite_url))
    assert disk.vacuum(make_engine(prepared_sqlite_url))


def copied(folder) -> int:
    """The number of videos in a copy of the file alone."""
    copy = folder / "copy.db"
    shutil.copy(folder / "test.db", copy)
    with database.opened(f"sqlite:///{copy}") as engine, reading(engine) as connection:
        count = connection.scalar(text("SELECT count(*) FROM video"))
    copy.unlink()
    return count


@pytest.fixture
def overwritten(prepared_sqlite_url, tmp_path):
    """Writes over a file in use, which has some pages, and tries to store something in it."""
    path = tmp_path / "test.db"
    shutil.copy(path, tmp_path / "older.db")
    with database.opened(prepared_sqlite_url) as engine:
        for number in range(3):
            transaction(engine, lambda on, n=number: on.execute(text(FILL), {"n": n}))
        sqlite.empty_log(engine)

        def overwritten(content):
            path.write_bytes(content)
            transaction(engine, lambda on: on.execute(text("SELECT 1")))

        yield overwritten


FILL = """
WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 1000)
INSERT INTO hashtag (name) SELECT :n || 'a hashtag with a long name' || n FROM numbers
"""


@pytest.mark.slow
@pytest.mark.parametrize("what", ["nothing", "garbage", "another", "older"])
def test_a_file_that_is_written_over_is_noticed(overwritten, tmp_path, what):
    with database.opened(f"sqlite:///{tmp_path / 'other.db'}") as engine:
        database.prepare(engine, "sandbox")
    content = {
        "nothing": b"",
        "garbage": bytes(range(256)) * 10_000,
        "another": (tmp_path / "other.db").read_bytes() + bytes(1_000_000),
        "older": (tmp_path / "older.db").read_bytes(),
    }
    with pytest.raises(DatabaseLostError, match="was written over by another program"):
        overwritten(content[what])


@pytest.mark.slow
def test_writers_that_empty_the_log_all_the_time_are_no_trouble(prepared_sqlite_url, tmp_path):
    command = [sys.executable, "-c", EMPTYING, str(tmp_path / "test.db")]
    until = time.monotonic() + 3
    with subprocess.Popen(command) as other:
        try:
            with database.opened(prepared_sqlite_url) as engine:
                while time.monotonic() < until:
                    transaction(engine, lambda on: on.execute(text("DELETE FROM query_tag")))
        finally:
            other.kill()


EMPTYING = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=30)
connection.execute("PRAGMA synchronous = OFF")
connection.execute("PRAGMA wal_autocheckpoint = 3")
while True:
    connection.execute("INSERT INTO hashtag (name) VALUES (hex(randomblob(2000)))")
"""


def test_others_that_write_and_clean_up_are_no_trouble(prepared_sqlite_url, tmp_path):
    log = tmp_path / "test.db-wal"
    with database.opened(prepared_sqlite_url) as engine:
        for number in range(3):
            transaction(engine, lambda on, n=number: on.execute(text(FILL), {"n": n}))
            subprocess.run([sys.executable, "-c", OTHER, str(tmp_path / "test.db")], check=True)
        # The locks are still held: another one to leave would have removed the log.
        assert log.exists()
        with engine.connect() as connection:
            assert connection.scalar(text("SELECT count(*) FROM hashtag")) == 3000
            assert connection.scalar(text("PRAGMA integrity_check")) == "ok"


OTHER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("DELETE FROM query_tag")
connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
connection.execute("VACUUM")
connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
connection.close()
"""
