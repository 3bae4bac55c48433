"""Writes what new values of videos replaced: the rows of `video_revision`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from tiktok_crawler.storage.models.column_types import dump_json
from tiktok_crawler.storage.models.records import VideoRevision
from tiktok_crawler.storage.records.names import NAME_COLUMNS
from tiktok_crawler.storage.records.video_changes import LINKS, replaced_values

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from sqlalchemy import Column, Connection

    from tiktok_crawler.storage.engine.statements import Statements
    from tiktok_crawler.storage.records.video_changes import Change

REVISION = VideoRevision.__table__
COLUMNS = tuple(
    REVISION.c[name] for name in ("video_id", "field", "old_value", "until", "crawl_id")
)


@dataclass(frozen=True, slots=True)
class ValueHistory:
    """The revisions of videos that are locked, inside a transaction."""

    connection: Connection
    statements: Statements

    def write(self, changes: Sequence[Change], crawl_id: int) -> None:
        """Write what the page of a crawl replaced; what a late page says has replaced nothing."""
        updates = [change for change in changes if change.is_update and not change.is_late]
        replaced = [
            (change, field, old)
            for change in updates
            if change.before
            for field, old in replaced_values(change.before, change.after)
        ]
        for place, field in enumerate(LINKS):
            replaced += self._replaced_names(updates, place, field)
        self.statements.insert_missing(
            self.connection,
            COLUMNS,
            [(c.id, field, old, c.seen.crawled_at, crawl_id) for c, field, old in replaced],
        )

    def unlinked_since(self, time: datetime, ids: Iterable[int]) -> set[tuple[int, str]]:
        """Which of the videos lost links after some time: a late page must not give them new ones.

        Returns:
            The ids of the videos with the field.
        """
        lost = select(REVISION.c.video_id, REVISION.c.field).where(
            self.statements.among(REVISION.c.video_id, tuple(ids)),
            REVISION.c.field.in_(LINKS),
            REVISION.c.until > time,
        )
        return {(id_, field) for id_, field in self.connection.execute(lost)}

    def _replaced_names(
        self, updates: Iterable[Change], place: int, field: str
    ) -> Iterator[tuple[Change, str, str]]:
        links = [(change, *change.links(place)) for change in updates]
        replaced = [
            (change, before) for change, before, after in links if before and before != after
        ]
        names = self._names(NAME_COLUMNS[field], {id_ for _, before in replaced for id_ in before})
        for change, before in replaced:
            yield change, field, dump_json(sorted(names[id_] for id_ in before))

    def _names(self, column: Column[str], ids: set[int]) -> dict[int, str]:
        if not ids:
            return {}
        key = column.table.c.id
        found = self.connection.execute(select(key, column).where(self.statements.among(key, ids)))
        return {id_: name for id_, name in found}  # noqa: C416 - dict() of Rows
