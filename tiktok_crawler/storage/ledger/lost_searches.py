"""What becomes of a window whose search was lost: the days that it had passed stay covered."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, extract, func, insert, select, update

from tiktok_crawler.date_range import DAY, DateRange
from tiktok_crawler.planning.lost_searches import PageSpan, ids_tell_times, passed_days
from tiktok_crawler.planning.task_states import WindowState
from tiktok_crawler.storage.models.ledger import VIDEOS_TO_CRAWLS, Crawl, CrawlWindow
from tiktok_crawler.storage.models.records import Video

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection, Insert, Row

    from tiktok_crawler.planning.task_states import LostSearch

    Window = Row[tuple[object, ...]]

EVIDENCE_VIDEOS = 50
"""Fewer videos of a query prove nothing about its ids, and have cost few requests."""


def shrink(connection: Connection, lost: LostSearch, skew: timedelta, now: datetime) -> LostSearch:
    """Keep what the lost search of a window has passed.

    The window becomes `split`, beside a `complete` one for the days that its search has delivered
    completely; if it is already, since the commit was in doubt, the answer is the same. The rest of
    a parked window gets its row at once, and stays parked; that of an open one when it is booked.
    Where there are no such days, or where the query's own records do not bear out that ids are made
    at most `skew` before `create_time`, the whole window is searched again.

    Returns:
        The same, with the request that starts the new search.
    """
    request = lost.request
    window = connection.execute(
        select(CrawlWindow.__table__).where(CrawlWindow.id == request.window_id)
    ).one()
    spans = _spans(connection, window) if window.searched_at else []
    are_true = _ids_are_true(connection, window.query_id, skew)
    trusts_ids = ids_tell_times(request.window, spans, skew) and are_true is not False
    passed = passed_days(request.window, spans, skew) if are_true else None
    if passed is None:
        return replace(lost, resumed=request.from_start(), trusts_ids=trusts_ids)
    rest = DateRange(request.window.start, passed.start - DAY)
    if window.state is not WindowState.SPLIT:
        split_off(connection, window, passed, now)
    rest_id = connection.scalar(
        select(CrawlWindow.id).where(
            CrawlWindow.query_id == window.query_id,
            CrawlWindow.start_date == rest.start,
            CrawlWindow.end_date == rest.end,
            CrawlWindow.created_at == now,
        )
    )
    return replace(lost, resumed=replace(request.from_start(), window_id=rest_id, window=rest))


def untrue_days(connection: Connection, query_id: int, skew: timedelta) -> list[DateRange]:
    """Days that were kept of lost searches, though the ids of the query's videos tell nothing.

    The video that shows it may have come later than the days were kept.
    """
    kept = connection.execute(
        select(CrawlWindow.start_date, CrawlWindow.end_date).where(_kept_days(query_id))
    ).all()
    if kept and _ids_are_true(connection, query_id, skew) is False:
        return [DateRange(start, end) for start, end in kept]
    return []


def take_back(connection: Connection, query_id: int, now: datetime) -> None:
    """Count the days that were kept of the query's lost searches as missing."""
    kept = update(CrawlWindow).where(_kept_days(query_id))
    connection.execute(kept.values(left_to_others(now)))


def left_to_others(now: datetime) -> dict[Any, Any]:
    """What becomes of a window whose days other windows have, though it was not too heavy."""
    return {
        CrawlWindow.state: WindowState.SPLIT,
        # Why it had been parked.
        CrawlWindow.error: None,
        CrawlWindow.error_log_id: None,
        CrawlWindow.updated_at: now,
    }


def _kept_days(query_id: int) -> ColumnElement[bool]:
    """Complete windows that no search of their own has brought to an end."""
    return and_(
        CrawlWindow.query_id == query_id,
        CrawlWindow.state == WindowState.COMPLETE,
        CrawlWindow.pages == 0,
    )


def _ids_are_true(connection: Connection, query_id: int, skew: timedelta) -> bool | None:
    """Whether the times of an id and of its video lie close together, for all the query's videos.

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


def _spans(connection: Connection, window: Window) -> list[PageSpan]:
    """What the pages of the window's last search brought, in their order."""
    video_id = VIDEOS_TO_CRAWLS.c.video_id
    pages = (
        select(func.max(video_id), func.min(video_id))
        .join(Crawl, Crawl.id == VIDEOS_TO_CRAWLS.c.crawl_id)
        .where(
            Crawl.crawl_window_id == window.id,
            Crawl.crawl_started_at >= window.searched_at,
        )
        .group_by(Crawl.cursor)
        .order_by(Crawl.cursor)
    )
    return [PageSpan(newest, oldest) for newest, oldest in connection.execute(pages)]


def split_off(connection: Connection, window: Window, passed: DateRange, now: datetime) -> None:
    """Split a window, and put a complete one beside it for the days that its search has passed.

    The rest of a window that was parked is so, too.
    """
    split = update(CrawlWindow).where(CrawlWindow.id == window.id)
    connection.execute(split.values(left_to_others(now)))
    _add_passed(connection, window, passed, now)
    if window.state is WindowState.PARKED:
        _add_rest(connection, window, DateRange(window.start_date, passed.start - DAY), now)


def _add_passed(connection: Connection, window: Window, days: DateRange, now: datetime) -> None:
    connection.execute(
        _part(window, days, now).values(
            state=WindowState.COMPLETE,
            searched_at=window.searched_at,
            last_page_at=window.last_page_at,
            completed_at=now,
        )
    )


def _add_rest(connection: Connection, window: Window, days: DateRange, now: datetime) -> None:
    """The rest of a parked window is parked for what that was parked for, until a page comes."""
    connection.execute(
        _part(window, days, now).values(
            state=WindowState.PARKED,
            parked_count=window.parked_count,
            parked_at=window.parked_at,
            retry_at=window.retry_at,
            error=window.error,
            error_log_id=window.error_log_id,
        )
    )


def _part(window: Window, days: DateRange, now: datetime) -> Insert:
    return insert(CrawlWindow).values(
        query_id=window.query_id,
        start_date=days.start,
        end_date=days.end,
        fields=window.fields,
        created_at=now,
        updated_at=now,
    )
