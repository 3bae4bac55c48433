"""Reads the tables from a database, as one transaction sees it."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import select

from tiktok_crawler.clock import utc_now
from tiktok_crawler.data.conditions import are_of
from tiktok_crawler.dataset.arrow import record_batch, schema
from tiktok_crawler.dataset.coverage import coverage_blocks
from tiktok_crawler.dataset.reading import Reader
from tiktok_crawler.dataset.tables import COVERAGE, MISFIT_DATA, VIDEOS
from tiktok_crawler.exceptions import ConfigurationError
from tiktok_crawler.planning.coverage import Freshness
from tiktok_crawler.planning.plan import Wanted
from tiktok_crawler.research_api.endpoints import VIDEO_QUERY
from tiktok_crawler.storage.engine import database
from tiktok_crawler.storage.engine.statements import statements_for
from tiktok_crawler.storage.engine.transactions import reading
from tiktok_crawler.storage.ledger.queries import stored_queries
from tiktok_crawler.storage.ledger.status import query_days
from tiktok_crawler.storage.ledger.value_batches import queries_of
from tiktok_crawler.storage.models.ledger import QueryTag

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    import pyarrow as pa
    from sqlalchemy import Connection

    from tiktok_crawler.dataset.reading import Block
    from tiktok_crawler.dataset.selection import Selection
    from tiktok_crawler.dataset.tables import DataTable
    from tiktok_crawler.date_range import DateRange
    from tiktok_crawler.query_file.collection import Collection as WantedCollection
    from tiktok_crawler.research_api.query import Query

SETTLE = timedelta(days=2)
"""The default of TIKTOK_SETTLE_DAYS."""


class Database:
    """The tables of a database that a crawl has used.

    Raises:
        ConfigurationError: there is none, or it cannot be read.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._held: Connection | None = None
        with self._connected() as connection:
            self._described = database.describe(connection.engine.url)

    def __str__(self) -> str:
        return self._described

    @contextmanager
    def one_state(self) -> Iterator[None]:
        with self._connected() as connection:
            self._held = connection
            try:
                yield
            finally:
                self._held = None

    def queries(self) -> Mapping[int, str | None]:
        with self._connected() as connection:
            return stored_queries(connection)

    def batches(self, collection: WantedCollection) -> Sequence[int]:
        with self._connected() as connection:
            return queries_of(connection, statements_for(connection.dialect), collection)

    def tags(self) -> Collection[str]:
        with self._connected() as connection:
            return list(connection.scalars(select(QueryTag.name)))

    def schema(self, table: DataTable) -> pa.Schema:
        return schema(table.columns)

    def read(
        self, table: DataTable, selection: Selection, columns: Sequence[str]
    ) -> Iterator[pa.RecordBatch]:
        with self._connected() as connection:
            if table is COVERAGE:
                yield from _coverage(connection, selection, columns)
                return
            narrowed = _narrowed(table, columns)
            for block in _blocks(connection, narrowed, selection):
                batch = record_batch(narrowed.columns, block)
                if batch.num_rows:
                    yield batch.select(columns)

    @contextmanager
    def _connected(self) -> Iterator[Connection]:
        if self._held is not None:
            yield self._held
            return
        with database.opened_to_read(self._url) as engine:
            # To look first keeps SQLite from making a file.
            if database.stored_origin(engine) is None:
                raise ConfigurationError(
                    f"{database.describe(engine.url)}: there is nothing in it, as no crawl has "
                    "used it yet"
                )
            with reading(engine) as connection:
                yield connection


def _narrowed(table: DataTable, columns: Sequence[str]) -> DataTable:
    """Leave out what need not be read; of what fits no column all columns tell."""
    if MISFIT_DATA.name in columns:
        return table
    return table.with_columns(tuple(table.by_name[name] for name in columns))


def _blocks(connection: Connection, table: DataTable, selection: Selection) -> Iterator[Block]:
    reader = Reader(connection, selection.drawn(connection))
    is_beside = table.name == VIDEOS.name or table.beside_video
    parts = reader.videos([table]) if is_beside else reader.rows(table)
    return (part.block for part in parts)


def _coverage(
    connection: Connection, selection: Selection, columns: Sequence[str]
) -> Iterator[pa.RecordBatch]:
    chosen = are_of(selection)
    for block in coverage_blocks(query_days(connection, _terms, utc_now())):
        batch = record_batch(COVERAGE.columns, block)
        yield (batch if chosen is None else batch.filter(chosen)).select(columns)


def _terms(query: Query, days: DateRange, fields: tuple[str, ...]) -> Wanted:
    return Wanted(query, days, fields or VIDEO_QUERY.fields, Freshness(SETTLE))
