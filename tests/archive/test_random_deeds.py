"""What a journal says of random deeds, and of deaths between them, makes the same database."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from archived import assert_same, replay
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from new_databases import forget_origin, new_database
from postgres_server import temporary_database
from random_deeds import Chance, Deeds
from sqlalchemy import make_url

ANY = settings(
    database=None,
    suppress_health_check=list(HealthCheck),
    # Shrinking would take hours; the journal that a failure leaves says what was done.
    phases=[Phase.generate],
)


def check(data, url, replayed, *, steps=40):
    with TemporaryDirectory() as folder:
        Deeds(url, Path(folder), Chance(data)).happen(steps)
        counts = replay(replayed, Path(folder))
    assert counts.stray_pages == 0
    assert_same(replayed, url)


def check_on_sqlite(data, **options):
    with TemporaryDirectory() as name:
        check(data, new_database(Path(name, "a.db")), new_database(Path(name, "b.db")), **options)


@given(st.data())
@settings(ANY, max_examples=5)
def test_random_deeds_and_deaths_are_replayed(data):
    check_on_sqlite(data)


@pytest.mark.marathon
@given(st.data())
@settings(ANY, max_examples=100)
def test_many_random_deeds_and_deaths_are_replayed(data):
    check_on_sqlite(data, steps=60)


@pytest.fixture(scope="module")
def new_postgresql(postgres_url, postgresql_template):
    """Make PostgreSQL databases that have their tables, and that no crawl has used."""
    with temporary_database(postgres_url, f"TEMPLATE {postgresql_template}") as url:
        forget_origin(url)
        name = make_url(url).database
        yield lambda: temporary_database(postgres_url, f"TEMPLATE {name}")


@pytest.mark.parametrize(
    "examples", [1, pytest.param(20, marks=pytest.mark.marathon)], ids=["once", "often"]
)
def test_random_deeds_are_replayed_on_postgresql(new_postgresql, examples):
    @given(st.data())
    @settings(ANY, max_examples=examples)
    def run(data):
        with new_postgresql() as url, new_postgresql() as replayed:
            check(data, url, replayed)

    run()
