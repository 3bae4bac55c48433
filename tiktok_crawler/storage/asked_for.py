"""Takes what persons asked to delete out of what query files ask for: nothing of it is stored."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tiktok_crawler.storage.engine import database
from tiktok_crawler.storage.ledger.kept_out import read_gate
from tiktok_crawler.storage.ledger.unnaming import query_without, values_without

if TYPE_CHECKING:
    from tiktok_crawler.query_file.collection import Collection
    from tiktok_crawler.storage.records.leaving_out import Keys


def without_deleted(
    url: str, origin: str | None, collections: tuple[Collection, ...]
) -> tuple[Collection, ...]:
    """Return what is asked for without the persons and videos that a database keeps out.

    The query is the one that a deletion has made of it: days that it has are not searched again.
    Without an `origin`, the database may have data from anywhere.

    Raises:
        ConfigurationError: the database cannot be used as it is.
    """
    with database.reading_data(url, origin) as connection:
        if connection is None:
            return collections
        gate = read_gate(connection)
        found = gate.found(connection, lambda deleted: _without(collections, deleted))
    return _without(collections, found) if found else collections


def _without(collections: tuple[Collection, ...], deleted: Keys) -> tuple[Collection, ...]:
    return tuple(_one_without(collection, deleted) for collection in collections)


def _one_without(collection: Collection, deleted: Keys) -> Collection:
    each = collection.each
    if each:
        each = replace(each, values=values_without(each.field, each.values, deleted))
    return replace(collection, query=query_without(collection.query, deleted), each=each)
