"""Writes the counters of records over time: the rows of `video_statistics`."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from tiktok_crawler.storage.models.ledger import Crawl
from tiktok_crawler.storage.records.comparison import Reading, with_reading

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection, Table

    from tiktok_crawler.storage.engine.statements import Statements, Values
    from tiktok_crawler.storage.records.comparison import Change, State
    from tiktok_crawler.storage.records.record_type import RecordType

    Series = list[Reading]


@dataclass(frozen=True, slots=True)
class CounterHistory:
    """The readings of records that are locked, inside a transaction.

    The columns of its table: the record's key, observed_at, crawl_id, and the counters.
    """

    connection: Connection
    statements: Statements
    type: RecordType

    def write(self, changes: Sequence[Change]) -> None:
        """Write what a page changed; changes come in the order of the records' keys.

        As a rule that is a record's last reading; a late one goes to its place among the others.
        """
        table = self.type.counter_history
        if table is None:
            return
        rows = [
            (change.after.key, change.seen.first_at, change.seen.crawl_id, *counters)
            for change in changes
            if (counters := self._new_counters(change))
        ]
        late = [change for change in changes if change.is_late and _has_any(self._of(change.seen))]
        if late:
            rows = sorted(rows + self._rearranged(table, late), key=lambda row: row[:2])
        self.statements.upsert(self.connection, tuple(table.columns), rows)

    def _of(self, state: State | None) -> tuple[int | None, ...]:
        count = len(self.type.counters)
        return state.values[:count] if state else (None,) * count

    def _new_counters(self, change: Change) -> tuple[int | None, ...] | None:
        """All counters from a page on, if it is not late and changes one."""
        counters = self._of(change.after)
        return None if counters == self._of(change.before) or change.is_late else counters

    def _rearranged(self, table: Table, late: Sequence[Change]) -> list[Values]:
        """All rows of records that a late page has counters of; needless ones are removed."""
        stored = self._stored(table, [change.after.key for change in late])
        series = {
            change.after.key: with_reading(stored[change.after.key], self._reading(change.seen))
            for change in late
        }
        outdated = [c for c in late if series[c.after.key][-1].counters != self._of(c.after)]
        for key, latest in self._latest(outdated).items():
            series[key].append(latest)
        kept = {(key, reading.observed_at) for key in series for reading in series[key]}
        keys = [(key, reading.observed_at) for key in series for reading in stored[key]]
        needless = [key for key in keys if key not in kept]
        self.statements.remove(self.connection, tuple(table.columns)[:2], needless)
        return [(key, *reading[:2], *reading.counters) for key in series for reading in series[key]]

    def _reading(self, seen: State) -> Reading:
        return Reading(seen.first_at, seen.crawl_id, self._of(seen))

    def _stored(self, table: Table, keys: Sequence[Any]) -> dict[Any, Series]:
        series: dict[Any, Series] = defaultdict(list)
        key, *_ = table.columns
        columns = map(self.statements.as_text, table.columns)
        rows = select(*columns).where(self.statements.among(key, keys))
        for found, observed_at, crawl_id, *counters in self.connection.execute(rows):
            series[found].append(Reading(observed_at, crawl_id, tuple(counters)))
        return series

    def _latest(self, changes: Sequence[Change]) -> dict[Any, Reading]:
        """The counters of records as they were known when something else last changed.

        They are the latest, and would be forgotten behind a late reading.
        """
        pages = self.type.pages
        if not changes or pages is None:
            return {}
        known = {(c.after.key, c.before.changed_at): self._of(c.after) for c in changes if c.before}
        keys, times = {key for key, _ in known}, {time for _, time in known}
        page_id, key = pages.columns
        at = Crawl.__table__.c.received_at
        brought = (
            select(key, self.statements.as_text(at), Crawl.id)
            .join(Crawl, Crawl.id == page_id)
            .where(self.statements.among(key, keys), self.statements.among(at, times))
            .order_by(Crawl.id)
        )
        return {
            found: Reading(time, crawl_id, known[found, time])
            for found, time, crawl_id in self.connection.execute(brought)
            if (found, time) in known
        }


def _has_any(counters: tuple[int | None, ...]) -> bool:
    return any(counter is not None for counter in counters)
