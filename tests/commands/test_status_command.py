"""`scrapy status` tells how far everything has come, and leaves no trace."""

from __future__ import annotations

import json
import signal
import sqlite3
import time
from contextlib import closing
from datetime import datetime

import pytest
from processes import scrapy, started
from sqlalchemy import create_engine, text

QUERY = """
start_date: 2024-01-01
end_date: 2024-02-29
tags: [dairy, first]
include: {any_hashtags: [butter, cheese]}
regions: [US]
exclude: {usernames: [somebody]}
"""
SANDBOX = ("-s", "TIKTOK_SANDBOX=True")
DATABASE = "tiktok-sandbox.db"


@pytest.fixture(scope="module")
def collected(tmp_path_factory):
    """A folder in which January was collected, and the rest of the query was parked."""
    folder = tmp_path_factory.mktemp("status")
    (folder / "query.yaml").write_text(QUERY)
    crawl = ("crawl", "videos", "-a", "query=query.yaml", *SANDBOX)
    january = scrapy(folder, *crawl, "-a", "end_date=2024-01-31")
    assert january.returncode == 0, january.stderr
    rest = scrapy(folder, *crawl, "-a", "max_requests=1")
    assert rest.returncode == 75, rest.stderr
    with closing(sqlite3.connect(folder / DATABASE)) as connection, connection:
        connection.execute(
            "UPDATE crawl_window SET state = 'parked', error = 'no\nway \x1b[31m', "
            "error_log_id = '20240601LOG', updated_at = '2024-06-01 12:30:00.000000', "
            "retry_at = '2024-06-01 13:30:00.000000' "
            "WHERE state = 'open'"
        )
    return folder


def total(folder, expression, table):
    with closing(sqlite3.connect(folder / DATABASE)) as connection:
        return connection.execute(f"SELECT {expression} FROM {table}").fetchone()[0]


def test_it_tells_in_words_how_far_a_query_has_come(collected):
    before = sorted(path.name for path in collected.iterdir())
    run = scrapy(collected, "status", *SANDBOX)

    assert (run.returncode, run.stderr) == (0, "")
    lines = [line.strip() for line in run.stdout.splitlines()]
    database = collected / "tiktok-sandbox.db"
    assert lines[0] == f"SQLite database {database}, data from sandbox"
    assert "videos from US with #butter or #cheese, NOT by @somebody" in lines
    assert "tags       dairy, first" in lines
    assert "wanted     2024-01-01..2024-02-29 (60 days)" in lines
    assert "covered    31 of 60 days (51.6 %)" in lines
    assert any(line.startswith("to come    2024-02-01..2024-02-") for line in lines)
    assert (
        "parked     2024-02-01..2024-02-29 since 2024-06-01 12:30 UTC (postponed after failures or "
        "a refusal); tried again by the next run: no�way �[31m (log_id 20240601LOG)"
    ) in lines
    assert (
        "next run   windows: 1 (0 open, 0 new, 1 parked), at least as many requests (a window: at "
        "most 31 days, searched as one)"
    ) in lines
    videos = total(collected, "count(*)", "video")
    matches = total(collected, "sum(videos + withheld)", "window_day")
    assert any(
        line.startswith(f"delivered  {videos} videos of {matches:,} matches") for line in lines
    )
    assert f"videos     {videos}" in lines
    requests = total(collected, "sum(requests)", "crawl_window")
    assert f"requests   {requests} so far" in lines
    assert f"{requests} of 1,000 (research, client key " in lines[1]
    assert sorted(path.name for path in collected.iterdir()) == before


def test_programs_get_the_same_as_json(collected):
    run = scrapy(collected, "status", "--json", *SANDBOX, "-s", "TIKTOK_DAILY_BUDGET=800")

    assert (run.returncode, run.stderr) == (0, "")
    status = json.loads(run.stdout)
    assert status.keys() == {
        *("database", "origin", "at", "quota", "last_run", "queries", "lists", "listings"),
        *("at_work", "imports", "existence", "removals", "freshness"),
    }
    assert status["lists"] == status["listings"] == []
    read_at = datetime.fromisoformat(status["at"])
    assert read_at.utcoffset().total_seconds() == 0
    assert status["quota"]["day"] == f"{read_at:%Y-%m-%d}"
    assert status["quota"]["daily_budget"] == 800
    (spent,) = status["quota"]["spent"]
    requests = total(collected, "sum(requests)", "crawl_window")
    client = total(collected, "client", "api_quota")
    assert spent == {
        "pool": "research",
        "client": client[:8],
        "requests": requests,
        "limit": 1000,
        "used_up": False,
        "parts": {"videos": requests},
        "refreshes": 0,
    }

    (query,) = status["queries"]
    january = {"start": "2024-01-01", "end": "2024-01-31"}
    february = {"start": "2024-02-01", "end": "2024-02-29"}
    assert query.pop("id") == total(collected, "id", "query")
    assert query.pop("fingerprint") == total(collected, "fingerprint", "query")
    assert query.pop("query")["not"][0]["field_values"] == ["somebody"]
    assert query.pop("oldest_search_at")
    assert query == {
        "refreshing": None,
        "to_refresh": [],
        "text": "videos from US with #butter or #cheese, NOT by @somebody",
        "keywords": None,
        "tags": ["dairy", "first"],
        "wanted": [{"start": "2024-01-01", "end": "2024-02-29"}],
        "wanted_days": 60,
        "covered": [january],
        "covered_days": 31,
        "sampled_days": 0,
        "coverage_percent": 51.6,
        "is_complete": False,
        "gaps": [february],
        "not_searched": [],
        "due_again": [],
        "delivered": total(collected, "sum(videos)", "window_day"),
        "withheld": total(collected, "sum(withheld)", "window_day"),
        "undated": 0,
        "refused": 0,
        "repeated": 0,
        "uncounted": [],
        "not_final": [],
        "suspicious": [],
        "unseen": [],
        "empty": [],
        "open": [],
        "parked": [
            {
                **february,
                "since": "2024-06-01T12:30:00+00:00",
                "due": "2024-06-01T13:30:00+00:00",
                "reason": "no\nway \x1b[31m",
                "log_id": "20240601LOG",
            }
        ],
        "videos": total(collected, "count(*)", "video"),
        "requests": requests,
        "next_run": {"windows": 1, "open": 0, "new": 0, "parked": 1, "suspicious": 0},
    }


def test_the_database_may_be_of_another_origin(collected):
    run = scrapy(collected, "status", "-s", f"TIKTOK_DATABASE_URL=sqlite:///{DATABASE}")

    assert run.returncode == 0, run.stderr
    assert "data from sandbox" in run.stdout


@pytest.mark.parametrize("name", [None, "tiktok.db"])
def test_without_data_it_says_so_and_creates_nothing(tmp_path, name):
    if name:
        (tmp_path / name).touch(mode=0o600)
    run = scrapy(tmp_path, "status")

    assert (run.returncode, run.stderr) == (0, "")
    database = tmp_path / "tiktok.db"
    assert run.stdout == f"SQLite database {database}: no crawl has used it yet\n"
    assert [(path.name, path.stat().st_size) for path in tmp_path.iterdir()] == (
        [(name, 0)] if name else []
    )


def test_without_data_the_sandboxs_database_is_named_with_the_setting_that_is_missing(collected):
    sandbox = collected / DATABASE
    hint = f"; the sandbox's database is beside it, {sandbox}: for that add -s TIKTOK_SANDBOX=True"
    status = scrapy(collected, "status")
    assert status.stdout == (
        f"SQLite database {collected / 'tiktok.db'}: no crawl has used it yet{hint}\n"
    )
    for arguments in (("query.yaml",), ("users", "-a", "usernames=ann")):
        plan = scrapy(collected, "plan", *arguments)
        assert plan.stdout.splitlines()[0] == f"SQLite database {collected / 'tiktok.db'}{hint}"
    tagged = scrapy(collected, "plan", "users", "-a", "from_tag=dairy")
    assert tagged.stderr.endswith(f"{hint}\n")
    for other in (SANDBOX, ("-s", "TIKTOK_DATABASE_URL=sqlite:///other.db")):
        assert hint not in scrapy(collected, "status", *other).stdout


def test_without_data_the_json_has_no_origin(tmp_path):
    status = json.loads(scrapy(tmp_path, "status", "--json").stdout)

    assert (status["origin"], status["queries"], status["quota"]["spent"]) == (None, [], [])


@pytest.mark.parametrize(("revision", "words"), [("0001", "never released"), ("9999", "update")])
def test_a_database_of_another_version_is_refused(tmp_path, revision, words):
    assert scrapy(tmp_path, "migrate").returncode == 0
    with closing(sqlite3.connect(tmp_path / "tiktok.db")) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", (revision,))
    run = scrapy(tmp_path, "status")

    assert (run.returncode, run.stdout) == (78, "")
    assert run.stderr.startswith("error: ")
    assert words in run.stderr
    assert "Traceback" not in run.stderr


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (("query.yaml",), 78, "query.yaml: cannot be read: No such file or directory"),
        (("a.yaml", "b.yaml"), 64, "name one query file, or a folder"),
        (("-s", "TIKTOK_DAILY_BUDGET=0"), 78, "TIKTOK_DAILY_BUDGET=0"),
        (("-s", "TIKTOK_DATABASE_URL=oracle://ann:pw-of-ann@x/y"), 78, "unknown kind"),
    ],
)
def test_mistakes_are_one_message_and_a_status(tmp_path, arguments, status, words):
    run = scrapy(tmp_path, "status", *arguments)

    assert (run.returncode, run.stdout) == (status, "")
    assert run.stderr.startswith("error: ")
    assert words in run.stderr
    assert "Traceback" not in run.stderr
    assert "pw-of-ann" not in run.stderr


def test_no_secret_is_shown(tmp_path, collected, postgresql_url):
    secrets = {"TIKTOK_CLIENT_KEY": "key-of-ann", "TIKTOK_CLIENT_SECRET": "secret-of-ann"}
    url = postgresql_url.replace("postgres@", "postgres:pw-of-ann@")
    for options in ((), ("--json",)):
        of_postgresql = scrapy(tmp_path, "status", *options, TIKTOK_DATABASE_URL=url, **secrets)
        assert "PostgreSQL database" in of_postgresql.stdout, of_postgresql.stderr
        of_sqlite = scrapy(collected, "status", *options, *SANDBOX, **secrets)
        shown = of_postgresql.stdout + of_postgresql.stderr + of_sqlite.stdout + of_sqlite.stderr
        assert not [word for word in ("key-of-", "secret-of-", "pw-of-") if word in shown]


def test_query_files_have_their_status_alone_and_are_added_up(tmp_path, collected):
    for name, hashtag in (("one.yaml", "butter, cheese"), ("two.yaml", "art")):
        (tmp_path / name).write_text(QUERY.replace("butter, cheese", hashtag))
    database = ("-s", f"TIKTOK_DATABASE_URL=sqlite:///{collected / DATABASE}")
    run = scrapy(tmp_path, "status", "*.yaml", *SANDBOX, *database)
    assert (run.returncode, run.stderr) == (0, "")
    assert "Query 1 (one.yaml)\n" in run.stdout
    videos, requests = total(collected, "count(*)", "video"), spent(collected)
    assert (
        f"Together (2 query files): 31 of 60 days covered, {videos} videos, {requests} requests so "
        "far; next run: at least 1 request\nNot begun: two.yaml\n"
    ) in run.stdout

    later = (tmp_path / "one.yaml").read_text().replace("2024-02-29", "2024-03-05")
    (tmp_path / "one.yaml").write_text(later)
    run = scrapy(tmp_path, "status", "one.yaml", "--json", *SANDBOX, *database)
    status = json.loads(run.stdout)
    assert (status["not_begun"], list(status["files"])) == ([], ["one.yaml"])
    assert status["queries"][0]["gaps"][-1]["end"] == "2024-03-05", "as it asks for these days now"
    assert status["together"] == {
        "wanted_days": 65,
        "covered_days": 31,
        "videos": videos,
        "requests": requests,
        "next_windows": 2,
    }


def spent(folder):
    return total(folder, "sum(requests)", "crawl_window")


@pytest.fixture
def checked(tmp_path, collected):
    """The settings for a copy of the database in which all is well but what is parked for long."""
    with closing(sqlite3.connect(collected / DATABASE)) as connection, connection:
        connection.execute("VACUUM INTO ?", (str(tmp_path / "copy.db"),))
    (tmp_path / "copy.db").chmod(0o600)
    return (*SANDBOX, "-s", "TIKTOK_DATABASE_URL=sqlite:///copy.db")


def test_a_check_is_quiet_and_0_when_all_is_well(tmp_path, checked):
    run = scrapy(tmp_path, "status", "--check", *checked)
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")


def test_a_check_has_a_line_for_each_thing_that_needs_a_person_and_status_1(tmp_path, checked):
    with closing(sqlite3.connect(tmp_path / "copy.db")) as connection, connection:
        connection.execute("UPDATE crawl_window SET created_at = '2024-06-01 12:00:00.000000'")
        connection.execute("UPDATE run SET exit_status = 77")
    run = scrapy(tmp_path, "status", "--check", *checked)
    assert (run.returncode, run.stderr) == (1, "")
    credentials, parked = run.stdout.splitlines()
    assert credentials.startswith("TikTok refused the credentials of the crawl of videos begun 20")
    assert parked.startswith("query 1 (tags dairy, first): 29 days could not be collected since 20")

    (tmp_path / "other.yaml").write_text(QUERY.replace("butter", "art"))
    run = scrapy(tmp_path, "status", "--check", "other.yaml", *checked)
    assert (run.returncode, run.stdout.splitlines()) == (1, [credentials])


def test_a_check_of_a_database_that_nobody_uses_is_not_quiet(tmp_path):
    run = scrapy(tmp_path, "status", "--check")
    assert (run.returncode, run.stdout.split(":")[0]) == (1, "no crawl has used this database yet")
    assert list(tmp_path.iterdir()) == []
    run = scrapy(tmp_path, "status", "--check", "--json")
    assert (run.returncode, run.stdout) == (64, "")


@pytest.mark.parametrize("command", ["status", "migrate"])
def test_ctrl_c_ends_what_waits_for_others(tmp_path, prepared_postgresql_url, command):
    engine = create_engine(prepared_postgresql_url)
    with engine.connect() as connection:
        tables = "alembic_version, crawl_window"
        connection.execute(text(f"LOCK TABLE {tables} IN ACCESS EXCLUSIVE MODE"))
        url = {"TIKTOK_DATABASE_URL": prepared_postgresql_url}
        with started(tmp_path, command, *SANDBOX, **url) as process:
            while not connection.scalar(text(WAITING)):
                time.sleep(0.02)
            process.send_signal(signal.SIGINT)
            output, _ = process.communicate(timeout=10)
            assert process.returncode == 75, output
        while connection.scalar(text(WAITING)):
            time.sleep(0.02)
    engine.dispose()


WAITING = """
SELECT count(*) FROM pg_locks JOIN pg_database ON pg_database.oid = database
WHERE NOT granted AND datname = current_database()
"""
