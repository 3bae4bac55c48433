"""Decides which window a run searches next, and what becomes of one that fails. Pure."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING

from tiktok_crawler.date_range import DAY, DateRange, contiguous
from tiktok_crawler.planning.problems import ApiIsDown, AskAnew, ProblemKind, StopCrawl
from tiktok_crawler.planning.task_states import Cut, Parked
from tiktok_crawler.planning.widths import Widths, searched_days
from tiktok_crawler.research_api.tasks import PageRequest, Window

if TYPE_CHECKING:
    from tiktok_crawler.planning.plan import Plan, Wanted
    from tiktok_crawler.planning.problems import Answer, Problem
    from tiktok_crawler.research_api.pages import Page
    from tiktok_crawler.research_api.tasks import Task

PATIENT_WIDTH_DAYS = 7
"""A window no wider than this is tried patiently; a wider one that fails is cut quickly."""


@dataclass(slots=True)
class _Cut:
    """The rest of a window that failed, while its newest day is tried alone.

    `others_work` says that other windows have brought pages since.
    """

    rest: Window
    others_work: bool = False


class WindowQueue:
    """The searches of a run: open windows first, then new ones, then second tries.

    As long as the API has never answered the query, one window is tried at a time. One that proved
    too heavy is cut: its newest day, which is needed anyway, is tried alone. If that works, the
    width was the problem, and the rest is searched in narrower windows; if it fails too, the rest
    stays as it is.
    """

    def __init__(self, plan: Plan, wanted: Wanted):
        self.plan = plan
        self._query = wanted.query
        self._widths = Widths(wanted.window_days, plan.experience)
        self._is_proven = plan.has_succeeded
        self._continued = deque(plan.open_windows)
        self._missing = deque(
            Window(wanted.query, days, wanted.fields)
            for days in contiguous(chain.from_iterable(plan.new_windows))
        )
        self._second_tries = deque((*plan.parked_windows, *plan.suspicious_windows))
        self._open: Counter[DateRange] = Counter()
        self._cuts: dict[DateRange, _Cut] = {}

    def next(self) -> PageRequest | None:
        """Take the next window; None if there is none for now."""
        if not self._is_proven and self._open.total():
            return None
        request = self._take()
        if request:
            self._open[request.window.days] += 1
        return request

    def page_stored(self, page: Page) -> None:
        """Learn from a page; the last one of its window completes it."""
        self._is_proven = True
        days = page.request.window.days
        for newest, other in self._cuts.items():
            other.others_work |= newest != days
        if page.has_more:
            if page.request.starts_task:
                self._widths.saw(page.cursor, searched_days(page))
            return
        self._widths.worked(page.cursor, len(days))
        if days in self._cuts:
            self._widths.failed(len(self._cuts[days].rest.days) + 1)

    def judge(self, request: PageRequest, problem: Problem) -> Answer:
        """Decide what becomes of a window whose request failed for good."""
        match problem.kind:
            case ProblemKind.CURSOR_LOST:
                return AskAnew()
            case ProblemKind.REFUSED if not self._is_proven:
                return StopCrawl(self._refusal(problem))
            case ProblemKind.FAILED if _can_be_cut(request):
                return Cut(problem.reason, problem.log_id)
            case ProblemKind.FAILED if self._blames_api_for(request.window.days):
                self.everything_fails()
                return ApiIsDown()
        return Parked(problem.reason, problem.log_id, request.place)

    def replaced(self, task: Task, rest: Task) -> None:
        """Go on with the rest of a window whose other days are covered."""
        assert isinstance(task, Window)
        assert isinstance(rest, Window)
        self._open[task.days] -= 1
        self._open[rest.days] += 1

    def ended(self, task: Task) -> None:
        """Forget a window that is searched, or postponed; its rest, if it was cut, comes next."""
        assert isinstance(task, Window)
        self._open[task.days] -= 1
        self._go_on_with_rest(task.days)

    def left(self, task: Task) -> None:
        """A window is left to a later run."""
        self.ended(task)

    def cut(self, task: Task) -> None:
        """Search a window that is too heavy in parts."""
        assert isinstance(task, Window)
        days = task.days
        self._open[days] -= 1
        newest = DateRange(days.end, days.end)
        unopened = replace(task, row_id=None)
        self._cuts[newest] = _Cut(replace(unopened, days=DateRange(days.start, days.end - DAY)))
        self._missing.appendleft(replace(unopened, days=newest))

    def everything_fails(self) -> None:
        """The API is having a bad time: no width is to blame for what failed lately."""
        for newest in list(self._cuts):
            self._go_on_with_rest(newest)

    def drop_second_tries(self) -> None:
        """Drop the second tries: what they may cost is spent for today."""
        self._second_tries.clear()

    def _take(self) -> PageRequest | None:
        if self._continued:
            return self._continued.popleft()
        if self._missing:
            return PageRequest(self._cut_off())
        return self._second_tries.popleft() if self._second_tries else None

    def _cut_off(self) -> Window:
        """Take the next missing days, no more of them than a window may have now."""
        missing = self._missing.popleft()
        days, width = missing.days, self._widths.days
        if len(days) <= width:
            return missing
        part = DateRange(days.start, days.start + (width - 1) * DAY)
        self._missing.appendleft(replace(missing, days=DateRange(part.end + DAY, days.end)))
        return replace(missing, days=part)

    def _go_on_with_rest(self, days: DateRange) -> None:
        """Search what was left of a window while this day, its newest, was tried alone."""
        if days in self._cuts:
            self._missing.appendleft(self._cuts.pop(days).rest)

    def _blames_api_for(self, days: DateRange) -> bool:
        """Tell whether a window that failed says that the API fails whatever is asked.

        So it is when the newest day of a window that had failed fails too, and no other one works.
        """
        cut = self._cuts.get(days)
        return cut is not None and not cut.others_work

    def _refusal(self, problem: Problem) -> str:
        hint = ""
        if len(self._query.usernames) > 1:
            hint = ". The query names several usernames: one unusable account can fail them all"
        return f"The API refuses the query: {problem}{hint}"


def _can_be_cut(request: PageRequest) -> bool:
    """Tell whether a window can be searched in parts without asking for a page again.

    That of a second try is not: its parts would be missing days as any others.
    """
    return request.starts_task and len(request.window.days) > 1 and not request.second_try
