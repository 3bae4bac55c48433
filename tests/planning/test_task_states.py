"""When a window that was given up is tried again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tiktok_crawler.planning.task_states import retry_at

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def test_the_next_run_tries_it_at_once():
    assert retry_at(1, NOW) == NOW


def test_then_it_waits_four_times_as_long_each_time():
    waits = [retry_at(count, NOW) - NOW for count in (2, 3, 4)]
    assert waits == [timedelta(hours=hours) for hours in (1, 4, 16)]


def test_it_never_waits_longer_than_sixteen_days():
    assert retry_at(10**9, NOW) - NOW == timedelta(days=16)
