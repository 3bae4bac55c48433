"""Fills columns that were empty when a page was stored, from the archived answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select, update

from tiktok_crawler.storage.models import Video
from tiktok_crawler.storage.records import read_videos
from tiktok_crawler.storage.statements import statements_for

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

    from tiktok_crawler.items import Page
    from tiktok_crawler.storage.records import Record

VIDEO = Video.__table__


def fill(connection: Connection, page: Page) -> int:
    """Give the videos of a page that is stored the values that the database does not have.

    An answer older than a video's latest values fills only what is NULL. One that is not says the
    same as the database already, but for columns that an older answer has just filled.

    Returns:
        How many videos changed.
    """
    videos = read_videos(page.records).by_id
    if not videos:
        return 0
    among = statements_for(connection.dialect).among(VIDEO.c.id, sorted(videos))
    count = 0
    for known in connection.execute(select(VIDEO).where(among).order_by(VIDEO.c.id)):
        is_latest = page.received_at >= (known.crawled_updated_at or known.crawled_at)
        values = _missing(known, videos[known.id], is_latest=is_latest)
        if values:
            connection.execute(update(VIDEO).where(VIDEO.c.id == known.id).values(values))
            count += 1
    return count


def _missing(known: Row[Any], video: Record, *, is_latest: bool) -> dict[str, Any]:
    stored = known._mapping  # noqa: SLF001 - the public name of a row's columns
    return {
        name: value
        for name, value in video.values.items()
        if stored[name] is None or (is_latest and stored[name] != value)
    }
