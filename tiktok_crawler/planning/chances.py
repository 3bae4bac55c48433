"""Chances of counts: negative binomial, with a dispersion and a trend that the counts show."""

from __future__ import annotations

from math import exp, lgamma, log1p, sqrt
from math import log as ln
from operator import mul
from statistics import fmean
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_KEPT = 0.9
_KEPT_MEAN = 0.62
"""The mean of the lower nine tenths of squares of a normal variable with variance 1."""

_STEEPEST = 0.05
_ROUNDS = 3
_POISSON = 1e-6


def log_chance(count: int, level: float, dispersion: float) -> float:
    """Return the logarithm of the chance of at most so many, rounded up.

    Args:
        count: what came.
        level: the mean of what comes.
        dispersion: variance over mean; 1 is Poisson.
    """
    if level <= count:
        return 0.0
    size = level / max(dispersion - 1, _POISSON)
    exactly = (
        lgamma(count + size)
        - lgamma(size)
        - lgamma(count + 1)
        - size * log1p(level / size)
        + count * ln(level / (level + size))
    )
    ratio = count / (count - 1 + size) * (level + size) / level
    return min(0.0, exactly - log1p(-ratio)) if ratio < 1 else 0.0


def dispersion(pairs: Iterable[tuple[int, int]]) -> float:
    """Return variance over mean, at least 1, by counts of the same weekday in two weeks.

    So neither a weekly rhythm nor a slow trend is taken for chance. The largest tenth of the
    differences is left out, and one standard error is taken off.
    """
    squares = sorted((one - other) ** 2 / (one + other) for one, other in pairs)
    kept = squares[: int(len(squares) * _KEPT)]
    if not kept:
        return 1.0
    return max(1.0, fmean(kept) / _KEPT_MEAN / (1 + sqrt(2 / len(kept))))


def trend(days: Sequence[int], marked: Sequence[int], at: float) -> float:
    """Return how frequent marked days are at a place, over their share of all days; at most 1.

    Their frequency is taken to rise or fall by the same factor every day, fitted by likelihood.
    """
    places = [day - at for day in days]
    marked_mean = fmean(marked) - at
    slope = 0.0
    for _ in range(_ROUNDS):
        weights = [exp(slope * place) for place in places]
        total = sum(weights)
        mean = sum(map(mul, weights, places)) / total
        spread = sum(map(mul, weights, ((place - mean) ** 2 for place in places))) / total
        if not spread:
            return 1.0
        slope = max(-_STEEPEST, min(_STEEPEST, slope + (marked_mean - mean) / spread))
    return min(1.0, len(places) / sum(exp(slope * place) for place in places))


def is_under(share: float, found: float, expected: float) -> bool:
    """Tell whether a count is under a share of what was expected, by two standard errors."""
    return found + 2 * sqrt(found + 1) < share * expected
