"""Times as people say them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tiktok_crawler.reports.words import from_time

NOON = datetime(2024, 6, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-60, "by the next run"),
        (0, "by the next run"),
        (1, "from 2024-06-01 12:01 UTC on"),
        (60, "from 2024-06-01 12:01 UTC on"),
        (61, "from 2024-06-01 12:02 UTC on"),
    ],
)
def test_no_time_that_is_past_is_the_next(seconds, words):
    assert from_time(NOON + timedelta(seconds=seconds), NOON) == words
