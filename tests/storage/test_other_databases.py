"""What is no database of this program is refused in one line, and left as it is."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import inspect, text

from tiktok_crawler.exceptions import ConfigurationError
from tiktok_crawler.storage.engine import database

API = "https://open.tiktokapis.com"
NOBODY = 65534

USES = [
    pytest.param(database.is_new, id="status, plan"),
    pytest.param(lambda engine: database.prepare(engine, API), id="crawl"),
    pytest.param(database.migrate, id="migrate"),
    pytest.param(lambda engine: database.migrate(engine, stamp=True), id="stamp"),
]


def refusal(engine, use) -> str:
    with pytest.raises(ConfigurationError) as refused:
        use(engine)
    message = str(refused.value)
    assert "\n" not in message
    return message


@contextmanager
def as_nobody():
    """Have no more permissions than others; the tests may run as root, who has all."""
    if os.geteuid():
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def foreign_folder():
    """A folder that everybody can look into, and only its owner can write to."""
    path = Path(tempfile.mkdtemp())
    path.chmod(0o755)
    yield path
    path.chmod(0o755)
    shutil.rmtree(path)


def sqlite_file(path, *statements) -> bytes:
    with closing(sqlite3.connect(path)) as connection, connection:
        for statement in statements:
            connection.execute(statement)
    return path.read_bytes()


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize(
    ("statements", "words"),
    [
        (["CREATE TABLE moz_places (id INTEGER)"], "another program's.*moz_places.*TIKTOK_DATA"),
        ([f"CREATE TABLE t{n} (id INTEGER)" for n in range(8)], "t0, t1, t2, t3, t4 and 3 more"),
        (
            [
                "CREATE TABLE alembic_version (version_num TEXT)",
                "INSERT INTO alembic_version VALUES ('ae5f')",
                "CREATE TABLE blog (id INTEGER)",
            ],
            "another program's.*blog",
        ),
        # One table has a name that ours have, too.
        (["CREATE TABLE comment (id INTEGER)", "CREATE TABLE post (id INTEGER)"], "comment"),
    ],
)
def test_another_programs_database_is_refused_and_left_as_it_is(
    make_engine, tmp_path, statements, words, use
):
    path = tmp_path / "theirs.db"
    before = sqlite_file(path, *statements)
    if words == "comment" and use is database.is_new:
        return  # nothing is known of it, and nothing done
    with pytest.raises(ConfigurationError, match=words):
        use(make_engine(f"sqlite:///{path}"))

    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["theirs.db"]


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("content", [b"x", b"Not a database. " * 1000, bytes(5000)])
def test_a_file_that_is_no_database_is_refused_and_left_as_it_is(
    make_engine, tmp_path, content, use
):
    path = tmp_path / "notes.txt"
    path.write_bytes(content)

    assert "file is not a database" in refusal(make_engine(f"sqlite:///{path}"), use)
    assert path.read_bytes() == content
    assert [file.name for file in tmp_path.iterdir()] == ["notes.txt"]


@pytest.mark.parametrize("use", USES)
def test_a_folder_is_no_database(make_engine, tmp_path, use):
    (tmp_path / "data").mkdir()

    assert "data is a folder" in refusal(make_engine(f"sqlite:///{tmp_path / 'data'}"), use)
    assert list((tmp_path / "data").iterdir()) == []


@pytest.mark.parametrize("use", USES)
def test_a_device_is_no_database(make_engine, use):
    assert "/dev/null is no file" in refusal(make_engine("sqlite:////dev/null"), use)


@pytest.mark.parametrize("use", USES)
def test_a_database_that_may_not_be_read_is_refused(
    make_engine, foreign_folder, sqlite_template, use
):
    path = foreign_folder / "theirs.db"
    shutil.copy(sqlite_template, path)
    path.chmod(0)
    with as_nobody():
        message = refusal(make_engine(f"sqlite:///{path}"), use)

    assert str(path) in message
    assert "permission" in message or "must be yours" in message
    assert [file.name for file in foreign_folder.iterdir()] == ["theirs.db"]


@pytest.mark.parametrize("use", USES)
def test_a_folder_that_may_not_be_looked_into_is_refused(
    make_engine, foreign_folder, sqlite_template, use
):
    shutil.copy(sqlite_template, foreign_folder / "theirs.db")
    foreign_folder.chmod(0)
    with as_nobody():
        message = refusal(make_engine(f"sqlite:///{foreign_folder}/theirs.db"), use)

    assert "Permission denied" in message


@pytest.mark.parametrize("what", ["file", "folder"])
def test_a_crawl_needs_a_database_that_it_may_write_to(
    make_engine, foreign_folder, sqlite_template, what
):
    path = foreign_folder / "theirs.db"
    shutil.copy(sqlite_template, path)
    path.chmod(0o666 if what == "folder" else 0o444)
    foreign_folder.chmod(0o555 if what == "folder" else 0o777)
    before = path.read_bytes()
    with as_nobody():
        message = refusal(
            make_engine(f"sqlite:///{path}"), lambda engine: database.prepare(engine, "sandbox")
        )

    assert f"no permission to write to the {what} " in message
    assert path.read_bytes() == before


def test_a_server_can_have_tables_of_others(make_engine, postgresql_url):
    engine = make_engine(postgresql_url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE notes (id INTEGER PRIMARY KEY)"))
    database.prepare(engine, API)

    assert inspect(engine).has_table("notes")


@pytest.mark.parametrize("use", USES)
def test_another_programs_database_on_a_server_is_refused(make_engine, postgresql_url, use):
    engine = make_engine(postgresql_url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE blog (id INTEGER)"))
        connection.execute(text("CREATE TABLE alembic_version (version_num TEXT)"))
        connection.execute(text("INSERT INTO alembic_version VALUES ('ae5f')"))

    assert "another program's" in refusal(engine, use)
    assert set(inspect(engine).get_table_names()) == {"alembic_version", "blog"}


def test_tables_that_a_user_adds_later_do_not_matter(make_engine, prepared_url):
    engine = make_engine(prepared_url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE notes (id INTEGER PRIMARY KEY)"))
    database.prepare(engine, "sandbox")

    assert not database.is_new(engine)
