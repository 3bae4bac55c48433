"""The progress of the seeds of every listing."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Integer, cast, func, select

from tiktok_crawler.planning.task_states import SeedState
from tiktok_crawler.storage.models.ledger import SeedRow

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import Connection


@dataclass(frozen=True, slots=True)
class ListingStatus:
    """The progress of one listing: its seeds by state, and what all of them have brought and cost.

    `records` are those of each seed's last listing; `suspicious` seeds are complete, but may lack
    something. The first of the parked ones is due at `next_retry_at`.
    """

    name: str
    counts: Mapping[SeedState, int]
    suspicious: int
    records: int
    requests: int
    next_retry_at: datetime | None

    @property
    def seeds(self) -> int:
        return sum(self.counts.values())


def listing_statuses(connection: Connection) -> list[ListingStatus]:
    """The listings that have seeds, by name."""
    by_state = (
        select(
            SeedRow.listing,
            SeedRow.state,
            func.count().label("seeds"),
            func.sum(cast(SeedRow.suspicious, Integer)).label("suspicious"),
            func.sum(SeedRow.record_count).label("records"),
            func.sum(SeedRow.requests).label("requests"),
            func.min(SeedRow.retry_at).label("retry_at"),
        )
        .group_by(SeedRow.listing, SeedRow.state)
        .order_by(SeedRow.listing)
    )
    rows = defaultdict(list)
    for row in connection.execute(by_state):
        rows[row.listing].append(row)
    return [_status(name, states) for name, states in rows.items()]


def _status(name: str, rows: Sequence[Any]) -> ListingStatus:
    counts = dict.fromkeys(SeedState, 0) | {row.state: row.seeds for row in rows}
    due = (row.retry_at for row in rows if row.state is SeedState.PARKED and row.retry_at)
    return ListingStatus(
        name=name,
        counts=counts,
        suspicious=sum(int(row.suspicious) for row in rows),
        records=sum(int(row.records) for row in rows),
        requests=sum(int(row.requests) for row in rows),
        next_retry_at=min(due, default=None),
    )
