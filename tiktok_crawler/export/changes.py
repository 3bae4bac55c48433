"""Finds out what of an earlier export is still true, by the pages that were stored since.

Whatever changes a video comes with a page that has it, but for tags, which are counted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, or_, select

from tiktok_crawler.dataset.reading import UNDATED
from tiktok_crawler.dataset.tables import SOURCES, VIDEO, VIDEOS
from tiktok_crawler.research_api.endpoints import COMMENTS, REPLIES
from tiktok_crawler.storage.engine.statements import statements_for
from tiktok_crawler.storage.ledger.removals import read_removals
from tiktok_crawler.storage.models.ledger import VIDEOS_TO_CRAWLS, Crawl, DatabaseOrigin, SeedRow
from tiktok_crawler.storage.models.records import Comment, VideoRevision

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sqlalchemy import Connection, Select

    from tiktok_crawler.dataset.tables import DataTable


@dataclass(frozen=True, slots=True)
class Basis:
    """What an export was made of: a database up to its last page, by some options and version.

    A copy of a database is the same one as long as it has the same last page. When something was
    deleted since, `removals` is another one.
    """

    database: str
    options: str
    version: str
    last_page: int
    received_at: str
    pages: int
    removals: str

    @classmethod
    def of(cls, connection: Connection, options: str, version: str) -> Basis:
        last, pages = connection.execute(select(func.max(Crawl.id), func.count())).one()
        origin, made = connection.execute(
            select(DatabaseOrigin.origin, DatabaseOrigin.created_at)
        ).one()
        return cls(
            f"{origin}, {made.isoformat()}",
            options,
            version,
            last or 0,
            _received_at(connection, last),
            pages,
            read_removals(connection).mark,
        )

    def is_followed_by(self, later: Basis, connection: Connection) -> bool:
        """Tell whether nothing but pages was added since: none was stored late, or removed."""
        up_to = select(func.count()).where(Crawl.id <= self.last_page)
        return (
            (self.database, self.options, self.version, self.removals)
            == (later.database, later.options, later.version, later.removals)
            and self.received_at == _received_at(connection, self.last_page)
            and self.pages == connection.scalar(up_to)
        )


def _received_at(connection: Connection, page: int | None) -> str:
    found = connection.scalar(select(Crawl.received_at).where(Crawl.id == page))
    return found.isoformat() if found else ""


@dataclass(frozen=True, slots=True)
class Changes:
    """The months or days that have changed since an export: of videos, and of other tables."""

    parts: Mapping[str, frozenset[str]]

    def of(self, table: DataTable) -> frozenset[str]:
        return self.parts[_read_with(table)]

    def also(self, others: Iterable[tuple[DataTable, str]]) -> Changes:
        """Return these and other months or days of tables."""
        parts = dict(self.parts)
        for table, part in others:
            parts[_read_with(table)] |= {part}
        return Changes(parts)


def is_with_video(table: DataTable) -> bool:
    """Tell whether the rows of a table are read with their video."""
    return table.name == VIDEOS.name or table.beside_video


def _read_with(table: DataTable) -> str:
    return VIDEOS.name if is_with_video(table) else table.name


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
    received = select(Crawl.received_at).where(Crawl.id > last_page)
    left = {str(value)[:unit] for value in connection.scalars(moved)}
    return Changes(
        {
            VIDEOS.name: _with_undated(_parts(connection, videos, unit) | left),
            Comment.__tablename__: _with_undated(_comments(connection, last_page, unit)),
            SOURCES.name: _parts(connection, received, unit),
        }
    )


def _comments(connection: Connection, last_page: int, unit: int) -> frozenset[str]:
    """Find when comments were written that are new, or may have changed.

    A page that was received before others, and stored after them, as one of an import mostly is,
    fills gaps of comments, which stay those of the later page: so any may have changed.
    """
    earlier = select(func.max(Crawl.received_at)).where(Crawl.id <= last_page).scalar_subquery()
    has_comments = SeedRow.listing.in_((COMMENTS.name, REPLIES.name))
    late = (
        select(Crawl.id)
        .outerjoin(SeedRow, Crawl.seed_id == SeedRow.id)
        .where(Crawl.id > last_page, Crawl.received_at < earlier)
        .where(or_(has_comments, Crawl.import_id.is_not(None)))
        .limit(1)
    )
    comments = select(Comment.create_time)
    if connection.scalar(late) is None:
        comments = comments.where(Comment.crawl_id > last_page)
    return _parts(connection, comments, unit)


def _with_undated(parts: frozenset[str]) -> frozenset[str]:
    """What has changed may have had no time before."""
    return parts | {UNDATED} if parts else parts


def _parts(connection: Connection, times: Select[Any], unit: int) -> frozenset[str]:
    """Return the months or days of some times."""
    (time,) = times.selected_columns
    as_text = statements_for(connection.dialect).as_text(time)
    start = func.substr(as_text, 1, unit)
    found = connection.scalars(times.with_only_columns(start).distinct())
    return frozenset(part or UNDATED for part in found)
