"""Writes what became of videos: their counters over time, and values that were replaced."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from tiktok_crawler.storage.changes import (
    COUNTERS,
    LINKS,
    Reading,
    replaced_values,
    with_reading,
)
from tiktok_crawler.storage.column_types import dump_json
from tiktok_crawler.storage.models import Effect, Hashtag, VideoRevision, VideoStatistics

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from sqlalchemy import Connection, Select

    from tiktok_crawler.storage.changes import Change
    from tiktok_crawler.storage.statements import Statements, Values

STATISTICS = VideoStatistics.__table__
READING_COLUMNS = tuple(
    STATISTICS.c[name] for name in ("video_id", "observed_at", "crawl_id", *COUNTERS)
)
READING_KEY = READING_COLUMNS[:2]

REVISION_COLUMNS = tuple(
    VideoRevision.__table__.c[name]
    for name in ("video_id", "field", "old_value", "until", "crawl_id")
)

NAME_COLUMNS = (Hashtag.__table__.c.name, Effect.__table__.c.effect_id)
"""In the order of `LINKS`."""


@dataclass(frozen=True, slots=True)
class History:
    """The history of the videos that a page changed, which are locked, inside a transaction."""

    connection: Connection
    statements: Statements

    def write(self, changes: Sequence[Change], crawl_id: int) -> None:
        """Write what the page of a crawl changed; changes come in the order of the videos' ids."""
        late = [change for change in changes if change.is_late and change.has_counters]
        rows = [
            _reading_row(change.id, Reading(change.seen.crawled_at, crawl_id, counters))
            for change in changes
            if (counters := change.new_counters)
        ]
        if late:
            rows = sorted(rows + self._insert_late(late, crawl_id), key=lambda row: row[:2])
        self.statements.put(self.connection, READING_COLUMNS, rows)
        # What a late page says has replaced nothing.
        updates = [change for change in changes if change.is_update and not change.is_late]
        revisions = [(*row, crawl_id) for row in self._revisions(updates)]
        self.statements.add(self.connection, REVISION_COLUMNS, revisions)

    def unlinked_since(self, time: datetime, ids: Iterable[int]) -> set[tuple[int, str]]:
        """The videos that lost links after some time, and which: a late page must not add them."""
        revision = VideoRevision
        lost = select(revision.video_id, revision.field).where(
            self.statements.among(VideoRevision.__table__.c.video_id, tuple(ids)),
            revision.field.in_(LINKS),
            revision.until > time,
        )
        return {(id_, field) for id_, field in self.connection.execute(lost)}

    def _insert_late(self, late: Sequence[Change], crawl_id: int) -> list[Values]:
        """Find late readings their place, and remove those that they make needless.

        Returns:
            The rows to write.
        """
        stored = self._readings([change.id for change in late])
        written: list[Values] = []
        needless: list[Values] = []
        for change in late:
            before = stored[change.id]
            reading = Reading(change.seen.crawled_at, crawl_id, change.seen.counters)
            after = with_reading(before, reading)
            times = {reading.observed_at for reading in after}
            written += [_reading_row(change.id, reading) for reading in after]
            needless += [
                (change.id, old.observed_at) for old in before if old.observed_at not in times
            ]
        self.statements.remove(self.connection, READING_KEY, needless)
        return written

    def _readings(self, ids: Sequence[int]) -> dict[int, list[Reading]]:
        readings: dict[int, list[Reading]] = defaultdict(list)
        rows = self.statements.read(self.connection, _stored_readings, tuple(ids))
        for id_, observed_at, crawl_id, *counters in rows:
            readings[id_].append(Reading(observed_at, crawl_id, tuple(counters)))
        return readings

    def _revisions(self, updates: Sequence[Change]) -> Iterator[Values]:
        """What updates replaced: video, field, old value, until when."""
        for change in updates:
            assert change.before
            for field, old in replaced_values(change.before, change.after):
                yield change.id, field, old, change.seen.crawled_at
        for place, field in enumerate(LINKS):
            replaced = [
                (change, before)
                for change in updates
                for before, after in (change.links(place),)
                if before and before != after
            ]
            names = self._names(place, {id_ for _, before in replaced for id_ in before})
            for change, before in replaced:
                old_names = sorted(names[id_] for id_ in before)
                yield change.id, field, dump_json(old_names), change.seen.crawled_at

    def _names(self, place: int, ids: set[int]) -> dict[int, str]:
        if not ids:
            return {}
        column = NAME_COLUMNS[place]
        key = column.table.c.id
        rows = self.connection.execute(
            select(key, column).where(self.statements.among(key, tuple(ids)))
        )
        return {id_: name for id_, name in rows}  # noqa: C416 - dict() of Rows


def _reading_row(video_id: int, reading: Reading) -> Values:
    return (video_id, reading.observed_at, reading.crawl_id, *reading.counters)


def _stored_readings(statements: Statements) -> Select[*tuple[Any, ...]]:
    columns = map(statements.as_text, READING_COLUMNS)
    return select(*columns).where(statements.listed(STATISTICS.c.video_id))
