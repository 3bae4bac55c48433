"""Decides how wide a run's windows may be: wide ones save requests, but can be too heavy. Pure."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from tiktok_crawler.date_range import DAY, midnight

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tiktok_crawler.date_range import DateRange
    from tiktok_crawler.research_api.pages import Page

WINDOWS_TO_DOUBT = 64
"""Chance hardly fails two windows in a row: a width that failed so is tried again only after so
many narrower windows have worked."""


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

    Windows are as wide as wanted until one fails: by chance, because of one of its days, or of its
    width. It was chance if as many days work, and a day if that fails alone: such a failure is
    forgotten. Until then windows have half the days of the narrowest that failed. As soon as one
    has worked, as many days as failed are tried again; after failures in a row, much later.
    """

    def __init__(self, longest: int, cut: Iterable[DateRange] = ()) -> None:
        self._longest = longest
        self._failed: list[DateRange] = []
        self._failed_in_a_row = 0
        self._worked: Counter[int] = Counter()
        for days in sorted(cut, key=len, reverse=True):
            self.failed(days)

    @property
    def days(self) -> int:
        """The number of days that the next window may have."""
        if not self._failed:
            return self._longest
        narrowest = min(map(len, self._failed))
        half = max(1, narrowest // 2)
        needed = WINDOWS_TO_DOUBT if self._failed_in_a_row > 1 else 1
        return min(narrowest if self._have_worked(half) >= needed else half, self._longest)

    @property
    def has_failed(self) -> bool:
        """Tell whether some window failed that its width may be to blame for."""
        return bool(self._failed)

    def is_untried(self, days: int) -> bool:
        """Tell whether no window of so many days has worked since one failed."""
        return self.has_failed and not self._have_worked(days)

    def worked(self, days: int) -> None:
        """A window of so many days has brought its first page."""
        self._worked[days] += 1
        self._forget(lambda failed: len(failed) <= days)

    def failed(self, days: DateRange) -> None:
        """A window failed, and its newest day alone did not."""
        self._failed_in_a_row = 1 + (0 if self._have_worked(len(days)) else self._failed_in_a_row)
        self._failed.append(days)
        self._worked.clear()

    def failed_alone(self, days: DateRange) -> None:
        """Days failed that are not searched in parts: whatever failed with them says nothing."""
        self._forget(days.overlaps)

    def _have_worked(self, days: int) -> int:
        """Count the windows of so many days that have worked since the last failure."""
        return sum(count for width, count in self._worked.items() if width >= days)

    def _forget(self, is_explained: Callable[[DateRange], bool]) -> None:
        """Forget failures that were no fault of the width; others may not have been, either."""
        left = [days for days in self._failed if not is_explained(days)]
        if len(left) < len(self._failed):
            self._failed, self._failed_in_a_row = left, 0
