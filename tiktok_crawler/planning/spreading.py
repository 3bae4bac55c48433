"""Spreads over the nights what has to be done again, so that none has more than necessary. Pure.

A night is a day in UTC, from midnight on. Whoever asks once more in the same night has to give the
same things, as they stood at midnight: then the share of the night stays the same, and what was
done of it since can be taken off.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, Generic, TypeVar

from tiktok_crawler.date_range import DAY

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date, datetime, timedelta
    from typing import Self

T = TypeVar("T")

ROUNDING = 1e-6
"""Costs are fractions, which do not add up to whole numbers."""


@dataclass(frozen=True, slots=True)
class Due(Generic[T]):
    """Something that is done in the night `by` at the latest, and the requests that it costs."""

    what: T
    by: date
    cost: float = 1.0


def last_night(at: datetime, within: timedelta) -> date:
    """The last night in which something is done again in time, at whatever hour.

    It was done at a time, and is not done twice in a night for this.
    """
    return max((at + within).date() - DAY, at.date() + DAY)


def share_of(night: date, due: Iterable[Due[T]]) -> list[T]:
    """Return what is done in a night: as much as keeps later nights from having more than the load.

    What is due first is done first, of equal things in the order as given, and none earlier than it
    has to be: done again and again, it would be done too often. What is due in this night is always
    among it.
    """
    in_order = sorted(due, key=lambda each: each.by)
    nights = _Nights.of(night, in_order)
    done, share = 0.0, []
    for each in in_order:
        if done >= nights.least_now(max(nights.load, each.cost)) - ROUNDING:
            break
        share.append(each.what)
        done += each.cost
    return share


@dataclass(frozen=True, slots=True)
class _Nights:
    """What is due until some nights, counted from the present one, which is 0."""

    costs: tuple[tuple[int, float], ...]
    load: int
    """The requests of a night that suffice if each night has as many."""

    @classmethod
    def of(cls, night: date, in_order: Iterable[Due[T]]) -> Self:
        costs: dict[int, float] = {}
        cost = 0.0
        for each in in_order:
            cost += each.cost
            costs[max((each.by - night).days, 0)] = cost
        load = max((cost / (until + 1) for until, cost in costs.items()), default=0)
        return cls(tuple(costs.items()), ceil(load - ROUNDING))

    def least_now(self, load: float) -> int:
        """The requests of this night without which a later one has to have more than a load."""
        return ceil(max(cost - load * until for until, cost in self.costs) - ROUNDING)
