"""The tags that runs have used, whether they have brought anything yet or not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from tiktok_crawler.storage.engine import database
from tiktok_crawler.storage.ledger.queries import used_queries
from tiktok_crawler.storage.models.ledger import QueryTag
from tiktok_crawler.storage.records.names import NameIds

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from sqlalchemy import Connection

    from tiktok_crawler.storage.engine.statements import Statements
    from tiktok_crawler.storage.ledger.queries import UsedQuery


@dataclass(frozen=True, slots=True)
class UsedTags:
    """All tags of a database, and the queries that one of them was used for."""

    names: frozenset[str] = frozenset()
    queries: tuple[UsedQuery, ...] = ()


def register_tags(connection: Connection, statements: Statements, tags: AbstractSet[str]) -> None:
    """Write down that a run uses these tags."""
    NameIds(statements, QueryTag.__table__.c.name).resolve(connection, tags)


def look_up_tags(url: str, origin: str, tag: str) -> UsedTags:
    """Read the tags, and the queries that have this one, without changing anything.

    Raises:
        ConfigurationError: the database cannot be used as it is.
    """
    with database.reading_data(url, origin) as connection:
        if connection is None:
            return UsedTags()
        queries = (used for used in used_queries(connection) if tag in used.tags)
        return UsedTags(frozenset(connection.scalars(select(QueryTag.name))), tuple(queries))
