"""Databases with their tables, on SQLite and on PostgreSQL: copies of one that was made once."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime

import pytest
from postgres_server import temporary_database
from sqlalchemy import make_url

from tiktok_crawler.storage import database
from tiktok_crawler.storage.ledger import Ledger
from tiktok_crawler.storage.store import Store


@pytest.fixture
def make_engine():
    """Makes engines that are closed when the test ends."""
    engines = []

    def make(url):
        engines.append(database.create_engine_for(database.database_url(url)))
        return engines[-1]

    yield make
    for engine in engines:
        engine.dispose()


def prepare(url):
    engine = database.create_engine_for(database.database_url(url))
    database.prepare(engine, "sandbox")
    engine.dispose()
    return url


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory):
    path = tmp_path_factory.mktemp("template") / "template.db"
    prepare(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgresql_template(postgres_url):
    with temporary_database(postgres_url) as url:
        yield make_url(prepare(url)).database


@pytest.fixture
def prepared_sqlite_url(sqlite_template, sqlite_url, tmp_path):
    shutil.copy(sqlite_template, tmp_path / "test.db")
    return sqlite_url


@pytest.fixture
def prepared_postgresql_url(postgresql_template, postgres_url):
    with temporary_database(postgres_url, f"TEMPLATE {postgresql_template}") as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def prepared_url(request):
    """The URL of a database that has its tables, one test on each kind."""
    return request.getfixturevalue(f"prepared_{request.param}_url")


@pytest.fixture
def engine(make_engine, prepared_url):
    return make_engine(prepared_url)


@pytest.fixture
def ledger(engine):
    return Ledger(engine)


@pytest.fixture
def store(engine):
    return Store(engine)


@pytest.fixture
def now():
    return datetime(2024, 6, 1, 12, 30, 15, 250_000, tzinfo=UTC)
