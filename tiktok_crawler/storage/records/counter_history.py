"""Writes the counters of videos over time: the rows of `video_statistics`."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from tiktok_crawler.storage.models.ledger import VIDEOS_TO_CRAWLS, Crawl
from tiktok_crawler.storage.models.records import VideoStatistics
from tiktok_crawler.storage.records.video_changes import COUNTERS, Reading, with_reading

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection, Select

    from tiktok_crawler.storage.engine.statements import Statements, Values
    from tiktok_crawler.storage.records.video_changes import Change

    Series = list[Reading]

STATISTICS = VideoStatistics.__table__
COLUMNS = tuple(STATISTICS.c[name] for name in ("video_id", "observed_at", "crawl_id", *COUNTERS))
KEY = COLUMNS[:2]


@dataclass(frozen=True, slots=True)
class CounterHistory:
    """The readings of videos that are locked, inside a transaction."""

    connection: Connection
    statements: Statements

    def write(self, changes: Sequence[Change], crawl_id: int) -> None:
        """Write what the page of a crawl changed; changes come in the order of the videos' ids.

        As a rule that is a video's last reading; a late one goes to its place among the others.
        """
        rows = [
            (change.id, change.seen.crawled_at, crawl_id, *counters)
            for change in changes
            if (counters := change.new_counters)
        ]
        late = [change for change in changes if change.is_late and change.has_counters]
        if late:
            rows = sorted(rows + self._rearranged(late, crawl_id), key=lambda row: row[:2])
        self.statements.upsert(self.connection, COLUMNS, rows)

    def _rearranged(self, late: Sequence[Change], crawl_id: int) -> list[Values]:
        """All rows of videos that a late page has counters of; needless ones are removed."""
        stored = self._stored([change.id for change in late])
        series = {
            change.id: with_reading(
                stored[change.id], Reading(change.seen.crawled_at, crawl_id, change.seen.counters)
            )
            for change in late
        }
        outdated = [c for c in late if series[c.id][-1].counters != c.after.counters]
        for id_, latest in self._latest(outdated).items():
            series[id_].append(latest)
        kept = {(id_, reading.observed_at) for id_ in series for reading in series[id_]}
        keys = [(id_, reading.observed_at) for id_ in series for reading in stored[id_]]
        self.statements.remove(self.connection, KEY, [key for key in keys if key not in kept])
        return [(id_, *reading[:2], *reading.counters) for id_ in series for reading in series[id_]]

    def _stored(self, ids: Sequence[int]) -> dict[int, Series]:
        series: dict[int, Series] = defaultdict(list)
        found = self.statements.read(self.connection, _rows_of, tuple(ids))
        for id_, observed_at, crawl_id, *counters in found:
            series[id_].append(Reading(observed_at, crawl_id, tuple(counters)))
        return series

    def _latest(self, changes: Sequence[Change]) -> dict[int, Reading]:
        """The counters of videos as they were known when something else last changed.

        They are the latest, and would be forgotten behind a late reading.
        """
        known = {(c.id, c.before.changed_at): c.after.counters for c in changes if c.before}
        ids, times = {id_ for id_, _ in known}, {time for _, time in known}
        video_id, started_at = VIDEOS_TO_CRAWLS.c.video_id, Crawl.__table__.c.crawl_started_at
        brought = (
            select(video_id, self.statements.as_text(started_at), Crawl.id)
            .join(Crawl, Crawl.id == VIDEOS_TO_CRAWLS.c.crawl_id)
            .where(self.statements.among(video_id, ids), self.statements.among(started_at, times))
            .order_by(Crawl.id)
        )
        found = self.connection.execute(brought) if known else ()
        return {
            id_: Reading(time, crawl_id, known[id_, time])
            for id_, time, crawl_id in found
            if (id_, time) in known
        }


def _rows_of(statements: Statements) -> Select[*tuple[Any, ...]]:
    columns = map(statements.as_text, COLUMNS)
    return select(*columns).where(statements.listed(STATISTICS.c.video_id))
