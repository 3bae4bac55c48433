"""The days of windows: what came of each, as far as the stored pages tell.

Revision ID: 0102
Revises: 0101
"""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from alembic import context, op

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

revision = "0102"
down_revision = "0101"
branch_labels = None
depends_on = None

INT64 = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
DAY = timedelta(days=1)
NOT_STORED = ("refused", "repeated")
COUNTS = ("videos", "withheld", "undated", *NOT_STORED)

EMPTY = (
    "Whether it may lack something though it is complete: the API sent no data at all, or never said "
    "that there is no more."
)
WINDOWS = """
SELECT id, start_date, end_date, state, pages FROM crawl_window
WHERE pages > 0 OR state = 'complete' ORDER BY id
"""
PAGES = """
SELECT crawl.id, crawl.next_cursor, crawl.record_count
FROM crawl JOIN crawl_window ON crawl_window.id = crawl.crawl_window_id
WHERE crawl_window.id = :window_id AND crawl.crawl_started_at >= crawl_window.searched_at
ORDER BY crawl.cursor, crawl.id
"""
VIDEOS = """
SELECT video.id, {day} AS day, video.create_time IS NULL AS is_undated
FROM videos_to_crawls JOIN video ON video.id = videos_to_crawls.video_id
WHERE videos_to_crawls.crawl_id = :crawl_id
ORDER BY video.id DESC
"""
CREATED_ON = {
    "sqlite": "coalesce(date(video.create_time), date(video.id >> 32, 'unixepoch'))",
    "postgresql": "(coalesce(video.create_time, to_timestamp(video.id >> 32)) "
    "AT TIME ZONE 'UTC')::date",
}


def upgrade() -> None:
    days = op.create_table(
        "window_day",
        sa.Column("crawl_window_id", INT64, nullable=False, comment="The window."),
        sa.Column(
            "day",
            sa.Date(),
            nullable=False,
            comment="Day, UTC, by `create_time`, or else by the id. Of an open or parked window, "
            "the oldest day may have more.",
        ),
        sa.Column(
            "videos",
            INT64,
            nullable=True,
            comment="Videos that came, each counted once; NULL, here and in the other columns: not "
            "known, since the window was searched by an earlier version.",
        ),
        sa.Column(
            "withheld",
            INT64,
            nullable=True,
            comment="Matches that the API counted and did not deliver: of a page with videos of "
            "several days, shared out among these.",
        ),
        sa.Column(
            "undated",
            INT64,
            nullable=True,
            comment="Those of the videos that came without `create_time`.",
        ),
        sa.Column(
            "refused",
            INT64,
            nullable=True,
            comment="Records that are not stored, since they have no usable id.",
        ),
        sa.Column(
            "repeated",
            INT64,
            nullable=True,
            comment="Records that the same search had brought before.",
        ),
        sa.ForeignKeyConstraint(
            ["crawl_window_id"],
            ["crawl_window.id"],
            name=op.f("fk_window_day_crawl_window_id"),
        ),
        sa.PrimaryKeyConstraint("crawl_window_id", "day", name=op.f("pk_window_day")),
        comment="One row a window and day that its last search has reached, newest first: what "
        "came of the day.",
        sqlite_with_rowid=False,
    )
    if not context.is_offline_mode():
        _fill(days)
    _explain_suspicion(EMPTY)


def downgrade() -> None:
    _explain_suspicion(EMPTY.replace("no more.", "no more, or the days before had many videos."))
    op.drop_table("window_day")


def _explain_suspicion(comment: str) -> None:
    """Set the comment of columns, where the database keeps comments: days are judged by counts."""
    if op.get_context().dialect.supports_comments:
        for table in ("crawl_window", "seed"):
            op.alter_column(table, "suspicious", comment=comment, existing_nullable=False)


def _fill(table: sa.Table) -> None:
    connection = op.get_bind()
    for window in connection.execute(sa.text(WINDOWS)).all():
        rows = [
            {"crawl_window_id": window.id, "day": day, **count}
            for day, count in (_counts(window) if window.pages else _unknown(window)).items()
        ]
        connection.execute(sa.insert(table), rows)


def _unknown(window: Any) -> dict[date, dict[str, int | None]]:
    """Say nothing of days that were kept of a lost search: the pages are another window's."""
    days = _days(_date(window.end_date), _date(window.start_date))
    return {day: dict.fromkeys(COUNTS) for day in days}


def _counts(window: Any) -> dict[date, dict[str, int | None]]:
    """Count what the stored pages of a window's last search brought, by day, newest first."""
    connection = op.get_bind()
    start, reached = _date(window.start_date), _date(window.end_date)
    videos = sa.text(VIDEOS.format(day=CREATED_ON[connection.dialect.name]))
    pages = connection.execute(sa.text(PAGES), {"window_id": window.id}).all()
    counts: dict[date, Counter[str]] = {reached: Counter()}
    lacks_records: set[date] = set()
    seen: set[int] = set()
    told = 0
    for page in pages:
        brought = connection.execute(videos, {"crawl_id": page.id}).all()
        of_page: dict[date, Counter[str]] = defaultdict(Counter)
        days = list(_days_of(brought, reached, start, _date(window.end_date)))
        for video, day in zip(brought, days, strict=True):
            of_page[day].update(_what(video, seen))
        seen.update(video.id for video in brought)
        oldest = min((day for day in of_page if start <= day < reached), default=reached)
        if page is pages[-1] and window.state == "complete":
            oldest = start
        if page.record_count != len(brought):
            lacks_records.update(of_page or [reached])
        repeated = sum(count["repeated"] for count in of_page.values())
        withheld = max(page.next_cursor - told - page.record_count + repeated, 0)
        told += page.record_count - repeated + withheld
        weights = Counter(days) or _evenly(reached, oldest)
        for day, share in _shared_out(withheld, weights):
            of_page[day]["withheld"] += share
        for day in dict.fromkeys((*_days(reached, oldest), *of_page)):
            counts.setdefault(day, Counter()).update(of_page.pop(day, {}))
        reached = oldest
    return {
        day: {name: count[name] for name in COUNTS}
        | (dict.fromkeys(NOT_STORED) if day in lacks_records else {})
        for day, count in counts.items()
    }


def _days_of(videos: Iterable[Any], day: date, start: date, end: date) -> Iterator[date]:
    """Find the day of each video; one whose id tells none is of the day of the one before it."""
    for video in videos:
        told = _date(video.day)
        day = told if not video.is_undated or start <= told <= end else day
        yield day


def _what(video: Any, seen: set[int]) -> dict[str, int]:
    if video.id in seen:
        return {"repeated": 1}
    return {"videos": 1, "undated": int(video.is_undated)}


def _evenly(newest: date, oldest: date) -> Counter[date]:
    return Counter(_days(newest, oldest))


def _shared_out(total: int, weights: Counter[date]) -> Iterator[tuple[date, int]]:
    """Share a number out in proportion to weights, in whole numbers that add up to it."""
    given = weight = 0
    for day, of_day in weights.items():
        weight += of_day
        share = total * weight // weights.total() - given
        given += share
        yield day, share


def _days(newest: date, oldest: date) -> list[date]:
    return [newest - n * DAY for n in range((newest - oldest).days + 1)]


def _date(stored: Any) -> date:
    """Return a day; SQLite has it as text."""
    return date.fromisoformat(str(stored))
