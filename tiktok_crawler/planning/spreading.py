"""Spreads over the nights what has to be done again, so that none has more than necessary. Pure.

A night is a day in UTC, from midnight on. Whoever asks once more in the same night has to give the
same things, as they stood at midnight: then the share of the night stays the same, and what was
done of it since can be taken off.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from itertools import accumulate
from math import ceil
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

T = TypeVar("T")

ROUNDING = 1e-6
"""Costs are fractions, which do not add up to whole numbers."""


@dataclass(frozen=True, slots=True)
class Due(Generic[T]):
    """Something that is done in the night `by` at the latest, and the requests that it costs."""

    what: T
    by: date
    cost: float = 1.0


def load_of(night: date, due: Iterable[Due[T]]) -> int:
    """Return the requests of a night by which no later night has to have more than it.

    That is the highest, over all nights to come, of the costs due by then, divided by the nights.
    """
    costs: defaultdict[int, float] = defaultdict(float)
    for each in due:
        costs[max((each.by - night).days, 0)] += each.cost
    nights = sorted(costs)
    sums = accumulate(costs[each] for each in nights)
    loads = (cost / (each + 1) for each, cost in zip(nights, sums, strict=True))
    return ceil(max(loads, default=0) - ROUNDING)


def share_of(night: date, due: Iterable[Due[T]]) -> list[T]:
    """Return what is done in a night: what is due first, of equal ones in the order as given.

    What is due in this night is always among it. The last one may exceed the load.
    """
    in_order = sorted(due, key=lambda each: each.by)
    left, share = load_of(night, in_order) - ROUNDING, []
    for each in in_order:
        if left <= 0:
            break
        share.append(each.what)
        left -= each.cost
    return share
