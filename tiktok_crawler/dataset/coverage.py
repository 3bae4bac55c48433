"""Makes the rows of the table `coverage` of the progress of queries."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tiktok_crawler.dataset.tables import COVERAGE
from tiktok_crawler.planning.days import DONE
from tiktok_crawler.planning.window_days import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from tiktok_crawler.dataset.reading import Block
    from tiktok_crawler.storage.ledger.status import QueryDays


def coverage_blocks(queries: Iterable[QueryDays]) -> Iterator[Block]:
    """Make a block for each query, with a row for each day that was wanted of it, in order."""
    for query in queries:
        if rows := list(_rows(query)):
            columns = zip(*rows, strict=True)
            yield {c.name: list(v) for c, v in zip(COVERAGE.columns, columns, strict=True)}


def _rows(query: QueryDays) -> Iterator[tuple[Any, ...]]:
    days = query.days
    unsettled = frozenset(days.unsettled)
    for day, standing in sorted(days.by_day.items()):
        count = standing.count or UNKNOWN
        yield (
            query.used.query_id,
            day.isoformat(),
            standing.state.value,
            standing.state in DONE and day not in unsettled,
            day in days.doubts,
            count.videos,
            count.withheld,
            count.refused,
            count.repeated,
        )
