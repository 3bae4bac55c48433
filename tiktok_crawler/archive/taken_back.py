"""Writes into the archive that days and lists are missing again, since their data was deleted."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from tiktok_crawler.archive.lines import Asked, Begin, Deed, Kind, WindowName
from tiktok_crawler.archive.recorder import Journal
from tiktok_crawler.planning.task_states import Emptied
from tiktok_crawler.research_api.tasks import PageRequest

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

    from tiktok_crawler.research_api.tasks import Seed
    from tiktok_crawler.storage.deletion.take_back import TakenBack


def write_taken_back(  # noqa: PLR0913 - what is missing, and where that is written
    folder: Path,
    origin: str,
    searches: Sequence[TakenBack],
    now: datetime,
    *,
    lists: Sequence[Seed] = (),
    beside: Path | None,
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
            _write_windows(journal, search, now)
        by_name = sorted(lists, key=lambda seed: (seed.listing.name, seed.key))
        for _, seeds in groupby(by_name, key=lambda seed: seed.listing.name):
            _write_seeds(journal, list(seeds), now)
    finally:
        journal.close()


def _write_windows(journal: Journal, search: TakenBack, now: datetime) -> None:
    query = search.collection.query
    begin = Begin(search.collection.tags, now, {}, search.collection, search.fields)
    journal.write(query, Deed(Kind.BEGIN, now, what=begin))
    names = tuple(WindowName(window.days, window.opened_at) for window in search.windows)
    corrected = {"taken_back": names, "needless": (), "in_vain": ()}
    journal.write(query, Deed(Kind.CORRECT, now, what=corrected))
    journal.write(query, Deed(Kind.CLOSE))


def _write_seeds(journal: Journal, seeds: Sequence[Seed], now: datetime) -> None:
    listing = seeds[0].listing
    journal.write(listing, Deed(Kind.BEGIN, now, what=Begin((), now)))
    for seed in seeds:
        journal.write(
            listing, Deed(Kind.END, now, Asked(PageRequest(seed)), Emptied()), synced=False
        )
    journal.write(listing, Deed(Kind.CLOSE))
