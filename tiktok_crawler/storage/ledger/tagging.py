"""Gives the tags of a run to what earlier runs of its query stored, without a request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import exists, literal, or_, select

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
    from sqlalchemy import ColumnElement, Connection, Select, Table

    from tiktok_crawler.date_range import DateRange
    from tiktok_crawler.storage.engine.statements import Statements


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
        if not tags or not windows:
            return
        names = NameIds(self.statements, QueryTag.__table__.c.name)
        in_windows = self.statements.among(Crawl.__table__.c.crawl_window_id, windows)
        for tag_id in sorted(names.resolve(self.connection, tags).values()):
            self._add(CRAWLS_TO_QUERY_TAGS, _crawls(tag_id, in_windows))
            self._add(VIDEOS_TO_QUERY_TAGS, _videos(tag_id, in_windows, days))

    def _untagged_windows(self, days: DateRange, tags: set[str]) -> list[int]:
        """The windows with pages on these days that no run with these tags has seen as a whole."""
        runs = select(CollectionRow.id, CollectionRow.tags).where(
            CollectionRow.query_id == self.query_id
        )
        alike = [id_ for id_, given in self.connection.execute(runs) if tags <= set(given)]
        seen = exists().where(
            self.statements.among(CollectionRow.__table__.c.id, alike),
            CollectionRow.start_date <= CrawlWindow.start_date,
            CollectionRow.end_date >= CrawlWindow.end_date,
            CollectionRow.last_run_at >= CrawlWindow.last_page_at,
        )
        windows = select(CrawlWindow.id).where(
            CrawlWindow.query_id == self.query_id,
            CrawlWindow.start_date <= days.end,
            CrawlWindow.end_date >= days.start,
            CrawlWindow.last_page_at.is_not(None),
            ~seen,
        )
        return list(self.connection.scalars(windows))

    def _add(self, table: Table, rows: Select[int, int]) -> None:
        insert = self.statements.insert_into(table).from_select(table.columns.keys(), rows)
        self.connection.execute(insert.on_conflict_do_nothing())


def _crawls(tag_id: int, in_windows: ColumnElement[bool]) -> Select[int, int]:
    return select(Crawl.id, literal(tag_id)).where(in_windows).order_by(Crawl.id)


def _videos(tag_id: int, in_windows: ColumnElement[bool], days: DateRange) -> Select[int, int]:
    is_on_days = or_(Video.is_published_on(days), Video.create_time.is_(None))
    return (
        select(literal(tag_id), Video.id)
        .join(VIDEOS_TO_CRAWLS, VIDEOS_TO_CRAWLS.c.video_id == Video.id)
        .join(Crawl, Crawl.id == VIDEOS_TO_CRAWLS.c.crawl_id)
        .where(in_windows, is_on_days)
        .distinct()
        .order_by(Video.id)
    )
