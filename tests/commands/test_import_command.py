"""`scrapy import` as a process: what it says, its exit status, and what a kill leaves."""

from __future__ import annotations

import json
import signal
import sqlite3
import time
from contextlib import closing
from importlib import import_module

import pytest
from marathon import first
from processes import scrapy, started
from sqlalchemy import create_engine, text

from tiktok_crawler.storage.engine import database
from tiktok_crawler.storage.models.base import Base

VIDEOS = [
    {"id": 7318000000000000001, "username": "ann", "view_count": 3, "region_code": "us"},
    {"id": 7.318e18, "username": "bob", "view_count": 4},
    {"id": 731800000000003, "username": "c\0", "view_count": "many", "create_time": "2024-01-10"},
]  # fmt: skip
AT = ("--collected-at", "2024-05-31")

LIBRARY = """
CREATE TABLE crawl (id INTEGER PRIMARY KEY, has_more BOOLEAN, query TEXT);
CREATE TABLE video (id BIGINT PRIMARY KEY, create_time DATETIME, username TEXT, region_code TEXT,
    like_count BIGINT, crawled_at DATETIME, crawled_updated_at DATETIME);
CREATE TABLE hashtag (id INTEGER PRIMARY KEY, name TEXT);
CREATE TABLE videos_to_hashtags (video_id BIGINT, hashtag_id INTEGER);
CREATE TABLE crawl_tag (id INTEGER PRIMARY KEY, name TEXT);
CREATE TABLE videos_to_crawl_tags (video_id BIGINT, crawl_tag_id INTEGER);
INSERT INTO hashtag VALUES (1, 'a'), (2, 'b');
INSERT INTO crawl_tag VALUES (1, 'old study');
INSERT INTO crawl VALUES (1, 0, 'a query'), (2, 1, 'a query');
WITH RECURSIVE n (n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM n LIMIT 8765)
INSERT INTO video SELECT (1700000000 + n << 32) + n, datetime(1700000030 + n, 'unixepoch'),
    'ann', 'US', n, datetime(1700100000 + n / 100, 'unixepoch'),
    CASE WHEN n % 3 = 0 THEN datetime(1700200000 + n / 50, 'unixepoch') END FROM n;
INSERT INTO videos_to_hashtags SELECT id, 1 + id % 2 FROM video;
INSERT INTO videos_to_crawl_tags SELECT id, 1 FROM video;
"""
TOLD_OF_LIBRARY = """\
  videos     8,765 new
  tags       old study (8,765)
  queries    1 query, kept as text, with 2 crawls, of which 1 were not at their end
  covered    nothing by it: queries and listings here ask for all that they need themselves
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "videos.json").write_text(json.dumps(VIDEOS))
    return tmp_path


@pytest.fixture
def library(tmp_path):
    with closing(sqlite3.connect(tmp_path / "old.db")) as connection, connection:
        connection.executescript(LIBRARY)
    return tmp_path


def everything(url):
    """All rows but those that say when and where the import ran."""
    with database.opened(url) as engine, engine.connect() as connection:
        found = {}
        for name, table in Base.metadata.tables.items():
            columns = [c for c in table.c if c.name not in {"begun_at", "ended_at", "created_at"}]
            rows = connection.execute(table.select().with_only_columns(*columns))
            found[name] = sorted(json.dumps(list(row), default=str, sort_keys=True) for row in rows)
    return found


def test_an_import_says_what_came_and_what_did_not(folder):
    run = scrapy(folder, "import", "videos.json", *AT, "--tag", "old", "--tag", "a")

    assert run.returncode == 0, run.stderr
    assert (
        run.stdout
        == f"""\
videos.json: records under the API's own names, as ResearchTikPy and TikTokResearchApi give them
Imported into SQLite database {folder / "tiktok.db"} (import 1)
  videos     2 new
  refused    1 row of 3
             record 2: its id has lost digits: 7.318e+18
  not told   1 time: times (create_time) that do not say their time zone; left empty
  cleaned    1 value had characters that no database takes, such as NUL
  kept aside in extra_data: view_count of video (text) (1)
  collected  2024-05-31 00:00 UTC, as you said, where it does not say it
  tags       a (2), old (2)
  covered    nothing by it: queries and listings here ask for all that they need themselves
"""
    )


def test_the_same_file_twice_changes_nothing(folder):
    scrapy(folder, "import", "videos.json", *AT)
    url = f"sqlite:///{folder / 'tiktok.db'}"
    before = everything(url)
    (folder / "copy.json").write_bytes((folder / "videos.json").read_bytes())

    for name, more in (("videos.json", ()), ("copy.json", ()), ("videos.json", ("--dry-run",))):
        run = scrapy(folder, "import", name, *AT, *more)
        assert run.returncode == 0, run.stderr
        assert "Imported already into SQLite database" in run.stdout
        assert run.stdout.endswith(
            "(import 1): nothing was changed. It had brought\n  videos     2 new\n"
        )

    assert everything(url) == before


def test_a_dry_run_says_the_same_and_writes_nothing(folder):
    rehearsed = scrapy(folder, "import", "videos.json", *AT, "--dry-run")

    assert rehearsed.returncode == 0, rehearsed.stderr
    assert {path.name for path in folder.iterdir()} == {"videos.json"}
    imported = scrapy(folder, "import", "videos.json", *AT)
    before, after = rehearsed.stdout.splitlines(), imported.stdout.splitlines()
    assert (
        before[1]
        == f"Would be imported into SQLite database {folder / 'tiktok.db'}; nothing was written"
    )
    assert before[2:] == after[2:]


def test_a_dry_run_counts_what_is_there(folder):
    scrapy(folder, "import", "videos.json", *AT)
    later = [VIDEOS[0] | {"view_count": 9}, VIDEOS[2], {"id": 5, "view_count": 1}]
    (folder / "later.json").write_text(json.dumps(later))
    url = f"sqlite:///{folder / 'tiktok.db'}"
    before = everything(url)

    runs = [
        scrapy(folder, "import", "later.json", "--collected-at", at, "--dry-run").stdout
        for at in ("2024-06-30", "2024-04-30")
    ]

    assert everything(url) == before
    expected = (
        "1 new; 1 there with older values, which were replaced; 1 there, and left as they are"
    )
    assert f"  videos     {expected}\n" in runs[0]
    assert "  videos     1 new; 2 there, and left as they are\n" in runs[1]


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        ((), 64, "name what is to be imported, such as: scrapy import old.db"),
        (("a.db", "b.db"), 64, "name what is to be imported"),
        (("videos.json",), 64, "--collected-at"),
        (("videos.json", "--collected-at", "soon"), 64, "'soon' is no time; allowed: 2024-05-31"),
        (("videos.json", "--collected-at", "2999-01-01"), 64, "has not come yet"),
        (("videos.json", *AT, "--tag", " "), 64, "--tag "),
        (("videos.json", *AT, "--dryrun"), 64, "did you mean '--dry-run'"),
        (("gone.json", *AT), 65, "gone.json cannot be read: No such file"),
        (("other.txt", *AT), 65, "other.txt has neither videos nor comments nor profiles"),
        (
            ("none.json", *AT),
            65,
            "nothing of none.json can be imported: record 1: has no usable id",
        ),
        (("tiktok.db", *AT), 65, "the database cannot be imported into itself"),
        (("mysql://host/x", *AT), 78, "the database URL is of an unknown kind"),
        (("postgresql://ann@127.0.0.1:1/old", *AT), 78, "cannot be used"),
        (("@gone.txt", *AT), 78, "gone.txt: cannot be read"),
    ],
)
def test_a_mistake_gets_one_message_and_a_status(folder, arguments, status, words):
    (folder / "other.txt").write_text("a,b\n1,2\n")
    (folder / "none.json").write_text('[{"view_count": 1}]')

    run = scrapy(folder, "import", *arguments)

    assert run.returncode == status, run.stderr
    (message,) = run.stderr.splitlines()
    assert message.startswith("error: ")
    assert words in message
    assert run.stdout == ""


def test_what_a_file_that_breaks_off_has_brought_stays(folder):
    rows = [{"id": n, "view_count": n} for n in range(1, 1_500)]
    whole = json.dumps(rows)
    (folder / "cut.json").write_text(whole[:-9])

    run = scrapy(folder, "import", "cut.json", *AT)

    assert run.returncode == 65
    assert (
        "cut off. What came before it is imported; when it is mended, import it again" in run.stderr
    )
    (folder / "cut.json").write_text(whole)
    run = scrapy(folder, "import", "cut.json", *AT)
    assert run.returncode == 0, run.stderr
    assert "  videos     499 new; 1,000 there, and left as they are\n" in run.stdout
    status = scrapy(folder, "status").stdout
    assert "Imported: cut.json on 20" in status
    assert ": 1,000 videos; interrupted, or still running: import it again to go on\n" in status
    assert ": 1,499 videos\n" in status


@pytest.mark.slow
def test_the_status_names_imports_and_no_day_is_covered_by_them(library):
    (library / "query.yaml").write_text(
        "start_date: 2023-11-14\nend_date: 2023-11-15\nusernames: [ann]\n"
    )
    run = scrapy(library, "import", "old.db")
    assert run.returncode == 0, run.stderr
    assert run.stdout.endswith(TOLD_OF_LIBRARY)

    status = json.loads(scrapy(library, "status", "--json").stdout)
    (import_,) = status["imports"]
    assert import_["file"] == "old.db"
    assert import_["stored"] == {"videos": {"new": 8765, "updated": 0, "filled": 0, "unchanged": 0}}
    assert (status["queries"], status["listings"], status["quota"]["spent"]) == ([], [], [])
    plan = scrapy(library, "plan", "query.yaml")
    assert plan.returncode == 0, plan.stderr
    assert "New windows:   1 (2023-11-14..2023-11-15)\n" in plan.stdout


@pytest.mark.slow
def test_imported_videos_are_seeds_where_their_tag_is_named(library):
    scrapy(library, "import", "old.db", "--tag", "mine")

    for tag in ("mine", "old study"):
        plan = scrapy(library, "plan", "comments", "-a", f"from_tag={tag}", "--json")
        assert '"due": 8765' in plan.stdout, plan.stdout


def batches(url):
    """How many batches are stored; 0 where there is no table yet."""
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            return connection.execute(text('SELECT max(batches) FROM "import"')).scalar() or 0
    except Exception:  # noqa: BLE001 - the database is being made
        return 0
    finally:
        engine.dispose()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("database_url", "number"),
    first(
        2,
        [
            *(("sqlite", signal.SIGKILL), ("postgresql", signal.SIGINT)),
            *(("sqlite", signal.SIGINT), ("postgresql", signal.SIGKILL)),
            *(("sqlite", signal.SIGTERM), ("postgresql", signal.SIGTERM)),
        ],
    ),
    indirect=["database_url"],
)
def test_what_was_interrupted_goes_on_and_nothing_is_lost_or_twice(library, database_url, number):
    variables = {"TIKTOK_DATABASE_URL": database_url}
    with started(library, "import", "old.db", **variables) as process:
        while process.poll() is None and batches(database_url) < 2:
            time.sleep(0.01)
        process.send_signal(number)
        output, _ = process.communicate(60)
    assert process.returncode == (-signal.SIGKILL if number == signal.SIGKILL else 75), output
    if number != signal.SIGKILL:
        assert "interrupted; what was stored stays, and the same command goes on" in output
    assert 2 <= batches(database_url) < 9

    other = scrapy(library, "import", "old.db", "--tag", "x", **variables)
    assert other.returncode == 64
    assert "with neither of --collected-at and --tag: go on with the same" in other.stderr
    again = scrapy(library, "import", "old.db", **variables)

    assert again.returncode == 0, again.stderr
    assert "was interrupted, and goes on where it was" in again.stderr
    assert again.stdout.endswith(TOLD_OF_LIBRARY)
    whole = f"sqlite:///{library / 'whole.db'}"
    scrapy(library, "import", "old.db", TIKTOK_DATABASE_URL=whole)
    assert everything(database_url) == everything(whole)


@pytest.mark.slow
def test_two_imports_of_a_file_do_not_run_at_once(library):
    with started(library, "import", "old.db") as process:
        while process.poll() is None and batches(f"sqlite:///{library / 'tiktok.db'}") < 1:
            time.sleep(0.01)
        process.send_signal(signal.SIGSTOP)
        second = scrapy(library, "import", "old.db")
        process.send_signal(signal.SIGCONT)
        process.communicate(60)

    assert second.returncode == 75
    assert "another import of this file is running on this database" in second.stderr
    assert process.returncode == 0


def test_a_database_on_a_server_is_named_by_a_file_with_its_url(tmp_path, postgresql_url):
    engine = create_engine(postgresql_url)
    statements = LIBRARY.replace("DATETIME", "TIMESTAMP").split("INSERT")[0].split(";")
    with engine.begin() as connection:
        for statement in filter(str.strip, statements):
            connection.exec_driver_sql(statement)
        connection.exec_driver_sql(
            "INSERT INTO video VALUES (5, NULL, 'ann', 'US', 1, '2024-01-01', NULL)"
        )
    engine.dispose()
    (tmp_path / "old.url").write_text(f"{postgresql_url}\n")

    run = scrapy(tmp_path, "import", "@old.url")

    assert run.returncode == 0, run.stderr
    assert run.stdout.startswith("PostgreSQL database t_")
    assert "  videos     1 new\n" in run.stdout


def test_the_command_is_called_by_the_name_of_its_module():
    command = import_module("tiktok_crawler.commands.import").Command()
    assert command.short_desc().startswith("Bring in videos")


def test_no_line_of_its_help_is_taken_for_a_heading(tmp_path):
    said = scrapy(tmp_path, "import", "-h").stdout

    assert "--collected-at TIME" in said
    assert [line for line in said.splitlines() if set(line) == {"="}] == ["=====", "======="]
