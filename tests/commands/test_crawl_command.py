"""`scrapy crawl` as a process: exit status, messages, signals, secrets, the lock."""

from __future__ import annotations

import json
import signal
import sqlite3
import stat
import time
from contextlib import closing

import pytest
from marathon import first
from processes import scrapy, served_sandbox, started

from tiktok_crawler.clock import utc_now
from tiktok_crawler.date_range import DAY
from tiktok_crawler.sandbox import CLIENT_KEY, CLIENT_SECRET

QUERY = """
start_date: 2024-01-01
end_date: 2024-01-10
tags: [rehearsal]
include: {any_hashtags: [butter]}
"""
SECRETS = "client_key: key-of-ann\nclient_secret: secret-of-ann\n"
SANDBOX = ("-s", "TIKTOK_SANDBOX=True")
CRAWL = ("crawl", "videos", "-a", "query=query.yaml")


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "query.yaml").write_text(QUERY)
    return tmp_path


def videos(folder, database="tiktok-sandbox.db") -> int:
    with sqlite3.connect(folder / database) as connection:
        (count,) = connection.execute("SELECT count(*) FROM video").fetchone()
    connection.close()
    return count


def test_a_sandbox_crawl_stores_videos_and_ends_with_0_and_a_summary(folder):
    run = scrapy(folder, *CRAWL, *SANDBOX)
    assert run.returncode == 0, run.stderr
    assert run.stdout == ""
    found = videos(folder)
    assert found > 50
    summary = run.stderr[run.stderr.rindex("\n\n") :]
    assert f"{found:,} new" in summary
    assert "tiktok-sandbox.db" in summary
    assert stat.S_IMODE((folder / "tiktok-sandbox.db").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (("crawl",), 64, "name one spider"),
        (("crawl", "videos", "more"), 64, "name one spider"),
        (("crawl", "query.yaml"), 64, "goes behind -a: scrapy crawl videos -a query=query.yaml"),
        (("crawl", "videos", "query.yaml"), 64, "crawl videos -a query=query.yaml"),
        (("crawl", "videos", "query=query.yaml"), 64, "crawl videos -a query=query.yaml"),
        (("migrate", "other.db"), 64, "other.db' stands alone: the database is that of TIKTOK_DAT"),
        (("crawl", "videos", "-a", "query", "=", "query.yaml"), 64, "without blanks around ="),
        (("crawl", "vidoes"), 64, "did you mean 'videos'?"),
        (("crawl", "videos"), 64, "-a query=FILE is missing"),
        (("crawl", "videos", "-a", "query"), 64, "-a"),
        ((*CRAWL, "-a", "tags=a", "-a", "tags=b"), 64, "-a tags=... stands there twice"),
        (("crawl", "users", *("-a", "usernames=a") * 2), 64, "-a usernames=... stands there twice"),
        ((*CRAWL, "-a", "colour=red"), 64, "there is no such argument"),
        (("crawl", "users", *SANDBOX), 64, "users need one of -a usernames=..."),
        (("crawl", "videos", "-a", "query=no.yaml"), 78, "no.yaml"),
        ((*CRAWL, *SANDBOX, "-L", "debug"), 78, "LOG_LEVEL=debug is not one of"),
        ((*CRAWL, *SANDBOX, "--logfile", "no/x.log"), 78, "LOG_FILE=no/x.log cannot be written"),
        ((*CRAWL, *SANDBOX, "--pidfile", "no/pid"), 64, "--pidfile no/pid cannot be written"),
        ((*CRAWL, *SANDBOX, "-s", "SPIDER_MODULES=no"), 78, "SPIDER_MODULES=no is not a list of"),
        ((*CRAWL, *SANDBOX, "-s", "EXTENSIONS=[]"), 78, "EXTENSIONS is not a dictionary in JSON"),
        ((*CRAWL, *SANDBOX, *SANDBOX), 64, "-s TIKTOK_SANDBOX=... stands there twice"),
        ((*CRAWL, "-s", "TIKTOK_SANDBOX"), 64, "-s takes NAME=VALUE"),
        ((*CRAWL, "-s", "TIKTOK_WINDOW_DAYS=many"), 78, "TIKTOK_WINDOW_DAYS=many is not a number"),
        (
            (*CRAWL, *SANDBOX, "-s", "TIKTOK_QUOTA_POLICY=never"),
            78,
            "not one of: midnight, interval, stop",
        ),
        ((*CRAWL, "-s", "TIKTOK_API_URL=http://127.0.0.1:99999"), 78, "TIKTOK_API_URL"),
        ((*CRAWL, *SANDBOX, "-s", "CONCURRENT_REQUESTS=abc"), 78, "CONCURRENT_REQUESTS=abc"),
        ((*CRAWL, *SANDBOX, "-s", "FEEDS=abc"), 78, "FEEDS is not a dictionary in JSON"),
        ((*CRAWL, *SANDBOX, "-O", "videos.xyz"), 78, "Unrecognized output format 'xyz'"),
        (
            (*CRAWL, *SANDBOX, "-o", "s3://k:s3@b/videos.csv"),
            78,
            "feed s3://b/videos.csv: s3:// lacks",
        ),
        ((*CRAWL, *SANDBOX, "-o", "a.csv", "-s", 'FEEDS={"b": 1}'), 78, "expected its options"),
        ((*CRAWL, *SANDBOX, "-s", "DOWNLOAD_DELAY=-1"), 78, "DOWNLOAD_DELAY=-1"),
        ((*CRAWL, *SANDBOX, "-s", "TIKTOK_SANDBOX_PROFILE=worse"), 78, "worse"),
        ((*CRAWL, *SANDBOX, "-s", "TIKTOK_DATABASE_URL=mysql://x/y"), 78, "database URL"),
        (CRAWL, 77, "secrets.example.yaml"),
    ],
)
def test_a_mistake_of_the_user_gets_one_message_and_a_status(folder, arguments, status, words):
    run = scrapy(folder, *arguments)
    assert run.returncode == status, run.stderr
    message = [line for line in run.stderr.splitlines() if line.startswith("error: ")]
    assert len(message) == 1, run.stderr
    assert words in message[0]
    assert "Traceback" not in run.stderr
    assert "Unhandled" not in run.stderr
    assert list(folder.glob("*.db")) == []


WRONG_SETTINGS = (
    (("-s", "TIKTOK_SANDOX=1"), {}, "did you mean TIKTOK_SANDBOX?"),
    ((), {"TIKTOK_DATABSE_URL": "sqlite:///x.db"}, "did you mean TIKTOK_DATABASE_URL?"),
    ((), {"SCRAPY_SETTINGS_MODULE": "project"}, "did you mean TIKTOK_DAILY_BUDGET?"),
    (("-s", "DEPTH_LIMIT=1"), {}, "DEPTH_LIMIT must be 0"),
)
"""All for a crawl, and the first one for each other command."""


@pytest.mark.parametrize(
    "command",
    [
        CRAWL,
        ("crawl", "users", "-a", "usernames=ann"),
        ("plan", "query.yaml"),
        ("plan", "users", "-a", "usernames=ann"),
        ("status", "--json"),
        ("migrate",),
        ("backup", "copy.db"),
        ("copy", "postgresql://ann@127.0.0.1:1/videos"),
        ("replay", "archive"),
        ("sandbox",),
        ("list",),
        ("settings", "--get", "BOT_NAME"),
        ("shell", "-c", "1"),
        ("fetch", "http://127.0.0.1:1/"),
        ("check",),
    ],
)
def test_every_command_refuses_settings_that_cannot_be(folder, command):
    (folder / "scrapy.cfg").write_text("[settings]\ndefault = project\n")
    (folder / "project.py").write_text(
        "from tiktok_crawler.settings import *\nTIKTOK_DAILY_BUGDET = 9\n"
    )
    wrong = WRONG_SETTINGS if command is CRAWL else WRONG_SETTINGS[:1]
    for arguments, variables, words in wrong:
        run = scrapy(folder, *command, *arguments, **variables)
        assert run.returncode == 78, run.stderr
        (message,) = (line for line in run.stderr.splitlines() if line.startswith("error: "))
        assert words in message
        assert "Traceback" not in run.stderr
    assert list(folder.glob("*.db")) == []


BOOKMARKS = ("sqlite:///bookmarks.sqlite", "another program's: it has the tables moz_places")


@pytest.mark.parametrize(
    ("command", "url", "words"),
    [
        (CRAWL, "sqlite://my.db", "three slashes"),
        (CRAWL, "sqlite:///data", "data is a folder"),
        (CRAWL, "sqlite:///query.yaml", "file is not a database"),
        (CRAWL, *BOOKMARKS),
        (("plan", "query.yaml"), *BOOKMARKS),
        (("status",), *BOOKMARKS),
        (("migrate",), *BOOKMARKS),
        (("backup", "copy.db"), *BOOKMARKS),
        (("copy", "postgresql://ann@127.0.0.1:1/videos"), *BOOKMARKS),
    ],
)
def test_what_is_no_database_is_refused_by_every_command(folder, command, url, words):
    (folder / "data").mkdir()
    with sqlite3.connect(folder / "bookmarks.sqlite") as connection:
        connection.execute("CREATE TABLE moz_places (id INTEGER)")
    connection.close()
    before = {path: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    run = scrapy(folder, *command, *SANDBOX, "-s", f"TIKTOK_DATABASE_URL={url}")
    assert run.returncode == 78, run.stderr
    (message,) = (line for line in run.stderr.splitlines() if line.startswith("error: "))
    assert words in message
    assert "Traceback" not in run.stderr
    assert {path: path.read_bytes() for path in folder.iterdir() if path.is_file()} == before


def test_the_environment_has_settings(folder):
    run = scrapy(folder, *CRAWL, TIKTOK_SANDBOX="1", TIKTOK_ARCHIVE="kept", TIKTOK_COOKIE="a=b")
    assert run.returncode == 0, run.stderr
    assert videos(folder) > 50
    assert list((folder / "kept").iterdir())


def test_a_query_in_arguments_is_collected_and_shown_as_a_query_file(folder):
    (folder / "query.yaml").unlink()
    dates = ("-a", "start_date=2024-01-01", "-a", "end_date=2024-01-02")
    run = scrapy(folder, "crawl", "videos", "-a", "any_hashtags=butter,cheese", *dates, *SANDBOX)
    assert run.returncode == 0, run.stderr
    assert "As a query file:\nstart_date: '2024-01-01'\n" in run.stderr
    assert videos(folder) > 0


def test_two_origins_do_not_share_a_database(folder):
    (folder / "secrets.yaml").write_text("client_key: sandbox-key\nclient_secret: sandbox-secret\n")
    (folder / "secrets.yaml").chmod(0o600)
    with served_sandbox(folder) as url:
        sandbox = scrapy(folder, *CRAWL, *SANDBOX)
        real = (*CRAWL, "-s", f"TIKTOK_API_URL={url}")
        other = scrapy(folder, *real, **_sandbox_credentials())
        mixed = scrapy(
            folder,
            *real,
            "-s",
            "TIKTOK_DATABASE_URL=sqlite:///tiktok-sandbox.db",
            **_sandbox_credentials(),
        )
    assert (sandbox.returncode, other.returncode) == (0, 0), other.stderr
    assert videos(folder, "tiktok.db") == videos(folder, "tiktok-sandbox.db") > 0
    assert mixed.returncode == 78
    assert "Traceback" not in mixed.stderr
    assert "sandbox" in mixed.stderr
    assert url in mixed.stderr


def _sandbox_credentials() -> dict[str, str]:
    return {"TIKTOK_CLIENT_KEY": CLIENT_KEY, "TIKTOK_CLIENT_SECRET": CLIENT_SECRET}


def test_a_second_crawl_of_the_query_says_who_is_at_work(folder):
    slow = (*SANDBOX, "-s", "DOWNLOAD_DELAY=5")
    with started(folder, *CRAWL, *slow) as first:
        assert first.stdout
        _read_until(first, "Collecting")
        second = scrapy(folder, *CRAWL, *SANDBOX)
    assert second.returncode == 75
    assert str(first.pid) in second.stderr
    assert "error: " in second.stderr
    assert "Traceback" not in second.stderr
    third = scrapy(folder, *CRAWL, *SANDBOX)
    assert third.returncode == 0, "the lock died with its process"


@pytest.mark.slow
@pytest.mark.parametrize("signal_number", first(2, [signal.SIGINT, signal.SIGHUP, signal.SIGTERM]))
def test_a_signal_ends_the_crawl_cleanly_and_the_next_run_goes_on(folder, signal_number):
    with started(folder, *CRAWL, *SANDBOX, "-s", "DOWNLOAD_DELAY=3") as process:
        _read_until(process, "Collecting")
        time.sleep(0.5)
        process.send_signal(signal_number)
        output, _ = process.communicate(timeout=20)
    assert process.returncode == 75, output
    assert "Traceback" not in output
    run = scrapy(folder, *CRAWL, *SANDBOX)
    assert run.returncode == 0
    assert videos(folder) > 50


@pytest.mark.slow
def test_a_crawl_whose_answers_hang_ends_within_ten_seconds(folder):
    (folder / "hang.yaml").write_text(
        "description: no search is ever answered\nfaults: [{fault: hang, every: 1, seconds: 300}]\n"
    )
    profile = ("-s", "TIKTOK_SANDBOX_PROFILE=hang.yaml")
    with started(folder, *CRAWL, *SANDBOX, *profile) as process:
        _read_until(process, "Collecting")
        time.sleep(1)
        process.send_signal(signal.SIGTERM)
        began = time.monotonic()
        output, _ = process.communicate(timeout=20)
        assert time.monotonic() - began < 10
    assert process.returncode == 75, output
    assert "Stopping; answers that are on their way have 8 seconds" in output
    assert "ended      early: it was interrupted, by Ctrl-C or a signal" in output
    assert "Traceback" not in output


def test_a_second_signal_ends_at_once(folder):
    with served_sandbox(folder, "--profile", "slow") as url:
        address = ("-s", f"TIKTOK_SANDBOX_URL={url}")
        with started(folder, *CRAWL, *SANDBOX, *address) as process:
            _read_until(process, "Collecting")
            process.send_signal(signal.SIGINT)
            time.sleep(0.3)
            process.send_signal(signal.SIGINT)
            output, _ = process.communicate(timeout=10)
    assert process.returncode == 75, output


def test_no_secret_reaches_the_log_at_debug_either(folder):
    (folder / "secrets.yaml").write_text(SECRETS)
    run = scrapy(
        folder,
        *CRAWL,
        *SANDBOX,
        "-L",
        "DEBUG",
        TIKTOK_DATABASE_URL="postgresql://ann:password-of-ann@127.0.0.1:1/tiktok",
    )
    assert run.returncode == 78
    collected = scrapy(folder, *CRAWL, *SANDBOX, "-L", "DEBUG", "--logfile", "debug.log")
    assert collected.returncode == 0
    log = (folder / "debug.log").read_text() + collected.stderr + run.stderr
    for secret in ("password-of-ann", "secret-of-ann", "Bearer", "clt.", "sandbox-secret"):
        assert secret not in log
    assert stat.S_IMODE((folder / "debug.log").stat().st_mode) == 0o600


@pytest.mark.slow
def test_the_own_sandboxes_of_a_day_have_one_quota(folder):
    assert scrapy(folder, *CRAWL, *SANDBOX, "-a", "end_date=2024-01-02").returncode == 0
    with closing(sqlite3.connect(folder / "tiktok-sandbox.db")) as connection, connection:
        connection.execute("UPDATE api_quota SET requests = 999")
    run = scrapy(folder, *CRAWL, *SANDBOX, "-s", "TIKTOK_QUOTA_POLICY=stop")
    assert run.returncode == 75, run.stderr
    assert "ended      early: the day's quota is used up" in run.stderr
    other = ("-s", "TIKTOK_DATABASE_URL=sqlite:///other.db")
    assert scrapy(folder, *CRAWL, *SANDBOX, *other).returncode == 0


@pytest.mark.parametrize("option", [("-a", "start_date=yesterday"), ("-astart_date=1 day ago",)])
def test_the_command_that_goes_on_means_the_same_days_tomorrow(folder, option):
    yesterday = utc_now().date() - DAY
    run = scrapy(folder, *CRAWL, *option, "-a", "end_date=yesterday", *SANDBOX)
    assert run.returncode == 0, run.stderr
    days = f"-a start_date={yesterday} -a end_date={yesterday}"
    assert f"scrapy crawl videos -a query=query.yaml -s TIKTOK_SANDBOX=True {days}\n" in run.stderr


def test_a_feed_has_one_line_a_video(folder):
    run = scrapy(folder, *CRAWL, *SANDBOX, "-O", "videos.jsonl", "-O", "videos.csv")
    assert run.returncode == 0, run.stderr
    lines = (folder / "videos.jsonl").read_text().splitlines()
    assert len(lines) == videos(folder)
    assert all(isinstance(json.loads(line)["id"], int) for line in lines)
    assert f"jsonl feed ({len(lines):,} items)" in run.stderr
    header = (folder / "videos.csv").read_text().splitlines()[0].split(",")
    assert {"id", "username", "voice_to_text", "extra_data"} <= set(header)
    before = (folder / "videos.jsonl").read_bytes()
    scrapy(folder, *CRAWL, *SANDBOX, "-O", "videos.jsonl")
    assert (folder / "videos.jsonl").read_bytes() == before, "nothing new: the feed stays"


def test_a_feed_on_a_full_disk_ends_with_70_and_the_database_has_everything(folder):
    run = scrapy(folder, *CRAWL, *SANDBOX, "-O", "/dev/full:csv")
    assert run.returncode == 70
    words = "A feed could not be written; the pages are in the database: No space left on device. "
    assert run.stderr.count(words) == 1
    assert "Traceback" not in run.stderr
    assert videos(folder) > 50


@pytest.mark.slow
@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Kolkata"])
def test_the_machines_time_zone_changes_no_stored_time(folder, zone):
    for database, variables in (("utc.db", {"TZ": "UTC"}), ("zone.db", {"TZ": zone})):
        run = scrapy(
            folder, *CRAWL, *SANDBOX, TIKTOK_DATABASE_URL=f"sqlite:///{database}", **variables
        )
        assert run.returncode == 0, run.stderr
    statement = "SELECT id, create_time FROM video ORDER BY id"
    times = []
    for database in ("utc.db", "zone.db"):
        with sqlite3.connect(folder / database) as connection:
            times.append(connection.execute(statement).fetchall())
            (searched,) = connection.execute("SELECT searched_at FROM crawl_window").fetchone()
        connection.close()
        utc = time.strftime("%Y-%m-%d %H", time.gmtime())
        assert searched[:13] in (utc, time.strftime("%Y-%m-%d %H", time.gmtime(time.time() - 300)))
    assert times[0] == times[1]


@pytest.mark.slow
def test_a_database_that_is_behind_stops_the_crawl_with_the_command_to_run(folder):
    scrapy(folder, *CRAWL, *SANDBOX)
    with sqlite3.connect(folder / "tiktok-sandbox.db") as connection:
        connection.execute("DELETE FROM alembic_version")
    connection.close()
    run = scrapy(folder, *CRAWL, *SANDBOX)
    assert run.returncode == 78
    assert "scrapy migrate --stamp" in run.stderr
    stamped = scrapy(folder, "migrate", "--stamp", *SANDBOX)
    assert stamped.returncode == 0, stamped.stderr
    assert scrapy(folder, *CRAWL, *SANDBOX).returncode == 0


def test_requests_to_this_machine_are_never_proxied(folder):
    run = scrapy(folder, *CRAWL, *SANDBOX, http_proxy="http://127.0.0.1:1")
    assert run.returncode == 0, run.stderr
    assert videos(folder) > 50


def test_a_first_run_prints_a_beginning_and_a_summary_in_few_lines(folder):
    run = scrapy(folder, *CRAWL, *SANDBOX)
    lines = run.stderr.splitlines()
    assert len(lines) <= 25
    assert lines[0] == f"SQLite database {folder / 'tiktok-sandbox.db'}"
    assert "NOTICE: Collecting 2024-01-01 to 2024-01-10, 0 of 10 days covered so far" in lines[1]
    heads = [line.split("  ")[0] for line in lines[2:] if line[:1].isalpha()]
    assert heads == ["Stored now", "Missing", "Next"]


@pytest.mark.slow
def test_what_scrapy_says_of_itself_is_printed_on_demand(folder):
    said = ("Overridden settings", "Enabled item pipelines", "Dumping Scrapy stats")
    quiet = scrapy(folder, *CRAWL, *SANDBOX)
    assert not [words for words in said if words in quiet.stderr]
    for wanted in (("-L", "INFO"), ("-s", "LOG_LEVEL=DEBUG")):
        run = scrapy(folder, *CRAWL, *SANDBOX, *wanted)
        assert [words for words in said if words in run.stderr] == list(said)
        assert "Nothing to collect" in run.stderr


def test_refused_credentials_are_to_be_mended_and_the_reason_is_a_word(folder):
    wrong = {"TIKTOK_CLIENT_KEY": "key-of-ann", "TIKTOK_CLIENT_SECRET": "secret-of-ann"}
    with served_sandbox(folder) as url:
        address = ("-s", f"TIKTOK_API_URL={url}")
        run = scrapy(folder, *CRAWL, *address, "-L", "INFO", **wrong)
    assert run.returncode == 77
    assert "'finish_reason': 'credentials_refused'" in run.stderr
    summary = run.stderr[run.stderr.index("Next\n") :]
    assert "  first      mend the credentials, or the project's approval" in summary
    assert "run the same command again" not in run.stderr


@pytest.mark.slow
def test_without_a_terminal_the_log_in_a_file_has_progress_and_summary(folder):
    crawl = (*CRAWL, *SANDBOX, "-s", "LOGSTATS_INTERVAL=0.2", "-s", "DOWNLOAD_DELAY=0.5")
    run = scrapy(folder, *crawl, "--logfile", "crawl.log")
    log = (folder / "crawl.log").read_text()
    assert "NOTICE: Collecting" in log
    assert "NOTICE: windows 0/1 · days 0/10" in log
    assert run.stderr.split("\n", 1)[1] in log


def _read_until(process, words: str) -> None:
    for line in process.stdout:
        if words in line:
            return
    raise AssertionError(f"the crawl ended without saying {words!r}")


def test_a_spent_share_of_the_day_makes_the_next_run_wait_for_another_day(folder):
    run = scrapy(folder, *CRAWL, *SANDBOX, "-s", "TIKTOK_SHARES=videos=0.001")
    assert run.returncode == 75, run.stderr
    why = "of the 1 request a day for videos (TIKTOK_SHARES) none is left"
    assert f"\n  ended      early: {why}\n" in run.stderr
    assert " 00:01 UTC on\n  command    scrapy crawl videos" in run.stderr
