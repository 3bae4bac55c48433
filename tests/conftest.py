"""What all tests share; whatever touches a database runs on SQLite and on PostgreSQL."""

from __future__ import annotations

import gc
import logging
import os
import shutil
import signal
import sys
from collections import Counter
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import compiled_statements  # noqa: F401 - all tests gain by it
import marathon
import pytest
from crawling import CrawlFolder
from hypothesis import is_hypothesis_test, settings
from new_databases import forget_origin, new_database
from postgres_server import remake, running_server, temporary_database
from scrapy.settings import Settings
from scrapy.utils.log import _uninstall_scrapy_root_handler, install_scrapy_root_handler
from shared_database import SharedDatabase
from sqlalchemy import make_url
from xdist.plugin import pytest_xdist_auto_num_workers as number_of_cpus

from tiktok_crawler.storage.engine import database

if TYPE_CHECKING:
    from collections.abc import Iterator


GARBAGE_THRESHOLDS = (50_000, 20, 20)
"""Python looks for circles among all that tests and SQL are made of; seldom enough, it saves a
quarter of the time of collecting tests, and a twelfth of that of running them."""

PURE = ("config", "planning", "query_file", "research_api", "sandbox")


def pytest_configure(config: pytest.Config) -> None:
    """Let signals reach the processes of tests, also if these run in the background or by nohup.

    What is ignored here would be ignored by them, too; what has a handler is not.
    """
    gc.set_threshold(*GARBAGE_THRESHOLDS)
    # Each process would compile all that it imports.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if signal.getsignal(signal.SIGHUP) == signal.SIG_IGN:
        signal.signal(signal.SIGHUP, lambda *_: None)
    names = Counter(path.name for path in Path(__file__).parent.rglob("test_*.py"))
    if twice := [name for name, files in names.items() if files > 1]:
        raise pytest.UsageError(f"files of tests need names of their own: {', '.join(twice)}")
    settings.load_profile("marathon" if marathon.is_run(config) else "ordinary")
    if not marathon.is_run(config):
        chosen = config.option.markexpr
        config.option.markexpr = f"({chosen}) and not marathon" if chosen else "not marathon"


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int | None:
    """With `-n auto`, one more than there are CPUs: tests wait for processes and servers."""
    is_named = "PYTEST_XDIST_AUTO_NUM_WORKERS" in os.environ
    return None if is_named else number_of_cpus(config) + 1


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Begin with what takes long; the marathon has what is tried at random, too."""
    items.sort(key=lambda item: item.path.parent.name in PURE)
    if marathon.is_run(config):
        for item in items:
            if is_hypothesis_test(getattr(item, "obj", None)):
                item.add_marker(pytest.mark.marathon)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish() -> None:
    """Look once for what was left open; pytest would do so five times, among all that tests made.

    A worker that takes ten seconds to end is killed, and loses the coverage that it has measured.
    """
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A server on which databases can be created: a throw-away one, or the one that is named."""
    named = os.environ.get("TIKTOK_TEST_POSTGRES_URL")
    if named:
        yield named
        return
    with running_server() as url:
        yield url


@pytest.fixture(scope="session")
def empty_postgresql(postgres_url):
    with temporary_database(postgres_url) as url:
        yield SharedDatabase(url)


@pytest.fixture
def postgresql_url(empty_postgresql):
    """The URL of an empty PostgreSQL database."""
    yield empty_postgresql.url
    empty_postgresql.restore()


@pytest.fixture
def clock(monkeypatch):
    """A clock that can be set, by which everything of ours goes."""
    from fresh_nights import moved_clock  # noqa: PLC0415 - few tests need it

    with moved_clock(monkeypatch) as clock:
        yield clock


@pytest.fixture
def folder(tmp_path):
    """A user's folder for crawls in the test's process."""
    return CrawlFolder(tmp_path)


@pytest.fixture
def new_folder(folder):
    """The same before the first crawl, without a database."""
    (folder.path / "crawl.db").unlink()
    return folder


@pytest.fixture
def log(tmp_path):
    """A log file, as Scrapy writes it."""
    path, level = tmp_path / "crawl.log", logging.root.level
    install_scrapy_root_handler(Settings({"LOG_FILE": str(path)}))
    yield path
    _uninstall_scrapy_root_handler()
    logging.root.setLevel(level)


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


@pytest.fixture(scope="session")
def prepared_postgresql(postgres_url, postgresql_template):
    with temporary_database(postgres_url) as url:
        yield SharedDatabase(url, partial(remake, postgres_url, postgresql_template))


@pytest.fixture
def prepared_postgresql_url(prepared_postgresql):
    yield prepared_postgresql.url
    prepared_postgresql.restore()


@pytest.fixture
def unused_sqlite_url(tmp_path):
    return new_database(tmp_path / "test.db")


@pytest.fixture
def unused_postgresql_url(prepared_postgresql_url):
    forget_origin(prepared_postgresql_url)
    return prepared_postgresql_url


@pytest.fixture(params=["sqlite", "postgresql"])
def unused_url(request):
    """The URL of a database that has its tables and that no crawl has used, one test on each."""
    return request.getfixturevalue(f"unused_{request.param}_url")


@pytest.fixture(params=["sqlite", "postgresql"])
def prepared_url(request):
    """The URL of a database that has its tables, one test on each kind."""
    return request.getfixturevalue(f"prepared_{request.param}_url")
