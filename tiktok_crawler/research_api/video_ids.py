"""Times that the ids of videos tell: `id >> 32` is a Unix time (api_facts.md 3.7). Pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tiktok_crawler.date_range import DateRange

ID_SKEW = timedelta(seconds=900)
"""The most that an id's time and `create_time` may differ, unless the user says otherwise."""


def time_of(video_id: int) -> datetime:
    """The time at which an id was made: shortly before the video was published."""
    return datetime.fromtimestamp(video_id >> 32, UTC)


def days_of(video_id: int, skew: timedelta = ID_SKEW) -> DateRange:
    """The days, in UTC, on which a video with this id can have been published: one or two."""
    made_at = time_of(video_id)
    return DateRange(made_at.date(), (made_at + skew).date())
