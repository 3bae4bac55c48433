"""The ids of names - hashtags, effects, tags - as this database numbers them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tiktok_crawler.storage.models.ledger import QueryTag
from tiktok_crawler.storage.models.records import Effect, Hashtag

if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Set as AbstractSet

    from sqlalchemy import Column, Connection

    from tiktok_crawler.storage.engine.statements import Statements

    Ids = dict[str, dict[str, int]]

TAGS = "tags"
NAME_COLUMNS: dict[str, Column[str]] = {
    "hashtag_names": Hashtag.__table__.c.name,
    "effect_ids": Effect.__table__.c.effect_id,
    TAGS: QueryTag.__table__.c.name,
}

REMEMBERED_NAMES = 20_000
"""Names are skewed: remembering more would take memory and spare few look-ups."""


class NameIds:
    """The ids of the names in one column; the ones used lately are remembered.

    They are in two halves. When the younger one is full, it becomes the older one, which is
    forgotten: what was used in the meantime is in the younger one again.
    """

    def __init__(
        self, statements: Statements, column: Column[str], *, size: int = REMEMBERED_NAMES
    ) -> None:
        self._statements = statements
        self._column = column
        self._half = size // 2
        self._younger: dict[str, int] = {}
        self._older: dict[str, int] = {}

    def resolve(self, connection: Connection, names: AbstractSet[str]) -> dict[str, int]:
        """The id of each name. Names that the database does not have are added, in sorted order.

        Looking first costs less than trying to add what is mostly there; what another writer adds
        in between is found by looking again.
        """
        younger, older = self._younger.get, self._older.get
        ids = {name: id_ for name in names if (id_ := younger(name) or older(name))}
        ids |= self._find(connection, names - ids.keys())
        missing = names - ids.keys()
        if missing:
            ids |= self._statements.add_names(connection, self._column, tuple(sorted(missing)))
            ids |= self._find(connection, missing - ids.keys())
        return ids

    def remembers(self, names: AbstractSet[str]) -> bool:
        """Tell whether nothing has to be looked up."""
        return all(name in self._younger or name in self._older for name in names)

    def remember(self, ids: Mapping[str, int]) -> None:
        """Remember ids that are committed."""
        self._younger |= ids
        if len(self._younger) >= self._half:
            self._older, self._younger = self._younger, {}

    def _find(self, connection: Connection, names: AbstractSet[str]) -> dict[str, int]:
        return self._statements.find_names(connection, self._column, tuple(names)) if names else {}


class Names:
    """The ids of all kinds of names. For one thread at a time; other processes may add some."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements
        self._by_kind = {key: NameIds(statements, column) for key, column in NAME_COLUMNS.items()}

    def resolve(self, connection: Connection, names: Mapping[str, AbstractSet[str]]) -> Ids:
        """The ids of names by their kind; those that the database does not have are added."""
        return {key: self._by_kind[key].resolve(connection, each) for key, each in names.items()}

    def remembers(self, names: Mapping[str, AbstractSet[str]]) -> bool:
        """Tell whether nothing has to be looked up."""
        return all(self._by_kind[key].remembers(each) for key, each in names.items())

    def remember(self, ids: Ids) -> None:
        """Remember ids that are committed."""
        for key, found in ids.items():
            self._by_kind[key].remember(found)
