"""Finds the videos of persons, also those that came without the name of their author."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from tiktok_crawler.research_api.query import Field, Operation, Query
from tiktok_crawler.storage.engine.statements import statements_for
from tiktok_crawler.storage.models.base import VideoList
from tiktok_crawler.storage.models.ledger import VIDEOS_TO_CRAWLS, Crawl, QueryRow
from tiktok_crawler.storage.models.records import UserVideo, Video

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from collections.abc import Set as AbstractSet

    from sqlalchemy import Connection

    from tiktok_crawler.research_api.query import Condition

NAMELESS = Video.username.is_(None)
"""A video came without its author: `TIKTOK_VIDEO_FIELDS` had no `username`."""


def videos_by(connection: Connection, names: Collection[str]) -> set[int]:
    """Return the videos of persons, whose names are spelled as they were stored.

    Of those without an author these are theirs: what a query has brought that asked for nobody
    else's, and what they have pinned.
    """
    among, pages = statements_for(connection.dialect).among, VIDEOS_TO_CRAWLS.c
    by_name = select(Video.id).where(among(Video.__table__.c.username, names))
    asked_for = (
        select(Video.id)
        .join(VIDEOS_TO_CRAWLS, pages.video_id == Video.id)
        .join(Crawl, Crawl.id == pages.crawl_id)
        .where(NAMELESS, among(Crawl.__table__.c.query_id, list(_queries_for(connection, names))))
    )
    pinned = (
        select(Video.id)
        .join(UserVideo, UserVideo.video_id == Video.id)
        .where(NAMELESS, UserVideo.kind == VideoList.PINNED)
        .where(among(UserVideo.__table__.c.username, names))
    )
    return {id_ for found in (by_name, asked_for, pinned) for id_ in connection.scalars(found)}


def count_nameless(connection: Connection, names: Collection[str]) -> int:
    """Count the videos without an author of which it cannot be told whether they are theirs."""
    theirs = statements_for(connection.dialect).among(
        Video.__table__.c.id, videos_by(connection, names)
    )
    nameless = select(func.count()).select_from(Video).where(NAMELESS, ~theirs)
    return connection.scalar(nameless) or 0


def _queries_for(connection: Connection, names: Collection[str]) -> Iterator[int]:
    """Yield the queries that ask for the videos of these persons alone."""
    persons = {name.casefold() for name in names}
    rows = connection.execute(select(QueryRow.id, QueryRow.canonical_json).order_by(QueryRow.id))
    for id_, canonical in rows:
        if Field.USERNAME in canonical:
            query = Query.from_json(json.loads(canonical))
            one_by_one = any(_is_about(each, persons) for each in query.and_)
            if one_by_one or (query.or_ and all(_is_about(each, persons) for each in query.or_)):
                yield id_


def _is_about(condition: Condition, persons: AbstractSet[str]) -> bool:
    return (
        condition.field_name == Field.USERNAME
        and condition.operation in (Operation.EQ, Operation.IN)
        and {value.casefold() for value in condition.field_values} <= persons
    )
