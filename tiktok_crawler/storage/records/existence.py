"""Notes which records the API still delivers, and which it should have delivered and did not.

What came back is missing no more. What did not may exist all the same: it is a candidate, and only
checks, or a second answer that there is no such user, say that it is gone.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, bindparam, not_, null, or_, select, update

from tiktok_crawler.research_api.tasks import Seed
from tiktok_crawler.storage.models.ledger import VIDEOS_TO_CRAWLS, Crawl, SeedRow
from tiktok_crawler.storage.models.records import Comment, UserInfo, Video

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from sqlalchemy import BindParameter, ColumnElement, Connection, Executable

    from tiktok_crawler.date_range import DateRange
    from tiktok_crawler.research_api.pages import Page
    from tiktok_crawler.storage.engine.statements import Statements
    from tiktok_crawler.storage.records.record_type import RecordType

GONE_AFTER = timedelta(days=7)
"""A user who is not found twice, with so much time in between, is gone: there is no check of users,
and a name that is not found may come back."""


def note_returned(
    connection: Connection,
    statements: Statements,
    kind: RecordType,
    keys: Sequence[Any],
    at: str,
) -> None:
    """Note that the API has delivered these records, at a time as rows hold it."""
    if keys:
        statements.run(connection, _returned, {"at": at}, of=(kind,), listed=keys)


def _returned(statements: Statements, kind: RecordType) -> Executable:
    table, key = kind.table, kind.columns[0]
    at: BindParameter[Any] = bindparam("at")
    values: dict[str, Any] = {"missing_since": null(), "gone_at": null()}
    is_news = and_(table.c.missing_since.is_not(None), table.c.missing_since < at)
    if kind.notes_returns:
        values["last_returned_at"] = at
        is_later = table.c.last_returned_at < at
        is_news = or_(table.c.last_returned_at.is_(None), is_later)
    # In the order of the keys, as all writers lock rows.
    rows = select(key).where(statements.listed(key), is_news).order_by(key).with_for_update()
    return update(table).where(key.in_(rows)).values(values)


def note_missing_comments(connection: Connection, page: Page) -> None:
    """Note which comments a list that has come to its end should have brought, and did not.

    A list that the API cuts off, or that looks suspicious, says nothing.
    """
    task = page.request.task
    is_whole = not (page.has_more or page.is_at_api_limit or page.suspicious)
    if not (isinstance(task, Seed) and task.listing.seed_key.is_number and is_whole):
        return
    listed_at = connection.scalar(select(SeedRow.begun_at).where(SeedRow.id == task.row_id))
    assert listed_at
    begun_at = min(listed_at, page.received_at)
    missing = update(Comment).where(
        Comment.parent_comment_id == int(task.key),
        Comment.missing_since.is_(None),
        Comment.last_returned_at < begun_at,
    )
    connection.execute(missing.values(missing_since=begun_at))


def was_brought_since(at: datetime) -> ColumnElement[bool]:
    """Tell of videos whether a page has brought them at a time, or later."""
    pages = VIDEOS_TO_CRAWLS.c
    brought = select(pages.video_id).join(Crawl, Crawl.id == pages.crawl_id)
    return brought.where(pages.video_id == Video.id, Crawl.received_at >= at).exists()


def note_missing_videos(
    connection: Connection,
    days: DateRange,
    at: datetime,
    before: Collection[int],
    since: Collection[int],
) -> None:
    """Note which videos of these days a search that began at a time did not bring.

    Windows `before` had brought them; those `since` are of that search, or later.
    """
    brought = select(VIDEOS_TO_CRAWLS.c.video_id).join(Crawl)
    earlier = brought.where(Crawl.crawl_window_id.in_(before), Crawl.received_at < at)
    again = brought.where(Crawl.crawl_window_id.in_(since), Crawl.received_at >= at)
    missing = update(Video).where(
        Video.missing_since.is_(None),
        Video.is_published_on(days),
        Video.id.in_(earlier),
        not_(Video.id.in_(again)),
        # Of the few that are left, pages of others may have brought some.
        not_(was_brought_since(at)),
    )
    connection.execute(missing.values(missing_since=at))


def note_user_not_found(connection: Connection, username: str, now: datetime) -> None:
    """Note that there is no such user; said twice, a week apart, a profile is gone."""
    user = and_(UserInfo.username == username, UserInfo.last_returned_at.is_not(None))
    is_again = UserInfo.missing_since <= now - GONE_AFTER
    gone = update(UserInfo).where(user, is_again, UserInfo.gone_at.is_(None))
    connection.execute(gone.values(gone_at=now))
    missing = update(UserInfo).where(user, UserInfo.missing_since.is_(None))
    connection.execute(missing.values(missing_since=now))
