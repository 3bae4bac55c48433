"""Keeps pages of listings: all that one brings, and how far its seed has come, at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tiktok_crawler.storage.engine.statements import statements_for
from tiktok_crawler.storage.list_writer import VIDEO_LISTS, ListWriter
from tiktok_crawler.storage.listing_records import read_listing
from tiktok_crawler.storage.records.names import TAGS, NamesOfPages
from tiktok_crawler.storage.records.shape import read_videos
from tiktok_crawler.storage.records.video_changes import LINKS
from tiktok_crawler.storage.store import Saved

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy import Connection, Engine

    from tiktok_crawler.research_api.pages import Page
    from tiktok_crawler.storage.records.names import Ids


class ListStore:
    """Writes pages of listings. For one thread at a time; other processes may be writing too."""

    def __init__(self, engine: Engine) -> None:
        self._statements = statements_for(engine.dialect)
        self._names = NamesOfPages(engine)

    def save_page(self, page: Page, *, tags: Collection[str], moves_on: bool = True) -> Saved:
        """Store a page whose seed is open, and move the seed on, unless it is to stay where it is.

        A page that is stored already, because its commit was in doubt, is left as it is. Of
        followers and following, accounts are counted that were not known before.
        """
        has_videos = page.request.seed.listing.name in VIDEO_LISTS
        read = read_videos(page.records) if has_videos else read_listing(page)

        def write(connection: Connection, ids: Ids) -> tuple[int, int]:
            return ListWriter(connection, self._statements, ids, page).write(
                read, moves_on=moves_on
            )

        names = {key: read.names(key) for key in LINKS} | {TAGS: set(tags)}
        return Saved.of(read, *self._names.write_with(names, write))
