"""The revision of the tables of a database, and the one that this version needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import inspect, text

if TYPE_CHECKING:
    from sqlalchemy import Connection


HEAD = "0106"
"""The newest revision. It stands here because reading the scripts takes most of a second."""

UNRELEASED = ("0001", "0002", "0003", "0004", "0005")
"""Revisions of before the first release, which no script knows any more."""


def revision(connection: Connection) -> str | None:
    """The revision of the tables; None if it is written nowhere."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    stored: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return stored
