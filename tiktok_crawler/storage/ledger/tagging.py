"""Gives the tags of a run to what other runs of its query store, without a request."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import literal, or_, select

from tiktok_crawler.date_range import DateRange, contiguous
from tiktok_crawler.storage.models.ledger import (
    CRAWLS_TO_QUERY_TAGS,
    VIDEOS_TO_CRAWLS,
    VIDEOS_TO_QUERY_TAGS,
    CollectionRow,
    Crawl,
    CrawlWindow,
    QueryTag,
)
from tiktok_crawler.storage.models.records import Video
from tiktok_crawler.storage.records.names import NameIds

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from sqlalchemy import ColumnElement, Connection, Select, Table

    from tiktok_crawler.storage.engine.statements import Statements


MARGIN = timedelta(hours=1)
"""What was stored so shortly before a run, by the clock of perhaps another machine, may have come
after it."""


@dataclass(frozen=True, slots=True)
class Tagging:
    """Tags the pages and videos of one query, inside a transaction.

    Windows in which an earlier run has tagged everything are left alone: what this costs depends on
    what was stored since, not on how large the database is.
    """

    connection: Connection
    statements: Statements
    query_id: int

    def tag(self, days: DateRange, tags: set[str]) -> None:
        """Tag the pages of windows that overlap the days, and their videos of these days."""
        windows = self._untagged_windows(days, tags)
        if tags and windows:
            in_windows = self.statements.among(Crawl.__table__.c.crawl_window_id, windows)
            self._tag(in_windows, {tag: [days] for tag in tags})

    def tag_page(self, crawl_id: int, days: DateRange) -> None:
        """Tag a page of a window with these days, and its videos, as all runs of them want it."""
        self._tag(Crawl.id == crawl_id, self._wanted(days))

    def _wanted(self, days: DateRange) -> dict[str, list[DateRange]]:
        """Read which of the days runs have wanted, by their tags."""
        runs = select(CollectionRow.start_date, CollectionRow.end_date, CollectionRow.tags).where(
            CollectionRow.query_id == self.query_id,
            CollectionRow.start_date <= days.end,
            CollectionRow.end_date >= days.start,
        )
        wanted: dict[str, set[date]] = defaultdict(set)
        for start, end, tags in self.connection.execute(runs):
            for tag in tags:
                wanted[tag].update(day for day in days if start <= day <= end)
        return {tag: contiguous(found) for tag, found in wanted.items()}

    def _tag(
        self, are_meant: ColumnElement[bool], wanted: Mapping[str, Sequence[DateRange]]
    ) -> None:
        """Tag some pages, and their videos of the days that are wanted with each tag."""
        names = NameIds(self.statements, QueryTag.__table__.c.name)
        ids = names.resolve(self.connection, set(wanted))
        for tag_id, tag in sorted((id_, tag) for tag, id_ in ids.items()):
            self._add(CRAWLS_TO_QUERY_TAGS, _crawls(tag_id, are_meant))
            self._add(VIDEOS_TO_QUERY_TAGS, _videos(tag_id, are_meant, wanted[tag]))

    def _untagged_windows(self, days: DateRange, tags: set[str]) -> list[int]:
        """The windows with pages on these days that no run with these tags has seen as a whole."""
        wish = CollectionRow
        found = self.connection.execute(
            select(wish.start_date, wish.end_date, wish.last_run_at, wish.tags)
            .where(wish.query_id == self.query_id)
            .order_by(wish.last_run_at.desc())
        )
        runs = [(DateRange(*row[:2]), row.last_run_at) for row in found if tags <= set(row.tags)]
        window = CrawlWindow
        windows = select(window.id, window.start_date, window.end_date, window.last_page_at).where(
            window.query_id == self.query_id,
            window.start_date <= days.end,
            window.end_date >= days.start,
            window.last_page_at.is_not(None),
        )
        return [
            id_
            for id_, start, end, last_page_at in self.connection.execute(windows)
            if not any(
                seen.start <= start and end <= seen.end and last_page_at <= at - MARGIN
                for seen, at in runs
            )
        ]

    def _add(self, table: Table, rows: Select[int, int]) -> None:
        insert = self.statements.insert_into(table).from_select(table.columns.keys(), rows)
        self.connection.execute(insert.on_conflict_do_nothing())


def _crawls(tag_id: int, are_meant: ColumnElement[bool]) -> Select[int, int]:
    return select(Crawl.id, literal(tag_id)).where(are_meant).order_by(Crawl.id)


def _videos(
    tag_id: int, are_meant: ColumnElement[bool], days: Sequence[DateRange]
) -> Select[int, int]:
    is_on_days = or_(Video.create_time.is_(None), *map(Video.is_published_on, days))
    return (
        select(literal(tag_id), Video.id)
        .join(VIDEOS_TO_CRAWLS, VIDEOS_TO_CRAWLS.c.video_id == Video.id)
        .join(Crawl, Crawl.id == VIDEOS_TO_CRAWLS.c.crawl_id)
        .where(are_meant, is_on_days)
        .distinct()
        .order_by(Video.id)
    )
