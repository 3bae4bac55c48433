"""Reads tables out of the database in blocks: lists of values by column. Memory stays flat.

Values are as SQLite has them, on both databases: times as text in UTC, JSON as text.
"""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, datetime, timedelta
from itertools import chain, compress, repeat
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson
from sqlalchemy import false, func, or_, select

from tiktok_crawler.dataset import documents
from tiktok_crawler.dataset.columns import Kind
from tiktok_crawler.dataset.tables import (
    AUTHOR_URL,
    PROFILE_URL,
    SOURCES,
    TABLES,
    URL,
    VIDEO,
    VIDEOS,
)
from tiktok_crawler.storage.engine.statements import statements_for
from tiktok_crawler.storage.models.ledger import Crawl
from tiktok_crawler.storage.models.records import Video

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from sqlalchemy import ColumnElement, Connection, Select

    from tiktok_crawler.dataset.columns import Column
    from tiktok_crawler.dataset.selection import Drawn
    from tiktok_crawler.dataset.tables import DataTable

    Block = dict[str, list[Any]]
    """The values of some rows, by column."""

ROWS_AT_ONCE = 2_000
SITE = "https://www.tiktok.com"

UNDATED = ""
"""The partition of rows whose time is missing."""

BY_CREATE_TIME = "INDEXED BY ix_video_create_time"


class Part(NamedTuple):
    """Some rows of a table, with the month or day that they are kept in: empty if there is none."""

    table: DataTable
    partition: str
    block: Block

    @property
    def rows(self) -> int:
        return len(next(iter(self.block.values())))


class Reader:
    """Reads what belongs to a selection of videos, on one connection.

    Rows are kept apart by the first characters of their time, `unit` of them: 7 are a month, 10 a
    day, 0 none. Documents that are to be text are spelled alike, whatever their database made of
    them.
    """

    def __init__(
        self,
        connection: Connection,
        drawn: Drawn,
        *,
        unit: int = 0,
        as_text: Collection[Kind] = (Kind.JSON,),
    ) -> None:
        self._connection = connection
        self._statements = statements_for(connection.dialect)
        self._drawn = drawn
        self._unit = unit
        self._respelled = as_text if self._statements.rewrites_json else ()

    def videos(
        self, tables: Collection[DataTable], *, only: Collection[str] | None = None
    ) -> Iterator[Part]:
        """Read videos and what is read beside them, as far as these tables are wanted.

        With `only`, those of some months or days.
        """
        videos = next((table for table in tables if table.name == VIDEOS.name), None)
        beside = [table for table in tables if table.beside_video]
        is_whole = not self._drawn.conditions and only is None
        after = -1
        for block in self._video_blocks(_source(videos, beside), only):
            ids = block["id"]
            partitions = self._partitions(block["create_time"])
            if videos:
                yield from _split(videos, block, partitions)
            partition_of = _Partitions(ids, partitions)
            for table in beside:
                rows = (
                    _links(table, block)
                    if table.lists
                    else self._beside(TABLES[table.name], ids, after if is_whole else None)
                )
                yield from _split(table, rows, partition_of.all(rows["video_id"]))
            after = ids[-1]

    def rows(self, table: DataTable, *, only: Collection[str] | None = None) -> Iterator[Part]:
        """Read the rows of another table, or those of some months or days."""
        whole = TABLES[table.name]
        statement = self._select(whole).where(*self._drawn.of(whole))
        if only is not None:
            statement = statement.where(_during(whole, only))
        for block in self._blocks(whole, statement.order_by(*whole.order)):
            times = block[whole.dated_by] if whole.dated_by else ()
            yield from _split(table, block, self._partitions(times))

    def count(self, table: DataTable) -> int:
        """Count the rows of a table that has a table of the database's own."""
        whole = TABLES[table.name]
        statement = select(func.count()).select_from(whole.order[0].table)
        return self._connection.scalar(statement.where(*self._drawn.of(whole))) or 0

    def _video_blocks(self, source: DataTable, only: Collection[str] | None) -> Iterator[Block]:
        statement = self._select(source).where(*self._drawn.conditions).order_by(VIDEO.id)
        if only is None:
            yield from self._blocks(source, statement)
            return
        if not self._drawn.conditions:
            statement = statement.with_hint(Video, BY_CREATE_TIME, "sqlite")
        for partition in sorted(only):
            of_partition = statement.where(_in_partition(VIDEO.create_time, partition))
            yield from self._blocks(source, of_partition)

    def _beside(self, table: DataTable, ids: list[int], after: int | None) -> Block:
        """Read what belongs to these videos: with `after`, to all up to the last of them."""
        video_id, _ = table.belongs_by  # type: ignore[misc]
        if after is None:
            belongs = self._statements.among(video_id, ids)
        else:
            belongs = (video_id > after) & (video_id <= ids[-1])
        statement = self._select(table).where(belongs).order_by(*table.order)
        return _of_videos(_joined(table, self._blocks(table, statement)), ids)

    def _select(self, table: DataTable) -> Select[Any]:
        columns = (self._statements.as_text(c.expression) for c in _stored(table))  # type: ignore[arg-type]
        return select(*columns).select_from(table.rows)  # type: ignore[arg-type]

    def _blocks(self, table: DataTable, statement: Select[Any]) -> Iterator[Block]:
        columns = list(_stored(table))
        names = [column.name for column in columns]
        respelled = [column.name for column in columns if column.kind in self._respelled]
        for rows in self._statements.stream(self._connection, statement, ROWS_AT_ONCE):
            block = dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))
            yield block | {name: list(map(documents.respelled, block[name])) for name in respelled}

    def _partitions(self, times: Sequence[str | None]) -> Sequence[str]:
        """Return the months or days of times: one alone, if all of them are in it."""
        if not self._unit or not times:
            return (UNDATED,)
        keys = [time[: self._unit] if time else UNDATED for time in times]
        return keys if len(set(keys)) > 1 else keys[:1]


class _Partitions:
    """The months or days of some videos."""

    def __init__(self, ids: Sequence[int], partitions: Sequence[str]) -> None:
        self._of = dict(zip(ids, partitions, strict=True)) if len(partitions) > 1 else {}
        self._only = partitions[:1]

    def all(self, ids: Sequence[int]) -> Sequence[str]:
        """Return those of videos, one alone if all of them are in it."""
        return [self._of[id_] for id_ in ids] if self._of else self._only


def _split(table: DataTable, block: Block, partitions: Sequence[str]) -> Iterator[Part]:
    """Keep rows of different months or days apart, and what is wanted of them."""
    made = {name: make for name, make in MADE.get(table.name, {}).items() if name in table.by_name}
    block |= {name: list(make(block)) for name, make in made.items()}
    block = {name: block[name] for name in table.by_name if name in block}
    if not table.is_dated:
        yield Part(table, UNDATED, block)
    elif len(partitions) == 1:
        yield Part(table, partitions[0], block)
    else:
        for partition in dict.fromkeys(partitions):
            mask = [key == partition for key in partitions]
            yield Part(table, partition, {c: list(compress(v, mask)) for c, v in block.items()})


def _source(videos: DataTable | None, beside: Sequence[DataTable]) -> DataTable:
    """Return `video` with the columns that are needed of it."""
    needed = {"id", "create_time", *(table.lists for table in beside)}
    if videos:
        needed |= {"username", *videos.by_name}
    return VIDEOS.with_columns(tuple(c for c in VIDEOS.columns if c.name in needed))


def _joined(table: DataTable, blocks: Iterable[Block]) -> Block:
    joined: Block = {column.name: [] for column in table.columns}
    for block in blocks:
        for name, values in block.items():
            joined[name] += values
    return joined


def _of_videos(block: Block, ids: list[int]) -> Block:
    """Leave out the rows of videos that somebody has removed by hand."""
    known = set(ids)
    if known.issuperset(block["video_id"]):
        return block
    mask = [video_id in known for video_id in block["video_id"]]
    return {name: list(compress(values, mask)) for name, values in block.items()}


def _stored(table: DataTable) -> Iterator[Column]:
    return (column for column in table.columns if column.expression is not None)


def _video_urls(block: Block) -> Iterator[str | None]:
    for profile, id_ in zip(_profile_urls(block), block["id"], strict=True):
        yield profile and f"{profile}/video/{id_}"


def _profile_urls(block: Block) -> Iterator[str | None]:
    return (f"{SITE}/@{username}" if username else None for username in block["username"])


MADE = {
    "video": {URL.name: _video_urls, AUTHOR_URL.name: _profile_urls},
    "user_info": {PROFILE_URL.name: _profile_urls},
}
"""Columns that are made of others, by table."""


def _links(table: DataTable, block: Block) -> Block:
    """Return a row for each text of a list that videos have."""
    name = TABLES[table.name].columns[1].name
    lists = list(map(_texts, orjson.loads(documents.as_list(block[table.lists]))))
    ids = map(repeat, block["id"], map(len, lists))
    return {
        "video_id": list(chain.from_iterable(ids)),
        name: list(chain.from_iterable(lists)),
    }


def _texts(value: Any) -> Collection[str]:
    """Return the texts of a list, each once; whatever else the API delivered is in the document."""
    items = value if isinstance(value, list) else ()
    if set(map(type, items)) != {str}:
        items = [item for item in items if isinstance(item, str)]
    return dict.fromkeys(items)


def _during(table: DataTable, partitions: Collection[str]) -> ColumnElement[bool]:
    """Return the condition that a row is of one of these months or days."""
    time = table.column(str(table.dated_by)).expression
    condition = or_(false(), *(_in_partition(time, partition) for partition in partitions))
    if table is SOURCES:
        # Pages are few, and their links in the order of their ids.
        return SOURCES.order[0].in_(select(Crawl.id).where(condition))
    return condition


def _in_partition(time: Any, partition: str) -> ColumnElement[bool]:
    if partition == UNDATED:
        return time.is_(None)  # type: ignore[no-any-return]
    begin, end = _bounds(partition)
    return (time >= begin) & (time < end)  # type: ignore[no-any-return]


def _bounds(partition: str) -> tuple[datetime, datetime]:
    """Return when a month or a day begins, and the next one."""
    is_month = len(partition) == len("2024-01")
    begin = datetime.fromisoformat(f"{partition}-01" if is_month else partition)
    begin = begin.replace(tzinfo=UTC)
    days = monthrange(begin.year, begin.month)[1] if is_month else 1
    return begin, begin + timedelta(days=days)
