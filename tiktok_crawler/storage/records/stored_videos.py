"""Reads and writes videos with their links: the rows of `video`, and of the tables of pairs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from tiktok_crawler.storage.models.column_types import dump_json, time_text
from tiktok_crawler.storage.models.records import VIDEOS_TO_EFFECT_IDS, VIDEOS_TO_HASHTAGS, Video
from tiktok_crawler.storage.records.video_changes import (
    COUNTERS,
    DOCUMENTS,
    LINKS,
    VALUES,
    VideoState,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from sqlalchemy import ColumnElement, Connection, Select, Table

    from tiktok_crawler.storage.engine.statements import Statements, Values
    from tiktok_crawler.storage.records.shape import Record
    from tiktok_crawler.storage.records.video_changes import Change

    Ids = Mapping[str, Mapping[str, int]]

VIDEO = Video.__table__
TABLE_COLUMNS = tuple(VIDEO.columns)
COLUMNS = tuple(
    VIDEO.c[name]
    for name in (
        *("id", "crawled_at", "crawled_updated_at", "extra_data"),
        *(*COUNTERS, *VALUES, *DOCUMENTS),
    )
)
"""The columns in the order of a state's values."""

EXTRA_DATA = COLUMNS.index(VIDEO.c.extra_data)
FIRST_COUNTER = COLUMNS.index(VIDEO.c[COUNTERS[0]])
FIRST_VALUE = COLUMNS.index(VIDEO.c[VALUES[0]])
FIRST_DOCUMENT = COLUMNS.index(VIDEO.c[DOCUMENTS[0]])

in_table_order = itemgetter(*(COLUMNS.index(column) for column in VIDEO.columns))

LINK_TABLES = dict(zip(LINKS, (VIDEOS_TO_HASHTAGS, VIDEOS_TO_EFFECT_IDS), strict=True))


def seen_state(video: Record, received_at: str, ids: Ids) -> VideoState:
    """A video as a page has it, with the ids of its names."""
    values = video.values
    if "create_time" in values:
        values = values | {"create_time": time_text(values["create_time"], "seconds")}
    documents = map(values.get, DOCUMENTS)
    return VideoState(
        video.id,
        received_at,
        None,
        dump_json(video.extra_data) if video.extra_data else None,
        tuple(map(values.get, COUNTERS)),
        tuple(map(values.get, VALUES)),
        tuple([None if document is None else dump_json(document) for document in documents]),
        tuple([_ids(video.names.get(key), ids[key]) for key in LINKS]),
    )


def _ids(names: Iterable[str] | None, ids: Mapping[str, int]) -> tuple[int, ...] | None:
    return None if names is None else tuple(sorted([ids[name] for name in names]))


@dataclass(frozen=True, slots=True)
class StoredVideos:
    """The videos of a database, inside a transaction."""

    connection: Connection
    statements: Statements

    def read(self, ids: Iterable[int]) -> dict[int, VideoState]:
        """The videos with these ids, as far as they are there."""
        found = self.statements.read(self.connection, _states, tuple(ids)).all()
        return {row[0]: self._state(tuple(row)) for row in found}

    def read_again(
        self, states: Sequence[VideoState], stored: Mapping[int, VideoState]
    ) -> Mapping[int, VideoState]:
        """These videos as they are now, and as nobody else changes them until the end."""
        if not states or not self.statements.has_many_writers:
            return stored
        ids = [state.id for state in states]
        self.statements.read(self.connection, _locks, tuple(ids))
        return self.read(ids)

    def insert(self, states: Sequence[VideoState]) -> Collection[int]:
        """Insert videos that were not there a moment ago, in the order of their ids.

        Returns:
            The ids of those that nobody else has inserted since.
        """
        return self.statements.insert_new(self.connection, TABLE_COLUMNS, [_row(s) for s in states])

    def replace(self, states: Sequence[VideoState]) -> None:
        """Replace videos that are locked, in the order of their ids."""
        self.statements.upsert(self.connection, TABLE_COLUMNS, [_row(state) for state in states])

    def link(self, changes: Sequence[Change]) -> None:
        """Make the links what they have become, in the order of ids."""
        for place, key in enumerate(LINKS):
            columns = tuple(LINK_TABLES[key].columns)
            added, removed = [], []
            for change in changes:
                before, after = change.links(place)
                if before != after:
                    added += _pairs(change.id, after, before)
                    removed += _pairs(change.id, before, after)
            self.statements.insert(self.connection, columns, added)
            self.statements.remove(self.connection, columns, removed)

    def _state(self, row: tuple[Any, ...]) -> VideoState:
        documents = row[FIRST_DOCUMENT : len(COLUMNS)]
        extra_data = row[EXTRA_DATA]
        if self.statements.rewrites_json:
            documents, extra_data = tuple(map(canonical, documents)), canonical(extra_data)
        id_, crawled_at, crawled_updated_at = row[:EXTRA_DATA]
        return VideoState(
            id_,
            crawled_at,
            crawled_updated_at,
            extra_data,
            row[FIRST_COUNTER:FIRST_VALUE],
            row[FIRST_VALUE:FIRST_DOCUMENT],
            documents,
            tuple([_split(ids) for ids in row[len(COLUMNS) :]]),
        )


def _pairs(video_id: int, ids: Sequence[int], others: Sequence[int]) -> list[Values]:
    """A video with each of the sorted ids that is not among the others."""
    if others:
        ids = sorted(set(ids).difference(others))
    return [(video_id, id_) for id_ in ids]


def _row(state: VideoState) -> Values:
    """A state as a row of the table."""
    parts = (*state[:FIRST_COUNTER], *state.counters, *state.values, *state.documents)
    row: Values = in_table_order(parts)
    return row


@lru_cache(maxsize=1024)
def canonical(text: str | None) -> str | None:
    """JSON as PostgreSQL writes it, in our way. Labels and the like are the same ones mostly."""
    return None if text is None else dump_json(json.loads(text))


def _split(ids: str | None) -> tuple[int, ...]:
    return tuple(map(int, ids.split(","))) if ids else ()


def _states(statements: Statements) -> Select[*tuple[Any, ...]]:
    """The values of videos, and the ids of their links as text such as `7,12`."""
    links = (_linked_ids(statements, table) for table in LINK_TABLES.values())
    columns = map(statements.as_text, COLUMNS)
    return select(*columns, *links).where(statements.listed(VIDEO.c.id))


def _linked_ids(statements: Statements, table: Table) -> ColumnElement[str | None]:
    video_id, linked_id = table.columns
    linked = select(linked_id).where(video_id == VIDEO.c.id).order_by(linked_id).correlate(VIDEO)
    return select(statements.joined(linked.subquery().c[0])).scalar_subquery()


def _locks(statements: Statements) -> Select[int]:
    locked = select(VIDEO.c.id).where(statements.listed(VIDEO.c.id)).order_by(VIDEO.c.id)
    return locked.with_for_update(key_share=True)
