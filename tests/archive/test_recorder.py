"""What a journal says of random deeds, and of deaths between them, makes the same database."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from archived import assert_same, new_database, replay
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from random_deeds import Chance, Deeds

STEPS = 40
ANY = settings(
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate],
)


def try_deeds(data, url, replayed, folder):
    deeds = Deeds(url, folder / "archive", Chance(data))
    deeds.happen(STEPS)
    counts = replay(replayed, folder / "archive")
    assert_same(replayed, url)
    assert counts.stray_pages == 0


def on_sqlite(data):
    with TemporaryDirectory() as name:
        folder = Path(name)
        try_deeds(data, new_database(folder / "a.db"), new_database(folder / "b.db"), folder)


@given(st.data())
@settings(ANY, max_examples=30)
def test_random_deeds_are_replayed(data):
    on_sqlite(data)
