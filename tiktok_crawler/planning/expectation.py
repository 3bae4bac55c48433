"""Days that brought far fewer videos than the days around them lead to expect. Pure.

docs/operations.md, "Suspicious days", tells readers the rule with its rates of error, which
`benchmarks/suspicion.py` measures.

1. A day is *low* without any video, and where thirty or more a day are usual also with less than a
   quarter of that, by the four weeks before as well as those after. Others are *usual*.
2. Low days of a weekday that is low nine times in ten are a habit, and left out.
3. A low day is suspicious by itself if its query is one of usual days, and so few videos had a
   chance of less than `IMPROBABLE_DAY` even if 70 % of the level around were to be expected.
4. A run of low days is suspicious as a whole if its chance is less than `IMPROBABLE_RUN` in each of
   three ways: by the videos of the days around, by how many of these days are low, and by how long
   low days last where they last.
5. Of a run at an end of what is known, only the `LOOKS_AROUND` days next to other days are named.

To be expected is what the lower one of both sides had, and a fall towards a run is taken to go on:
so a beginning, an end or an event is nothing to wonder at.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from itertools import accumulate
from math import exp, inf, log, sqrt
from statistics import fmean, median
from typing import TYPE_CHECKING, NamedTuple

from tiktok_crawler.date_range import DateRange, contiguous
from tiktok_crawler.planning.chances import dispersion, is_under, log_chance, trend
from tiktok_crawler.planning.low_days import (
    FAR_FEWER,
    NEAR_DAYS,
    WEEK,
    Run,
    habits,
    low_days,
    runs,
    upper_part,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

IMPROBABLE_DAY = 3e-4
IMPROBABLE_RUN = 2e-5

RHYTHM = 0.7
"""The share of the level around that a day must be expected to have, whatever its weekday."""

LOOKS_AROUND = 31
"""The days of a run at an end of what is known that are named: those next to other days."""

YEAR = 365

_USUAL_SHARES = ((NEAR_DAYS, 0.8), (YEAR, 0.6))
"""A query is one of usual days if so many of the days within so many are usual."""

_FEWEST_USUAL_DAYS = 1
_ENOUGH_USUAL_DAYS = 90
_SHORT_SIDE = 21
_BETWEEN = (3, 7, 28)
_AT_AN_END = (1, *_BETWEEN)
"""The numbers of days beside a run in which videos can have fallen."""

_FALLS_TO = 1 / 3
_EVENT = 8
"""On so many times as many videos as are usual, something has happened."""

_SPARSE = 1 / 2
_ALIKE = 1 / 2
_MOST_ALIKE = 2
_UNDERFLOW = -700.0


def hard_to_believe(counts: Mapping[date, int]) -> list[DateRange]:
    """Find the days that brought too few videos to be believed, oldest first.

    Args:
        counts: how many videos each settled day of a query brought when it was searched last. Days
            that are missing are not known.
    """
    known = sorted(counts.items())
    low = low_days([count for _, count in known])
    habitual = habits([day.toordinal() for day, _ in known], low)
    history = _History(
        [each for each, habit in zip(known, habitual, strict=True) if not habit],
        [each for each, habit in zip(low, habitual, strict=True) if not habit],
    )
    return contiguous(day for run in history.runs for day in history.suspicious(run))


class _Day(NamedTuple):
    """A day beside a run: how many days away, its videos, and whether it is low as well."""

    distance: int
    videos: int
    low: bool


@dataclass(frozen=True, slots=True)
class _Fall:
    """The `days` next to a run, which have so small a share of what those before them had."""

    days: int
    share: float


class _History:
    """The days that are known, by their numbers from 0 on, and the runs of low ones."""

    def __init__(self, known: Sequence[tuple[date, int]], low: Sequence[bool]) -> None:
        self._days = [day for day, _ in known]
        self._counts = [count for _, count in known]
        self._low = low
        self._usual_before = [0, *accumulate(not each for each in low)]
        self._videos_before = [0, *accumulate(self._counts)]
        self.runs = list(runs(low))
        self._starts = [run.start for run in self.runs]

    def suspicious(self, run: Run) -> list[date]:
        """Return the days of a run that are hard to believe."""
        if not self._is_worth_a_look(run):
            return []
        sides = [side for side in self._sides(run) if side]
        falls = [_fall(side, _AT_AN_END if len(sides) == 1 else _BETWEEN) for side in sides]
        found = self._improbable_days(run, _level(sides, falls))
        if len(found) < len(run) and self._is_improbable(run, falls):
            found = list(range(run.start, run.end))
        return [self._days[number] for number in found if self._is_named(number, run)]

    def _is_worth_a_look(self, run: Run) -> bool:
        """Rule out most runs at little cost: twice the videos around would not make them one."""
        start, end = self._reach(run)
        days = end - start - len(run)
        videos = self._videos_before[end] - self._videos_before[start]
        return days > 0 and 2 * videos / days * len(run) > -log(IMPROBABLE_RUN)

    def _is_named(self, number: int, run: Run) -> bool:
        if run.start == 0:
            return number >= run.end - LOOKS_AROUND
        return run.end < len(self._days) or number < run.start + LOOKS_AROUND

    def _sides(self, run: Run) -> list[list[_Day]]:
        """Return the days before and those after a run, the nearest first."""
        far = 4 * NEAR_DAYS
        before = range(run.start - 1, max(-1, run.start - 1 - far), -1)
        after = range(run.end, min(len(self._days), run.end + far))
        return [
            [_Day(distance, self._counts[n], self._low[n]) for distance, n in enumerate(side, 1)]
            for side in (before, after)
        ]

    def _improbable_days(self, run: Run, level: float) -> list[int]:
        """Find the days of a run that are hard to believe whatever the others are like."""
        if not self._has_usual_days(run):
            return []
        spread = self._dispersion(run, level)
        return [
            number
            for number in range(run.start, run.end)
            if self._counts[number] < level * FAR_FEWER
            and log_chance(self._counts[number], RHYTHM * level, spread) < log(IMPROBABLE_DAY)
        ]

    def _has_usual_days(self, run: Run) -> bool:
        for reach, share in _USUAL_SHARES:
            start, end = max(0, run.start - reach), min(len(self._days), run.end + reach)
            usual = self._usual_before[end] - self._usual_before[start]
            if usual >= max(_FEWEST_USUAL_DAYS, share * (end - start - len(run))):
                return True
        return False

    def _dispersion(self, run: Run, level: float) -> float:
        """Return how much the days around differ, without those of an event."""
        start = max(0, run.start - 3 * NEAR_DAYS)
        end = min(len(self._days), run.end + 3 * NEAR_DAYS)
        return dispersion(
            (self._counts[number], self._counts[number + WEEK])
            for number in range(start, end - WEEK)
            if not self._low[number]
            and not self._low[number + WEEK]
            and max(self._counts[number], self._counts[number + WEEK]) < _EVENT * level
        )

    def _is_improbable(self, run: Run, falls: Sequence[_Fall | None]) -> bool:
        """Judge a run as a whole."""
        days = self._reference(run, *self._reach(run, falls))
        usual = [number for number in days if not self._low[number]]
        if len(usual) < _FEWEST_USUAL_DAYS:
            return False
        length = min(len(run), len(days), *(fall.days for fall in falls if fall))
        going_on = trend(days, usual, (run.start + run.end - 1) / 2)
        level = going_on * fmean(self._counts[number] for number in days)
        by_videos = self._log_chance_by_videos(run, length, level)
        if by_videos >= log(IMPROBABLE_RUN):
            return False
        by_days = going_on * _log_chance_by_days(len(days), len(usual), length, by_videos)
        return max(by_days, self._log_chance_to_last(run, length)) < log(IMPROBABLE_RUN)

    def _log_chance_by_videos(self, run: Run, length: int, level: float) -> float:
        spread = self._dispersion(run, level)
        counts = sorted(self._counts[run.start : run.end])[-length:]
        return sum(log_chance(count, level, spread) for count in counts)

    def _log_chance_to_last(self, run: Run, length: int) -> float:
        """Return the chance of a run to last so long, once it has lasted a quarter of that.

        By how long the query's other runs last from there on.
        """
        lasting = length // 4
        others = self._others(run, run.start - YEAR, run.end + YEAR)
        alike = _alike(run, others)
        more = [len(other) - lasting for other in others if other not in alike]
        more = [days for days in more if days > 0]
        if not more:
            return -inf
        ends = len(more) / sum(more) * (1 + 2 / sqrt(len(more)))
        return (length - lasting) * log(1 - ends) if ends < 1 else -inf

    def _reach(self, run: Run, falls: Sequence[_Fall | None] = ()) -> tuple[int, int]:
        """Return the days that a run is judged by, from the first to the one after the last.

        On each side so many that 90 are usual, at least 28 and at most a year; or those of a fall.
        """
        wanted = self._usual_before[run.start] - _ENOUGH_USUAL_DAYS
        enough = bisect_left(self._usual_before, wanted + 1) - 1
        start = max(0, run.start - YEAR, min(enough, run.start - NEAR_DAYS))
        enough = bisect_left(self._usual_before, self._usual_before[run.end] + _ENOUGH_USUAL_DAYS)
        end = min(len(self._days), run.end + YEAR, max(enough, run.end + NEAR_DAYS))
        if falls and falls[0] and run.start > 0:
            start = run.start - falls[0].days
        if falls and falls[-1] and run.end < len(self._days):
            end = run.end + falls[-1].days
        return start, end

    def _reference(self, run: Run, start: int, end: int) -> list[int]:
        """Choose of these days those that a run is judged by.

        One or two runs that are about as long may be as wrong, if without them there are as many
        days as the run has. Where one side has far fewer usual days, it alone counts.
        """
        alike = _alike(run, self._others(run, start, end))
        if end - start - sum(map(len, alike)) < 2 * len(run):
            alike = []
        left_out = {number for other in alike for number in range(other.start, other.end)}
        before = [number for number in range(start, run.start) if number not in left_out]
        after = [number for number in range(run.end, end) if number not in left_out]
        if min(len(before), len(after)) < WEEK:
            return before + after
        sparse, dense = sorted((before, after), key=self._usual_share)
        found = self._usual_share(sparse) * len(sparse)
        is_sparse = is_under(_SPARSE, found, self._usual_share(dense) * len(sparse))
        return sparse if is_sparse else before + after

    def _usual_share(self, days: Sequence[int]) -> float:
        return sum(not self._low[number] for number in days) / len(days)

    def _others(self, run: Run, start: int, end: int) -> list[Run]:
        """Return the other runs within these days, cut to them."""
        first = bisect_left(self._starts, start)
        if first and self.runs[first - 1].end > start:
            first -= 1
        last = bisect_left(self._starts, end)
        return [
            Run(max(other.start, start), min(other.end, end))
            for other in self.runs[first:last]
            if other is not run
        ]


def _alike(run: Run, others: Sequence[Run]) -> list[Run]:
    """Return the runs that are about as long; none if they are too many to be exceptions."""
    alike = [other for other in others if len(other) >= _ALIKE * len(run)]
    return alike if len(alike) <= _MOST_ALIKE else []


def _fall(side: Sequence[_Day], lengths: Sequence[int]) -> _Fall | None:
    """Find the fewest days that have far fewer videos than three times as many before them."""
    usual = [day for day in side if not day.low]
    for days in lengths:
        near, far = usual[:days], usual[days : 4 * days]
        if len(far) < days:
            return None
        found = sum(day.videos for day in near)
        expected = days * fmean(day.videos for day in far)
        if is_under(_FALLS_TO, found, expected):
            return _Fall(near[-1].distance, found / expected)
    return None


def _level(sides: Sequence[Sequence[_Day]], falls: Sequence[_Fall | None]) -> float:
    """Return the videos a day beside a run: the lower one of its sides, if both are long enough."""
    near = [
        [day.videos for day in side[: fall.days if fall else NEAR_DAYS]]
        for side, fall in zip(sides, falls, strict=True)
    ]
    if len(near) == 1:
        return _robust_mean(near[0]) * (falls[0].share if falls[0] else 1)
    if min(map(len, sides)) < _SHORT_SIDE:
        return _robust_mean(near[0] + near[1])
    return min(map(_robust_mean, near))


def _robust_mean(counts: Sequence[int]) -> float:
    """Return the mean without days that are far too low, and with at most twice the median."""
    usual = upper_part(sorted(counts))
    most = max(1, 2 * median(usual))
    return fmean(min(count, most) for count in usual)


def _log_chance_by_days(days: int, usual: int, length: int, by_videos: float) -> float:
    """Return the chance of so many low days in a row, by the share of low ones among others.

    Before any day is known, the chance is as by videos, and that counts as one day. One of the low
    days may be as wrong as the run.
    """
    low = max(0, days - usual - 1) + exp(max(by_videos / length, _UNDERFLOW))
    return sum(log(low + number) - log(days + 1 + number) for number in range(length))
