"""Writes into the archive that days of queries are missing again, since their data was deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tiktok_crawler.archive.lines import Begin, Deed, Kind, WindowName
from tiktok_crawler.archive.recorder import Journal

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

    from tiktok_crawler.storage.deletion.take_back import TakenBack


def write_taken_back(
    folder: Path, origin: str, searches: Sequence[TakenBack], now: datetime, *, beside: Path | None
) -> None:
    """Write a journal of its own, whose replay takes back what the database takes back.

    Raises:
        ConfigurationError: the folder cannot be used.
        ArchiveError: nothing can be written there.
    """
    journal = Journal(folder, origin, beside=beside, clock=lambda: now)
    journal.open()
    try:
        for search in searches:
            query = search.collection.query
            begin = Begin(search.collection.tags, now, {}, search.collection, search.fields)
            journal.write(query, Deed(Kind.BEGIN, now, what=begin))
            names = tuple(WindowName(window.days, window.opened_at) for window in search.windows)
            corrected = {"taken_back": names, "needless": (), "in_vain": ()}
            journal.write(query, Deed(Kind.CORRECT, now, what=corrected))
            journal.write(query, Deed(Kind.CLOSE))
    finally:
        journal.close()
