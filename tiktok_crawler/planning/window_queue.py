"""Decides which window a run searches next, and what becomes of one that fails. Pure."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, replace
from enum import Enum
from itertools import chain, filterfalse
from typing import TYPE_CHECKING

from tiktok_crawler.date_range import DAY, DateRange, contiguous
from tiktok_crawler.planning import coverage
from tiktok_crawler.planning.problems import ApiIsDown, AskAnew, ProblemKind, StopCrawl
from tiktok_crawler.planning.task_states import Cut, Parked
from tiktok_crawler.planning.widths import Widths
from tiktok_crawler.research_api.tasks import PageRequest, Window

if TYPE_CHECKING:
    from collections.abc import Container, Iterable
    from datetime import date

    from tiktok_crawler.planning.plan import Plan, Wanted, Work
    from tiktok_crawler.planning.problems import Answer, Problem
    from tiktok_crawler.planning.task_states import Event
    from tiktok_crawler.research_api.pages import Page
    from tiktok_crawler.research_api.tasks import Task


class Kind(Enum):
    """The purpose of a window."""

    NEW = "new"
    """It brings what is missing. Second tries come last."""
    REFRESHED = "refreshed"
    """It brings newer values of what is there."""


PATIENT_WIDTH_DAYS = 7
"""A window no wider than this is tried with patience; a wider one that fails is cut quickly."""


@dataclass(slots=True)
class CutWindow:
    """The rest of a window that failed, while its newest day is tried alone.

    `others_work` says that other windows have brought pages since, or, if it was a part, a day of
    the same window just before.
    """

    rest: Window
    others_work: bool = False

    @property
    def days(self) -> DateRange:
        """The days of the window that failed."""
        return DateRange(self.rest.days.start, self.rest.days.end + DAY)


class WindowQueue:
    """The searches of a run: open windows, new ones, refreshed ones, and then second tries.

    As long as the API has never answered the query, one window is tried at a time; likewise as long
    as nothing was found and keywords can be sent in another form. When a window has brought nothing
    then, its days are tried once in that form; if this helps, all that was searched before is
    missing.

    A window that keeps failing is cut: its newest day, which is needed anyway, is tried alone. If
    that fails too, the rest stays as it is. If it works, the rest is searched in two parts, and so
    is each of them that fails, until a day fails alone or all work. Other windows are narrower
    meanwhile, unless one as wide works; what is not known to work is tried with one window first.
    """

    runs_low = False

    def __init__(self, plan: Plan, wanted: Wanted):
        self.plan = plan
        self._wanted = wanted
        self._widths = Widths(wanted.window_days, plan.too_wide)
        self._is_proven = plan.has_succeeded
        self.keyword_forms = forms = plan.keyword_forms
        again = (*plan.parked_windows, *plan.suspicious_windows)
        self._trials = deque(filter(forms.is_trial, (*plan.open_windows, *again)))
        self._trials += [plan.trial] if plan.trial else []
        self._continued = deque(filterfalse(forms.is_trial, plan.open_windows))
        self._parts: deque[Window] = deque()
        self._missing: deque[Window] = deque()
        self._add(chain.from_iterable(plan.new_windows))
        refreshed = chain.from_iterable(plan.refreshed_windows)
        self._refreshed = deque(self._windows(refreshed))
        self._second_tries = deque(filterfalse(forms.is_trial, again))
        self._searched_in_vain = set(plan.standings.done) if forms.is_undecided else set()
        self._open: Counter[DateRange] = Counter()
        self._unanswered: set[DateRange] = set()
        self._cuts: dict[DateRange, CutWindow] = {}

    def next(self, kinds: Container[Kind] = tuple(Kind)) -> PageRequest | None:
        """Take the next window of some kinds; None if there is none for now."""
        if self._goes_alone and self._open.total():
            return None
        request = self._take(kinds)
        if request is None:
            return None
        days = request.window.days
        self._open[days] += 1
        self._unanswered.add(days)
        return replace(request, refreshes=self.plan.refreshes(days))

    def page_stored(self, page: Page) -> None:
        """Learn from a page; the last one of its window completes it."""
        self._is_proven = True
        self._learn_form(page)
        days = page.request.window.days
        for newest, other in self._cuts.items():
            other.others_work |= newest != days
        self._unanswered.discard(days)
        if page.request.starts_task:
            self._widths.worked(len(days))
        if days in self._cuts:
            self._search_in_parts(self._cuts.pop(days))

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
                return ApiIsDown()
            case ProblemKind.FAILED:
                self._widths.failed_alone(request.window.days)
        return Parked(problem.reason, problem.log_id, request.place)

    def doubt(self, page: Page) -> Event | None:  # noqa: ARG002 - others do
        """Say what becomes of a window that has ended, if its end is not believed."""
        return None

    def replaced(self, task: Task, rest: Task) -> None:
        """Go on with the rest of a window whose other days are covered."""
        assert isinstance(task, Window)
        assert isinstance(rest, Window)
        self._close(task.days)
        self._open[rest.days] += 1

    def ended(self, task: Task) -> None:
        """Forget a window that is searched, or postponed; its rest, if it was cut, comes next."""
        assert isinstance(task, Window)
        self._close(task.days)
        self._go_on_with_rest(task.days)
        if task.keywords_as is self.keyword_forms.untried:
            self.keyword_forms = self.keyword_forms.after_try(task.keywords_as)

    def left(self, task: Task) -> None:
        """A window is left to a later run."""
        self.ended(task)

    def put_back(self, request: PageRequest) -> None:
        """Ask for a window later that has brought nothing so far."""
        self._close(request.window.days)
        self._continued.appendleft(request)

    @property
    def work(self) -> Work:
        """The work of its plan."""
        return self.plan.work

    @property
    def is_idle(self) -> bool:
        """Tell whether no window is being searched."""
        return not self._open.total()

    @property
    def has_to_refresh(self) -> bool:
        """Tell whether there is a window left that is refreshed."""
        return bool(self._refreshed)

    def cut(self, task: Task) -> None:
        """Search a window that is too heavy in parts; one day is enough to try another form."""
        assert isinstance(task, Window)
        days = task.days
        self._close(days)
        newest = DateRange(days.end, days.end)
        unopened = replace(task, row_id=None, is_part=False)
        if task.keywords_as is self.keyword_forms.untried:
            self._trials.append(PageRequest(replace(unopened, days=newest)))
            return
        rest = replace(unopened, days=DateRange(days.start, days.end - DAY))
        self._cuts[newest] = CutWindow(rest, others_work=task.is_part)
        self._parts.appendleft(replace(unopened, days=newest))

    def everything_fails(self) -> None:
        """The API is having a bad time: no width is to blame for what failed lately."""
        for newest in list(self._cuts):
            self._go_on_with_rest(newest)

    def drop_second_tries(self) -> None:
        """Drop the second tries: what they may cost is spent for today."""
        self._second_tries.clear()

    @property
    def _goes_alone(self) -> bool:
        return not self._is_proven or self.keyword_forms.is_undecided

    def _learn_form(self, page: Page) -> None:
        """See whether keywords have to be sent in another form: once the first window has ended."""
        before, window = self.keyword_forms, page.request.window
        self.keyword_forms = forms = before.after(page)
        if before.is_undecided and forms.in_vain:
            self._add(sorted(self._searched_in_vain - set(window.days)))
        if forms.untried and not page.has_more:
            self._searched_in_vain |= set(window.days)
            trial = replace(window, keywords_as=forms.untried, row_id=None)
            self._trials.append(PageRequest(trial))

    def _add(self, days: Iterable[date]) -> None:
        """Let days be missing."""
        self._missing += self._windows(days)

    def _windows(self, days: Iterable[date]) -> list[Window]:
        form = self.keyword_forms.sent_as
        return [self._wanted.window(each, form) for each in contiguous(days)]

    def _take(self, kinds: Container[Kind]) -> PageRequest | None:
        if Kind.NEW in kinds and self._trials:
            return self._trials.popleft()
        if Kind.NEW in kinds and self._continued:
            return self._in_form(self._continued.popleft())
        if Kind.NEW in kinds and (windows := self._parts or self._missing):
            return self._first_of(windows)
        if self._refreshed:
            return self._first_of(self._refreshed) if Kind.REFRESHED in kinds else None
        if Kind.NEW in kinds and self._second_tries:
            return self._in_form(self._second_tries.popleft())
        return None

    def _first_of(self, windows: deque[Window]) -> PageRequest | None:
        width = min(len(windows[0].days), self._widths.days)
        if self._unanswered and self._is_in_doubt(width):
            return None
        return self._in_form(PageRequest(self._cut_off(windows, width)))

    def _in_form(self, request: PageRequest) -> PageRequest:
        """Begin a search anew whose form is one that finds nothing."""
        forms = self.keyword_forms
        is_in_vain = request.window.keywords_as is forms.in_vain
        return request.with_keywords_as(forms.sent_as) if is_in_vain else request

    def _cut_off(self, windows: deque[Window], width: int) -> Window:
        """Take so many days of the first window."""
        window = windows.popleft()
        days = window.days
        if len(days) == width:
            return window
        part = DateRange(days.start, days.start + (width - 1) * DAY)
        windows.appendleft(replace(window, days=DateRange(part.end + DAY, days.end)))
        return replace(window, days=part)

    def _is_in_doubt(self, width: int) -> bool:
        """Tell whether so many days may be too many, or why others failed is being found out."""
        return self._widths.is_untried(width) or (self._widths.has_failed and bool(self._parts))

    def _search_in_parts(self, cut: CutWindow) -> None:
        """Search the rest of a window that failed, and whose newest day alone works."""
        self._widths.failed(cut.days)
        days = cut.rest.days
        parts = coverage.windows(days, (len(days) + 1) // 2)
        self._parts.extendleft(
            replace(cut.rest, days=part, is_part=True) for part in reversed(parts)
        )

    def _go_on_with_rest(self, days: DateRange) -> None:
        """Search what was left of a window while this day, its newest, was tried alone."""
        if days in self._cuts:
            self._missing.appendleft(self._cuts.pop(days).rest)

    def _close(self, days: DateRange) -> None:
        self._open[days] -= 1
        self._unanswered.discard(days)

    def _blames_api_for(self, days: DateRange) -> bool:
        """Tell whether a window that failed says that the API fails whatever is asked.

        So it is when the newest day of a window that had failed fails too, and nothing else works.
        """
        cut = self._cuts.get(days)
        return cut is not None and not cut.others_work

    def _refusal(self, problem: Problem) -> str:
        hint = ""
        if len(self._wanted.query.usernames) > 1:
            hint = (
                ". The query names several usernames: one unusable account can fail them all; a "
                "list under each (docs/lists.md) is searched without it"
            )
        return f"The API refuses the query: {problem}{hint}"


def _can_be_cut(request: PageRequest) -> bool:
    """Tell whether a window can be searched in parts without asking for a page again.

    That of a second try is not: its parts would be missing days as any others.
    """
    return request.starts_task and len(request.window.days) > 1 and not request.second_try


def retries(request: PageRequest, times: int) -> int:
    """Return how often a page of a window is sent again of the so many times that are wanted.

    What can be cut is tried less: narrow windows half as often, wide ones and parts once.
    """
    window = request.window
    if not request.starts_task or len(window.days) == 1:
        return times
    is_narrow = len(window.days) <= PATIENT_WIDTH_DAYS and not window.is_part
    return (times + 1) // 2 if is_narrow else min(times, 1)
