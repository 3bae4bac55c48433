"""What a crawl does about the tables before its first request."""

from __future__ import annotations

import subprocess
import sys

import pytest
from sqlalchemy import inspect, text
from stored_pages import row, rows

from tiktok_crawler.exceptions import ConfigurationError
from tiktok_crawler.storage.engine import database
from tiktok_crawler.storage.models.base import Base

API = "https://open.tiktokapis.com"


@pytest.fixture
def empty(make_engine, database_url):
    return make_engine(database_url)


def execute(engine, statement):
    with engine.begin() as connection:
        connection.execute(text(statement))


def tables(engine):
    return set(inspect(engine).get_table_names())


def test_an_empty_database_gets_its_tables(empty):
    assert database.is_new(empty)
    database.prepare(empty, API)

    assert tables(empty) == {*Base.metadata.tables, "alembic_version"}
    assert not database.is_new(empty)
    assert row(empty, "database_origin")["origin"] == API


def test_a_database_is_prepared_again_and_again(empty):
    database.prepare(empty, API)
    before = row(empty, "database_origin")
    database.prepare(empty, API)

    assert row(empty, "database_origin") == before


def test_the_origin_is_read_without_claiming_it(empty):
    assert database.stored_origin(empty) is None
    database.migrate(empty)
    assert database.stored_origin(empty) is None
    database.prepare(empty, API)

    assert database.stored_origin(empty) == API


@pytest.mark.parametrize(("found", "words"), [("0005", "never released"), ("9999", "update it")])
def test_the_origin_is_read_from_tables_of_this_version_alone(engine, found, words):
    execute(engine, f"UPDATE alembic_version SET version_num = '{found}'")

    with pytest.raises(ConfigurationError, match=words):
        database.stored_origin(engine)


def test_data_of_two_origins_does_not_mix(engine):
    with pytest.raises(ConfigurationError) as refusal:
        database.prepare(engine, API)

    assert API in str(refusal.value)
    assert "sandbox" in str(refusal.value)
    assert database.describe(engine.url) in str(refusal.value)


@pytest.mark.parametrize("statement", ["DROP TABLE {}", "DELETE FROM {}"])
def test_tables_without_revision_are_refused(engine, statement):
    execute(engine, statement.format("alembic_version"))

    for use in (lambda: database.prepare(engine, "sandbox"), lambda: database.migrate(engine)):
        with pytest.raises(ConfigurationError, match=r"video.*`scrapy migrate --stamp`"):
            use()


@pytest.mark.slow
@pytest.mark.parametrize("revision", ["9999", "a104a59"])
def test_a_database_of_a_newer_version_is_refused(engine, revision):
    execute(engine, f"UPDATE alembic_version SET version_num = '{revision}'")

    assert not database.is_new(engine)
    for use in (lambda: database.prepare(engine, "sandbox"), lambda: database.migrate(engine)):
        with pytest.raises(ConfigurationError, match=rf"{revision}.*update.*`scrapy migrate`"):
            use()


def test_a_database_of_an_older_version_is_refused_with_the_command(engine, monkeypatch):
    found = database.HEAD
    monkeypatch.setattr(database, "HEAD", "9999")

    with pytest.raises(ConfigurationError, match=rf"{found}.* needs 9999: run `scrapy migrate`"):
        database.prepare(engine, "sandbox")


def test_migrate_creates_the_tables_and_says_so(empty):
    assert database.migrate(empty).endswith(f"brought from revision none to {database.HEAD}")
    assert database.migrate(empty).endswith(f"up to date at revision {database.HEAD}")
    assert rows(empty, "database_origin") == []
    assert database.is_new(empty)


@pytest.mark.slow
def test_stamping_marks_tables_that_have_no_revision(engine):
    execute(engine, "DROP TABLE alembic_version")
    execute(engine, "CREATE INDEX mine ON video (username)")

    assert "marked" in database.migrate(engine, stamp=True)
    database.prepare(engine, "sandbox")


def test_stamping_refuses_what_has_a_revision(engine):
    with pytest.raises(ConfigurationError, match=f"already: {database.HEAD}"):
        database.migrate(engine, stamp=True)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("ALTER TABLE video DROP COLUMN username", "add_column video username"),
        ("DROP TABLE videos_to_query_tags", "add_table videos_to_query_tags"),
        ("ALTER TABLE video ADD COLUMN mine TEXT", "remove_column video mine"),
    ],
)
def test_stamping_refuses_other_tables(engine, statement, named):
    execute(engine, "DROP TABLE alembic_version")
    execute(engine, statement)

    with pytest.raises(ConfigurationError, match=named):
        database.migrate(engine, stamp=True)
    with pytest.raises(ConfigurationError, match="without a revision"):
        database.prepare(engine, "sandbox")


def test_stamping_refuses_other_types(make_engine, prepared_postgresql_url):
    engine = make_engine(prepared_postgresql_url)
    execute(engine, "DROP TABLE alembic_version")
    execute(engine, "ALTER TABLE video ALTER COLUMN like_count TYPE text")

    with pytest.raises(ConfigurationError, match="modify_type video like_count"):
        database.migrate(engine, stamp=True)


STARTING = """
import sys
from tiktok_crawler.storage.engine import database
engine = database.create_engine_for(database.database_url(sys.argv[1]))
database.prepare(engine, "sandbox")
print([name for name in sys.modules if name.split(".")[0] in ("alembic", "scrapy", "twisted")])
"""


@pytest.mark.slow
def test_a_database_that_is_up_to_date_needs_neither_alembic_nor_scrapy(prepared_url):
    command = [sys.executable, "-c", STARTING, prepared_url]
    result = subprocess.run(command, capture_output=True, text=True, check=True)

    assert result.stdout == "[]\n"
