"""Says that a tag is not that of one query alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tiktok_crawler.research_api.wording import in_words
from tiktok_crawler.spelling import quoted, shortened

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tiktok_crawler.storage.ledger.queries import UsedQuery

NAMED_QUERIES = 5


def shared_tag(tag: str | None, queries: Sequence[UsedQuery]) -> str | None:
    """Name the queries that have a tag as `scrapy status` does, if there are several."""
    if tag is None or len(queries) <= 1:
        return None
    named = "; ".join(map(_named, queries[:NAMED_QUERIES]))
    more = len(queries) - NAMED_QUERIES
    and_more = f"; and {more:,} more" if more > 0 else ""
    return (
        f"The tag {quoted(tag)} is that of {len(queries):,} queries, and the videos of all of them "
        f"count (-a from_query= takes those of one): {named}{and_more}"
    )


def _named(used: UsedQuery) -> str:
    return f"query {used.query_id} ({shortened(in_words(used.query))})"
