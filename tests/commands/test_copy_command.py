"""`scrapy copy` moves everything from SQLite to PostgreSQL, and compares it, or leaves nothing."""

from __future__ import annotations

import shutil
import signal
import sqlite3
import time
from contextlib import closing

import pytest
from marathon import first
from processes import scrapy, started
from sandboxes import served_by_thread
from sqlalchemy import create_engine, inspect, make_url, select, text
from trials import QUERY_FILE, WatchedSandbox

from tiktok_crawler.sandbox.faults.profile import Latency, Profile
from tiktok_crawler.storage.engine import database
from tiktok_crawler.storage.models import METADATA

SANDBOX = ("-s", "TIKTOK_SANDBOX=True")
DATABASE = "tiktok-sandbox.db"
CRAWLS = (
    ("videos", "-a", "query=query.yaml"),
    ("comments", "-a", "from_tag=all", "-a", "max_seeds=3"),
    ("users", "-a", "from_tag=all", "-a", "max_seeds=20"),
    ("followers", "-a", "from_tag=all", "-a", "max_seeds=2"),
    ("liked_videos", "-a", "from_tag=all", "-a", "max_seeds=5"),
    ("playlists", "-a", "from_tag=all", "-a", "max_seeds=30"),
    ("shops", "-a", "shop_names=Butter"),
)
ODD_JSON = '{"e":-0.0,"f":1e16,"g":100.0,"h":12345678901234567890123,"i":"ü 1.5\\u001f","j":1e-7}'


@pytest.fixture(scope="module")
def collected(tmp_path_factory):
    folder = tmp_path_factory.mktemp("collected")
    (folder / "query.yaml").write_text(QUERY_FILE + "tags: [all, 'ünö']\n")
    for spider in CRAWLS:
        run = scrapy(folder, "crawl", *spider, "-a", "max_requests=20", *SANDBOX)
        assert run.returncode in {0, 75}, run.stderr
    change(folder, "UPDATE video SET extra_data = ? WHERE id % 2 = 0", ODD_JSON)
    change(folder, "INSERT INTO journal_mark VALUES ('j', 7)")
    return folder


@pytest.fixture
def folder(collected, tmp_path):
    for name in (DATABASE, "query.yaml"):
        shutil.copy(collected / name, tmp_path)
    return tmp_path


def change(folder, statement, *values):
    with closing(sqlite3.connect(folder / DATABASE)) as connection, connection:
        connection.execute(statement, values)


def everything(url):
    """All rows of all tables, as the program reads them."""
    with database.opened(url) as engine, engine.connect() as connection:
        return {
            table.name: sorted(connection.execute(select(table)).all(), key=key_of(table))
            for table in METADATA.sorted_tables
        }


def key_of(table):
    places = [place for place, column in enumerate(table.columns) if column.primary_key]
    return lambda row: [str(row[place]) for place in places]


def tables(url):
    engine = create_engine(url)
    names = inspect(engine).get_table_names()
    engine.dispose()
    return names


@pytest.mark.slow
def test_all_tables_are_the_same_and_crawls_go_on_where_they_were(folder, postgresql_url):
    run = scrapy(folder, "copy", postgresql_url, *SANDBOX)

    assert (run.returncode, run.stderr) == (0, "")
    here, there = everything(f"sqlite:///{folder / DATABASE}"), everything(postgresql_url)
    filled = {name for name, rows in here.items() if rows}
    assert {"comment", "user_info", "account", "user_relation", "journal_mark"} < filled
    for name, rows in here.items():
        assert there[name] == rows, name
    first, *lines, last = run.stdout.splitlines()
    assert first.startswith(f"SQLite database {folder / DATABASE} to PostgreSQL database ")
    assert {line.split()[0] for line in lines} == filled
    assert f"{len(here['video']):,} rows" in run.stdout
    assert last.startswith("Copied and compared: both have the same rows.")
    # Rows that come get numbers that are free.
    crawl = ("crawl", "videos", "-a", "query=query.yaml", "-a", "end_date=2024-01-11", *SANDBOX)
    again = scrapy(folder, *crawl, TIKTOK_DATABASE_URL=postgresql_url)
    assert again.returncode == 0, again.stderr
    assert len(everything(postgresql_url)["crawl_window"]) > len(here["crawl_window"])


def test_tables_that_are_there_and_empty_are_filled(folder, prepared_postgresql_url):
    with database.opened(prepared_postgresql_url) as engine, engine.begin() as connection:
        connection.execute(text("DELETE FROM database_origin"))

    run = scrapy(folder, "copy", prepared_postgresql_url, *SANDBOX)

    assert run.returncode == 0, run.stderr
    assert everything(prepared_postgresql_url) == everything(f"sqlite:///{folder / DATABASE}")


def test_a_database_with_data_is_left_as_it_is(folder, prepared_postgresql_url):
    before = everything(prepared_postgresql_url)

    run = scrapy(folder, "copy", prepared_postgresql_url, *SANDBOX)

    assert run.returncode == 78
    assert "is not empty" in run.stderr
    assert everything(prepared_postgresql_url) == before


@pytest.mark.slow
def test_the_url_can_stand_in_a_file_and_the_password_in_the_environment(folder, postgresql_url):
    (folder / "target").write_text(f"{postgresql_url}\n")

    run = scrapy(folder, "copy", "@target", *SANDBOX, PGPASSWORD="s3cr3t")

    assert run.returncode == 0, run.stderr
    assert make_url(postgresql_url).database in run.stdout
    assert "s3cr3t" not in run.stdout


def test_what_is_not_the_same_is_not_kept(folder, prepared_postgresql_url):
    with database.opened(prepared_postgresql_url) as engine, engine.begin() as connection:
        connection.execute(text("DELETE FROM database_origin"))
        connection.execute(text(CHANGING_A_ROW))
    try:
        run = scrapy(folder, "copy", prepared_postgresql_url, *SANDBOX)
    finally:
        with database.opened(prepared_postgresql_url) as engine, engine.begin() as connection:
            connection.execute(text("DROP TRIGGER change ON video; DROP FUNCTION change()"))

    assert run.returncode == 70
    assert "table video is not the same after it was copied" in run.stderr
    assert not any(everything(prepared_postgresql_url).values())


CHANGING_A_ROW = """
CREATE FUNCTION change() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN NEW.view_count = NEW.view_count + (NEW.view_count % 10 = 0)::int; RETURN NEW; END $$;
CREATE TRIGGER change BEFORE INSERT ON video FOR EACH ROW EXECUTE FUNCTION change()
"""


def test_what_postgresql_does_not_take_leaves_nothing(folder, postgresql_url):
    change(folder, "DELETE FROM video WHERE id = (SELECT max(id) FROM video)")

    run = scrapy(folder, "copy", postgresql_url, *SANDBOX)

    assert run.returncode == 70
    assert "violates foreign key constraint" in run.stderr
    assert "is as it was before" in run.stderr
    assert run.stderr.count("\n") == 1
    assert tables(postgresql_url) == []


@pytest.mark.slow
@pytest.mark.parametrize("number", first(1, [signal.SIGKILL, signal.SIGINT]))
def test_an_interrupted_copy_leaves_nothing(folder, postgresql_url, number):
    engine = create_engine(postgresql_url)
    with closing(sqlite3.connect(folder / DATABASE)) as connection, connection:
        connection.executemany(
            "INSERT INTO hashtag (name) VALUES (?)", ((f"tag {n}",) for n in range(200_000))
        )
    with engine.connect() as connection:
        began = connection.scalar(text("SELECT clock_timestamp()"))
    with started(folder, "copy", postgresql_url, *SANDBOX) as process:
        with engine.connect() as connection:
            while not connection.scalar(text(IS_COPYING), {"began": began}):
                connection.rollback()
                assert process.poll() is None, process.communicate()
                time.sleep(0.02)
        process.send_signal(number)
        output, _ = process.communicate(timeout=30)
        assert process.returncode == (75 if number == signal.SIGINT else -number), output
    assert ("interrupted; nothing was copied" in output) == (number == signal.SIGINT)
    assert tables(postgresql_url) == []
    engine.dispose()
    assert scrapy(folder, "copy", postgresql_url, *SANDBOX).returncode == 0


IS_COPYING = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND query LIKE 'INSERT INTO hashtag%' AND backend_start > :began
"""
"""Not what the server still does for a process that was killed."""


@pytest.mark.slow
def test_while_a_crawl_is_at_work_nothing_is_copied(tmp_path, postgresql_url):
    (tmp_path / "query.yaml").write_text(QUERY_FILE.replace("2024-01-09", "2024-01-05"))
    sandbox = WatchedSandbox(Profile(latency=Latency(seconds=1)))
    with served_by_thread(sandbox) as url:
        crawl = ("crawl", "videos", "-a", "query=query.yaml", "-s", "TIKTOK_WINDOW_DAYS=1")
        crawl += (*SANDBOX, "-s", "CONCURRENT_REQUESTS=1", "-s", f"TIKTOK_SANDBOX_URL={url}")
        with started(tmp_path, *crawl) as process:
            while len(sandbox.exchanges) < 2:
                time.sleep(0.01)
            run = scrapy(tmp_path, "copy", postgresql_url, *SANDBOX)
            assert run.returncode == 75
            assert f"a crawl is running on this database: process {process.pid} on" in run.stderr
            process.communicate(timeout=60)
            assert process.returncode == 0
    assert tables(postgresql_url) == []
    assert scrapy(tmp_path, "copy", postgresql_url, *SANDBOX).returncode == 0


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        ((), 64, "scrapy copy postgresql://user@host/database"),
        (("sqlite:///other.db",), 78, "copies into a PostgreSQL database"),
        (("nonsense",), 78, "the database URL cannot be read"),
        (("@missing",), 78, "missing: cannot be read"),
        (("postgresql://u:s3cr3t@127.0.0.1:1/d",), 78, "d on 127.0.0.1:1 cannot be used"),
    ],
)
def test_what_cannot_be_a_target_is_refused(folder, arguments, status, words):
    run = scrapy(folder, "copy", *arguments, *SANDBOX)

    assert run.returncode == status
    assert words in run.stderr
    assert "s3cr3t" not in run.stderr + run.stdout
    assert sorted(path.name for path in folder.iterdir()) == ["query.yaml", DATABASE]


def test_only_a_sqlite_database_with_data_is_copied(tmp_path, postgresql_url):
    run = scrapy(tmp_path, "copy", postgresql_url)
    assert run.returncode == 78
    assert "tiktok.db has nothing to copy yet" in run.stderr

    run = scrapy(tmp_path, "copy", postgresql_url, TIKTOK_DATABASE_URL=postgresql_url)
    assert run.returncode == 78
    assert "`scrapy copy` copies a SQLite database, and not PostgreSQL database" in run.stderr


@pytest.mark.slow
def test_tables_of_others_are_named_and_left(folder, postgresql_url):
    change(folder, "CREATE TABLE my_notes (id INTEGER PRIMARY KEY)")

    run = scrapy(folder, "copy", postgresql_url, *SANDBOX)

    assert run.returncode == 0
    assert "Left out, as they are not of this program: my_notes" in run.stdout
