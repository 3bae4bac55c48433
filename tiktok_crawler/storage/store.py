"""Keeps pages: all that a page brings, and how far its window has come, in one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tiktok_crawler.storage.changes import LINKS
from tiktok_crawler.storage.models import Effect, Hashtag, QueryTag
from tiktok_crawler.storage.names import NameIds
from tiktok_crawler.storage.page_writer import TAGS, PageWriter
from tiktok_crawler.storage.records import read_videos
from tiktok_crawler.storage.statements import statements_for
from tiktok_crawler.storage.transactions import transaction

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy import Connection, Engine

    from tiktok_crawler.items import Page

    Names = dict[str, set[str]]
    Ids = dict[str, dict[str, int]]


@dataclass(frozen=True, slots=True)
class Saved:
    """What a page brought.

    `updated_count` are videos that were there before, with other values. `refused` has a line for
    each record that was not stored; `misfits` one for each value that did not fit its column and is
    in `extra_data` instead, where the values of `unknown_fields` are too. `cleaned_count` values
    held something that databases refuse.
    """

    new_count: int
    updated_count: int
    refused: tuple[str, ...] = ()
    unknown_fields: frozenset[str] = frozenset()
    misfits: tuple[str, ...] = ()
    cleaned_count: int = 0


class Store:
    """Writes pages to a database. For one thread at a time; other processes may be writing too."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._statements = statements_for(engine.dialect)
        columns = {
            "hashtag_names": Hashtag.__table__.c.name,
            "effect_ids": Effect.__table__.c.effect_id,
            TAGS: QueryTag.__table__.c.name,
        }
        self._names = {key: NameIds(self._statements, column) for key, column in columns.items()}

    def save_page(self, page: Page, *, tags: Collection[str]) -> Saved:
        """Store a page whose window is open, and move the window on.

        A page that is stored already, because its commit was in doubt, is left as it is.
        """
        videos = read_videos(page.records)
        in_order = [video for _, video in sorted(videos.by_id.items())]
        names = {key: videos.names(key) for key in LINKS} | {TAGS: set(tags)}

        def write(connection: Connection) -> tuple[Ids, int, int]:
            ids = committed or self._resolve(connection, names)
            writer = PageWriter(connection, self._statements, page, ids)
            return ids, *writer.write(in_order)

        committed: Ids = {}
        if self._statements.has_many_writers:
            # In a transaction of their own, because others may be waiting for new names.
            committed = transaction(self._engine, lambda on: self._commit_names(on, names))
        ids, new_count, updated_count = transaction(self._engine, write)
        self._remember(ids)
        return Saved(
            new_count=new_count,
            updated_count=updated_count,
            refused=tuple(videos.refused),
            unknown_fields=frozenset(videos.unknown_fields),
            misfits=tuple(videos.misfits),
            cleaned_count=videos.cleaned_count,
        )

    def _resolve(self, connection: Connection, names: Names) -> Ids:
        return {key: self._names[key].resolve(connection, wanted) for key, wanted in names.items()}

    def _commit_names(self, connection: Connection, names: Names) -> Ids:
        # What the page's commit flushes to disk has these before it.
        connection.exec_driver_sql("SET LOCAL synchronous_commit TO off")
        return self._resolve(connection, names)

    def _remember(self, ids: Ids) -> None:
        for key, committed in ids.items():
            self._names[key].remember(committed)
