"""Which window a run searches next, and how wide: wide ones save requests, but can be too heavy."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from tiktok_crawler.collection.date_range import DAY, DateRange
from tiktok_crawler.items import PageRequest
from tiktok_crawler.research_api.endpoints import VIDEO_QUERY

if TYPE_CHECKING:
    from tiktok_crawler.collection.plan import Plan, Wanted

PATIENT_WIDTH_DAYS = 7
"""A window no wider than this is tried patiently; a wider one that fails is cut quickly."""


class Agenda:
    """The searches of a run: open windows first, then new ones, then parked ones again.

    A window that proved too heavy is cut: its newest day, which is needed anyway, is tried alone.
    If that works, the width was the problem, and the rest is searched in windows half as wide; if
    it fails too, the API is having a bad time, and the rest stays as it is. Widths grow again as
    windows go well.
    """

    def __init__(self, plan: Plan, wanted: Wanted):
        self._wanted = wanted
        self._width = wanted.window_days
        self._continued = deque(plan.open_windows)
        self._missing = deque(plan.new_windows)
        self._again = deque(plan.parked_windows)
        self._open: set[DateRange] = set()
        self._rests: dict[DateRange, DateRange] = {}

    @property
    def is_done(self) -> bool:
        """Nothing is left to search, and nothing that is being searched can leave anything."""
        return not (self._continued or self._missing or self._again or self._open)

    def next(self) -> PageRequest | None:
        """Open the next window; None if there is none for now."""
        request = self._take()
        if request:
            self._open.add(request.window)
        return request

    def replaced(self, window: DateRange, rest: DateRange) -> None:
        """A search goes on with the rest of its window; the other days are covered."""
        self._open.discard(window)
        self._open.add(rest)

    def ended(self, window: DateRange, *, worked: bool) -> None:
        """A window is complete, or was given up for now."""
        self._open.discard(window)
        rest = self._rests.pop(window, None)
        if rest is None:
            if worked:
                self._width = min(self._width * 2, self._wanted.window_days)
            return
        if worked:
            self._width = max(1, min(self._width, (len(rest) + 1) // 2))
        self._missing.appendleft(rest)

    def too_heavy(self, window: DateRange) -> None:
        """The first page of a window of several days failed: cut it."""
        self._open.discard(window)
        newest = DateRange(window.end, window.end)
        self._rests[newest] = DateRange(window.start, window.end - DAY)
        self._missing.appendleft(newest)

    def _take(self) -> PageRequest | None:
        if self._continued:
            return self._continued.popleft()
        if self._missing:
            return PageRequest(
                None, self._cut(), self._wanted.fields, max_count=VIDEO_QUERY.max_count
            )
        return self._again.popleft() if self._again else None

    def _cut(self) -> DateRange:
        """The next missing days, no more of them than windows may be wide now."""
        days = self._missing.popleft()
        if len(days) <= self._width:
            return days
        window = DateRange(days.start, days.start + (self._width - 1) * DAY)
        self._missing.appendleft(DateRange(window.end + DAY, days.end))
        return window
