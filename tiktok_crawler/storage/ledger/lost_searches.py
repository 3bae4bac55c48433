"""Finds the days that a search had passed when it was lost, by what its pages brought."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import and_, extract, func, select

from tiktok_crawler.planning.lost_searches import PageSpan, ids_tell_times, passed_days
from tiktok_crawler.planning.task_states import WindowState
from tiktok_crawler.storage.models.ledger import VIDEOS_TO_CRAWLS, Crawl, CrawlWindow
from tiktok_crawler.storage.models.records import Video

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection

    from tiktok_crawler.date_range import DateRange
    from tiktok_crawler.research_api.tasks import PageRequest

EVIDENCE_VIDEOS = 50
"""Fewer videos of a query prove nothing about its ids, and have cost few requests."""


def days_passed(
    connection: Connection, request: PageRequest, skew: timedelta
) -> tuple[DateRange | None, bool]:
    """Find the newest days of a window that its last search has delivered completely.

    Returns:
        The days, None if there are none, or if the query's own records do not bear out that ids are
        made at most `skew` before `create_time`; and whether ids can be trusted to tell times.
    """
    window_id = request.task.row_id
    window = select(CrawlWindow.query_id, CrawlWindow.begun_at).where(CrawlWindow.id == window_id)
    query_id, begun_at = connection.execute(window).one()
    spans = _spans(connection, window_id, begun_at) if begun_at else []
    are_true = _ids_are_true(connection, query_id, skew)
    days = request.window.days
    trusts_ids = ids_tell_times(days, spans, skew) and are_true is not False
    return passed_days(days, spans, skew) if are_true else None, trusts_ids


def kept_on_false_evidence(connection: Connection, query_id: int, skew: timedelta) -> bool:
    """Tell whether days were kept of lost searches, though the query's ids tell nothing.

    The video that shows it may have come later than the days were kept.
    """
    kept = connection.scalar(select(CrawlWindow.id).where(were_kept(query_id)).limit(1))
    return kept is not None and _ids_are_true(connection, query_id, skew) is False


def were_kept(query_id: int) -> ColumnElement[bool]:
    """Select complete windows that no search of their own has brought to an end."""
    return and_(
        CrawlWindow.query_id == query_id,
        CrawlWindow.state == WindowState.COMPLETE,
        CrawlWindow.pages == 0,
    )


def _ids_are_true(connection: Connection, query_id: int, skew: timedelta) -> bool | None:
    """Tell whether the times of an id and of its video lie close together, for all videos found.

    Returns:
        None if there are too few videos to tell.
    """
    apart = func.abs(extract("epoch", Video.create_time) - Video.id.op(">>")(32))
    found = connection.execute(
        select(func.count(apart), func.max(apart))
        .join(VIDEOS_TO_CRAWLS, VIDEOS_TO_CRAWLS.c.video_id == Video.id)
        .join(Crawl, Crawl.id == VIDEOS_TO_CRAWLS.c.crawl_id)
        .where(Crawl.query_id == query_id)
    )
    count, largest = found.one()
    if timedelta(seconds=float(largest or 0)) > skew:
        return False
    return True if count >= EVIDENCE_VIDEOS else None


def _spans(connection: Connection, window_id: int | None, begun_at: object) -> list[PageSpan]:
    """Read what the pages of a window's last search brought, in their order."""
    video_id = VIDEOS_TO_CRAWLS.c.video_id
    pages = (
        select(func.max(video_id), func.min(video_id))
        .join(Crawl, Crawl.id == VIDEOS_TO_CRAWLS.c.crawl_id)
        .where(Crawl.crawl_window_id == window_id, Crawl.received_at >= begun_at)
        .group_by(Crawl.cursor)
        .order_by(Crawl.cursor)
    )
    return [PageSpan(newest, oldest) for newest, oldest in connection.execute(pages)]
