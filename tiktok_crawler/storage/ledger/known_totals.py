"""How many records of a seed there are, where the database has the API's count of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from tiktok_crawler.storage.engine.statements import statements_for
from tiktok_crawler.storage.records.all_types import listed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from tiktok_crawler.research_api.endpoints import Listing


def known_totals(connection: Connection, listing: Listing, seeds: Sequence[str]) -> dict[str, int]:
    """The number of records by seed, as far as it is known."""
    total = listed(listing).known_total
    if total is None:
        return {}
    (key,) = total.table.primary_key.columns
    keys = [int(seed) if listing.seed_key.is_number else seed for seed in seeds]
    is_wanted = statements_for(connection.dialect).among(key, keys)
    found = connection.execute(select(key, total).where(is_wanted, total.is_not(None)))
    return {str(seed): count for seed, count in found}
