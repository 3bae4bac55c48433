"""Finds out what of an earlier export is still true, by the pages that were stored since.

Whatever changes a video comes with a page that has it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from tiktok_crawler.dataset.reading import UNDATED
from tiktok_crawler.dataset.tables import SOURCES, VIDEO
from tiktok_crawler.storage.engine.statements import statements_for
from tiktok_crawler.storage.models.ledger import VIDEOS_TO_CRAWLS, Crawl, DatabaseOrigin
from tiktok_crawler.storage.models.records import Comment, VideoRevision

if TYPE_CHECKING:
    from sqlalchemy import Connection, Select

    from tiktok_crawler.dataset.tables import DataTable

CREATE_TIME = '"create_time"'


@dataclass(frozen=True, slots=True)
class Basis:
    """What an export was made of: a database, up to its last page, by some options."""

    database: str
    options: str
    last_page: int
    pages: int

    @classmethod
    def of(cls, connection: Connection, options: str) -> Basis:
        last, pages = connection.execute(select(func.max(Crawl.id), func.count())).one()
        origin, made = connection.execute(
            select(DatabaseOrigin.origin, DatabaseOrigin.created_at)
        ).one()
        return cls(f"{origin}, {made.isoformat()}", options, last or 0, pages)

    def is_followed_by(self, later: Basis, connection: Connection) -> bool:
        """Tell whether nothing but pages was added since: none was stored late, or removed."""
        up_to = select(func.count()).where(Crawl.id <= self.last_page)
        return (self.database, self.options) == (
            later.database,
            later.options,
        ) and self.pages == connection.scalar(up_to)


@dataclass(frozen=True, slots=True)
class Changes:
    """The months or days that have changed since an export, by table."""

    videos: frozenset[str]
    comments: frozenset[str]
    sources: frozenset[str]

    def of(self, table: DataTable) -> frozenset[str]:
        if table.name == SOURCES.name:
            return self.sources
        return self.videos if table.name == "video" or table.beside_video else self.comments


def changes_since(connection: Connection, last_page: int, unit: int) -> Changes:
    """Find the months or days with something new or other than up to a page."""
    pages = VIDEOS_TO_CRAWLS.c
    seen = select(pages.video_id).where(pages.crawl_id > last_page)
    videos = select(VIDEO.create_time).where(VIDEO.id.in_(seen))
    # A video that has got another time has left its month, too.
    moved = (
        select(VideoRevision.old_value)
        .where(VideoRevision.crawl_id > last_page, VideoRevision.field == "create_time")
        .distinct()
    )
    comments = select(Comment.create_time).where(Comment.crawl_id > last_page)
    received = select(Crawl.received_at).where(Crawl.id > last_page)
    left = {str(value)[:unit] for value in connection.scalars(moved)}
    return Changes(
        videos=_parts(connection, videos, unit) | left,
        comments=_parts(connection, comments, unit),
        sources=_parts(connection, received, unit),
    )


def _parts(connection: Connection, times: Select[Any], unit: int) -> frozenset[str]:
    """Return the months or days of some times."""
    (time,) = times.selected_columns
    as_text = statements_for(connection.dialect).as_text(time)
    start = func.substr(as_text, 1, unit)
    found = connection.scalars(times.with_only_columns(start).distinct())
    return frozenset(part or UNDATED for part in found)
