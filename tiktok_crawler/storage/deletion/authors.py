"""Finds the videos of persons, also those that came without the name of their author."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from tiktok_crawler.research_api.query import Field, Operation, Query
from tiktok_crawler.storage.engine.statements import statements_for
from tiktok_crawler.storage.models.base import VideoList
from tiktok_crawler.storage.models.ledger import VIDEOS_TO_CRAWLS, Crawl, QueryRow
from tiktok_crawler.storage.models.records import PlaylistVideo, UserVideo, Video

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from collections.abc import Set as AbstractSet

    from sqlalchemy import Connection, Row

    from tiktok_crawler.research_api.query import Condition

NAMELESS = Video.username.is_(None)
"""A video came without its author: `TIKTOK_VIDEO_FIELDS` had no `username`."""


@dataclass(frozen=True, slots=True)
class Works:
    """The videos of persons, and which of the persons have some, in lower case."""

    videos: set[int] = field(default_factory=set)
    authors: set[str] = field(default_factory=set)

    def add(self, rows: Iterable[Row[int, str]]) -> None:
        for id_, author in rows:
            self.videos.add(id_)
            self.authors.add(author.casefold())


def works_of(connection: Connection, names: Collection[str]) -> Works:
    """Find the videos of persons, whose names are spelled as they were stored.

    Of those without an author these are theirs: what a query has brought that asked for nobody
    else's, and what they have pinned.
    """
    works, among = Works(), statements_for(connection.dialect).among
    by_name = select(Video.id, Video.username)
    works.add(connection.execute(by_name.where(among(Video.__table__.c.username, names))))
    pinned = select(Video.id, UserVideo.username).join(UserVideo, UserVideo.video_id == Video.id)
    theirs = among(UserVideo.__table__.c.username, names), UserVideo.kind == VideoList.PINNED
    works.add(connection.execute(pinned.where(NAMELESS, *theirs)))
    pages = VIDEOS_TO_CRAWLS.c
    brought = select(Video.id).join(VIDEOS_TO_CRAWLS, pages.video_id == Video.id)
    brought = brought.join(Crawl, Crawl.id == pages.crawl_id)
    for query_id, persons in _queries_for(connection, names):
        found = set(connection.scalars(brought.where(NAMELESS, Crawl.query_id == query_id)))
        works.videos.update(found)
        works.authors.update(persons if found else ())
    return works


def playlists_of(connection: Connection, works: Works) -> list[int]:
    """Return the playlists in which videos of persons are, and none that is known of others."""
    among = statements_for(connection.dialect).among
    links, videos = PlaylistVideo.__table__.c, Video.__table__.c
    said = select(videos.playlist_id).where(among(videos.id, works.videos))
    listed = select(links.playlist_id).where(among(links.video_id, works.videos))
    found = {*connection.scalars(said), *connection.scalars(listed)} - {None}
    is_others = videos.username.is_not(None), ~among(videos.id, works.videos)
    others = select(videos.playlist_id).where(among(videos.playlist_id, found), *is_others)
    link = select(links.playlist_id).join(Video, videos.id == links.video_id)
    linked = link.where(among(links.playlist_id, found), *is_others)
    return sorted(found - {*connection.scalars(others), *connection.scalars(linked)})


def count_nameless(connection: Connection, names: Collection[str]) -> int:
    """Count the videos without an author of which it cannot be told whether they are theirs."""
    theirs = statements_for(connection.dialect).among(
        Video.__table__.c.id, works_of(connection, names).videos
    )
    nameless = select(func.count()).select_from(Video).where(NAMELESS, ~theirs)
    return connection.scalar(nameless) or 0


def _queries_for(
    connection: Connection, names: Collection[str]
) -> Iterator[tuple[int, AbstractSet[str]]]:
    """Yield the queries that ask for the videos of these persons alone, and of which of them."""
    given = {name.casefold() for name in names}
    rows = select(QueryRow.id, QueryRow.canonical_json).order_by(QueryRow.id)
    for id_, canonical in connection.execute(rows).all():
        if Field.USERNAME in canonical:
            persons = _persons(Query.from_json(json.loads(canonical)))
            if persons and persons <= given:
                yield id_, persons


def _persons(query: Query) -> AbstractSet[str]:
    """Return the authors of all videos that a query can find, in lower case; none: anybody."""
    for condition in query.and_:
        if authors := _authors(condition):
            return authors
    either = [_authors(condition) for condition in query.or_]
    return frozenset().union(*either) if all(either) else frozenset()


def _authors(condition: Condition) -> AbstractSet[str]:
    is_one_of = condition.operation in (Operation.EQ, Operation.IN)
    is_about_authors = condition.field_name == Field.USERNAME and is_one_of
    return frozenset(map(str.casefold, condition.field_values) if is_about_authors else ())
