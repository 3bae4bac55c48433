"""The revision of the tables of a database, and the one that this version needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import inspect, text

from tiktok_crawler.exceptions import ConfigurationError
from tiktok_crawler.storage.models import METADATA

if TYPE_CHECKING:
    from sqlalchemy import Connection


HEAD = "0113"
"""The newest revision. It stands here because reading the scripts takes most of a second."""

REVISION_TABLE = "alembic_version"
"""Of every program that uses Alembic; alone, it is what a downgrade to the beginning leaves."""

UNRELEASED = ("0001", "0002", "0003", "0004", "0005")
"""Revisions of before the first release, which no script knows any more."""


def revision(connection: Connection) -> str | None:
    """The revision of the tables; None if it is written nowhere.

    Raises:
        ConfigurationError: it is that of another program's tables.
    """
    tables = set(inspect(connection).get_table_names())
    if REVISION_TABLE not in tables:
        return None
    stored: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    if stored and not tables.intersection(METADATA.tables):
        raise ConfigurationError(
            f"the database is another program's, whose tables have revision {stored}. It was left "
            "as it is. Name another database (TIKTOK_DATABASE_URL)"
        )
    return stored
