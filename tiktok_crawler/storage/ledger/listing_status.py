"""The progress of the seeds of every listing."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import Integer, cast, func, select

from tiktok_crawler.planning.task_states import SeedState
from tiktok_crawler.research_api.endpoints import LISTINGS
from tiktok_crawler.storage.ledger.tallies import REASONS, each_seed, sums, tally_of, with_totals
from tiktok_crawler.storage.models.column_types import INT64
from tiktok_crawler.storage.models.ledger import SeedRow

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import Connection, Row, Select

    from tiktok_crawler.planning.seeds import Tally
    from tiktok_crawler.research_api.endpoints import Listing

SEED = SeedRow.__table__


@dataclass(frozen=True, slots=True)
class ListingStatus:
    """The progress of one listing: its seeds by state, what they have come to, and what they cost.

    `records` are those of each seed's last listing; `suspicious` seeds are complete, but may lack
    something. The first of the parked ones is due at `next_retry_at`.
    """

    listing: Listing
    counts: Mapping[SeedState, int]
    tally: Tally
    suspicious: int
    records: int
    requests: int
    next_retry_at: datetime | None

    @property
    def seeds(self) -> int:
        return sum(self.counts.values())


def listing_statuses(connection: Connection) -> list[ListingStatus]:
    """The listings that have seeds, by name."""
    groups = (
        (listing, connection.execute(_by_state(listing)).all())
        for _, listing in sorted(LISTINGS.items())
    )
    return [_status(listing, rows) for listing, rows in groups if rows]


@cache
def _by_state(listing: Listing) -> Select[*tuple[Any, ...]]:
    key = cast(SEED.c.seed, INT64) if listing.seed_key.is_number else SEED.c.seed
    own = ("state", "suspicious", "record_count", "requests", "retry_at")
    seeds = each_seed(with_totals(listing, SEED, key), *(SEED.c[name] for name in own))
    each = seeds.where(SEED.c.listing == listing.name).subquery()
    c = each.c
    groups = (c.state, *(c[name] for name in REASONS))
    return select(
        *groups,
        *sums(each),
        func.sum(cast(c.suspicious, Integer)).label("suspicious"),
        func.sum(c.record_count).label("records"),
        func.sum(c.requests).label("requests"),
        func.min(c.retry_at).label("retry_at"),
    ).group_by(*groups)


def _status(listing: Listing, rows: Sequence[Row[Any]]) -> ListingStatus:
    counts = Counter(dict.fromkeys(SeedState, 0))
    for row in rows:
        counts[row.state] += row.seeds
    due = (row.retry_at for row in rows if row.state is SeedState.PARKED and row.retry_at)
    return ListingStatus(
        listing=listing,
        counts=counts,
        tally=tally_of((row.state, row) for row in rows),
        suspicious=sum(int(row.suspicious) for row in rows),
        records=sum(int(row.records) for row in rows),
        requests=sum(int(row.requests) for row in rows),
        next_retry_at=min(due, default=None),
    )
