"""Collecting the follow graph takes hardly more memory for many edges than for few."""

from __future__ import annotations

import pytest
from follower_memory import FEW_USERS, measure

pytestmark = pytest.mark.marathon

USERS, FOLLOWERS = 60, 400
ALLOWED_MB_OF_200_000_EDGES = 60
NOISE_MB = 10


def test_memory_grows_little_with_the_edges_and_a_second_run_sends_nothing(tmp_path):
    small, large, again = measure(tmp_path, USERS, FOLLOWERS)

    assert small.edges == FEW_USERS * FOLLOWERS
    assert large.edges == USERS * FOLLOWERS
    allowed = ALLOWED_MB_OF_200_000_EDGES * (large.edges - small.edges) / 200_000
    assert large.run.peak_mb - small.run.peak_mb < allowed + NOISE_MB
    assert again.requests == 0
    assert again.edges == large.edges
