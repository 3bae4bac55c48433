"""Finds out what of an earlier export is still true, by the pages that were stored since.

Whatever changes a video comes with a page that has it, but for tags, which are counted, for their
names, and for what is missing or gone. An export keeps a mark of each name, and, for what is
missing or gone, of each month or day.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, or_, select

from tiktok_crawler.dataset.reading import ROWS_AT_ONCE, UNDATED
from tiktok_crawler.dataset.tables import SOURCES, VIDEO, VIDEOS
from tiktok_crawler.reports.naming import as_it_is
from tiktok_crawler.research_api.endpoints import COMMENTS, REPLIES
from tiktok_crawler.storage.engine.statements import statements_for
from tiktok_crawler.storage.ledger.removals import read_removals
from tiktok_crawler.storage.models.ledger import (
    VIDEOS_TO_CRAWLS,
    Crawl,
    DatabaseOrigin,
    QueryTag,
    SeedRow,
)
from tiktok_crawler.storage.models.records import Comment, Video, VideoRevision

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from sqlalchemy import Connection, Select

    from tiktok_crawler.dataset.tables import DataTable

MARK_DIGITS = 16

MAY_BE_GONE = (Video, Comment)
"""Records that are kept in months or days, and that the API may no longer have."""


@dataclass(frozen=True, slots=True)
class Basis:
    """What an export was made of: a database up to its last page, by some options and version.

    A copy of a database is the same one as long as it has the same last page. When something was
    deleted since, `removals` is another one. `tags` has marks of their names, by their ids. Of an
    export in parts, `existence` has a mark of what is missing or gone, by table and by month or
    day.
    """

    database: str
    options: str
    version: str
    last_page: int
    received_at: str
    pages: int
    removals: str
    tags: Mapping[str, str]
    existence: Mapping[str, Mapping[str, str]]

    @classmethod
    def of(
        cls,
        connection: Connection,
        options: str,
        version: str,
        *,
        unit: int = 0,
        label: Callable[[str], str] = as_it_is,
    ) -> Basis:
        """Tell of what an export is made now; `label` gives the name of a tag as it is written."""
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
            _tags(connection, label),
            _existence(connection, unit) if unit else {},
        )

    def existing_otherwise(self, later: Basis, table: str) -> frozenset[str]:
        """Return the months or days of which later others are missing or gone."""
        before, after = self.existence[table], later.existence[table]
        return frozenset(part for part, _ in before.items() ^ after.items())

    def is_followed_by(self, later: Basis, connection: Connection) -> bool:
        """Tell whether nothing but pages and tags was added since.

        None was stored late, removed or renamed.
        """
        up_to = select(func.count()).where(Crawl.id <= self.last_page)
        return (
            (self.database, self.options, self.version, self.removals)
            == (later.database, later.options, later.version, later.removals)
            and self.tags.items() <= later.tags.items()
            and self.received_at == _received_at(connection, self.last_page)
            and self.pages == connection.scalar(up_to)
        )


def _received_at(connection: Connection, page: int | None) -> str:
    found = connection.scalar(select(Crawl.received_at).where(Crawl.id == page))
    return found.isoformat() if found else ""


def _tags(connection: Connection, label: Callable[[str], str]) -> dict[str, str]:
    """Return marks of the names of tags, by their ids."""
    names = connection.execute(select(QueryTag.id, QueryTag.name)).all()
    return {str(id_): sha256(label(name).encode()).hexdigest()[:MARK_DIGITS] for id_, name in names}


def _existence(connection: Connection, unit: int) -> dict[str, dict[str, str]]:
    return {kind.__tablename__: _marks(connection, kind, unit) for kind in MAY_BE_GONE}


def _marks(connection: Connection, kind: type[Video | Comment], unit: int) -> dict[str, str]:
    """Return marks of what is missing or gone, by month or day."""
    statements = statements_for(connection.dialect)
    row = kind.__table__.c
    columns = row.create_time, row.id, row.missing_since, row.gone_at
    # What is gone is missing, and that has an index, in whose order it is read.
    missing = (
        select(*map(statements.as_text, columns))
        .where(row.missing_since.is_not(None))
        .order_by(row.missing_since, row.id)
    )
    digests = defaultdict[str, Any](sha256)
    for rows in statements.stream(connection, missing, ROWS_AT_ONCE):
        for created, *judged in rows:
            digests[(created or UNDATED)[:unit]].update(repr(judged).encode())
    return {part: digest.hexdigest()[:MARK_DIGITS] for part, digest in digests.items()}


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


def changes_since(connection: Connection, earlier: Basis, now: Basis, unit: int) -> Changes:
    """Find the months or days with something new or other than in an export that was made."""
    pages, last_page = VIDEOS_TO_CRAWLS.c, earlier.last_page
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
    changed = {
        VIDEOS.name: _parts(connection, videos, unit) | left,
        Comment.__tablename__: _comments(connection, last_page, unit),
    }
    parts = {
        name: _with_undated(found) | earlier.existing_otherwise(now, name)
        for name, found in changed.items()
    }
    return Changes(parts | {SOURCES.name: _parts(connection, received, unit)})


def _comments(connection: Connection, last_page: int, unit: int) -> frozenset[str]:
    """Find when comments were written that are new, or that came once more.

    A page that was received before others, and stored after them, as one of an import mostly is,
    fills gaps of comments, which stay those of the later page: so any may have changed.
    """
    since = select(func.min(Crawl.received_at)).where(Crawl.id > last_page).scalar_subquery()
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
        again = Comment.last_returned_at >= since
        comments = comments.where(or_(Comment.crawl_id > last_page, again))
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
