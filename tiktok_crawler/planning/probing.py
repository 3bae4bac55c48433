"""Chooses windows whose first pages tell how dense a query is, and asks for no more. Pure."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING

from tiktok_crawler.date_range import DAY, DateRange, contiguous
from tiktok_crawler.planning.widths import Widths
from tiktok_crawler.planning.window_queue import WindowQueue

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import date

    from tiktok_crawler.planning.plan import Plan, Wanted
    from tiktok_crawler.planning.window_queue import CutWindow
    from tiktok_crawler.research_api.tasks import Window

_WEEK = 7
_ALL_WEEKDAYS = 5
"""So many days apart, in a week, ends of windows lie on weekdays of all kinds."""


def probes(plan: Plan, wanted: Wanted, count: int) -> tuple[DateRange, ...]:
    """Choose a window in each of so many equal stretches of the missing days, oldest first.

    A page begins with the newest videos of its window, so the windows end on all weekdays alike.
    Where the stretches are longer than a window, it is one of those that a crawl would open in any
    case. A stretch in which a search has begun needs none.

    Returns:
        Nothing if fewer days are missing.
    """
    missing = sorted(plan.standings.missing)
    if len(missing) < count:
        return ()
    width = Widths(wanted.window_days, plan.too_wide).days
    begun = {request.window.days.end for request in plan.open_windows if not request.starts_task}
    unopened = {day for window in plan.new_windows for day in window}
    found = []
    for stretch in _stretches(missing, count, width):
        free = [day for day in stretch if day in unopened]
        if free and begun.isdisjoint(stretch):
            planned = filter(unopened.issuperset, plan.new_windows)
            window = _window(free, planned, width)
            found.append(window)
            unopened.difference_update(window)
    return tuple(found)


def _stretches(days: Sequence[date], count: int, width: int) -> Iterator[Sequence[date]]:
    """Split days; stretches of whole weeks are shifted, by a week from the first to the last."""
    length, start = len(days) / count, 0
    beyond = (length + _WEEK / 2) % _WEEK - _WEEK / 2
    shift = 0
    if _WEEK - 1 < length < width and abs(beyond) * count < _ALL_WEEKDAYS:
        shift = -_WEEK if beyond < 0 else _WEEK
    for number in range(1, count):
        end = round(number * length + shift * (number / count - 1 / 2))
        yield days[start:end]
        start = end
    yield days[start:]


def _window(days: Sequence[date], planned: Iterable[DateRange], width: int) -> DateRange:
    """Return the window of a stretch: one that is planned as it is, or else its newest days."""
    whole = [each for each in planned if len(each) <= width and each.end in days]
    if len(days) > width and whole:
        middle = days[len(days) // 2]
        return min(whole, key=lambda each: abs(each.end - middle))
    newest = contiguous(days)[-1]
    return DateRange(max(newest.start, newest.end - (width - 1) * DAY), newest.end)


class ProbeQueue(WindowQueue):
    """The searches of probes: what they turn out to need besides is left to a crawl."""

    def __init__(self, plan: Plan, wanted: Wanted, windows: tuple[DateRange, ...]):
        only = replace(
            plan,
            open_windows=(),
            new_windows=windows,
            refreshed_windows=(),
            parked_windows=(),
            suspicious_windows=(),
        )
        super().__init__(only, wanted)
        form = self.keyword_forms.sent_as
        self._missing = deque(wanted.window(days, form) for days in windows)

    def _add(self, days: Iterable[date]) -> None: ...

    def _cut_off(self, windows: deque[Window], width: int) -> Window:
        window = windows.popleft()
        end = window.days.end
        return replace(window, days=DateRange(end - (width - 1) * DAY, end))

    def _search_in_parts(self, cut: CutWindow) -> None:
        self._widths.failed(cut.days)

    def _go_on_with_rest(self, days: DateRange) -> None:
        self._cuts.pop(days, None)
