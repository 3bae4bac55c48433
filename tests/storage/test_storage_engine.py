from __future__ import annotations

import os
import socket
import stat
import subprocess
import sys

import pytest
from marathon import first
from postgres_server import temporary_database
from sqlalchemy import inspect, make_url, text
from sqlalchemy.exc import IntegrityError
from stored_pages import Search, content, first_request, page, row, video

from tiktok_crawler.exceptions import ConfigurationError
from tiktok_crawler.storage.engine import database, sqlite
from tiktok_crawler.storage.engine.transactions import reading
from tiktok_crawler.storage.page_store import PageStore


def pragma(connection, name):
    return connection.exec_driver_sql(f"PRAGMA {name}").scalar()


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_a_sqlite_file_is_durable_and_waits_for_writers(make_engine, sqlite_url):
    with make_engine(sqlite_url).connect() as connection:
        assert pragma(connection, "journal_mode") == "wal"
        assert pragma(connection, "synchronous") == 2
        assert pragma(connection, "wal_autocheckpoint") == 20_000
        assert pragma(connection, "foreign_keys") == 1
        assert pragma(connection, "busy_timeout") == sqlite.PATIENT_SECONDS * 1000
        assert pragma(connection, "cache_size") == -16_384


def test_a_sqlite_file_is_its_owners_alone(make_engine, sqlite_url, tmp_path):
    previous = os.umask(0)
    try:
        engine = make_engine(sqlite_url)
        database.prepare(engine, "sandbox")
        assert not list(tmp_path.glob("*.lock"))
        assert {path.name: mode(path) for path in tmp_path.iterdir()} == {
            "test.db": 0o600,
            "test.db-shm": 0o600,
            "test.db-wal": 0o600,
        }
    finally:
        os.umask(previous)


def test_an_engine_alone_creates_nothing(make_engine, sqlite_url, tmp_path):
    engine = make_engine(sqlite_url)

    assert database.is_new(engine)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("missing/test.db", "missing must exist"),
        ("", "is a folder"),
        ("text.db", "not a database"),
        ("/proc/test.db", "/proc must exist"),
    ],
)
def test_a_file_that_cannot_be_used_is_a_configuration_error(make_engine, tmp_path, name, message):
    (tmp_path / "text.db").write_text("This is not a database, however long it may be. " * 50)
    engine = make_engine(f"sqlite:///{tmp_path / name}")

    with pytest.raises(ConfigurationError, match=message):
        database.prepare(engine, "sandbox")


def test_a_transaction_that_only_reads_waits_for_no_writer(make_engine, prepared_sqlite_url):
    engine = make_engine(prepared_sqlite_url)
    with engine.begin() as writer, reading(engine) as reader:
        writer.execute(text("INSERT INTO query_tag (name) VALUES ('t')"))
        assert reader.scalar(text("SELECT count(*) FROM query_tag")) == 0


def test_a_database_in_memory_is_one_for_all_connections(make_engine):
    engine = make_engine("sqlite://")
    database.prepare(engine, "sandbox")
    PageStore(engine).save(page(first_request(engine), video(1)), tags=())

    assert row(engine, "video")["id"] == 1


def test_postgresql_sessions_are_in_utc_and_named(make_engine, postgresql_url):
    with make_engine(postgresql_url).connect() as connection:
        connection.rollback()
        assert connection.scalar(text("SHOW timezone")) == "UTC"
        name = connection.scalar(text("SHOW application_name"))
    assert name == f"tiktok_crawler {socket.gethostname()} {os.getpid()}"


def test_a_postgresql_database_that_cannot_hold_all_text_is_refused(make_engine, postgres_url):
    options = "ENCODING 'LATIN1' TEMPLATE template0"
    with temporary_database(postgres_url, options) as url:
        engine = make_engine(url)
        with pytest.raises(ConfigurationError, match="LATIN1"):
            database.prepare(engine, "sandbox")
        assert not inspect(engine).get_table_names()
        engine.dispose()


def test_a_server_that_is_not_there_is_named_without_the_password(make_engine):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    engine = make_engine(f"postgresql://u:s3cr3t@127.0.0.1:{port}/videos")

    for use in (database.is_new, lambda e: database.prepare(e, "sandbox"), database.migrate):
        with pytest.raises(ConfigurationError) as refusal:
            use(engine)
        assert f"database videos on 127.0.0.1:{port}" in str(refusal.value)
        assert "refused" in str(refusal.value)
        assert "\n" not in str(refusal.value)
        assert "s3cr3t" not in repr([refusal.value, refusal.value.__cause__])
        assert refusal.value.__suppress_context__


def test_a_password_is_masked_whatever_the_driver_says(make_engine, postgres_url):
    secret = "no_such_role"
    url = make_url(postgres_url).set(username=secret, password=secret)
    engine = make_engine(url.render_as_string(hide_password=False))

    with pytest.raises(ConfigurationError, match=r'role "\*\*\*" does not exist'):
        database.prepare(engine, "sandbox")


def test_errors_do_not_show_what_was_stored(engine):
    statement = text("INSERT INTO videos_to_hashtags (video_id, hashtag_id) VALUES (:v, 1)")
    with pytest.raises(IntegrityError) as error, engine.begin() as connection:
        connection.execute(statement, {"v": 424242})

    assert "hidden" in str(error.value)
    assert "424242" not in str(error.value).replace(str(error.value.orig), "")


def test_ids_are_sqlites_row_numbers_and_links_have_none(make_engine, prepared_sqlite_url):
    with make_engine(prepared_sqlite_url).begin() as connection:
        connection.execute(text("INSERT INTO video (id, crawled_at) VALUES (7, '2024-01-01')"))
        assert connection.scalar(text("SELECT rowid FROM video")) == 7
        of_tables = text("SELECT name, sql FROM sqlite_master WHERE type = 'table'")
        tables = connection.execute(of_tables).all()
    without_rowid = {name for name, sql in tables if "WITHOUT ROWID" in (sql or "")}
    links = {name for name, sql in tables if sql and "_to_" in name}
    sightings = {"user_relation", "user_video", "playlist_video"}
    assert without_rowid == {
        *links,
        *sightings,
        "archive_removal",
        "compliance_check_record",
        "kept_out",
        "query_value",
        "value_batch",
        "video_statistics",
        "window_day",
    }


def store_pages(url):
    with Search(url, tags=("t",)) as run:
        run.ask(run.ask(run.first(), video(1), video(2), has_more=True), has_more=True)


@pytest.mark.slow
@pytest.mark.parametrize("zone", first(1, ["Asia/Kolkata", "America/New_York"]))
def test_the_machines_time_zone_changes_nothing(
    make_engine, zone, sqlite_url, postgresql_url, tmp_path
):
    here = f"sqlite:///{tmp_path / 'here.db'}"
    store_pages(here)
    storing = "import sys, test_storage_engine as t; [*map(t.store_pages, sys.argv[1:])]"
    subprocess.run(
        [sys.executable, "-c", storing, sqlite_url, postgresql_url],
        env=os.environ | {"TZ": zone, "PGTZ": zone, "PYTHONPATH": os.pathsep.join(sys.path)},
        check=True,
    )

    urls = (here, sqlite_url, postgresql_url)
    first, *others = (without_claim(content(make_engine(url))) for url in urls)
    assert others == [first, first]


def without_claim(tables):
    return {name: found for name, found in tables.items() if name != "database_origin"}


def test_sqlite_times_are_text_that_sorts(make_engine, prepared_sqlite_url):
    engine = make_engine(prepared_sqlite_url)
    PageStore(engine).save(page(first_request(engine), video(1)), tags=())

    with engine.connect() as connection:
        times = connection.execute(text("SELECT create_time, crawled_at FROM video")).one()
    assert tuple(times) == ("2024-01-10 00:00:01", "2024-06-01 12:00:00.000000")


MOUNTS = """\
/dev/sda1 / ext4 rw 0 0
files:/home {home} nfs4 rw 0 0
/dev/sdb1 {home}/local ext4 rw 0 0
{share} {home}/with\\040blank cifs rw 0 0
/dev/sdc1 {home}/with\\040blank/disk ext4 rw 0 0
host {home}/with\\040blank/disk fuse.sshfs rw 0 0
"""


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("", "nfs4"),
        ("sub", "nfs4"),
        ("local", None),
        ("with blank", "cifs"),
        ("with blank/disk", "fuse.sshfs"),
    ],
)
def test_a_file_on_a_network_file_system_gets_a_warning(tmp_path, folder, kind):
    home = tmp_path / "home"
    (home / folder).mkdir(parents=True)
    mounts = tmp_path / "mounts"
    mounts.write_text(MOUNTS.format(home=home, share="//files/share"))
    url = database.database_url(f"sqlite:///{home / folder / 'test.db'}")

    warning = sqlite.network_file_system_warning(url, mounts)

    assert (warning is None) == (kind is None)
    assert warning is None or kind in warning


@pytest.mark.parametrize("url", ["sqlite://", "postgresql://h/d", "sqlite:////dev/null/x.db"])
def test_other_databases_get_no_warning(url, tmp_path):
    assert sqlite.network_file_system_warning(database.database_url(url)) is None
    no_mounts = tmp_path / "mounts"
    parsed = database.database_url("sqlite:///test.db")
    assert sqlite.network_file_system_warning(parsed, no_mounts) is None
