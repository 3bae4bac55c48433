"""The links of a page's records: rows that say when they were seen first and last."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from sqlalchemy import Column, Connection, Table

    from tiktok_crawler.research_api.pages import Page
    from tiktok_crawler.storage.engine.statements import Statements, Values


@dataclass(frozen=True, slots=True)
class StoredPage:
    """A page whose records are stored, inside the transaction that does it; its row is `crawl_id`.

    `seed` is as columns hold it, `keys` are those of the records in the order of the page: None
    where one is left out.
    """

    connection: Connection
    statements: Statements
    page: Page
    crawl_id: int
    seed: Any
    keys: Sequence[Any]

    def numbers(self, column: Column[str]) -> dict[str, int]:
        """Return the numbers of the records in a table that has their keys in this column."""
        return self.statements.find_names(
            self.connection, column, tuple(key for key in self.keys if key is not None)
        )


@dataclass(frozen=True, slots=True)
class Link:
    """A table of sightings, and the rows of a page but for the times in their last columns."""

    table: Table
    rows: Callable[[StoredPage], Iterable[Values]]

    def write(self, stored: StoredPage, seen_at: str) -> None:
        """Write the rows of a page in sorted order."""
        rows = [(*row, seen_at, seen_at) for row in sorted(self.rows(stored))]
        columns = tuple(self.table.columns)
        stored.statements.upsert_sightings(stored.connection, columns, rows)
