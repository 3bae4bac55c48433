"""What works on databases that have their tables."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tiktok_crawler.storage.engine import database
from tiktok_crawler.storage.ledger.queries import Ledger
from tiktok_crawler.storage.page_store import PageStore


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


@pytest.fixture
def engine(make_engine, prepared_url):
    return make_engine(prepared_url)


@pytest.fixture
def ledger(engine):
    return Ledger(engine)


@pytest.fixture
def store(engine):
    return PageStore(engine)


@pytest.fixture
def now():
    return datetime(2024, 6, 1, 12, 30, 15, 250_000, tzinfo=UTC)
