"""A database with odd rows on each kind of server, and an export of it."""

from __future__ import annotations

import shutil

import odd_rows
import pytest
from exports import exported
from postgres_server import temporary_database

from tiktok_crawler import data
from tiktok_crawler.storage.engine import database


@pytest.fixture(scope="session")
def odd_sqlite(sqlite_template, tmp_path_factory):
    path = tmp_path_factory.mktemp("odd") / "odd.db"
    shutil.copy(sqlite_template, path)
    odd_rows.fill(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def odd_postgresql(postgres_url):
    with temporary_database(postgres_url) as url:
        engine = database.create_engine_for(database.database_url(url))
        database.prepare(engine, "sandbox")
        engine.dispose()
        yield odd_rows.fill(url)


@pytest.fixture(scope="session")
def odd_folder(odd_sqlite, tmp_path_factory):
    return exported(f"sqlite:///{odd_sqlite}", tmp_path_factory.mktemp("odd") / "out")


@pytest.fixture(scope="session", params=["sqlite", "postgresql", "folder"])
def source(request):
    """A place that the same tables are in."""
    return request.getfixturevalue(f"odd_{request.param}")


@pytest.fixture(scope="session")
def dataset(source):
    """The tables, read on one connection: to open one takes longer than to read."""
    with data.open(source) as opened:
        yield opened
