"""Decides how wide a run's windows may be: wide ones save requests, but can be too heavy. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tiktok_crawler.date_range import DAY, midnight

if TYPE_CHECKING:
    from tiktok_crawler.research_api.pages import Page

WINDOWS_TO_GROW = 3
"""After so many windows in a row that worked, twice their width is tried again; after each failure
it takes twice as many."""


@dataclass(frozen=True, slots=True)
class Experience:
    """Findings of earlier runs about a query's windows.

    `most_matches` is the most that a search of one window has brought to its end, `widest` the
    width of the widest such window in days; `density` is in matches a day.
    """

    has_failed: bool = False
    most_matches: int = 0
    widest: int = 0
    density: float = 0.0


def searched_days(page: Page) -> float:
    """Return how many days of its window a search has passed: newest first, id >> 32 is a time."""
    ids = [record.get("id") for record in page.records if isinstance(record, dict)]
    times = [video_id >> 32 for video_id in ids if isinstance(video_id, int)]
    if not times:
        return 0.0
    window = page.request.window.days
    days = (midnight(window.end + DAY).timestamp() - min(times)) / DAY.total_seconds()
    return min(max(days, 0.0), float(len(window)))


class Widths:
    """The widest window to try next.

    Windows are as wide as wanted until one fails. From then on they are at most half as wide as the
    narrowest that failed, and expect at most twice as many matches as have worked.
    """

    def __init__(self, longest: int, experience: Experience) -> None:
        self._longest = longest
        self._has_failed = experience.has_failed
        self._most_matches = experience.most_matches
        self._widest = experience.widest
        self._density = experience.density
        self._limit = longest
        self._worked_in_a_row = 0
        self._needed_to_grow = WINDOWS_TO_GROW

    @property
    def days(self) -> int:
        """The number of days that the next window may have."""
        if not self._has_failed:
            return self._longest
        return max(1, min(self._limit, self._proven()))

    def saw(self, matches: int, days: float) -> None:
        """A page has passed so many matches of so many days: how dense the query is now."""
        if days > 0:
            self._density = matches / days

    def worked(self, matches: int, days: int) -> None:
        """A window of so many days was searched to its end."""
        self.saw(matches, days)
        self._most_matches = max(self._most_matches, matches)
        self._widest = max(self._widest, days)
        if days >= self._limit:
            self._worked_in_a_row += 1
        if self._worked_in_a_row >= self._needed_to_grow:
            self._worked_in_a_row = 0
            self._limit = min(self._limit * 2, self._longest)

    def failed(self, days: int) -> None:
        """A window of so many days was too heavy, and its newest day alone was not."""
        self._limit = max(1, min(self._limit, days // 2))
        self._worked_in_a_row = 0
        self._needed_to_grow *= 2 if self._has_failed else 1
        self._has_failed = True

    def _proven(self) -> int:
        """Twice of what has worked."""
        if self._most_matches and self._density:
            return min(int(2 * self._most_matches / self._density), self._longest)
        return 2 * self._widest
