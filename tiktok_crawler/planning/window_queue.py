"""Which window a run searches next: what was begun, what is missing, what was given up before."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING

from tiktok_crawler.date_range import DAY, DateRange, contiguous
from tiktok_crawler.planning.widths import Widths
from tiktok_crawler.research_api.endpoints import VIDEO_QUERY
from tiktok_crawler.research_api.tasks import PageRequest

if TYPE_CHECKING:
    from tiktok_crawler.planning.plan import Plan, Wanted
    from tiktok_crawler.research_api.pages import Page

PATIENT_WIDTH_DAYS = 7
"""A window no wider than this is tried patiently; a wider one that fails is cut quickly."""


@dataclass(frozen=True, slots=True)
class _Missing:
    """Days to search, and the fields to ask for."""

    days: DateRange
    fields: tuple[str, ...]


@dataclass(slots=True)
class _Cut:
    """What is left of a window that failed, while its newest day is tried alone.

    `others_work` says that other windows have brought pages since.
    """

    rest: _Missing
    others_work: bool = False


class WindowQueue:
    """The searches of a run: open windows first, then new ones, then second tries.

    A window that proved too heavy is cut: its newest day, which is needed anyway, is tried alone.
    If that works, the width was the problem, and the rest is searched in narrower windows; if it
    fails too, the rest stays as it is.
    """

    def __init__(self, plan: Plan, wanted: Wanted):
        self._widths = Widths(wanted.window_days, plan.experience)
        self._continued = deque(plan.open_windows)
        self._missing = deque(
            _Missing(days, wanted.fields)
            for days in contiguous(chain.from_iterable(plan.new_windows))
        )
        self._second_tries = deque((*plan.parked_windows, *plan.suspicious_windows))
        self._open: Counter[DateRange] = Counter()
        self._cuts: dict[DateRange, _Cut] = {}

    @property
    def is_searching(self) -> bool:
        """Whether a window is open."""
        return self._open.total() > 0

    @property
    def is_done(self) -> bool:
        """Nothing is left to search, and nothing that is being searched can leave anything."""
        return not (self._continued or self._missing or self._second_tries or self.is_searching)

    def next(self) -> PageRequest | None:
        """Open the next window; None if there is none for now."""
        request = self._take()
        if request:
            self._open[request.window] += 1
        return request

    def page_came(self, page: Page) -> None:
        """A page is stored; the last one of its window completes it."""
        window = page.request.window
        for newest, other in self._cuts.items():
            other.others_work |= newest != window
        if page.has_more:
            if page.request.starts_search:
                self._widths.saw(page.cursor, page.passed_days)
            return
        self._widths.worked(page.cursor, len(window))
        self._open[window] -= 1
        if window in self._cuts:
            self._widths.failed(len(self._cuts[window].rest.days) + 1)
        self._go_on_with_rest(window)

    def replaced(self, window: DateRange, rest: DateRange) -> None:
        """A search goes on with the rest of its window; the other days are covered."""
        self._open[window] -= 1
        self._open[rest] += 1

    def given_up(self, window: DateRange) -> None:
        """A window was given up for now."""
        self._open[window] -= 1
        self._go_on_with_rest(window)

    def too_heavy(self, request: PageRequest) -> None:
        """The first page of a window of several days failed: cut it."""
        window, fields = request.window, request.fields
        self._open[window] -= 1
        newest = DateRange(window.end, window.end)
        self._cuts[newest] = _Cut(_Missing(DateRange(window.start, window.end - DAY), fields))
        self._missing.appendleft(_Missing(newest, fields))

    def blames_api_for(self, window: DateRange) -> bool:
        """Whether a window that failed says that the API fails whatever is asked.

        So it is when the newest day of a window that had failed fails too, and no other one works.
        """
        cut = self._cuts.get(window)
        return cut is not None and not cut.others_work

    def everything_fails(self) -> None:
        """The API is having a bad time: no width is to blame for what failed lately."""
        for newest in list(self._cuts):
            self._go_on_with_rest(newest)

    def drop_second_tries(self) -> None:
        """What second tries may cost is spent for today."""
        self._second_tries.clear()

    def _take(self) -> PageRequest | None:
        if self._continued:
            return self._continued.popleft()
        if self._missing:
            part = self._cut_off()
            return PageRequest(None, part.days, part.fields, VIDEO_QUERY.max_count)
        return self._second_tries.popleft() if self._second_tries else None

    def _go_on_with_rest(self, window: DateRange) -> None:
        """Search what was left of a window while this day, its newest, was tried alone."""
        if window in self._cuts:
            self._missing.appendleft(self._cuts.pop(window).rest)

    def _cut_off(self) -> _Missing:
        """The next missing days, no more of them than a window may have now."""
        missing = self._missing.popleft()
        days, width = missing.days, self._widths.days
        if len(days) <= width:
            return missing
        part = DateRange(days.start, days.start + (width - 1) * DAY)
        self._missing.appendleft(replace(missing, days=DateRange(part.end + DAY, days.end)))
        return replace(missing, days=part)
