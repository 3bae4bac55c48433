"""Adds up what a database has collected, for a report: by day, length, region, hashtag, account.

The database does the work, on one connection whose transaction sees one moment. Memory grows with
the days, the regions and the number of different hashtags, eight bytes each; never with the videos.
"""

from __future__ import annotations

import sqlite3
from array import array
from dataclasses import dataclass
from enum import StrEnum
from heapq import nsmallest
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    Date,
    Integer,
    and_,
    case,
    cast,
    collate,
    extract,
    func,
    select,
)
from sqlalchemy.exc import DatabaseError

from tiktok_crawler.storage.models.ledger import SeedRow
from tiktok_crawler.storage.models.records import (
    VIDEOS_TO_HASHTAGS,
    Hashtag,
    Video,
    VideoStatistics,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date, datetime

    from sqlalchemy import ColumnElement, Connection, Select

VIDEO, HASHTAG = Video.__table__, Hashtag.__table__
STATISTICS, SEED = VideoStatistics.__table__, SeedRow.__table__

MOST_FREQUENT = 20
"""So many hashtags and accounts are named."""

READINGS = ("view_count", "like_count", "comment_count", "share_count")
"""The counters whose growth is told."""


UNKNOWN_REGION = "not delivered"
SECONDS_OF_DAY = 86_400

Frequencies = tuple[tuple[str, int], ...]
"""Names, each with the number of videos that have it, the most frequent first."""


class Length(StrEnum):
    """The lengths of videos as queries have them (api_facts.md 3.3)."""

    SHORT = "under 15 s"
    MID = "15 to 60 s"
    LONG = "1 to 5 min"
    EXTRA_LONG = "over 5 min"
    UNKNOWN = "not delivered"


@dataclass(frozen=True, slots=True)
class Reading:
    """Later readings of counters, so many days after the first one of the same video.

    `growth` has for each counter the sum of later values over the sum of the first ones; None where
    the first ones are all 0, or not delivered.
    """

    days: int
    readings: int
    growth: Mapping[str, float | None]


@dataclass(frozen=True, slots=True)
class Listed:
    """The seeds that were listed to their end; `due` ones longer ago than others may be."""

    seeds: int
    due: int
    oldest_at: datetime


@dataclass(frozen=True, slots=True)
class Overview:
    """The contents of a database, added up.

    `days` are those of publication (UTC), in their order; `undated` videos came without. `listed`
    has the seeds of each listing.
    """

    days: Mapping[date, int]
    undated: int
    lengths: Mapping[Length, int]
    regions: Frequencies
    hashtags: Frequencies
    accounts: Frequencies
    account_count: int
    growth: tuple[Reading, ...]
    listed: Mapping[str, Listed]


def read_overview(connection: Connection, due_before: datetime) -> Overview:
    """Add up what a database has, as one transaction sees it.

    Seeds are due that were last listed before a time.
    """
    day = _day(connection, VIDEO.c.create_time)
    days = dict(_rows(connection, _counted(day).order_by(day)))
    accounts = _rows(connection, _top_accounts(connection))
    return Overview(
        days={day: count for day, count in days.items() if day},
        undated=days.get(None, 0),
        lengths=_lengths(connection),
        regions=_regions(connection),
        hashtags=_top_hashtags(connection),
        accounts=tuple((name, count) for name, count, _ in accounts),
        account_count=accounts[0][2] if accounts else 0,
        growth=_growth(connection),
        listed=_listed(connection, due_before),
    )


def _rows(connection: Connection, query: Select[*tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in connection.execute(query)]


def _day(connection: Connection, time: ColumnElement[Any]) -> ColumnElement[Any]:
    """The UTC day of a time, whatever the session's zone."""
    if connection.dialect.name == "sqlite":
        return func.date(time, type_=Date())
    return cast(func.timezone("UTC", time), Date)


def _counted(what: ColumnElement[Any]) -> Select[*tuple[Any, ...]]:
    """Count the videos by something."""
    return select(what, func.count()).select_from(VIDEO).group_by(what)


def _lengths(connection: Connection) -> dict[Length, int]:
    seconds = VIDEO.c.video_duration
    length = case(
        (seconds.is_(None), Length.UNKNOWN.name),
        (seconds < 15, Length.SHORT.name),  # noqa: PLR2004 - the API's classes
        (seconds < 60, Length.MID.name),  # noqa: PLR2004
        (seconds < 300, Length.LONG.name),  # noqa: PLR2004
        else_=Length.EXTRA_LONG.name,
    )
    found = dict(_rows(connection, _counted(length)))
    return {length: found[length.name] for length in Length if length.name in found}


def _regions(connection: Connection) -> Frequencies:
    found = _rows(connection, _counted(VIDEO.c.region_code))
    return _by_frequency((name or UNKNOWN_REGION, count) for name, count in found)


def _by_frequency(found: Iterable[tuple[str, int]]) -> Frequencies:
    return tuple(sorted(found, key=lambda each: (-each[1], each[0])))


def _top_accounts(connection: Connection) -> Select[*tuple[Any, ...]]:
    """Select the accounts with most videos, each with the number of all accounts."""
    each = _counted(VIDEO.c.username).where(VIDEO.c.username.is_not(None)).subquery()
    name, count = each.c
    by_name = collate(name, "C") if connection.dialect.name == "postgresql" else name
    return (
        select(name, count, func.count().over())
        .order_by(count.desc(), by_name)
        .limit(MOST_FREQUENT)
    )


def _top_hashtags(connection: Connection) -> Frequencies:
    if connection.dialect.name == "sqlite":
        largest = connection.scalar(select(func.max(HASHTAG.c.id))) or 0
        counts = _most_frequent(_hashtags_counted_here(connection, largest))
    else:
        hashtag, count = VIDEOS_TO_HASHTAGS.c.hashtag_id, func.count()
        most = select(hashtag, count).group_by(hashtag).order_by(count.desc(), hashtag)
        counts = dict(_rows(connection, most.limit(MOST_FREQUENT)))
    names = _rows(connection, select(HASHTAG.c.id, HASHTAG.c.name).where(HASHTAG.c.id.in_(counts)))
    return _by_frequency((name, counts[id_]) for id_, name in names)


_ALL_HASHTAGS = "SELECT hashtag_id FROM videos_to_hashtags"


def _hashtags_counted_here(connection: Connection, largest: int) -> array[int]:
    """Count the videos of each hashtag, by its id: SQLite sorts all rows, in twice the time."""
    counts = array("Q", bytes(8 * (largest + 1)))
    driver: Any = connection.connection.driver_connection
    try:
        for (hashtag,) in driver.execute(_ALL_HASHTAGS):
            counts[hashtag] += 1
    except sqlite3.Error as exc:
        raise DatabaseError(_ALL_HASHTAGS, None, exc) from exc
    return counts


def _most_frequent(counts: array[int]) -> dict[int, int]:
    most = nsmallest(MOST_FREQUENT, range(len(counts)), key=lambda id_: (-counts[id_], id_))
    return {id_: counts[id_] for id_ in most if counts[id_]}


def _growth(connection: Connection) -> tuple[Reading, ...]:
    """Compare later readings with the first one of the same video."""
    video = STATISTICS.c.video_id
    several = (
        select(video, func.min(STATISTICS.c.observed_at).label("at"))
        .group_by(video)
        .having(func.count() > 1)
        .subquery()
    )
    firsts, laters = STATISTICS.alias(), STATISTICS.alias()
    first, later = firsts.c, laters.c
    days = _days_between(connection, first.observed_at, later.observed_at)
    sums = [each for name in READINGS for each in _sums(first[name], later[name])]
    compared = (
        select(days, func.count(), *sums)
        .select_from(several)
        .join(firsts, and_(first.video_id == several.c.video_id, first.observed_at == several.c.at))
        .join(laters, and_(later.video_id == several.c.video_id, later.observed_at > several.c.at))
        .group_by(days)
        .order_by(days)
    )
    return tuple(_reading(*row) for row in _rows(connection, compared))


def _sums(
    first: ColumnElement[Any], later: ColumnElement[Any]
) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    """Add up both values of a counter, where both were delivered."""
    both = and_(first.is_not(None), later.is_not(None))
    return func.sum(first).filter(both), func.sum(later).filter(both)


def _reading(days: int, readings: int, *sums: int | None) -> Reading:
    pairs = zip(sums[::2], sums[1::2], strict=True)
    growth = [float(later or 0) / float(first) if first else None for first, later in pairs]
    return Reading(int(days), readings, dict(zip(READINGS, growth, strict=True)))


def _days_between(
    connection: Connection, first: ColumnElement[Any], later: ColumnElement[Any]
) -> ColumnElement[Any]:
    """Count the whole days between two times."""
    if connection.dialect.name == "sqlite":
        return cast(func.julianday(later) - func.julianday(first), Integer)
    return cast(func.trunc(extract("epoch", later - first) / SECONDS_OF_DAY), Integer)


def _listed(connection: Connection, due_before: datetime) -> dict[str, Listed]:
    """Count the seeds of each listing that were listed to their end."""
    at = SEED.c.completed_at
    due = func.count().filter(at < due_before)
    counted = select(SEED.c.listing, func.count(), due, func.min(at)).where(at.is_not(None))
    by_listing = counted.group_by(SEED.c.listing).order_by(SEED.c.listing)
    return {listing: Listed(*found) for listing, *found in _rows(connection, by_listing)}
