"""Databases for tests: everything that touches one runs on SQLite and on PostgreSQL."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from postgres_server import running_server, temporary_database

if TYPE_CHECKING:
    from collections.abc import Iterator


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
