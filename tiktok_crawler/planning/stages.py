"""Derives the listings that follow the videos of a query file. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tiktok_crawler.planning.seeds import SeedsOfQuery, Stage, first_seeds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tiktok_crawler.query_file.collection import Collection


def stages_of(collection: Collection) -> tuple[Stage, ...]:
    """Return the stages that follow the videos of a collection, in its order."""
    return tuple(_stages(collection))


def _stages(collection: Collection) -> Iterator[Stage]:
    fingerprint = collection.query.fingerprint
    for wish in collection.also_collect:
        found = SeedsOfQuery(fingerprint, collection.dates, wish.min_comment_count)
        source = first_seeds(found, wish.max_seeds)
        stage = Stage(wish.listing, source, collection.refresh_after, wish.limit)
        yield stage
        yield from map(stage.of_replies, wish.switches)
