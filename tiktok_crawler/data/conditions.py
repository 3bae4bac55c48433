"""Conditions by which Arrow selects rows."""

from __future__ import annotations

from datetime import UTC, datetime, time
from functools import reduce
from operator import and_
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from tiktok_crawler.dataset.arrow import UTC_TIME
from tiktok_crawler.date_range import midnight

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tiktok_crawler.dataset.selection import Selection


def are_of(selection: Selection) -> pc.Expression | None:
    """Return the condition that rows of `coverage` are of a query and of some days."""
    day, conditions = pc.field("day"), []
    if selection.query_ids:
        conditions.append(is_among("query_id", selection.query_ids))
    if selection.since:
        conditions.append(day >= pa.scalar(selection.since, pa.date32()))
    if selection.until:
        conditions.append(day <= pa.scalar(selection.until, pa.date32()))
    return all_of(conditions)


def were_created(selection: Selection) -> Iterator[pc.Expression]:
    """Make conditions that rows of `video` were created on some days."""
    created = pc.field("create_time")
    if selection.since:
        yield created >= pa.scalar(midnight(selection.since), UTC_TIME)
    if selection.until:
        last = datetime.combine(selection.until, time.max, UTC)
        yield created <= pa.scalar(last, UTC_TIME)


def is_among(column: str, values: pa.Array | Sequence[object]) -> pc.Expression:
    return pc.field(column).isin(values)


def all_of(conditions: Iterable[pc.Expression]) -> pc.Expression | None:
    """Join conditions; without one, there is none."""
    conditions = list(conditions)
    return reduce(and_, conditions) if conditions else None
