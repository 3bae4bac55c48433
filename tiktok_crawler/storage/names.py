"""The ids of names - hashtags, effects, tags - as this database numbers them."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Set as AbstractSet

    from sqlalchemy import Column, Connection

    from tiktok_crawler.storage.statements import Statements

REMEMBERED_NAMES = 20_000
"""Names are skewed: remembering more would take memory and spare few look-ups."""


class NameIds:
    """The ids of the names in one column; the ones used last are remembered."""

    def __init__(
        self, statements: Statements, column: Column[str], *, size: int = REMEMBERED_NAMES
    ) -> None:
        self._statements = statements
        self._column = column
        self._size = size
        self._remembered: dict[str, int] = {}

    def resolve(self, connection: Connection, names: AbstractSet[str]) -> dict[str, int]:
        """The id of each name. Names that the database does not have are added, in sorted order.

        Looking first costs less than trying to add what is mostly there; what another writer adds
        in between is found by looking again.
        """
        ids = {name: self._remembered[name] for name in names if name in self._remembered}
        ids |= self._find(connection, names - ids.keys())
        missing = names - ids.keys()
        if missing:
            ids |= self._statements.add_names(connection, self._column, tuple(sorted(missing)))
            ids |= self._find(connection, missing - ids.keys())
        return ids

    def remember(self, ids: Mapping[str, int]) -> None:
        """Remember ids that are committed; the ones used longest ago are forgotten."""
        for name in ids:
            self._remembered.pop(name, None)
        self._remembered |= ids
        for name in list(islice(self._remembered, max(0, len(self._remembered) - self._size))):
            del self._remembered[name]

    def _find(self, connection: Connection, names: AbstractSet[str]) -> dict[str, int]:
        return self._statements.find_names(connection, self._column, tuple(names)) if names else {}
