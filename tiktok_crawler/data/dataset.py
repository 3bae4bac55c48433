"""A dataset: the tables that were collected, wherever they are."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Protocol

import pyarrow as pa

from tiktok_crawler.data.selecting import (
    Which,
    check_applies,
    check_applies_to_days,
    selection_of,
)
from tiktok_crawler.data.table import Table
from tiktok_crawler.dataset.tables import COVERAGE, TABLES
from tiktok_crawler.exceptions import UsageError
from tiktok_crawler.spelling import did_you_mean, nearest, quoted

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from typing import Self, Unpack

    from tiktok_crawler.dataset.selection import Selection
    from tiktok_crawler.dataset.tables import DataTable
    from tiktok_crawler.query_file.collection import Collection as WantedCollection


class Source(Protocol):
    """Where the tables are: a database, or an export."""

    def one_state(self) -> AbstractContextManager[None]:
        """Let all reading, as long as this is entered, see the same state."""

    def queries(self) -> Mapping[int, str | None]:
        """Return the fingerprints of the queries by their ids; None where it is not known."""

    def batches(self, collection: WantedCollection) -> Sequence[int]:
        """Return the ids of the queries for some values of a list."""

    def tags(self) -> Collection[str]: ...

    def schema(self, table: DataTable) -> pa.Schema:
        """Return the columns that there are of a table.

        Raises:
            ConfigurationError: it is not there.
        """

    def read(
        self, table: DataTable, selection: Selection, columns: Sequence[str]
    ) -> Iterator[pa.RecordBatch]:
        """Read these columns of the rows that belong to the videos selected."""


class Dataset:
    """The tables that were collected. Each is read when its values are asked for, and only read.

    In a `with` block all are read as they were when the first one was. Without, each reading sees
    what is there by then.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self._stack = ExitStack()
        self._is_closed = False

    def videos(self, **which: Unpack[Which]) -> Table:
        """Return the videos: of a `query`, with a `tag`, and `since` and `until` days of theirs."""
        return self._table("video", which)

    def hashtags(self, **which: Unpack[Which]) -> Table:
        """Return pairs of videos, chosen like `videos`, and the hashtags that they have."""
        return self._table("video_hashtag", which)

    def comments(self, **which: Unpack[Which]) -> Table:
        """Return the comments and replies under videos, which are chosen like `videos`."""
        return self._table("comment", which)

    def users(self, **which: Unpack[Which]) -> Table:
        """Return the profiles: all, or those of the authors of videos chosen like `videos`."""
        return self._table("user_info", which)

    def edges(self, *, columns: Collection[str] | None = None) -> Table:
        """Return the pairs of accounts of which one follows the other."""
        return self._table("user_relation", {"columns": columns})

    def statistics(self, **which: Unpack[Which]) -> Table:
        """Return the counters over time of videos, which are chosen like `videos`."""
        return self._table("video_statistics", which)

    def coverage(self, **which: Unpack[Which]) -> Table:
        """Return how each day stands that was wanted of each query, or of one `query`.

        `since` and `until` are of these days.
        """
        return self._table("coverage", which)

    def table(self, name: str, **which: Unpack[Which]) -> Table:
        """Return any table by its name; `tables` has the names.

        Raises:
            UsageError: there is no such table, column, query or tag, or a day is none.
            ConfigurationError: the export lacks the table.
        """
        return self._table(name, which)

    @property
    def tables(self) -> Mapping[str, str]:
        """What the tables mean, by their names."""
        return {table.name: table.meaning for table in TABLES.values()}

    def close(self) -> None:
        """End reading. Outside of a `with` block there is nothing to end."""
        self._is_closed = True
        self._stack.close()

    def __enter__(self) -> Self:
        self._stack.enter_context(self._source.one_state())
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<dataset of {self._source}>"

    def _table(self, name: str, which: Which) -> Table:
        self._check_open()
        table = _known(name)
        _check_words(which)
        selection = selection_of(self._source, which)
        if table is COVERAGE:
            check_applies_to_days(selection)
        else:
            check_applies(selection, table)
        schema = _chosen(table, self._source.schema(table), which.get("columns"))

        def read() -> Iterator[pa.RecordBatch]:
            self._check_open()
            return self._source.read(table, selection, schema.names)

        return Table(table.name, schema, read)

    def _check_open(self) -> None:
        if self._is_closed:
            raise UsageError(
                "the dataset is closed: read what you need inside of its `with` block, or open it "
                "once more"
            )


def _known(name: str) -> DataTable:
    if name not in TABLES:
        hint = did_you_mean(nearest(str(name), TABLES))
        raise UsageError(f"there is no table {quoted(str(name))}{hint or _all_tables()}")
    return TABLES[name]


def _all_tables() -> str:
    return f"; there are {', '.join(TABLES)}"


def _check_words(which: Which) -> None:
    """Refuse other words, as Python itself would."""
    for word in which:
        if word not in Which.__annotations__:
            hint = did_you_mean(nearest(word, Which.__annotations__))
            raise TypeError(f"there is no argument {word}={hint}")


def _chosen(table: DataTable, schema: pa.Schema, columns: Collection[str] | None) -> pa.Schema:
    if columns is None:
        return schema
    names = [columns] if isinstance(columns, str) else list(dict.fromkeys(columns))
    if not names:
        raise UsageError(
            f"columns= is empty: name one, such as columns=[{table.columns[0].name!r}]"
        )
    for name in names:
        if name in schema.names:
            continue
        if name in table.by_name:
            raise UsageError(
                f"the export lacks the column {name} of the table {table.name}: write it again, "
                "with that column"
            )
        hint = did_you_mean(nearest(str(name), schema.names))
        raise UsageError(f"the table {table.name} has no column {quoted(str(name))}{hint}")
    return pa.schema([schema.field(name) for name in names])
