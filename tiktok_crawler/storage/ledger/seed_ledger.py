"""What is known of the seeds of a listing: a row each, and how far it has come.

The pages, and the checkpoints that are committed with them, are the page store's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from tiktok_crawler.storage.engine.statements import statements_for
from tiktok_crawler.storage.engine.transactions import reading
from tiktok_crawler.storage.models.ledger import Crawl, SeedRow

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sqlalchemy import Engine, Row

    from tiktok_crawler.research_api.endpoints import Listing

    Seeds = dict[str, Row[Any]]

TABLE = SeedRow.__table__
AT_ONCE = 10_000
"""Seeds in one statement."""


class SeedLedger:
    """Reads and writes the seeds of one listing. For one thread at a time.

    What a method writes is committed when it returns. After a commit in doubt it is called once
    more, with the same time, and finds what it has written. Requests are booked on `account`.
    """

    def __init__(self, engine: Engine, listing: Listing) -> None:
        self._engine = engine
        self._listing = listing
        self._statements = statements_for(engine.dialect)

    def known(self, seeds: Sequence[str]) -> Seeds:
        """The rows of seeds, as far as they are there."""
        with reading(self._engine) as connection:
            return {
                row.seed: row
                for part in _parts(seeds)
                for row in connection.execute(
                    select(TABLE).where(
                        TABLE.c.listing == self._listing.name,
                        self._statements.among(TABLE.c.seed, part),
                    )
                )
            }

    def records(self, seeds: Mapping[str, Row[Any]]) -> int:
        """How many records the pages of these seeds have brought, ever."""
        ids = [row.id for row in seeds.values()]
        with reading(self._engine) as connection:
            return sum(
                connection.scalar(
                    select(func.coalesce(func.sum(Crawl.record_count), 0)).where(
                        self._statements.among(Crawl.__table__.c.seed_id, part)
                    )
                )
                or 0
                for part in _parts(ids)
            )


def _parts(items: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(items), AT_ONCE):
        yield items[start : start + AT_ONCE]
