"""Keeps pages: all that a page brings, and how far its window has come, in one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tiktok_crawler.storage.engine.statements import statements_for
from tiktok_crawler.storage.page_writer import PageWriter
from tiktok_crawler.storage.records.names import TAGS, NamesOfPages
from tiktok_crawler.storage.records.shape import read_videos
from tiktok_crawler.storage.records.video_changes import LINKS

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy import Connection, Engine

    from tiktok_crawler.research_api.pages import Page
    from tiktok_crawler.storage.records.names import Ids
    from tiktok_crawler.storage.records.shape import Records


@dataclass(frozen=True, slots=True)
class Saved:
    """What a page brought.

    `updated_count` are records that were there before, with other values. `refused` has a line for
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

    @classmethod
    def of(cls, read: Records, new_count: int, updated_count: int) -> Saved:
        """What was written of the records of a page, and what has to be said about them."""
        return cls(
            new_count=new_count,
            updated_count=updated_count,
            refused=tuple(read.refused),
            unknown_fields=frozenset(read.unknown_fields),
            misfits=tuple(read.misfits),
            cleaned_count=read.cleaned_count,
        )


class Store:
    """Writes pages to a database. For one thread at a time; other processes may be writing too."""

    def __init__(self, engine: Engine) -> None:
        self._statements = statements_for(engine.dialect)
        self._names = NamesOfPages(engine)

    def save_page(self, page: Page, *, tags: Collection[str], moves_on: bool = True) -> Saved:
        """Store a page whose window is open, and move the window on.

        A page that is stored already, because its commit was in doubt, is left as it is.
        """
        videos = read_videos(page.records)
        in_order = videos.in_order()

        def write(connection: Connection, ids: Ids) -> tuple[int, int]:
            return PageWriter(connection, self._statements, ids, page).write(
                in_order, moves_on=moves_on
            )

        names = {key: videos.names(key) for key in LINKS} | {TAGS: set(tags)}
        return Saved.of(videos, *self._names.write_with(names, write))
