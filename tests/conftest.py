"""What all tests share; whatever touches a database runs on SQLite and on PostgreSQL."""

from __future__ import annotations

import os
import shutil
import signal
from typing import TYPE_CHECKING

import pytest
from coverage import Coverage
from postgres_server import running_server, temporary_database
from sqlalchemy import make_url

from tiktok_crawler.storage.engine import database

if TYPE_CHECKING:
    from collections.abc import Iterator


def pytest_configure() -> None:
    """Let Ctrl-C reach the processes of tests, also if a shell runs the tests in its background."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes long, so that nobody waits for it in the end."""
    items.sort(key=lambda item: item.get_closest_marker("marathon") is None)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Measure no coverage, which takes as long again, where other tests have measured it."""
    measured = Coverage.current()
    if measured is None or item.get_closest_marker("marathon") is None:
        return (yield)
    measured.stop()
    try:
        with pytest.MonkeyPatch.context() as patch:
            for name in [name for name in os.environ if "COVERAGE" in name]:
                patch.delenv(name)
            return (yield)
    finally:
        measured.start()


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A server on which databases can be created: a throw-away one, or the one that is named."""
    named = os.environ.get("TIKTOK_TEST_POSTGRES_URL")
    if named:
        yield named
        return
    with running_server() as url:
        yield url


@pytest.fixture
def postgresql_url(postgres_url):
    """The URL of an empty PostgreSQL database."""
    with temporary_database(postgres_url) as url:
        yield url


@pytest.fixture
def sqlite_url(tmp_path):
    """The URL of a SQLite file that does not exist yet."""
    return f"sqlite:///{tmp_path / 'test.db'}"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request):
    """The URL of an empty database, one test on each kind."""
    return request.getfixturevalue(f"{request.param}_url")


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
