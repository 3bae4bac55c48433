"""How far the lists of a database are, each as one: which of its values lack days.

The wanted days of a value are those for which its queries were used.
"""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, replace
from dataclasses import field as dataclass_field
from itertools import chain, repeat
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from tiktok_crawler.date_range import DateRange, contiguous
from tiktok_crawler.planning.day_bits import DayBits, FreshDays, union
from tiktok_crawler.planning.suspicion import doubts
from tiktok_crawler.planning.window_days import DayCount
from tiktok_crawler.query_file.collection import Collection
from tiktok_crawler.query_file.each_value import Each
from tiktok_crawler.query_file.refreshing import Refreshing
from tiktok_crawler.research_api.query import Field, Query
from tiktok_crawler.research_api.video_ids import days_of
from tiktok_crawler.storage.engine.statements import statements_for
from tiktok_crawler.storage.ledger.coverage import Windows
from tiktok_crawler.storage.ledger.value_batches import (
    ListTotals,
    batches_of,
    known_batches,
    missed_ids,
    refused_values,
    totals_of_list,
)
from tiktok_crawler.storage.ledger.window_days import last_counts
from tiktok_crawler.storage.models.ledger import CollectionRow, CrawlWindow, QueryRow, ValueBatchRow

if TYPE_CHECKING:
    from collections.abc import Collection as Values
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime, timedelta

    from sqlalchemy import Connection

    from tiktok_crawler.planning.coverage import Freshness
    from tiktok_crawler.planning.value_batches import KnownBatch
    from tiktok_crawler.storage.ledger.value_batches import RefusedValue


OF_FIELDS = ValueBatchRow.field_name.in_([each.value for each in Field])


@dataclass(frozen=True, slots=True)
class ListStatus:
    """A list and what the database has of it.

    `days` are those for which any value is wanted. Those that the API has `refused` aside, so many
    values are `lacking` days, some of the `missing` ones. The `unsettled` ones were searched before
    all their videos can have appeared; of the `suspicious` ones, a search for some values brought
    so little that it is hard to believe. `searched` has for each day when it was searched last, for
    the value of which that is longest ago. `refreshing` is as the last run had it; so many values
    are `overdue`: days of them were last searched longer ago than it says. `counted` is what came
    of the days by the last search of each, for some values at a time.
    """

    template: str
    rest: Query
    each: Each
    tags: tuple[str, ...]
    days: tuple[DateRange, ...]
    missing: tuple[DateRange, ...]
    unsettled: tuple[DateRange, ...]
    lacking: int
    refused: tuple[RefusedValue, ...]
    missed: int
    totals: ListTotals
    refreshing: Refreshing = Refreshing()  # noqa: RUF009 - it is frozen
    overdue: int = 0
    suspicious: tuple[DateRange, ...] = ()
    searched: tuple[datetime, ...] = ()
    counted: DayCount = DayCount()  # noqa: RUF009 - it is frozen

    @property
    def wanted_days(self) -> int:
        return sum(map(len, self.days))

    @property
    def covered_days(self) -> int:
        """The days that no value lacks, but for those that are refused."""
        return self.wanted_days - sum(map(len, self.missing))

    def is_due(self, now: datetime) -> bool:
        """Tell whether a run would ask for something that is missing."""
        return self.lacking > 0 or any((each.retry_at or now) <= now for each in self.refused)


@dataclass(frozen=True, slots=True)
class WantedOfList:
    """The values of a list that a file asks for, and their days."""

    template: str
    values: tuple[str, ...]
    days: DateRange


def batch_queries(connection: Connection) -> set[int]:
    """Return the queries that are searched for some values of a list."""
    return set(connection.scalars(select(ValueBatchRow.query_id).where(OF_FIELDS).distinct()))


def list_statuses(
    connection: Connection,
    freshness: Freshness,
    now: datetime,
    files: Values[WantedOfList] | None = None,
) -> Iterator[ListStatus]:
    """Read how far the lists are, by first use; with files, those lists and values alone."""
    for template, query in _lists(connection):
        wanted = [file for file in files or () if file.template == template]
        if files is None or wanted:
            yield _status(connection, template, query, freshness, now, wanted)


def _lists(connection: Connection) -> Iterator[tuple[str, tuple[Query, Field]]]:
    row = ValueBatchRow
    first = func.min(row.query_id)
    found = select(row.template, row.field_name, first).where(OF_FIELDS)
    in_order = found.group_by(row.template, row.field_name).order_by(first)
    for template, field_name, query_id in connection.execute(in_order):
        text = select(QueryRow.canonical_json).where(QueryRow.id == query_id)
        query = Query.from_json(json.loads(connection.execute(text).scalar_one()))
        rest = tuple(each for each in query.and_ if each.field_name != field_name)
        yield template, (replace(query, and_=rest), Field(field_name))


def _status(  # noqa: PLR0913, PLR0917
    connection: Connection,
    template: str,
    query: tuple[Query, Field],
    freshness: Freshness,
    now: datetime,
    files: list[WantedOfList],
) -> ListStatus:
    rest, field = query
    wishes, tags, refreshing = _wishes(connection, template)
    ranges = [days for each in wishes.values() for days in each] + [file.days for file in files]
    span = DateRange(min(days.start for days in ranges), max(days.end for days in ranges))
    some = Collection(rest, span, "", "", each=Each(field, ()))
    fields = _last_fields(connection, template)
    known = known_batches(connection, some, fields)
    standing = _Standing(DayBits(span), field, refreshing.again_within)
    for query_id, batch in known.items():
        standing.add(batch, wishes[query_id], freshness, now)
    for file in files:
        standing.want(file.values, file.days)
    if files:
        standing.keep({value for file in files for value in file.values})
    every_value = tuple(sorted(standing.wanted))
    every = replace(some, each=Each(field, every_value))
    statements = statements_for(connection.dialect)
    lacking = standing.lacking()
    refused = refused_values(connection, template, sorted(lacking))
    for value in refused:
        del lacking[value.value]
    bits = standing.bits
    doubted = chain.from_iterable(
        _doubted(
            Windows(connection, query_id), some.for_values(batch.values).query, fields, freshness
        )
        for query_id, batch in known.items()
        if batch.is_doubtful and not standing.wanted.keys().isdisjoint(batch.values)
    )
    return ListStatus(
        template,
        rest,
        Each(field, every_value),
        tags,
        days=bits.ranges(union(standing.wanted.values())),
        missing=bits.ranges(union(lacking.values())),
        unsettled=bits.ranges(
            union(standing.covered.values()) & FreshDays(bits, freshness, now).not_yet_final
        ),
        lacking=len(lacking),
        refused=refused,
        missed=missed_ids(connection, statements, every),
        totals=totals_of_list(connection, statements, every),
        refreshing=refreshing,
        overdue=standing.overdue(),
        suspicious=bits.ranges(union(standing.wanted.values()) & union(map(bits.of, doubted))),
        searched=standing.searched(),
        counted=last_counts(connection, batches_of(statements, template, every_value)),
    )


def _doubted(
    windows: Windows, query: Query, fields: Iterable[str], freshness: Freshness
) -> Iterable[DateRange]:
    """Return the days of which the searches of a query are suspicious."""
    return contiguous(doubts(windows.known(query, fields).coverage, freshness))


@dataclass(slots=True)
class _Standing:
    """The days of each value as bits: wanted ones, covered ones, and those that are not overdue."""

    bits: DayBits
    field: Field
    again_within: timedelta | None
    wanted: dict[str, int] = dataclass_field(default_factory=lambda: defaultdict(int))
    covered: dict[str, int] = dataclass_field(default_factory=lambda: defaultdict(int))
    fresh: dict[str, int] = dataclass_field(default_factory=lambda: defaultdict(int))
    batches: dict[str, list[KnownBatch]] = dataclass_field(
        default_factory=lambda: defaultdict(list)
    )

    def add(
        self, batch: KnownBatch, wishes: list[DateRange], freshness: Freshness, now: datetime
    ) -> None:
        fresh = FreshDays(self.bits, freshness, now)
        found = union(fresh.of(each.days, each.begun_at) for each in batch.searches)
        not_before = now - self.again_within if self.again_within else None
        in_time = union(
            fresh.of(each.days, each.begun_at)
            for each in batch.searches
            if not_before is None or each.begun_at >= not_before
        )
        for value in batch.values:
            self.covered[value] |= found
            self.fresh[value] |= in_time
            self.batches[value].append(batch)
        for days in wishes:
            self.want(batch.values, days)

    def want(self, values: tuple[str, ...], days: DateRange) -> None:
        bits = self.bits.of(days)
        for value in values:
            own = self.bits.of(days_of(int(value))) if self.field is Field.VIDEO_ID else bits
            self.wanted[value] |= bits & own

    def keep(self, values: set[str]) -> None:
        self.wanted = {value: bits for value, bits in self.wanted.items() if value in values}
        self.covered = {value: bits for value, bits in self.covered.items() if value in values}

    def lacking(self) -> dict[str, int]:
        found = {value: bits & ~self.covered.get(value, 0) for value, bits in self.wanted.items()}
        return {value: bits for value, bits in found.items() if bits}

    def overdue(self) -> int:
        return sum(
            bool(self.covered.get(value, 0) & bits & ~self.fresh.get(value, 0))
            for value, bits in self.wanted.items()
        )

    def searched(self) -> tuple[datetime, ...]:
        """Return for each day when it was searched last, for the value searched longest ago."""
        alike = {
            (wanted, *map(id, self.batches[value])): self.batches[value]
            for value, wanted in self.wanted.items()
        }
        last: dict[datetime, int] = defaultdict(int)
        for (wanted, *_), batches in alike.items():
            for at, days in self._last_searches(wanted, batches):
                last[at] |= days
        return tuple(_first_times(last))

    def _last_searches(
        self, wanted: int, batches: Iterable[KnownBatch]
    ) -> Iterator[tuple[datetime, int]]:
        """Yield when wanted days were searched last, with the bits of these days."""
        searches = (search for batch in batches for search in batch.searches)
        for search in sorted(searches, key=attrgetter("begun_at"), reverse=True):
            days = self.bits.of(search.days) & wanted
            wanted &= ~days
            yield search.begun_at, days


def _first_times(days: Mapping[datetime, int]) -> Iterator[datetime]:
    """Yield a time for each day: the first that has it."""
    told = 0
    for at in sorted(days):
        new = days[at] & ~told
        told |= new
        yield from repeat(at, new.bit_count())


def _wishes(
    connection: Connection, template: str
) -> tuple[dict[int, list[DateRange]], tuple[str, ...], Refreshing]:
    queries = select(ValueBatchRow.query_id).where(ValueBatchRow.template == template)
    columns = CollectionRow.__table__.c
    found = select(CollectionRow.__table__).where(columns.query_id.in_(queries))
    wishes: dict[int, list[DateRange]] = defaultdict(list)
    tags: set[str] = set()
    keys: dict[str, str] | None = None
    for row in connection.execute(found.order_by(columns.last_run_at, columns.id)):
        wishes[row.query_id].append(DateRange(row.start_date, row.end_date))
        tags.update(row.tags)
        keys = row.refreshing
    return wishes, tuple(sorted(tags)), Refreshing.from_json(keys or {})


def _last_fields(connection: Connection, template: str) -> list[str]:
    queries = select(ValueBatchRow.query_id).where(ValueBatchRow.template == template)
    last = select(CrawlWindow.fields).where(CrawlWindow.query_id.in_(queries))
    found: Any = connection.scalar(last.order_by(CrawlWindow.id.desc()).limit(1))
    return list(found or ())
