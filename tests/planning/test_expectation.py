"""Which days brought too few videos to be believed; benchmarks/suspicion.py has all numbers."""

from __future__ import annotations

from datetime import timedelta
from random import Random

import pytest
from suspicion import FIRST_DAY, Kind, Planted, alarms, beginning, end, monthly_bursts, working_days

from tiktok_crawler.date_range import DAY, DateRange
from tiktok_crawler.planning.expectation import LOOKS_AROUND, hard_to_believe

WEEKLY = 0.3


def numbers(counts: list[int]) -> set[int]:
    return {day for span in alarms(counts) for day in span}


def missed(planted: Planted, times: int, seed: int = 1) -> int:
    """How many planted runs are not found as a whole."""
    rng = Random(seed)
    number = 0
    for _ in range(times):
        counts, spans = planted.plant(rng)
        found = numbers(counts)
        number += sum(not found.issuperset(span) for span in spans)
    return number


@pytest.mark.parametrize("level", [0.02, 0.1, 0.3, 1, 5, 20, 2_000])
@pytest.mark.parametrize(
    "shape", [{}, {"rhythm": WEEKLY, "trend": 3}, {"rhythm": WEEKLY, "trend": 1 / 3}]
)
def test_there_is_less_than_one_false_alarm_in_1000_days(level, shape):
    rng = Random(7)
    found = [alarms(Kind(level, 91, **shape).counts(rng)) for _ in range(44)]
    assert sum(map(len, found)) <= 4


@pytest.mark.parametrize("shape", [{}, {"rhythm": WEEKLY}, {"rhythm": WEEKLY, "trend": 2}])
@pytest.mark.parametrize("silent", [1, 15, 30])
@pytest.mark.parametrize("level", [25, 1_000])
def test_a_silent_day_of_a_dense_query_is_found_among_up_to_a_third(level, silent, shape):
    assert missed(Planted(Kind(level, 91, **shape), silent, 1), 8) == 0


@pytest.mark.parametrize("where", ["first", "last", "anywhere"])
@pytest.mark.parametrize("length", [1, 2, 5, 30])
def test_so_are_silent_days_in_a_row_and_at_both_ends(where, length):
    assert missed(Planted(Kind(20, 91, WEEKLY), 1, length, where), 5) == 0


@pytest.mark.parametrize(
    ("kind", "runs", "length"),
    [
        (Kind(1, 91, WEEKLY), 1, 20),
        (Kind(1, 365, WEEKLY), 2, 20),
        (Kind(2, 91, WEEKLY), 2, 10),
        (Kind(5, 91, WEEKLY), 2, 4),
        (Kind(10, 91, WEEKLY), 2, 2),
        (Kind(0.2, 1_000, WEEKLY), 1, 100),
    ],
    ids=str,
)
def test_a_run_that_should_have_had_twenty_videos_is_found(kind, runs, length):
    assert missed(Planted(kind, runs, length), 10) == 0


@pytest.mark.parametrize("where", ["first", "last"])
def test_so_is_a_long_one_at_an_end(where):
    kind = Kind(0.3, 365, WEEKLY)
    for seed in range(10):
        counts, _ = Planted(kind, 1, 80, where).plant(Random(seed))
        assert len(numbers(counts)) == LOOKS_AROUND


def test_a_run_hides_no_other_that_is_half_as_long():
    counts = [2, 3, 1, 2, 4, 2, 2] * 30
    for span in (range(60, 70), range(130, 144)):
        counts[span.start : span.stop] = [0] * len(span)
    assert alarms(counts) == [range(60, 70), range(130, 144)]


def test_far_fewer_are_found_and_half_of_the_usual_is_not():
    rng = Random(3)
    few = Planted(Kind(1_000, 91, WEEKLY), 3, 1, left=0.05)
    assert missed(few, 5) == 0
    for _ in range(5):
        counts, _ = Planted(Kind(1_000, 91, WEEKLY), 3, 1, left=0.5).plant(rng)
        assert alarms(counts) == []


@pytest.mark.parametrize("simulate", [monthly_bursts, working_days, beginning, end])
def test_bursts_weekends_beginnings_and_ends_are_natural(simulate):
    rng = Random(5)
    assert sum(len(alarms(simulate(rng))) for _ in range(4)) == 0


def test_an_event_after_silence_is_natural_and_so_is_the_silence_after_it():
    event = [0] * 100 + [2, 40, 900, 1_500, 800, 300, 90, 40, 12, 5, 2, 1] + [0] * 100
    assert alarms(event) == []


@pytest.mark.parametrize("bursts", [0.3, 1])
@pytest.mark.parametrize("level", [1, 20, 100])
def test_bursty_queries_raise_few_alarms(level, bursts):
    rng = Random(11)
    kind = Kind(level, 365, WEEKLY, bursts=bursts)
    assert sum(len(alarms(kind.counts(rng))) for _ in range(8)) <= 6


def test_of_a_silence_at_an_end_only_the_month_next_to_data_is_suspicious():
    dense = [1_000] * 90
    assert alarms([0] * 200 + dense) == [range(200 - LOOKS_AROUND, 200)]
    assert alarms(dense + [0] * 200) == [range(90, 90 + LOOKS_AROUND)]


def test_a_lasting_silence_between_days_with_videos_is_suspicious_as_a_whole():
    assert alarms([50] * 60 + [0] * 70 + [50] * 60) == [range(60, 130)]


def test_one_quiet_day_beside_a_silent_one_does_not_hide_it():
    counts = [20 + day % 5 for day in range(60)]
    counts[30:32] = [0, 3]
    counts[8] = counts[13] = counts[16] = counts[24] = 0
    assert alarms(counts) == [range(day, day + 1) for day in (8, 13, 16, 24, 30)]


def test_days_that_are_not_known_are_neither_few_nor_found():
    counts = {FIRST_DAY + day * DAY: 100 for day in range(60) if day not in (20, 21, 30)}
    assert hard_to_believe(counts) == []
    counts |= {FIRST_DAY + day * DAY: 0 for day in (19, 22)}
    days = [FIRST_DAY + timedelta(days=day) for day in (19, 22)]
    assert hard_to_believe(counts) == [DateRange(day, day) for day in days]


@pytest.mark.parametrize("counts", [[], [0], [7], [0, 0, 0], [9, 0], [0, 9, 9]])
def test_too_little_is_known_to_be_surprised(counts):
    assert alarms(counts) == []


def test_a_weekday_that_is_always_silent_hides_no_other_silence():
    counts = [0 if day % 7 == 6 else 200 for day in range(180)]
    counts[100] = 0
    assert alarms(counts) == [range(100, 101)]


@pytest.mark.parametrize("level", [20, 1000])
@pytest.mark.parametrize(("days", "factor"), [(7, 10), (5, 100)])
def test_an_event_hides_no_day_without_videos(level, days, factor):
    counts = Kind(level, 91).counts(Random(1))
    counts[60 : 60 + days] = [factor * level] * days
    counts[45] = 0
    assert alarms(counts) == [range(45, 46)]


@pytest.mark.parametrize("counts", [[86, 0], [0, 80], [80, 0, 91]])
def test_two_or_three_days_are_enough_to_tell(counts):
    assert [len(days) for days in alarms(counts)] == [1]
