"""The rule for suspicious days: its false alarms, and what it finds, on simulated queries.

Counts of days are Poisson around a level that has a weekly rhythm and a trend, or more bursty ones.
A run that is judged as one is one alarm; beside stands how many days these alarms have. The highest
rate is that of the number of videos a day that is in brackets.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from datetime import date, timedelta
from math import ceil, exp, pi, sin
from random import Random
from time import perf_counter
from typing import TYPE_CHECKING, NamedTuple

from tiktok_crawler.planning.expectation import hard_to_believe

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Counts = list[int]

FIRST_DAY = date(2024, 1, 1)
DAYS_OF_A_KIND = 200_000
RANGES_OF_A_KIND = 300
SPARSE = (0.02, 0.1, 0.3, 1, 2, 5)
DENSE = (8, 12, 20, 100, 1_000, 5_000)


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of query: `level` videos a day on `days` days.

    `rhythm` is the share by which the week lifts and lowers that; `trend` how many times as many
    there are after 90 days, with `turns` less again after another 90. `bursts` is the square of the
    coefficient of variation that days have beyond Poisson.
    """

    level: float
    days: int = 365
    rhythm: float = 0.0
    trend: float = 1.0
    turns: bool = False
    bursts: float = 0.0

    def __str__(self) -> str:
        return f"{self.level:,g} a day, {self.shape}"

    @property
    def shape(self) -> str:
        parts = [f"{self.days} days"]
        if self.rhythm:
            parts.append(f"week ± {self.rhythm:.0%}")
        if self.trend != 1:
            parts.append(f"trend x {self.trend:.2g}{' and back' if self.turns else ''}")
        if self.bursts:
            parts.append(f"bursts {self.bursts:g}")
        return ", ".join(parts)

    def counts(self, rng: Random) -> Counts:
        week, phase = rng.random() * 7, rng.random() * 180
        return [poisson(rng, self._mean(rng, day, week, phase)) for day in range(self.days)]

    def _mean(self, rng: Random, day: int, week: float, phase: float) -> float:
        climbed = (day - self.days / 2) / 90
        if self.turns:
            climbed = 0.5 - abs(1 - (day + phase) % 180 / 90)
        mean = self.level * self.trend**climbed * (1 + self.rhythm * sin(2 * pi * (day + week) / 7))
        return mean * rng.gammavariate(1 / self.bursts, self.bursts) if self.bursts else mean


@dataclass(frozen=True, slots=True)
class Planted:
    """A kind of query with so many silent runs of so many days; `left` is what they keep."""

    kind: Kind
    runs: int
    length: int
    where: str = "anywhere"
    left: float = 0.0

    def __str__(self) -> str:
        what = "silent" if not self.left else f"with {self.left:.0%} of their videos"
        times = f"{self.runs} x " if self.runs > 1 else ""
        return f"{times}{self.length} days {what}, {self.where}"

    def plant(self, rng: Random) -> tuple[Counts, list[range]]:
        counts = self.kind.counts(rng)
        spans = [range(start, start + self.length) for start in self._starts(rng)]
        for span in spans:
            for day in span:
                counts[day] = int(counts[day] * self.left)
        return counts, spans

    def _starts(self, rng: Random) -> list[int]:
        last = self.kind.days - self.length
        if self.where == "first":
            return [0]
        if self.where == "last":
            return [last]
        room = self.kind.days - self.runs * (self.length - 1)
        chosen = sorted(rng.sample(range(room), self.runs))
        return [start + number * (self.length - 1) for number, start in enumerate(chosen)]


def poisson(rng: Random, mean: float) -> int:
    if mean > 60:
        return max(0, round(rng.gauss(mean, mean**0.5)))
    number, chance, lot = 0, exp(-mean), rng.random()
    passed = chance
    while lot > passed and number < 500:
        number += 1
        chance *= mean / number
        passed += chance
    return number


def alarms(counts: Sequence[int]) -> list[range]:
    """The runs of days that the rule does not believe, by their numbers."""
    found = hard_to_believe({FIRST_DAY + timedelta(n): count for n, count in enumerate(counts)})
    numbers = [((days.start - FIRST_DAY).days, len(days)) for days in found]
    return [range(start, start + length) for start, length in numbers]


def monthly_bursts(rng: Random) -> Counts:
    """An account that posts ten videos on one day a month."""
    return [poisson(rng, 10) if rng.random() < 1 / 30 else 0 for _ in range(365)]


def working_days(rng: Random) -> Counts:
    """An account that posts on weekdays only."""
    return [poisson(rng, 30) if day % 7 < 5 else 0 for day in range(365)]


def beginning(rng: Random) -> Counts:
    """A hashtag that nobody uses for a year, then twice as many every ten days, up to 1,000."""
    return [poisson(rng, min(1_000, 2 ** (day / 10 - 30))) for day in range(600)]


def end(rng: Random) -> Counts:
    return beginning(rng)[::-1]


OTHERS: tuple[tuple[str, Callable[[Random], Counts]], ...] = (
    ("10 videos on one day a month", monthly_bursts),
    ("30 a day, none on weekends", working_days),
    ("a hashtag begins: x 2 in 10 days", beginning),
    ("a hashtag ends: half in 10 days", end),
)

WEEKLY = 0.3
SHAPES = (
    Kind(1, 1_000),
    Kind(1, 1_000, WEEKLY),
    Kind(1, 1_000, WEEKLY, 3, turns=True),
    Kind(1, 91, WEEKLY, 3),
    Kind(1, 91, WEEKLY, 1 / 3),
    Kind(1, 365, WEEKLY, bursts=0.3),
    Kind(1, 365, WEEKLY, bursts=1),
)
PLANTED = (
    *(Planted(Kind(level, 91, WEEKLY), 15, 1) for level in (20, 100, 1_000)),
    *(Planted(Kind(level, 91, WEEKLY), 30, 1) for level in (20, 100, 1_000)),
    *(Planted(Kind(28, 91, WEEKLY, trend), 15, 1) for trend in (2, 0.5)),
    *(Planted(Kind(20, 91, WEEKLY), 1, 1, where) for where in ("first", "last")),
    *(Planted(Kind(20, 91, WEEKLY), 1, 5, where) for where in ("first", "last", "anywhere")),
    Planted(Kind(1_000, 91, WEEKLY), 1, 30),
    Planted(Kind(1_000, 91, WEEKLY), 3, 1, left=0.05),
    Planted(Kind(1_000, 91, WEEKLY), 3, 1, left=0.5),
    *(Planted(Kind(level, 365, WEEKLY), 1, ceil(20 / level)) for level in (0.5, 1, 2, 5, 7, 10)),
    *(Planted(Kind(level, 365, WEEKLY), 2, ceil(20 / level)) for level in (0.5, 1, 2, 5, 7, 10)),
    *(Planted(Kind(1, 91, WEEKLY), runs, 20) for runs in (1, 2)),
    *(Planted(Kind(1, 365, WEEKLY), 1, 20, where) for where in ("first", "last")),
    *(Planted(Kind(0.1, 1_000, WEEKLY), runs, 200) for runs in (1, 2)),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--share", type=float, default=1, help="of the simulations; 0.1 is quicker")
    options = parser.parse_args()
    rng = Random(options.seed)
    days = round(DAYS_OF_A_KIND * options.share)
    print("| query | days | false alarms in 1,000 days | highest rate | days in alarms, in 1,000 |")
    print("|---|---|---|---|---|")
    for shape in SHAPES:
        for levels in (SPARSE, DENSE):
            name = f"{levels[0]:g} to {levels[-1]:,g} a day, {shape.shape}"
            kinds = (replace(shape, level=level) for level in levels)
            rates = [(false_alarms(kind.counts, rng, days), kind.level) for kind in kinds]
            print_false_alarms(name, rates)
    for name, simulate in OTHERS:
        print_false_alarms(name, [(false_alarms(simulate, rng, days), 0)])
    print("\n| query | planted | number | found | days named |")
    print("|---|---|---|---|---|")
    for planted in PLANTED:
        print_found(planted, rng, round(RANGES_OF_A_KIND * options.share))
    print(f"\n400 queries of 1,000 days, 1 a day: {seconds(rng):.1f} s")


class FalseAlarms(NamedTuple):
    """False alarms in so many simulated days, and the days that these alarms have."""

    number: int
    days_in_them: int
    simulated: int


def false_alarms(simulate: Callable[[Random], Counts], rng: Random, days: int) -> FalseAlarms:
    simulated = number = flagged = 0
    while simulated < days:
        counts = simulate(rng)
        found = alarms(counts)
        simulated += len(counts)
        number += len(found)
        flagged += sum(map(len, found))
    return FalseAlarms(number, flagged, simulated)


def print_false_alarms(name: str, found: Sequence[tuple[FalseAlarms, float]]) -> None:
    number, flagged, simulated = map(sum, zip(*(alarms for alarms, _ in found), strict=True))
    worst, level = max((1_000 * alarms.number / alarms.simulated, level) for alarms, level in found)
    highest = f"{worst:.2f} ({level:g})" if worst and level else f"{worst:.2f}"
    rates = f"{1_000 * number / simulated:.3f} | {highest} | {1_000 * flagged / simulated:.2f}"
    print(f"| {name} | {simulated:,} | {rates} |", flush=True)


def print_found(planted: Planted, rng: Random, ranges: int) -> None:
    flagged: list[int] = []
    for _ in range(ranges):
        counts, spans = planted.plant(rng)
        days = {day for span in alarms(counts) for day in span}
        flagged += (len(days.intersection(span)) for span in spans)
    number = len(flagged)
    found, named = sum(map(bool, flagged)) / number, sum(flagged) / number / planted.length
    rates = f"{100 * found:.2f} % | {100 * named:.2f} %"
    print(f"| {planted.kind} | {planted} | {number:,} | {rates} |", flush=True)


def seconds(rng: Random) -> float:
    queries = [Kind(1, 1_000, WEEKLY).counts(rng) for _ in range(40)]
    started = perf_counter()
    for counts in queries:
        alarms(counts)
    return (perf_counter() - started) * 10


if __name__ == "__main__":
    main()
