"""Low days of a query, those with far fewer videos than usual: which these are, and their runs."""

from __future__ import annotations

from bisect import bisect_left, insort
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

FAR_FEWER = 1 / 4
"""Days with less than this share of what is usual have far fewer videos."""

MANY = 30
"""Where so many videos a day are usual, a day can be low though it has some."""

NEAR_DAYS = 28
"""The days on each side that tell what is usual."""

WEEK = 7

_HABIT = 0.9
_HABIT_DAYS = 91
_FEWEST_SAME_DAYS = 4


@dataclass(frozen=True, slots=True)
class Run:
    """Low days one after the other, by their numbers; `end` is the number of the day after them."""

    start: int
    end: int

    def __len__(self) -> int:
        return self.end - self.start


def runs(low: Sequence[bool]) -> Iterator[Run]:
    """Yield the longest runs of low days, in order."""
    padded = [False, *low, False]
    changes = [number for number, (one, next_) in enumerate(pairwise(padded)) if one != next_]
    yield from map(Run, changes[::2], changes[1::2])


def low_days(counts: Sequence[int]) -> list[bool]:
    """Tell which days have no videos, or far fewer than the days before and the days after."""
    before = _levels_before(counts)
    after = reversed(list(_levels_before(counts[::-1])))
    return [
        count == 0 or (min(levels) >= MANY and count < min(levels) * FAR_FEWER)
        for count, *levels in zip(counts, before, after, strict=True)
    ]


def upper_part(ordered: Sequence[int]) -> Sequence[int]:
    """Return the counts, in rising order, that are not far fewer than their upper quartile."""
    quartile = ordered[len(ordered) * 3 // 4]
    return ordered[bisect_left(ordered, quartile * FAR_FEWER) :]


def habits(days: Sequence[int], low: Sequence[bool]) -> list[bool]:
    """Tell which low days are the habit of a query that has few of them, but a weekday full.

    Args:
        days: numbers of days in rising order, one higher for the day after.
        low: whether each is low.
    """
    lows = [0, *accumulate(low)]
    low_on = dict(zip(days, low, strict=True))
    found = [False] * len(days)
    for run in runs(low):
        for number in range(run.start, run.end) if len(run) < WEEK else ():
            start = bisect_left(days, days[number] - _HABIT_DAYS)
            end = bisect_left(days, days[number] + _HABIT_DAYS + 1)
            are_rare = 2 * (lows[end] - lows[start]) < end - start
            found[number] = are_rare and _is_habit(days[number], low_on)
    return found


def _is_habit(day: int, low_on: Mapping[int, bool]) -> bool:
    around = range(day - _HABIT_DAYS, day + _HABIT_DAYS + 1, WEEK)
    same = [low_on[other] for other in around if other in low_on and other != day]
    return len(same) >= _FEWEST_SAME_DAYS and sum(same) >= _HABIT * len(same)


def _levels_before(counts: Sequence[int]) -> Iterator[float]:
    """Yield for each day what is usual in the days before; for the first ones, after them."""
    window: list[int] = []
    for number, count in enumerate(counts):
        yield _middle(window) if number >= WEEK else _level_after(counts, number)
        insort(window, count)
        if len(window) > NEAR_DAYS:
            del window[bisect_left(window, counts[number - NEAR_DAYS])]


def _level_after(counts: Sequence[int], number: int) -> float:
    """Return the lower one of two: what is usual in the next week, and in the next four."""
    start = number + 1
    return min(_middle(sorted(counts[start : start + days])) for days in (WEEK, NEAR_DAYS))


def _middle(ordered: Sequence[int]) -> float:
    if not ordered:
        return 0
    usual = upper_part(ordered)
    return usual[len(usual) // 2]
