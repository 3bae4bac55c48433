"""Text of others - names of files, what a database says of itself - stays on its line."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest
from new_databases import new_database

from tiktok_crawler.archive.recorder import Journal
from tiktok_crawler.arguments.named_seeds import named_seeds
from tiktok_crawler.clock import utc_now
from tiktok_crawler.config.credentials import read_credentials
from tiktok_crawler.exceptions import CrawlerError
from tiktok_crawler.query_file.collection import read_collection
from tiktok_crawler.reports.status_report import text
from tiktok_crawler.storage.engine import database
from tiktok_crawler.storage.engine.backup import back_up
from tiktok_crawler.storage.engine.lock import QueryLock
from tiktok_crawler.storage.ledger.status import read_status

ODD = "a\nerror: forged \x1b[2J\x9b\u202e"


@pytest.fixture
def odd(tmp_path):
    """A folder with a name that forges a line, and steers a terminal."""
    folder = tmp_path / ODD
    folder.mkdir()
    return folder


def written(folder, content):
    path = folder / "file"
    path.write_bytes(content)
    path.chmod(0o600)
    return path


def query_file(folder, content):
    read_collection(written(folder, content), today=date(2024, 6, 1))


def prepare(path):
    with database.opened(f"sqlite:///{path}") as engine:
        database.prepare(engine, "sandbox")


def copy(target):
    folder = next(each for each in target.parents if each.name == ODD)
    with database.opened(new_database(folder / "a.db")) as engine:
        back_up(engine, target, overwrite=False, progress=lambda *_: None)


def lock(path):
    with database.opened(f"sqlite:///{path}") as engine:
        QueryLock(engine, "0" * 64).acquire()


REFUSALS = {
    "no query file": lambda odd: read_collection(odd / "none", today=date(2024, 6, 1)),
    "a folder as query file": lambda odd: read_collection(odd, today=date(2024, 6, 1)),
    "bytes as query file": lambda odd: query_file(odd, b"\xff"),
    "a mistake in a query file": lambda odd: query_file(odd, b"[]"),
    "no list": lambda odd: query_file(odd, b"usernames: {file: none}"),
    "an empty list": lambda odd: named_seeds("usernames", f"@{written(odd, b'')}"),
    "a list of other seeds": lambda odd: named_seeds("video_ids", f"@{written(odd, b'x')}"),
    "no secrets": lambda odd: read_credentials({}, odd / "none"),
    "other secrets": lambda odd: read_credentials({}, written(odd, b"[]")),
    "half of the secrets": lambda odd: read_credentials({}, written(odd, b"client_key: x")),
    "a folder as database": prepare,
    "another file as database": lambda odd: prepare(written(odd, b"no database at all " * 100)),
    "a short file as database": lambda odd: prepare(written(odd, b"x")),
    "no folder for a database": lambda odd: prepare(odd / "none" / "a.db"),
    "a file as archive": lambda odd: Journal(written(odd, b""), "sandbox").open(),
    "no folder for a copy": lambda odd: copy(odd / "none" / "b.db"),
    "a copy onto itself": lambda odd: copy(odd / "a.db"),
    "no folder for a lock": lambda odd: lock(odd / "none" / "a.db"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_names_of_files_stay_on_their_line(odd, case):
    with pytest.raises(CrawlerError) as refusal:
        REFUSALS[case](odd)
    for line in str(refusal.value).splitlines():
        assert line.isprintable()
        assert not line.startswith("error: ")


def changed(path, statement):
    """Return the URL of a database of the sandbox in which a value is odd."""
    url = new_database(path)
    with database.opened(url) as engine:
        database.prepare(engine, "sandbox")
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement, (ODD,))
    return url


@pytest.mark.parametrize(
    "statement",
    ["UPDATE database_origin SET origin = ?", "UPDATE alembic_version SET version_num = ?"],
)
def test_what_a_database_says_of_itself_stays_on_its_line(tmp_path, statement):
    url = changed(tmp_path / "a.db", statement)
    with pytest.raises(CrawlerError) as refusal, database.opened(url) as engine:
        database.prepare(engine, "sandbox")
    assert str(refusal.value).isprintable()


RUN = """
    INSERT INTO run (spider, arguments, version, begun_at, ended_at, close_reason, requests,
    faults, feeds, exports) VALUES ('videos', '{}', '1', '2024-06-01 12:00:00.000000',
    '2024-06-01 12:00:00.000000', ?, 0, '{}', '[]', '[]')
"""


@pytest.mark.parametrize("statement", ["UPDATE database_origin SET origin = ?", RUN])
def test_a_status_keeps_its_lines(tmp_path, statement):
    status = read_status(changed(tmp_path / "a.db", statement), None, utc_now())
    lines = text(status, None).splitlines()
    assert any("forged" in line for line in lines)
    assert all(line.isprintable() for line in lines)


def test_a_link_to_nowhere_says_where_it_leads_on_one_line(tmp_path):
    link = tmp_path / "a.db"
    link.symlink_to(Path(tmp_path, ODD, "none"))
    with pytest.raises(CrawlerError) as refusal:
        prepare(link)
    assert str(refusal.value).isprintable()
