"""Adds up what seeds of a listing have come to, and what their own records count of them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import case, cast, func, null, select

from tiktok_crawler.planning.seeds import SeedEnd, Tally
from tiktok_crawler.planning.task_states import SeedState
from tiktok_crawler.research_api.verdicts import SeedStatus
from tiktok_crawler.storage.ledger.standings import goes_on
from tiktok_crawler.storage.models.column_types import INT64
from tiktok_crawler.storage.models.ledger import SeedRow
from tiktok_crawler.storage.records.all_types import listed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import ColumnElement, Row, Select, Subquery
    from sqlalchemy.sql.selectable import FromClause

    from tiktok_crawler.research_api.endpoints import Listing

SEED = SeedRow.__table__

REASONS = ("status", "is_cut", "at_api_limit")
"""Columns that tell the end of a seed, or the reason why it was refused."""

_MANY = 10_000
_ENOUGH_SEEDS = 5
_ENOUGH_RECORDS = 50

SUMS = ("seeds", "stored", "counted", "counted_stored", "total")


@dataclass(frozen=True, slots=True)
class KnownTotals:
    """Seeds of a listing, joined with the records that say how many things each has.

    `total` is NULL where the database does not know it, `stored` are those that came.
    """

    seeds: FromClause
    total: ColumnElement[Any]
    stored: ColumnElement[Any]


def with_totals(listing: Listing, seeds: FromClause, key: ColumnElement[Any]) -> KnownTotals:
    """Join rows of table `seed` with what is known; `key` is the seed as its record has it."""
    brought = listed(listing)
    stored: ColumnElement[Any] = SEED.c.record_count
    total = brought.known_total
    if total is None:
        return KnownTotals(seeds, cast(null(), INT64), stored)
    (own_key,) = total.table.primary_key.columns
    if brought.counted_by is not None:
        things = select(func.count()).where(brought.counted_by == key)
        stored = things.correlate_except(brought.counted_by.table).scalar_subquery()
    return KnownTotals(seeds.outerjoin(own_key.table, own_key == key), total, stored)


def each_seed(known: KnownTotals, *columns: ColumnElement[Any]) -> Select[*tuple[Any, ...]]:
    """Select these columns of seeds, those of `REASONS`, and what `sums` adds up."""
    return select(
        *columns,
        SEED.c.status,
        goes_on().label("is_cut"),
        SEED.c.at_api_limit,
        SEED.c.record_count.label("came"),
        known.stored.label("stored"),
        known.total.label("total"),
    ).select_from(known.seeds)


def sums(each: Subquery) -> tuple[ColumnElement[Any], ...]:
    """Add up seeds for `tally_of`, which also reads `REASONS`."""
    c = each.c
    return (
        func.count().label("seeds"),
        func.sum(c.stored).label("stored"),
        func.count(c.total).label("counted"),
        func.sum(c.stored).filter(c.total.is_not(None)).label("counted_stored"),
        func.sum(c.total).label("total"),
        func.count().filter(c.came > 0).label("begun"),
        func.sum(c.came).label("came"),
    )


def usual_requests(listing: Listing) -> Select[*tuple[Any, ...]]:
    """Select the mean of the requests that seeds of a listing have taken; NULL for too few.

    Those count that are among the last seeds of the database.
    """
    columns = (SEED.c.listing, SEED.c.requests, SEED.c.completed_at)
    last = select(*columns).order_by(SEED.c.id.desc()).limit(_MANY).subquery().c
    usual = select(func.avg(last.requests)).where(last.listing == listing.name)
    return usual.where(last.completed_at.is_not(None)).having(func.count() >= _ENOUGH_SEEDS)


def leading_on(listing: Listing) -> Select[*tuple[Any, ...]]:
    """Select the share of stored records of which there is more to list; NULL for too few.

    That is known of comments, which count their replies.
    """
    totals = [listed(one).known_total for one in listing.switches.values()]
    if not totals or totals[0] is None:
        return select(null())
    some = select(totals[0].label("total")).limit(_MANY).subquery()
    leads_on = func.avg(case((some.c.total > 0, 1.0), else_=0.0))
    return select(leads_on).having(func.count() >= _ENOUGH_RECORDS)


def tally_of(rows: Iterable[tuple[SeedState, Row[Any]]]) -> Tally:
    """Add up groups of seeds, each with the state that counts."""
    ends, refusals, added = Counter[SeedEnd](), Counter[SeedStatus](), dict.fromkeys(SUMS, 0)
    broken_off = broken_off_records = 0
    for state, row in rows:
        if state is SeedState.REFUSED:
            refusals[row.status or SeedStatus.REFUSED] += row.seeds
            broken_off += row.begun
            broken_off_records += int(row.came or 0)
            continue
        if state is SeedState.COMPLETE:
            ends[_end(row)] += row.seeds
        for name in SUMS:
            added[name] += int(getattr(row, name) or 0)
    return Tally(
        ends={end: ends[end] for end in SeedEnd},
        refusals={status: refusals[status] for status in SeedStatus},
        broken_off=broken_off,
        broken_off_records=broken_off_records,
        **added,
    )


def _end(row: Row[Any]) -> SeedEnd:
    if row.is_cut:
        return SeedEnd.CUT
    return SeedEnd.API_LIMIT if row.at_api_limit else SeedEnd.COMPLETE
