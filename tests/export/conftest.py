"""Databases to export, and their exports."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from database_rows import terms
from odd_data import fill
from postgres_server import temporary_database

from tiktok_crawler.clock import utc_now
from tiktok_crawler.dataset.selection import Selection
from tiktok_crawler.export.export import export
from tiktok_crawler.export.options import Format, Options, wanted_tables
from tiktok_crawler.storage.engine import database

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Source:
    """A database, with which exports are made."""

    url: str

    def export(self, folder: Path, format_: str = "parquet", **options: Any):
        """Export it; options are those of `Options`, and names of tables and columns."""
        selection = options.pop("selection", Selection())
        names = options.pop("tables", ()), options.pop("columns", ())
        options = Options(
            wanted_tables(*names, selection), Format(format_), selection=selection, **options
        )
        with database.opened(self.url) as engine:
            return export(engine, folder, options, terms, utc_now())


@pytest.fixture(scope="session")
def source_at():
    """Makes sources of SQLite files."""
    return lambda path: Source(f"sqlite:///{path}")


@pytest.fixture(scope="session")
def filled_sqlite(sqlite_template, tmp_path_factory):
    path = tmp_path_factory.mktemp("filled") / "filled.db"
    shutil.copy(sqlite_template, path)
    fill(f"sqlite:///{path}")
    return Source(f"sqlite:///{path}")


@pytest.fixture(scope="session")
def filled_postgresql(postgres_url, postgresql_template):
    with temporary_database(postgres_url, f"TEMPLATE {postgresql_template}") as url:
        fill(url)
        yield Source(url)


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def filled(request):
    """A database with odd rows in every table, one test on each kind. It is not changed."""
    return request.getfixturevalue(f"filled_{request.param}")


@pytest.fixture
def source(prepared_url):
    """A database that has its tables, one test on each kind."""
    return Source(prepared_url)


@pytest.fixture
def sqlite_source(prepared_sqlite_url):
    return Source(prepared_sqlite_url)
