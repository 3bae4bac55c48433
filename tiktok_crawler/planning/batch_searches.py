"""Tells which days searches for values of a list have brought, and which are due again. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tiktok_crawler.date_range import midnight
from tiktok_crawler.planning.spreading import Due, share_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from tiktok_crawler.date_range import DateRange
    from tiktok_crawler.planning.day_bits import FreshDays

    Values = tuple[str, ...]
    SearchedBatch = tuple[Values, Sequence["Searched"]]


class Searched(NamedTuple):
    """The days of a search that has ended, when it began, and the pages that it took."""

    days: DateRange
    begun_at: datetime
    pages: int = 1


def brought(
    batches: Sequence[SearchedBatch], needed: Mapping[str, int], fresh: FreshDays
) -> Iterator[tuple[Values, int]]:
    """Yield for each batch the bits of days that its searches have brought, and that last for now.

    `needed` are the bits of the days of each value that is wanted. Of those whose age may not
    exceed a limit, a share is due each night (`Freshness.again_within`).
    """
    due = _due_tonight(batches, needed, fresh)
    for at, (values, searches) in enumerate(batches):
        bits = 0
        for number, search in enumerate(searches):
            if (at, number) not in due:
                bits |= fresh.of(search.days, search.begun_at)
        if bits:
            yield values, bits


def _due_tonight(
    batches: Sequence[SearchedBatch], needed: Mapping[str, int], fresh: FreshDays
) -> set[tuple[int, int]]:
    """Return the searches, by batch and number, that are due, or that later ones replace.

    It does not change in the night: it is about what was there at midnight.
    """
    if fresh.freshness.again_within is None:
        return set()
    night = fresh.now.date()
    before = [
        (search.begun_at, at, number)
        for at, (_, searches) in enumerate(batches)
        for number, search in enumerate(searches)
        if search.begun_at < midnight(night)
    ]
    left = dict(needed)
    due, replaced = [], set()
    for begun_at, at, number in sorted(before, reverse=True):
        values, searches = batches[at]
        bits, is_last = fresh.bits.of(searches[number].days), False
        for value in values:
            if lasting := left.get(value, 0) & bits:
                left[value] &= ~lasting
                is_last = True
        if is_last:
            by = fresh.freshness.last_night(begun_at)
            due.append(Due((at, number), by, max(searches[number].pages, 1)))
        else:
            replaced.add((at, number))
    return replaced.union(share_of(night, reversed(due)))
