"""Databases that have their tables and nothing else: a copy takes a hundredth of making one."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import text

from tiktok_crawler.storage.engine import database


def new_database(path: Path) -> str:
    """Return the URL of a database that no crawl has used, as `scrapy migrate` makes it."""
    path.touch(0o600)
    path.write_bytes(_tables())
    return f"sqlite:///{path}"


def forget_origin(url: str) -> None:
    """Let a database with tables be one that no crawl has used."""
    engine = database.create_engine_for(database.database_url(url))
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM database_origin"))
    engine.dispose()


@cache
def _tables() -> bytes:
    with TemporaryDirectory() as folder:
        path = Path(folder, "empty.db")
        url = f"sqlite:///{path}"
        engine = database.create_engine_for(database.database_url(url))
        database.prepare(engine, "sandbox")
        engine.dispose()
        forget_origin(url)
        return path.read_bytes()
