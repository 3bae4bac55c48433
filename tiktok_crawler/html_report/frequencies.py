"""What videos have, and how many have it: tables whose rows are drawn as bars."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tiktok_crawler.reports.dataset_tables import share
from tiktok_crawler.spelling import visible
from tiktok_crawler.storage.overview import MOST_FREQUENT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tiktok_crawler.reports.naming import Naming
    from tiktok_crawler.storage.overview import Frequencies, Overview


@dataclass(frozen=True, slots=True)
class BarRow:
    """A row: its name, how many videos have it, their share of all, and its bar in percent."""

    name: str
    count: int
    share: str
    width: float


@dataclass(frozen=True, slots=True)
class BarTable:
    """Rows under a caption; `head` says what they are."""

    caption: str
    head: str
    rows: tuple[BarRow, ...]


def lengths(overview: Overview, videos: int) -> BarTable:
    """Tell how long the videos are."""
    found = [(length.value, count) for length, count in overview.lengths.items()]
    return _table("Lengths", "length", found, videos)


def regions(overview: Overview, videos: int) -> BarTable:
    """Tell where the accounts are registered that published them; the rest is added up."""
    first, others = overview.regions[:MOST_FREQUENT], overview.regions[MOST_FREQUENT:]
    found = list(first)
    if others:
        found.append((f"{len(others):,} others", sum(count for _, count in others)))
    return _table("Regions in which the accounts are registered", "region", found, videos)


def hashtags(overview: Overview, videos: int, naming: Naming) -> BarTable:
    """Tell the most frequent hashtags."""
    found = _named(overview.hashtags, lambda name: f"#{naming.label(name)}")
    return _table("Most frequent hashtags", "hashtag", found, videos)


def accounts(overview: Overview, videos: int, naming: Naming) -> BarTable:
    """Tell the accounts with most videos."""
    found = _named(overview.accounts, lambda name: f"@{naming.name(name)}")
    return _table("Accounts with most videos", "account", found, videos)


def _named(found: Frequencies, words: Callable[[str], str]) -> list[tuple[str, int]]:
    return [(visible(words(name)), count) for name, count in found]


def _table(caption: str, head: str, found: Iterable[tuple[str, int]], videos: int) -> BarTable:
    found = list(found)
    most = max((count for _, count in found), default=1)
    rows = (
        BarRow(name, count, share(count, videos), round(100 * count / most, 1))
        for name, count in found
    )
    return BarTable(caption, head, tuple(rows))
