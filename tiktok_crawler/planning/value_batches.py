"""Divides a list of values into the batches that are searched: each day of each value once. Pure.

A batch is an ordinary query for some of the values. A value has the days that any of its batches
has, and keeps its batch as long as that asks for nothing that one of its values has already.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from itertools import chain
from math import ceil
from typing import TYPE_CHECKING, Protocol

from tiktok_crawler.date_range import DateRange
from tiktok_crawler.planning.batch_searches import brought
from tiktok_crawler.planning.coverage import Freshness
from tiktok_crawler.planning.day_bits import DayBits, FreshDays, union
from tiktok_crawler.planning.plan import Part
from tiktok_crawler.planning.suspicion import SECOND_SEARCH_AFTER
from tiktok_crawler.research_api.endpoints import LONGEST_WINDOW_DAYS
from tiktok_crawler.research_api.query import MAX_RELIABLE_USERNAMES, Field
from tiktok_crawler.research_api.video_ids import ID_SKEW, days_of

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator, Sequence
    from datetime import datetime, timedelta

    from tiktok_crawler.planning.batch_searches import Searched
    from tiktok_crawler.query_file.each_value import Each

    Values = tuple[str, ...]

REFUSED_AGAIN_AFTER = SECOND_SEARCH_AFTER
"""The time until a refused value is asked for again of which no window is postponed."""

CUTS_THAT_COUNT = 2
"""Of the windows that other batches had to cut: so many tell that it was hardly chance."""


@dataclass(frozen=True, slots=True)
class WantedValues:
    """The goal of a run: values, days, how fresh, and how many of them are asked for together."""

    each: Each
    days: DateRange
    freshness: Freshness
    size: int = MAX_RELIABLE_USERNAMES
    window_days: int = LONGEST_WINDOW_DAYS
    id_skew: timedelta = ID_SKEW
    fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class KnownBatch:
    """The ledger's knowledge of a batch.

    `searches` are those with all wanted fields. Of the windows that are not finished, `begun` ones
    have brought pages with these fields, and `postponed` ones none: the first of these is due at
    `retry_at`. `cut_windows` are the days of those that kept failing, `widest` is how many days the
    longest search had that worked. `refused_at` is when the API refused the query, unless it has
    answered it since; a search that `is_doubtful` is to be made once more. One that
    `is_unregistered` was never given the tags of this run, or was last kept fresh otherwise.
    """

    values: Values
    searches: tuple[Searched, ...] = ()
    begun: tuple[DateRange, ...] = ()
    postponed: tuple[DateRange, ...] = ()
    cut_windows: tuple[DateRange, ...] = ()
    widest: int = 0
    refused_at: datetime | None = None
    is_doubtful: bool = False
    is_unregistered: bool = False
    retry_at: datetime | None = None

    @property
    def is_unfinished(self) -> bool:
        return bool(self.begun or self.postponed)


@dataclass(frozen=True, slots=True)
class Batch:
    """Values to search together on these days, of which those that are `missing` are asked for.

    The `begun` ones come from windows that are finished as they are; of one that `is_retired`,
    nothing else does. Of one that is not `known`, there is no query yet. One that `refreshes` asks
    for days that are there, for newer values.
    """

    values: Values
    days: DateRange
    missing: tuple[DateRange, ...]
    begun: tuple[DateRange, ...] = ()
    known: KnownBatch | None = None
    is_retired: bool = False
    refreshes: bool = False

    def part(self, too_wide: tuple[DateRange, ...]) -> Part:
        """What a plan of its query has to know of the others, which had to cut such windows."""
        return Part(self.missing, self.begun, self.is_retired, too_wide)

    @property
    def is_refused(self) -> bool:
        """Tell whether it is a value that the API has refused."""
        return bool(self.known and self.known.refused_at)

    @property
    def least_requests(self) -> int:
        """Each window takes one request, and one more for each further 100 matches."""
        windows = sum(ceil(len(days) / LONGEST_WINDOW_DAYS) for days in self.missing)
        again = not windows and self.known is not None and self.known.is_doubtful
        return windows + len(self.begun) + again

    @property
    def due_at(self) -> datetime | None:
        """From when on the first of its windows may be asked for; None: at any time."""
        if self.known is None or self.begun:
            return None
        postponed = self.known.postponed
        has_others = any(not _are_in(days, postponed) for days in self.missing)
        return None if has_others else self.known.retry_at


@dataclass(frozen=True, slots=True)
class BatchPlan:
    """The work of one run in its order, and how the values stand.

    Of so many values a day is `lacking`, the `refused` ones among them. `missing` are the days that
    any of the others lacks, `unsettled` ones were searched before all their videos can have
    appeared. Windows that were `too_wide` for other batches narrow those of new ones; `widest` is
    how many days the longest had that worked.
    """

    batches: tuple[Batch, ...]
    values: int
    lacking: int
    missing: tuple[DateRange, ...]
    refused: Values
    unsettled: tuple[DateRange, ...]
    too_wide: tuple[DateRange, ...]
    widest: int

    @property
    def left(self) -> int:
        """The number of values that lack days, and that the API has not refused."""
        return self.lacking - len(self.refused)

    @property
    def of_others(self) -> tuple[Batch, ...]:
        """The batches but those of refused values."""
        return tuple(batch for batch in self.batches if not batch.is_refused)

    @property
    def least_requests(self) -> int:
        return sum(batch.least_requests for batch in self.of_others)

    def second_tries(self, now: datetime) -> tuple[Batch, ...]:
        """The batches that the API has refused, and that are tried again by now."""
        refused = (batch for batch in self.batches if batch.is_refused)
        return tuple(batch for batch in refused if (batch.due_at or now) <= now)

    @property
    def due_at(self) -> datetime | None:
        """From when on a run can go on; None: at any time."""
        times = [batch.due_at for batch in self.of_others]
        return min(filter(None, times), default=None) if times and all(times) else None


def plan_batches(wanted: WantedValues, known: Iterable[KnownBatch], now: datetime) -> BatchPlan:
    """Decide which values to search together, and on which days.

    Values that lack the same days are searched together: in a batch that they were in before, if it
    has them all and no others, or in new ones. The days that a search has begun to bring are not
    asked for besides. A value that the API refuses is left to the windows that were postponed.
    """
    return _Planning(wanted, tuple(known), now).plan()


class _Shape(Protocol):
    """How the days of values, and so their batches, hang together."""

    def place(self, value: str) -> int:
        """The place of the value's first day."""

    def needed(self, value: str) -> int:
        """The bits of the value's days, from its first day on."""

    def likeness(self, lacking: int) -> Hashable:
        """What has to be the same of values that are searched together."""

    def ordered(self, values: Iterable[str]) -> list[str]: ...

    def chunks(self, values: Sequence[str]) -> Iterator[Values]:
        """Divide values, in their order, into as few batches as they can be searched in."""

    def dissolved(self, batches: Sequence[Values], loose: Sequence[str]) -> int:
        """How many of the batches, the first ones, to divide anew with loose values.

        None, unless that makes fewer batches of all of them.
        """

    def days(self, values: Values) -> DateRange:
        """The days of a batch, as one range."""

    def asked(self, values: Values, lacking: int) -> int:
        """The bits of the days that are asked for, of a batch whose values lack some."""


@dataclass(frozen=True, slots=True)
class _SameDays:
    """All values are wanted on all days; those that lack the same ones are searched together."""

    wanted: WantedValues
    bits: DayBits

    def place(self, value: str) -> int:  # noqa: ARG002
        return 0

    def needed(self, value: str) -> int:  # noqa: ARG002
        return self.bits.all

    def likeness(self, lacking: int) -> Hashable:
        return lacking

    def ordered(self, values: Iterable[str]) -> list[str]:
        return sorted(values)

    def chunks(self, values: Sequence[str]) -> Iterator[Values]:
        size = self.wanted.size
        return (tuple(values[at : at + size]) for at in range(0, len(values), size))

    def dissolved(self, batches: Sequence[Values], loose: Sequence[str]) -> int:
        size, together = self.wanted.size, len(loose)
        fewest, best = len(batches) + ceil(together / size), 0
        for count, batch in enumerate(batches, start=1):
            together += len(batch)
            if (left := len(batches) - count + ceil(together / size)) < fewest:
                fewest, best = left, count
        return best

    def days(self, values: Values) -> DateRange:  # noqa: ARG002
        return self.wanted.days

    def asked(self, values: Values, lacking: int) -> int:  # noqa: ARG002
        return lacking


@dataclass(frozen=True, slots=True)
class _OwnDays:
    """Ids of videos have days of their own: those of a window's length are searched together."""

    wanted: WantedValues
    bits: DayBits
    _days: dict[str, DateRange] = field(default_factory=dict)

    def place(self, value: str) -> int:
        return (self._days_of(value).start - self.wanted.days.start).days

    def needed(self, value: str) -> int:
        return (1 << len(self._days_of(value))) - 1

    def likeness(self, lacking: int) -> Hashable:
        return bool(lacking)

    def ordered(self, values: Iterable[str]) -> list[str]:
        return sorted(values, key=int)

    def chunks(self, values: Sequence[str]) -> Iterator[Values]:
        chunk: list[str] = []
        for value in values:
            if chunk and not self._takes(chunk, value):
                yield tuple(chunk)
                chunk = []
            chunk.append(value)
        if chunk:
            yield tuple(chunk)

    def dissolved(self, batches: Sequence[Values], loose: Sequence[str]) -> int:
        together = self.ordered([*loose, *chain.from_iterable(batches)])
        apart = len(batches) + _count(self.chunks(loose))
        return len(batches) if _count(self.chunks(together)) < apart else 0

    def days(self, values: Values) -> DateRange:
        days = [self._days_of(value) for value in values]
        return DateRange(min(each.start for each in days), max(each.end for each in days))

    def asked(self, values: Values, lacking: int) -> int:
        """All days: a search for ids takes a request, however many days it has."""
        return self.bits.of(self.days(values)) if lacking else 0

    def _takes(self, chunk: list[str], value: str) -> bool:
        is_near = len(self.days((chunk[0], value))) <= self.wanted.window_days
        return len(chunk) < self.wanted.size and is_near

    def _days_of(self, value: str) -> DateRange:
        if value not in self._days:
            wanted, days = self.wanted.days, days_of(int(value), self.wanted.id_skew)
            start = min(max(days.start, wanted.start), wanted.end)
            self._days[value] = DateRange(start, max(min(days.end, wanted.end), start))
        return self._days[value]


class _Planning:
    def __init__(self, wanted: WantedValues, known: tuple[KnownBatch, ...], now: datetime) -> None:
        self._wanted = wanted
        self._known = known
        self._now = now
        self._bits = bits = DayBits(wanted.days)
        is_of_ids = wanted.each.field is Field.VIDEO_ID
        self._shape: _Shape = _OwnDays(wanted, bits) if is_of_ids else _SameDays(wanted, bits)
        self._refused = {
            batch.values[0]: batch for batch in known if batch.refused_at and len(batch.values) == 1
        }
        self._by_values = {frozenset(batch.values): batch for batch in known}
        self._refused_together = {frozenset(batch.values) for batch in known if batch.refused_at}
        self._lacking = {value: self._shape.needed(value) for value in wanted.each.values}
        self._searched = self._searched_before() if wanted.freshness.searches_again else {}
        self._take_off_searched()

    def plan(self) -> BatchPlan:
        lacking = [value for value, bits in self._lacking.items() if bits]
        missing = union(
            self._lacking[value] << self._shape.place(value)
            for value in lacking
            if value not in self._refused
        )
        unsettled = self._bits.ranges(self._unsettled())
        finished = self._finished()
        kept, loose = self._kept()
        batches = [*self._of_begun(finished, kept), *self._of_missing(kept, loose, finished)]
        batches += [*self._of_doubtful(), *self._of_refused()]
        batches += self._of_unregistered(batches)
        return BatchPlan(
            tuple(batches),
            values=len(self._lacking),
            lacking=len(lacking),
            missing=self._bits.ranges(missing),
            refused=tuple(value for value in lacking if value in self._refused),
            unsettled=unsettled,
            too_wide=self._too_wide(),
            widest=self._widest,
        )

    def _unsettled(self) -> int:
        """The bits of the days that some value has, and that are not final yet."""
        fresh = FreshDays(self._bits, self._wanted.freshness, self._now)
        return fresh.not_yet_final and fresh.not_yet_final & union(
            (self._shape.needed(value) & ~lacking) << self._shape.place(value)
            for value, lacking in self._lacking.items()
        )

    def _searched_before(self) -> dict[str, int]:
        """The bits of the days of each value that a search has brought, however long ago."""
        fresh = FreshDays(self._bits, Freshness(self._wanted.freshness.settle), self._now)
        found: defaultdict[str, int] = defaultdict(int)
        for batch in self._known:
            bits = union(fresh.of(search.days, search.begun_at) for search in batch.searches)
            for value in batch.values:
                found[value] |= bits
        return found

    def _take_off_searched(self) -> None:
        fresh = FreshDays(self._bits, self._wanted.freshness, self._now)
        needed = {value: bits << self._shape.place(value) for value, bits in self._lacking.items()}
        searched = [(batch.values, batch.searches) for batch in self._known]
        for values, found in brought(searched, needed, fresh):
            self._take_off(values, found)

    def _take_off(self, values: Values, found: int) -> None:
        """Let values lack these days no more."""
        for value in values:
            if left := self._lacking.get(value):
                self._lacking[value] = left & ~(found >> self._shape.place(value))

    def _finished(self) -> dict[int, int]:
        """The bits of the days that begun windows of batches bring, by the batches' places.

        Those days are not lacking any more.
        """
        finished = {}
        for at, batch in enumerate(self._known):
            if batch.begun and not self._is_refused(batch):
                bits = [self._bits.of(days) for days in batch.begun]
                if needed := [one for one in bits if self._lacks_any_of(batch, one)]:
                    finished[at] = union(needed)
        for at, brings in finished.items():
            self._take_off(self._known[at].values, brings)
        return finished

    def _lacks_any_of(self, batch: KnownBatch, bits: int) -> bool:
        return any(
            self._lacking.get(value, 0) & (bits >> self._shape.place(value))
            for value in batch.values
        )

    def _kept(self) -> tuple[dict[Hashable, list[int]], list[str]]:
        """Find the batches that go on, by what their values lack, and the values without one."""
        kept: dict[Hashable, list[int]] = defaultdict(list)
        taken: set[str] = set()
        # Of several that would do, the largest, and of these the last one.
        in_order = sorted(
            range(len(self._known)), key=lambda at: (-len(self._known[at].values), -at)
        )
        for at in in_order:
            batch = self._known[at]
            if not self._is_usable(batch) or not taken.isdisjoint(batch.values):
                continue
            likenesses = {self._shape.likeness(self._lacking[value]) for value in batch.values}
            if len(likenesses) == 1 and self._lacking[batch.values[0]]:
                kept[likenesses.pop()].append(at)
                taken.update(batch.values)
        loose = (
            value
            for value, bits in self._lacking.items()
            if bits and value not in taken and value not in self._refused
        )
        return kept, self._shape.ordered(loose)

    def _is_usable(self, batch: KnownBatch) -> bool:
        return (
            len(batch.values) <= self._wanted.size
            and all(value in self._lacking for value in batch.values)
            and not self._is_refused(batch)
        )

    def _is_refused(self, batch: KnownBatch) -> bool:
        return bool(batch.refused_at) or any(value in self._refused for value in batch.values)

    def _of_missing(
        self, kept: dict[Hashable, list[int]], loose: list[str], finished: dict[int, int]
    ) -> Iterator[Batch]:
        """Batches of values that lack something, by the first of their values.

        Those that lack no more than newer values of what is there come last.
        """
        by_likeness: dict[Hashable, list[str]] = defaultdict(list)
        for value in loose:
            by_likeness[self._shape.likeness(self._lacking[value])].append(value)
        batches = []
        for likeness in {**by_likeness, **kept}:
            go_on, new = self._regrouped(kept.get(likeness, []), by_likeness.get(likeness, []))
            kept[likeness] = go_on
            batches += [self._batch(self._known[at].values, finished.get(at, 0)) for at in go_on]
            batches += [self._batch(values) for values in new]
        yield from sorted(batches, key=lambda batch: (batch.refreshes, batch.values))

    def _regrouped(self, kept: list[int], loose: list[str]) -> tuple[list[int], list[Values]]:
        """Divide loose values into batches, with those of kept ones where that makes fewer."""
        small = [at for at in kept if not self._known[at].is_unfinished]
        small.sort(key=lambda at: len(self._known[at].values))
        values = [self._known[at].values for at in small]
        count = self._shape.dissolved(values, loose)
        together = self._shape.ordered([*loose, *chain.from_iterable(values[:count])])
        dissolved = set(small[:count])
        return [at for at in kept if at not in dissolved], list(self._divided(together))

    def _divided(self, values: Sequence[str]) -> Iterator[Values]:
        for chunk in self._shape.chunks(values):
            yield from self._accepted(chunk)

    def _accepted(self, values: Values) -> Iterator[Values]:
        """Divide values that the API refuses together until it does not, as far as is known."""
        if len(values) > 1 and frozenset(values) in self._refused_together:
            for half in halves(values):
                yield from self._accepted(half)
        else:
            yield values

    def _batch(self, values: Values, begun: int = 0) -> Batch:
        """The batch that asks for what its values lack, and finishes what it has begun."""
        lacking = union(self._lacking[value] << self._shape.place(value) for value in values)
        refreshes = all(
            not (self._lacking[value] << self._shape.place(value)) & ~self._searched.get(value, 0)
            for value in values
        )
        missing = self._shape.asked(values, lacking) & ~begun
        known = self._by_values.get(frozenset(values))
        missing_days, begun_days = self._bits.ranges(missing), self._bits.ranges(begun)
        days = self._shape.days(values)
        return Batch(values, days, missing_days, begun_days, known, refreshes=refreshes)

    def _retired(
        self, batch: KnownBatch, postponed: int, begun: int, days: DateRange | None = None
    ) -> Batch:
        """The batch that goes on with windows which it has, and makes no others."""
        missing_days, begun_days = self._bits.ranges(postponed & ~begun), self._bits.ranges(begun)
        days = days or self._shape.days(batch.values)
        return Batch(batch.values, days, missing_days, begun_days, batch, is_retired=True)

    def _of_begun(
        self, finished: dict[int, int], kept: dict[Hashable, list[int]]
    ) -> Iterator[Batch]:
        """Batches of which only what they have begun is finished."""
        go_on = {at for places in kept.values() for at in places}
        for at, bits in finished.items():
            if at not in go_on:
                # Nobody wants other days of values that were taken out of the list.
                yield self._retired(self._known[at], 0, bits, self._span(bits))

    def _of_doubtful(self) -> Iterator[Batch]:
        """Batches that lack nothing, of which a search is made once more."""
        for batch in self._known:
            if batch.is_doubtful and self._is_usable(batch) and not self._lacks(batch):
                yield Batch(batch.values, self._shape.days(batch.values), (), (), batch)

    def _of_unregistered(self, planned: Iterable[Batch]) -> Iterator[Batch]:
        """Batches with days that are wanted, of which is not known yet what this run is."""
        values = {batch.values for batch in planned}
        for batch in filter(lambda batch: batch.is_unregistered, self._known):
            bits = union(self._bits.of(search.days) for search in batch.searches)
            is_left = batch.values not in values
            if is_left and bits and any(value in self._lacking for value in batch.values):
                yield self._retired(batch, 0, 0, self._span(bits))

    def _span(self, bits: int) -> DateRange:
        ranges = self._bits.ranges(bits)
        return DateRange(ranges[0].start, ranges[-1].end)

    def _lacks(self, batch: KnownBatch) -> bool:
        return any(self._lacking[value] for value in batch.values)

    def _of_refused(self) -> Iterator[Batch]:
        """Values that the API has refused, each alone."""
        for value, batch in self._refused.items():
            if not self._lacking.get(value):
                continue
            assert batch.refused_at
            begun, postponed = (
                union(map(self._bits.of, windows)) for windows in (batch.begun, batch.postponed)
            )
            if begun or postponed:
                yield self._retired(batch, postponed, begun)
            elif batch.refused_at + REFUSED_AGAIN_AFTER <= self._now:
                yield self._batch(batch.values)

    @property
    def _widest(self) -> int:
        return max((batch.widest for batch in self._known), default=0)

    def _too_wide(self) -> tuple[DateRange, ...]:
        """The narrowest windows that were cut, unless another batch had one as wide that worked."""
        cut = chain.from_iterable(batch.cut_windows for batch in self._known)
        return narrowest(cut, self._widest)


def _are_in(days: DateRange, ranges: Iterable[DateRange]) -> bool:
    return any(days.is_in(each) for each in ranges)


def narrowest(cut_windows: Iterable[DateRange], widest: int) -> tuple[DateRange, ...]:
    """The narrowest windows that were cut, of those that are wider than any that has worked."""
    cut = (days for days in cut_windows if len(days) > widest)
    return tuple(sorted(cut, key=len)[:CUTS_THAT_COUNT])


def halves(values: Values) -> tuple[Values, Values]:
    """Divide two values or more: the one that spoils a batch is in one of them."""
    middle = (len(values) + 1) // 2
    return values[:middle], values[middle:]


def _count(items: Iterable[object]) -> int:
    return sum(1 for _ in items)
