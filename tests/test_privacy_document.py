"""docs/privacy.md knows every column, and its commands find and remove what they say."""

from __future__ import annotations

import gzip
import json
import re
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter
from postgres_server import server_binaries
from processes import environment, scrapy

from tiktok_crawler.dataset.persons import HELD, Holds
from tiktok_crawler.storage.engine import database
from tiktok_crawler.storage.models import METADATA
from tiktok_crawler.storage.models.column_types import JSON_DOCUMENT

ROOT = Path(__file__).parents[1]
DOCUMENT = (ROOT / "docs" / "privacy.md").read_text(encoding="utf-8")
SOMEBODY = "somebody"
QUERY_FILE = """
start_date: 2024-01-01
end_date: 2024-01-02
tags: [bread]
include: {any_hashtags: [bread]}
also_collect:
  - comments: {max_seeds: 2}
  - users: {max_seeds: 2}
  - reposted_videos: {max_seeds: 2}
"""
AUTHOR = """
    SELECT username FROM video
    WHERE id IN (SELECT video_id FROM comment) AND username IN (SELECT username FROM user_info)
    LIMIT 1
"""
BESIDES = """
    UPDATE video SET playlist_id = 7 WHERE username = 'somebody';
    INSERT INTO playlist (id, crawled_at, crawl_id) VALUES (7, '2024-01-02 00:00:00.000000', 1);
    INSERT INTO playlist_video SELECT 7, id, 1, crawled_at, crawled_at FROM video LIMIT 3;
    UPDATE video SET video_mention_list = '["somebody"]' WHERE id = (SELECT max(id) FROM video);
    INSERT INTO video_revision (video_id, field, old_value, until, crawl_id)
        SELECT id, 'username', '"somebody"', crawled_at, 1 FROM video;
    INSERT INTO effect (id, effect_id) VALUES (7, '7');
    INSERT INTO videos_to_effect_ids (video_id, effect_id) SELECT id, 7 FROM video;
    INSERT INTO user_info_history (username, field, old_value, until)
        SELECT username, 'display_name', '"B"', last_seen_at FROM user_info;
"""
"""What a small collection has none of."""
PROGRAMS = ("sqlite3", "jq", "zgrep")


def section(title: str) -> str:
    (text,) = re.findall(rf"^###? {title}\n(.*?)(?=^##|\Z)", DOCUMENT, re.MULTILINE | re.DOTALL)
    return text


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def classified() -> dict[str, list[list[str]]]:
    """The columns of each table, in three kinds."""
    rows = re.findall(
        r"^\| `(\w+)` \|(.*)\|(.*)\|(.*)\|$", section("In the database"), re.MULTILINE
    )
    return {table: [re.findall(r"`(\w+)`", cell) for cell in cells] for table, *cells in rows}


@pytest.mark.parametrize("table", METADATA.sorted_tables, ids=lambda table: table.name)
def test_of_each_column_it_says_whether_it_has_personal_data(table):
    named = [column for kind in classified()[table.name] for column in kind]
    assert sorted(named) == sorted(column.name for column in table.columns)


def test_it_knows_no_other_tables():
    assert sorted(classified()) == sorted(METADATA.tables)


def test_it_says_no_less_of_a_column_than_exports_know():
    for name, columns in HELD.items():
        words, leads, _ = classified()[name]
        telling = {column for column, held in columns.items() if held is not Holds.NOTHING}
        assert telling - {*words, *leads} == set(), name


OF_CRAWLS = {"fields", "faults"}
"""JSON that has nothing of the API's answers."""


def test_what_can_hold_anything_counts_as_words():
    for table in METADATA.sorted_tables:
        for column in table.columns:
            if column.type is JSON_DOCUMENT and column.name not in OF_CRAWLS:
                assert column.name in classified()[table.name][0], column


@dataclass
class Project:
    """A folder in which a small collection was made, and somebody whom it is about."""

    folder: Path
    person: str

    def run(self, command: str) -> str:
        return subprocess.run(
            ["bash", "-euo", "pipefail", "-c", command.replace(SOMEBODY, self.person)],
            cwd=self.folder,
            env=environment(self.folder),
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    def rows(self, statement: str) -> list[tuple]:
        with closing(sqlite3.connect(self.folder / "tiktok.db")) as connection:
            return connection.execute(statement.replace(SOMEBODY, self.person)).fetchall()


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Project:
    missing = [program for program in PROGRAMS if shutil.which(program) is None]
    if missing:
        pytest.skip(f"the document uses {', '.join(missing)}, which this machine lacks")
    folder = tmp_path_factory.mktemp("privacy")
    (folder / "query.yaml").write_text(QUERY_FILE)
    (folder / "exports").mkdir()

    def run(*command: str) -> None:
        settings = {"TIKTOK_SANDBOX": "1", "TIKTOK_DATABASE_URL": "sqlite:///tiktok.db"}
        ended = scrapy(folder, *command, **settings, TIKTOK_ARCHIVE="archive")
        assert ended.returncode == 0, ended.stderr

    run("crawl", "videos", "-a", "query=query.yaml", "-O", "videos.csv")
    with closing(sqlite3.connect(folder / "tiktok.db")) as connection:
        ((person,),) = connection.execute(AUTHOR)
        connection.executescript(BESIDES.replace(SOMEBODY, person))
    run("crawl", "following", "-a", f"usernames={person}", "--logfile", "crawl.log")
    with (folder / "crawl.log").open("a") as log:
        log.write(f"users: 1 user was not found: {person}\n")
    (folder / "exports" / "names.txt").write_text(f"{person}\n")
    run("backup", "tiktok-backup.db")
    return Project(folder, person)


def command_of(place: str, beginning: str = "") -> str:
    (command,) = [each for each in blocks(section(place), "sh") if each.startswith(beginning)]
    return command


@pytest.mark.parametrize("name", ["tiktok.db", "tiktok-backup.db"])
def test_somebody_is_found_in_every_table_that_has_the_name(project, name):
    command = command_of("In a database", "sqlite3").replace("tiktok.db", name)
    counted = dict(line.split()[::-1] for line in project.run(command).splitlines())
    tables = {table.strip('"'): int(rows) for table, rows in counted.items()}
    ((videos,),) = project.rows("SELECT count(*) FROM video WHERE username = 'somebody'")
    assert tables["video"] >= videos > 0
    assert {"user_info", "account", "seed", "run", "user_video"} <= tables.keys()


STATEMENT = blocks(section("In a database"), "sql")[0]


def test_what_follows_from_a_handle_is_counted(project):
    found = dict(project.rows(STATEMENT))
    assert [place for place, rows in found.items() if not rows] == []
    ((comments,),) = project.rows(
        "SELECT count(*) FROM comment JOIN video ON video.id = video_id WHERE username = 'somebody'"
    )
    assert found["comment"] == comments
    assert found["user_relation"] == project.rows("SELECT count(*) FROM user_relation")[0][0]


def test_each_table_that_leads_to_a_person_is_counted():
    """Shops have no handle, what a query has is in its words, and digests lead to who guesses."""
    leading = {table for table, (_, leads, _) in classified().items() if leads}
    assert leading - set(re.findall(r"FROM (\w+)", STATEMENT)) == {
        *("effect", "hashtag", "product", "query", "review", "shop", "value_batch"),
        *("archive_removal", "database_origin", "kept_out", "worker"),
        *("compliance_check", "compliance_check_record"),
    }


@pytest.mark.parametrize("statement", blocks(DOCUMENT, "sql"))
def test_each_statement_is_understood_by_postgresql(prepared_postgresql_url, statement):
    engine = database.create_engine_for(database.database_url(prepared_postgresql_url))
    with engine.connect() as connection:
        connection.exec_driver_sql(statement.replace("%", "%%")).all()
    engine.dispose()


def test_postgresql_is_searched_the_same_way(project, prepared_postgresql_url):
    engine = database.create_engine_for(database.database_url(prepared_postgresql_url))
    with engine.begin() as connection:
        connection.exec_driver_sql("INSERT INTO hashtag (name) VALUES ('Somebody')")
    engine.dispose()
    command = command_of("In a database", "pg_dump").replace(
        "postgresql://user@host/database", prepared_postgresql_url.replace("+psycopg2", "")
    )
    path = f"PATH={server_binaries()}:$PATH\n"
    found = project.run(path + command.replace(SOMEBODY, "SOMEBODY"))
    assert found.split() == ["1", "public.hashtag"]


def test_an_archive_is_searched_for_names_and_for_letters_that_are_escaped(project, tmp_path):
    named, meant = blocks(section("In an archive"), "sh")
    with gzip.open(project.folder / "archive" / "other.jsonl.gz", "wt") as file:
        file.write('{"kind": "file"}\n')
    files = (project.folder / "archive").glob("2*.jsonl.gz")
    assert sorted(project.run(named).split()) == sorted(f"archive/{path.name}" for path in files)
    assert project.run(meant)

    (tmp_path / "archive").mkdir()
    body = '{"data": {"display_name": "B\\u00fccher"}}'
    line = json.dumps({"kind": "answer", "at": "now", "response": {"status": 200, "body": body}})
    with gzip.open(tmp_path / "archive" / "day.jsonl.gz", "wt") as file:
        file.write(f'{{"kind": "file"}}\n{line}\n')
    assert "Bücher" in Project(tmp_path, "Bücher").run(meant)


def test_other_files_are_found_by_what_they_hold(project):
    found = project.run(command_of("In other files", "grep")).split()
    assert {"./videos.csv", "./crawl.log", "./exports/names.txt", "./tiktok-backup.db"} <= {*found}


def test_parquet_and_workbooks_are_looked_into(tmp_path):
    (tmp_path / "out").mkdir()
    for name, username in (("her", "Some.Ann"), ("him", "bob")):
        pq.write_table(pa.table({"username": [username]}), tmp_path / "out" / f"{name}.parquet")
        with xlsxwriter.Workbook(tmp_path / f"{name}.xlsx") as book:
            book.add_worksheet().write_string(0, 0, username)
    command = command_of("In other files", ".venv").replace(".venv/bin/python", sys.executable)
    assert Project(tmp_path, "some.ann").run(command).split() == ["her.xlsx", "out/her.parquet"]


def test_the_places_that_the_table_names_are_searched(tmp_path):
    (tmp_path / ".tiktok-backup.db.1a2b3c4d.partial").mkdir()
    (tmp_path / "feed-1").touch()
    (tmp_path / ".bash_history").write_text("scrapy crawl users -a usernames=ann\n")
    commands = re.findall(r"\| `((?:find|grep) [^`|]*)`", section("Every place"))
    assert len(commands) == 3
    there = Project(tmp_path, "ann")
    found = [there.run(f"TMPDIR=$PWD; {command}").strip() for command in commands]
    assert found == [
        f"{tmp_path}/feed-1",
        "./.tiktok-backup.db.1a2b3c4d.partial",
        "scrapy crawl users -a usernames=ann",
    ]


def test_the_database_knows_where_feeds_were_written_to(project):
    (statement,) = blocks(section("Every place"), "sql")
    ((_, _, feeds, _),) = project.rows(statement)
    assert "videos.csv" in feeds


def test_nothing_is_left_when_everything_is_removed(project, tmp_path):
    shutil.copytree(project.folder, tmp_path / "copy")
    (tmp_path / "copy" / ".x.db.1a.partial").mkdir()
    left = Project(tmp_path / "copy", project.person).run(command_of("Everything")).split()
    assert left == ["./query.yaml"]
    assert [path.name for path in (tmp_path / "copy").iterdir()] == ["query.yaml"]


def test_it_promises_nothing_of_the_terms_that_is_not_known():
    (facts,) = (path.read_text(encoding="utf-8") for path in ROOT.glob("docs/api_facts.*"))
    for number, unit in re.findall(r"every (\d+)(?: (days))?", DOCUMENT):
        assert f"every **{number} days**" in facts, unit
