"""`scrapy delete` as a process: what it prints, its exit status, and the bytes in all files."""

from __future__ import annotations

import json
import shutil
import sqlite3
import time
import zlib
from contextlib import closing
from os import EX_CONFIG, EX_USAGE

import pyarrow.parquet as pq
import pytest
from crawling import QUICK
from marathon import in_marathon
from processes import scrapy, started

from tiktok_crawler.storage.engine.database import create_engine_for, database_url
from tiktok_crawler.storage.engine.lock import QueryLock

OPTIONS = ("-s", "TIKTOK_SANDBOX=True", "-s", "TIKTOK_ARCHIVE=archive")
FAST = [part for name, value in QUICK.items() for part in ("-s", f"{name}={value}")]
CRAWL = ("crawl", "videos", *OPTIONS, *FAST)
DATABASE = "tiktok-sandbox.db"
QUERY = """
start_date: 2024-01-01
end_date: 2024-01-05
tags: [one]
include: {any_hashtags: [butter, cheese]}
"""
OTHER = """
start_date: 2024-01-04
end_date: 2024-01-08
tags: [two]
include: {any_hashtags: [butter, milk]}
"""


@pytest.fixture(scope="module")
def collected(tmp_path_factory):
    """A project in which two queries were collected, with comments, an archive and an export."""
    folder = tmp_path_factory.mktemp("collected")
    (folder / "query.yaml").write_text(QUERY)
    (folder / "other.yaml").write_text(OTHER)
    for query in ("query.yaml", "other.yaml"):
        crawl = scrapy(folder, *CRAWL, "-a", f"query={query}")
        assert crawl.returncode == 0, crawl.stderr
    name = person(folder)
    for spider in ("users", "followers"):
        crawl = scrapy(folder, "crawl", spider, *OPTIONS, *FAST, "-a", f"usernames={name}")
        assert crawl.returncode == 0, crawl.stderr
    export = scrapy(folder, "export", "dataset", *OPTIONS)
    assert export.returncode == 0, export.stderr
    return folder


@pytest.fixture
def folder(collected, tmp_path):
    shutil.copytree(collected, tmp_path / "project")
    return tmp_path / "project"


def read(folder, statement, database=DATABASE):
    with closing(sqlite3.connect(folder / database)) as connection:
        return connection.execute(statement).fetchall()


def person(folder):
    """Name the person with most videos, which both queries have if there is one."""
    ((name, _),) = read(
        folder, "SELECT username, count(*) FROM video GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 1"
    )
    return name


def delete(folder, *arguments):
    return scrapy(folder, "delete", *OPTIONS, *arguments)


def everything(folder):
    """Read the bytes of all files, those of compressed ones as they were before."""
    for path in folder.rglob("*"):
        if path.is_file() and path.name not in ("query.yaml", "other.yaml"):
            found = path.read_bytes()
            yield path, found
            if path.suffix == ".gz":
                yield path, zlib.decompressobj(16 + zlib.MAX_WBITS).decompress(found)
            if path.suffix == ".parquet":
                yield path, repr(_rows(path)).encode()


def _rows(path):

    return pq.read_table(path).to_pylist()


@pytest.mark.slow
def test_the_bytes_of_a_person_are_in_no_file(folder):
    name = person(folder)
    videos = read(folder, f"SELECT id, video_description FROM video WHERE username = '{name}'")
    texts = [name, *(str(id_) for id_, _ in videos), *(text for _, text in videos if text)]
    assert any(name.encode() in found for _, found in everything(folder))

    done = delete(folder, "--usernames", name, "--yes", "--vacuum")
    again = scrapy(folder, "export", "dataset", *OPTIONS)

    assert done.returncode == 0, done.stderr
    assert again.returncode == 0, again.stderr
    assert "Comments carry no name of their author" in done.stdout
    left = {
        (path.name, text)
        for path, found in everything(folder)
        for text in texts
        if text.encode() in found
    }
    assert not left


@pytest.mark.slow
def test_an_export_says_that_it_is_stale(folder):
    assert scrapy(folder, "export", "dataset", "--verify", *OPTIONS).returncode == 0
    delete(folder, "--usernames", person(folder), "--yes")

    stale = scrapy(folder, "export", "dataset", "--verify", *OPTIONS)
    assert stale.returncode == 70
    assert "is stale: records were deleted" in stale.stderr
    assert scrapy(folder, "export", "dataset", *OPTIONS).returncode == 0
    assert scrapy(folder, "export", "dataset", "--verify", *OPTIONS).returncode == 0


def test_a_feed_that_is_named_after_a_person_is_named_as_it_is(folder):
    name = person(folder)
    feeds = json.dumps([f"{name}.csv"])
    with closing(sqlite3.connect(folder / DATABASE)) as connection, connection:
        connection.execute("UPDATE run SET feeds = ? WHERE id = 1", [feeds])

    done = delete(folder, "--usernames", name, "--yes")

    assert f"feeds that runs have written: {name}.csv" in done.stdout
    assert name not in str(read(folder, "SELECT feeds FROM run"))


def test_what_was_deleted_is_told_in_numbers(folder):
    delete(folder, "--usernames", person(folder), "--yes")

    status = scrapy(folder, "status", *OPTIONS)
    assert "1 user deleted, as persons have asked for it" in status.stdout
    told = json.loads(scrapy(folder, "status", "--json", *OPTIONS).stdout)["removals"]
    assert told["deleted"][0]["records"] == 1
    assert told["kept_out"]["user"] == 1
    scrapy(folder, "export", "new", *OPTIONS)
    assert "Records were deleted" in (folder / "new" / "PROVENANCE.md").read_text()


def test_only_what_a_query_alone_has_goes_and_its_days_are_missing(folder):
    both = set(read(folder, "SELECT id FROM video"))
    done = delete(folder, "--query", "query.yaml", "--yes")

    assert done.returncode == 0, done.stderr
    left = set(read(folder, "SELECT id FROM video"))
    others = set(
        read(
            folder,
            "SELECT DISTINCT video_id FROM videos_to_crawls JOIN crawl ON crawl.id = crawl_id "
            "WHERE query_id IS NOT 1",
        )
    )
    assert left == others
    assert left < both
    assert not read(folder, "SELECT * FROM kept_out")
    states = dict(read(folder, "SELECT query_id, state FROM crawl_window ORDER BY query_id"))
    assert states == {1: "split", 2: "complete"}
    again = scrapy(folder, *CRAWL, "-a", "query=query.yaml")
    assert again.returncode == 0, again.stderr
    assert set(read(folder, "SELECT id FROM video")) == both


@pytest.mark.slow
def test_a_replay_takes_back_the_days_of_a_query_too(folder):
    delete(folder, "--query", "1", "--yes")
    replayed = scrapy(
        folder, "replay", "archive", "-s", "TIKTOK_DATABASE_URL=sqlite:///replayed.db"
    )

    assert replayed.returncode == 0, replayed.stderr
    for table in ("video", "crawl_window", "videos_to_crawls"):
        count = f"SELECT count(*) FROM {table}"
        assert read(folder, count, "replayed.db") == read(folder, count)
    states = "SELECT query_id, state FROM crawl_window ORDER BY query_id"
    assert dict(read(folder, states, "replayed.db")) == {1: "split", 2: "complete"}


def test_a_tag_goes_with_what_has_no_other_one(folder):
    delete(folder, "--tag", "one", "--yes")

    tags = dict(
        read(
            folder,
            "SELECT name, count(*) FROM query_tag JOIN videos_to_query_tags "
            "ON id = query_tag_id GROUP BY name",
        )
    )
    videos = read(folder, "SELECT count(*) FROM video")[0][0]
    assert tags["two"] <= videos
    without_two = read(
        folder,
        "SELECT count(*) FROM video WHERE id NOT IN (SELECT video_id FROM videos_to_query_tags "
        "JOIN query_tag ON id = query_tag_id WHERE name = 'two') AND id IN (SELECT video_id FROM "
        "videos_to_query_tags)",
    )
    assert without_two == [(0,)]


@pytest.mark.slow
@pytest.mark.parametrize(
    "option",
    [
        ("--query", "long.yaml"),
        in_marathon(("--tag", "long")),
        in_marathon(("--older-than", "1 days")),
    ],
)
def test_days_of_an_interrupted_search_are_searched_anew_also_after_a_replay(folder, option):
    (folder / "long.yaml").write_text(
        QUERY.replace("2024-01-0", "2024-02-0").replace("[one]", "[long]")
    )
    long = "-a", "query=long.yaml"
    crawl = scrapy(folder, *CRAWL, *long, "-a", "max_requests=1")
    assert crawl.returncode == 75, crawl.stderr
    of_it = "SELECT state FROM crawl_window WHERE start_date >= '2024-02-01'"
    assert read(folder, of_it) == [("open",)]
    with closing(sqlite3.connect(folder / DATABASE)) as connection:
        connection.execute("UPDATE video SET crawled_at = '2020-01-01 00:00:00.000000'")
        connection.commit()
    deleted = delete(folder, *option, "--yes")
    assert deleted.returncode == 0, deleted.stderr
    assert read(folder, of_it) == [("split",)]
    replayed = scrapy(
        folder, "replay", "archive", "-s", "TIKTOK_DATABASE_URL=sqlite:///replayed.db"
    )
    assert replayed.returncode == 0, replayed.stderr
    assert read(folder, of_it, "replayed.db") == [("split",)]

    again = scrapy(folder, *CRAWL, *long)
    assert again.returncode == 0, again.stderr
    other = scrapy(folder, *CRAWL, *long, "-s", "TIKTOK_DATABASE_URL=sqlite:///other.db")
    assert other.returncode == 0, other.stderr
    ids = "SELECT id FROM video WHERE create_time >= '2024-02-01' ORDER BY id"
    assert read(folder, ids) == read(folder, ids, "other.db")


def test_a_query_that_is_being_crawled_is_named_and_loses_nothing(folder):
    before = read(folder, "SELECT count(*) FROM video")
    ((fingerprint,),) = read(folder, "SELECT fingerprint FROM query WHERE id = 2")
    engine = create_engine_for(database_url(f"sqlite:///{folder / DATABASE}"))
    lock = QueryLock(engine, fingerprint)
    lock.acquire()
    refused = delete(folder, "--tag", "two", "--yes")
    lock.release()
    engine.dispose()

    assert refused.returncode == 75
    assert "nothing was deleted: another crawl of query 2 is running" in refused.stderr
    assert "run again when it has ended" in refused.stderr
    assert read(folder, "SELECT count(*) FROM video") == before
    assert not read(folder, "SELECT 1 FROM crawl_window WHERE state = 'split'")
    assert delete(folder, "--tag", "two", "--yes").returncode == 0


def test_what_was_collected_long_ago_goes(folder):
    with closing(sqlite3.connect(folder / DATABASE)) as connection:
        connection.execute(
            "UPDATE video SET crawled_at = '2020-01-01 00:00:00.000000' "
            "WHERE id IN (SELECT id FROM video LIMIT 3)"
        )
        connection.commit()
    before = read(folder, "SELECT count(*) FROM video")[0][0]
    done = delete(folder, "--older-than", "2 years", "--yes")

    assert "Deleted: 3 videos" in done.stdout, done.stderr
    assert read(folder, "SELECT count(*) FROM video") == [(before - 3,)]
    assert ("split",) in read(folder, "SELECT DISTINCT state FROM crawl_window")


def test_a_new_database_takes_the_list_along(folder):
    name = person(folder)
    shutil.copytree(folder / "archive", folder / "copy")
    delete(folder, "--usernames", name, "--yes")
    url = f"sqlite:///{folder / DATABASE}"
    into = "TIKTOK_DATABASE_URL=sqlite:///replayed.db"
    replayed = scrapy(folder, "replay", "copy", "--deleted-from", url, "-s", into)

    assert replayed.returncode == 0, replayed.stderr
    assert "as persons have asked" in replayed.stdout
    assert name.encode() not in (folder / "replayed.db").read_bytes()
    kept_out = "SELECT * FROM kept_out ORDER BY 1, 2"
    assert read(folder, kept_out, "replayed.db") == read(folder, kept_out)


def test_a_list_of_a_database_that_is_not_there_stops_a_replay(folder):
    url = f"sqlite:///{folder / 'mistyped.db'}"
    into = "TIKTOK_DATABASE_URL=sqlite:///replayed.db"
    refused = scrapy(folder, "replay", "archive", "--deleted-from", url, "-s", into)

    assert refused.returncode == EX_CONFIG
    assert "mistyped.db has no data; name the database" in refused.stderr
    assert not (folder / "replayed.db").exists()


@pytest.mark.slow
def test_a_database_that_keeps_nothing_out_is_warned_of(folder):
    url = f"sqlite:///{folder / DATABASE}"
    into = "TIKTOK_DATABASE_URL=sqlite:///replayed.db"
    replayed = scrapy(folder, "replay", "archive", "--deleted-from", url, "-s", into)

    assert replayed.returncode == 0
    assert "keeps nothing out" in replayed.stderr


def test_a_rehearsal_deletes_nothing(folder):
    before = (folder / DATABASE).read_bytes()
    name = person(folder)
    done = delete(folder, "--usernames", name, "--dry-run")

    assert done.returncode == 0
    assert "Nothing was deleted" in done.stdout
    assert "videos_to_crawls" in done.stdout
    assert (folder / DATABASE).read_bytes() == before


def test_ids_and_names_come_from_files_too(folder):
    ids = [str(id_) for (id_,) in read(folder, "SELECT id FROM video LIMIT 5")]
    (folder / "ids.txt").write_text("\n".join(ids))
    done = delete(folder, "--video-ids", "@ids.txt", "--yes")

    assert "Deleted: 5 videos" in done.stdout, done.stderr


def test_what_is_not_there_is_kept_out_and_said(folder):
    done = delete(folder, "--usernames", "nobody.here", "--yes")

    assert done.returncode == 0
    assert "Nothing of it is in the database: deleting it keeps it out from then on" in done.stdout
    assert "Deleted: 0 users" in done.stdout
    assert len(read(folder, "SELECT * FROM kept_out")) == 1


def test_a_rehearsal_does_not_say_that_it_keeps_anything_out(folder):
    done = delete(folder, "--usernames", "nobody.here", "--dry-run")

    assert "it is kept out" not in done.stdout
    assert not read(folder, "SELECT * FROM kept_out")


FOUND_AT = "2026-11-30 12:00:00.000000"
CONFIRMED_AT = "2026-12-01 12:00:00.000000"


def test_deletions_of_what_is_gone_name_the_checks_that_found_it(folder):
    with closing(sqlite3.connect(folder / DATABASE)) as connection, connection:
        for kind, at in (("video", FOUND_AT), ("comment", FOUND_AT), ("video", CONFIRMED_AT)):
            connection.execute(
                "INSERT INTO compliance_check (kind, first_run_id, is_second, state, ids, "
                "candidates, created_at, requests, verdict, verdict_at) "
                "VALUES (?, 1, 1, 'done', 9, 9, ?, 3, 'gone', ?)",
                (kind, at, at),
            )
        for at, which in ((FOUND_AT, "LIMIT 3"), (CONFIRMED_AT, "LIMIT 2 OFFSET 3")):
            gone = f"SELECT id FROM video ORDER BY id {which}"
            connection.execute(
                f"UPDATE video SET missing_since = ?, gone_at = ? WHERE id IN ({gone})", (at, at)
            )

    done = delete(folder, "--gone", "--yes")

    assert done.returncode == 0, done.stderr
    assert "Deleted: 3 videos" in done.stdout
    assert read(folder, "SELECT kind, why, check_id, records FROM removal ORDER BY id") == [
        ("video", "gone", 1, 3),
        ("video", "gone", 3, 2),
    ]


def test_nothing_gone_is_said(folder):
    done = delete(folder, "--gone", "--yes")

    assert done.returncode == 0
    assert "There is nothing to delete" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "say what to delete"),
        (("ann",), "'ann' stands alone"),
        (("--gone", "--tag", "one"), "go alone"),
        (("--tag", "none"), "no run has used this tag"),
        (("--older-than", "old"), "--older-than 'old' is not an age"),
        (("--older-than", "never"), "is not an age"),
        (("--video-ids", "x"), "--video-ids: 'x' is not an id"),
        (("--video-ids", "@none.txt"), "there is no such file"),
        (("--query", "9"), "there is no such query"),
        (("--usernames", "ann"), "nobody can be asked here"),
        (("--gone", "--archive", "none"), "there is no such folder"),
    ],
)
def test_mistakes_are_told_and_delete_nothing(collected, arguments, words):
    before = read(collected, "SELECT count(*) FROM video")
    done = delete(collected, *arguments)

    assert done.returncode == 64
    assert words in done.stderr
    assert read(collected, "SELECT count(*) FROM video") == before
    assert not read(collected, "SELECT * FROM removal")


def test_a_database_without_data_has_nothing_to_delete(tmp_path):
    done = delete(tmp_path, "--gone", "--yes")

    assert done.returncode == 0
    assert "has no data" in done.stdout
    assert not (tmp_path / DATABASE).exists()


@pytest.mark.slow
def test_the_file_of_a_running_crawl_loses_it_when_that_ends(folder):
    (folder / "long.yaml").write_text(QUERY.replace("2024-01-0", "2024-02-0"))
    name = person(folder)
    slow = ("-s", "DOWNLOAD_DELAY=0.4", "-s", "AUTOTHROTTLE_ENABLED=False")
    crawl = ("crawl", "comments", *OPTIONS, *slow, "-a", "from_query=query.yaml")
    with started(folder, *crawl, "-a", "max_requests=25") as process:
        running = folder / "archive"
        known = set(running.glob("*.gz"))
        while not (set(running.glob("*.gz")) - known) and process.poll() is None:
            time.sleep(0.05)
        time.sleep(1)
        done = delete(folder, "--usernames", name, "--yes")
        assert "is being written by a crawl" in done.stdout, done.stdout + done.stderr
        assert done.returncode == 75
        assert read(folder, "SELECT count(*) FROM archive_removal") != [(0,)]
        process.communicate(60)
    assert read(folder, "SELECT count(*) FROM archive_removal") == [(0,)]
    assert not [path for path, found in everything(folder / "archive") if name.encode() in found]


@pytest.mark.slow
def test_an_archive_that_is_not_named_again_is_not_forgotten(folder):
    other = folder / "other"
    other.mkdir()
    (other / "a.jsonl.gz").write_bytes(b"damaged")
    first = delete(folder, "--video-ids", "7000000000000000011", "--yes", "--archive", "other")
    assert first.returncode == 75
    assert "is damaged" in first.stdout

    again = delete(folder, "--vacuum")
    assert again.returncode == 75
    assert f"go on with `scrapy delete --archive {other}`" in again.stderr
    (other / "a.jsonl.gz").unlink()
    assert delete(folder, "--archive", str(other)).returncode == 0
    assert delete(folder, "--vacuum").returncode == 0


@pytest.mark.parametrize("age", ["2 yearz", "never", "0 days"])
def test_an_age_that_is_none_is_told_what_ages_there_are(folder, age):
    refused = delete(folder, "--older-than", age, "--yes")

    assert refused.returncode == EX_USAGE
    assert "is not an age; allowed: 90 days, 6 months, 2 years" in refused.stderr
