"""A time without a time zone is told by the id of its record, or not at all."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from libraries import SUMMER, WINTER, id_at

from tiktok_crawler.imports.local_times import Clocks, offset_of

HOUR = 3600


def local(at, hours):
    return (at + timedelta(hours=hours)).replace(tzinfo=None)


@pytest.mark.parametrize("hours", [-12, -9.5, -5, 0, 1, 5.5, 5.75, 12.75, 14])
@pytest.mark.parametrize("seconds", [-60, 0, 18, 92, 300])
def test_every_clock_of_the_world_is_told(hours, seconds):
    assert offset_of(id_at(WINTER, seconds=seconds), local(WINTER, hours)) == hours * HOUR


@pytest.mark.parametrize(
    ("id_", "naive"),
    [
        (id_at(WINTER, seconds=301), local(WINTER, 1)),
        (id_at(WINTER, seconds=-61), local(WINTER, 1)),
        (id_at(WINTER), local(WINTER, 0.25)),
        (id_at(WINTER), local(WINTER, 15)),
        (5, local(WINTER, 1)),
        (-(2**60), local(WINTER, 1)),
        (id_at(datetime(2013, 12, 31, tzinfo=UTC)), local(datetime(2013, 12, 31), 0)),  # noqa: DTZ001
    ],
)
def test_others_are_not(id_, naive):
    assert offset_of(id_, naive) is None


def clocks(*records):
    return Clocks.of(records)


def test_a_clock_with_a_summer_has_two_offsets():
    found = clocks((id_at(WINTER), local(WINTER, -5)), (id_at(SUMMER), local(SUMMER, -4)))

    assert found.utc_seconds(id_at(WINTER), local(WINTER, -5)) == WINTER.timestamp()
    assert found.utc_seconds(id_at(SUMMER), local(SUMMER, -4)) == SUMMER.timestamp()
    assert found.utc_seconds(5, local(SUMMER, -4)) is None


def test_of_a_clock_with_one_offset_all_times_among_those_that_tell_it_are_known():
    found = clocks((id_at(WINTER), local(WINTER, 1)), (id_at(SUMMER), local(SUMMER, 1)))
    between, later = WINTER + timedelta(days=9), SUMMER + timedelta(days=1)

    assert found.utc_seconds(5, local(between, 1)) == between.timestamp()
    assert found.utc_seconds(5, local(later, 1)) is None


def test_what_few_ids_tell_is_chance():
    many = [(id_at(WINTER + timedelta(minutes=n)), local(WINTER + timedelta(minutes=n), 0))
            for n in range(150)]  # fmt: skip
    late = (id_at(WINTER, seconds=3 * HOUR + 30), local(WINTER, 0))

    found = clocks(*many, late)

    assert found.offsets == {0}
    assert found.utc_seconds(*late) == WINTER.timestamp()


def test_without_records_nothing_is_told():
    assert clocks().utc_seconds(id_at(WINTER), local(WINTER, 0)) is None
