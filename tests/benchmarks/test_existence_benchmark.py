"""Checks of which videos exist take the least requests, and little memory."""

from __future__ import annotations

import pytest
from existence import MOST_MB, check, least
from large_database import large_database

pytestmark = pytest.mark.marathon

VIDEOS, MISSING = 25_000, 500


@pytest.mark.parametrize("times_asked", [1, 3])
def test_three_requests_a_check_and_once_more_for_what_is_missing(tmp_path, times_asked):
    data = large_database(tmp_path, VIDEOS)

    checked = check(tmp_path, data, times_asked=times_asked, missing=MISSING)

    assert checked.gone == MISSING
    assert checked.requests == least(VIDEOS, MISSING, times_asked) == 4 * (2 + times_asked)
    assert checked.run.peak_mb < MOST_MB
