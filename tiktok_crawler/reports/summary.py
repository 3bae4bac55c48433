"""The summary at a crawl's end: what is stored, what is missing and why, and what comes next."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from itertools import chain, starmap
from typing import TYPE_CHECKING

from tiktok_crawler.attention.needs import held
from tiktok_crawler.crawling.closing import CloseReason
from tiktok_crawler.planning.days import DayState
from tiktok_crawler.planning.task_states import WindowState
from tiktok_crawler.reports.checks_report import checks_outcome
from tiktok_crawler.reports.days_report import (
    describe_doubts,
    listed_ranges,
    missing_lines,
    ranges,
    stored_lines,
)
from tiktok_crawler.reports.endings import ending, not_before
from tiktok_crawler.reports.keywords_report import keyword_lines
from tiktok_crawler.reports.list_report import (
    list_in_a_line,
    missing_of_list,
    next_of_list,
    stored_of_list,
)
from tiktok_crawler.reports.listing_report import describe_broken_off, stage_outcome
from tiktok_crawler.reports.next_run import left_of_checks, left_of_search, left_of_stage
from tiktok_crawler.reports.status_report import parked_lines
from tiktok_crawler.reports.unseen_values import describe_unseen
from tiktok_crawler.reports.words import FOR_NOBODY, PARKED, SPLIT, UNSETTLED, WINDOW, from_time
from tiktok_crawler.research_api.verdicts import AnswerKind
from tiktok_crawler.spelling import number_of, visible
from tiktok_crawler.storage.search_session import SearchResult
from tiktok_crawler.storage.value_lists import ListState

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime
    from typing import Any

    from tiktok_crawler.exceptions import ShareSpentError
    from tiktok_crawler.planning.search_budget import SearchBudget
    from tiktok_crawler.planning.seeds import Stage, StageResult
    from tiktok_crawler.reports.days_report import Labelled
    from tiktok_crawler.reports.endings import Ending
    from tiktok_crawler.reports.next_run import Left
    from tiktok_crawler.storage.check_session import ChecksResult

SOON = timedelta(minutes=1)
"""Whoever types a command needs no more exact time."""

NOTHING = {"Missing": "nothing", "Next": "nothing to do"}

EXPLAINED = {WindowState.PARKED: f" ({PARKED})", WindowState.SPLIT: f" ({SPLIT})"}


@dataclass(frozen=True, slots=True)
class SearchEnd:
    """The end that the search of a query file has come to; without a result it was not begun."""

    name: str
    budget: SearchBudget
    result: SearchResult | ListState | None

    @property
    def is_done(self) -> bool:
        """Tell whether all is stored that was asked for, or as many videos as were wanted."""
        return self.is_fulfilled or self.budget.has_all_videos

    @property
    def is_fulfilled(self) -> bool:
        """Tell whether all is stored that was asked for."""
        return self.result is not None and self.result.is_fulfilled


@dataclass(frozen=True, slots=True)
class Summary:
    """The last words of a crawl.

    `searches` say what the database holds and lacks of each query file after it; `stages` are the
    listings that it was for, and how far each is, None if it was not begun. `stats` are Scrapy's
    statistics of this run, `location` is the database in words. `waits_until` is when the API may
    be asked again, if the crawl was waiting for that; `spent` are shares of the day of which it
    found nothing left.
    """

    searches: Sequence[SearchEnd]
    stages: Sequence[tuple[Stage, StageResult | None]]
    stats: Mapping[str, Any]
    location: str
    waits_until: datetime | None = None
    checks: ChecksResult | None = None
    spent: Sequence[ShareSpentError] = ()

    @property
    def is_unfinished(self) -> bool:
        """True if something that was asked for is not stored."""
        is_listed = all(left and left.is_fulfilled for _, left in self.stages)
        is_checked = not self.checks or not self.checks.is_unfinished
        return not (is_checked and is_listed and all(search.is_done for search in self.searches))

    def text(self, *, command: str | None, now: datetime) -> str:
        """The summary; `command` is what to run to go on."""
        sections = (
            ("Stored now", self._stored()),
            ("Missing", self._missing(now)),
            ("Next", self._next(command or "the same again", now)),
        )
        return "\n".join(("", *chain.from_iterable(starmap(_section, sections))))

    def _stored(self) -> Iterator[Labelled]:
        for search in self.searches:
            if len(self.searches) > 1:
                yield "query", _in_a_line(search)
            elif isinstance(search.result, ListState):
                yield from stored_of_list(search.result)
                yield "videos", self._videos(search.result.totals.videos)
            elif search.result:
                yield from self._collection(search.result)
        for stage, left in self.stages:
            if left and left.seeds:
                yield "listing", stage_outcome(stage.listing, left)
            elif left:
                yield "listing", f"{stage.listing.words}: the database has none in {stage.source}"
        if self.checks and (outcome := checks_outcome(self.checks)):
            yield "existence", outcome
        yield from self._of_run()
        yield "requests", f"{self._stat('requests/sent_count')} in this run{self._so_far()}"
        yield "data", self.location

    def _of_run(self) -> Iterator[Labelled]:
        """Add up what the run brought, where that stands with no query."""
        if len(self.searches) > 1:
            yield "videos", f"{self._in_this_run('videos')} in this run"
        if any(left for _, left in self.stages):
            yield "records", f"{self._in_this_run('records')} in this run"

    def _in_this_run(self, what: str) -> str:
        new, updated = self._stat(f"{what}/new_count"), self._stat(f"{what}/updated_count")
        return f"{new} new, {updated} updated"

    def _videos(self, count: int) -> str:
        return f"{count:,} of the query; in this run {self._in_this_run('videos')}"

    def _so_far(self) -> str:
        totals = [search.result.totals.requests for search in self.searches if search.result]
        return (
            f"; {totals[0]:,} for the query so far"
            if len(self.searches) == len(totals) == 1
            else ""
        )

    def _collection(self, result: SearchResult) -> Iterator[Labelled]:
        plan, totals = result.plan, result.totals
        yield "days", f"{plan.days} ({number_of(len(plan.days), 'days')})"
        yield "videos", self._videos(totals.videos)
        yield from stored_lines(plan.standings)
        completed = f"{self._stat('windows/completed_count')} completed"
        parked = f"{self._stat('windows/parked_count')} parked"
        windows = f"{_in_words(totals.windows)}; in this run {completed}, {parked}"
        yield "windows", f"{windows} ({WINDOW})"
        for line in describe_unseen(result.unseen):
            yield "unseen", line

    def _missing(self, now: datetime) -> Iterator[Labelled]:
        if self.is_unfinished:
            yield from (("ended", f"early: {why}") for why in self._early_ends())
        for search in self.searches:
            yield from self._named(search, _missing_of(search, now))
        for stage, left in self.stages:
            if left is None:
                yield "listing", f"{stage.listing.words}: not begun"
            elif not left.is_fulfilled:
                seeds = f"{left.open:,} open, {left.parked:,} parked ({PARKED})"
                yield "listing", f"{stage.listing.words}: {seeds}"
            if left and left.tally.broken_off:
                part = describe_broken_off(stage.listing, left.tally)
                yield "listing", f"{stage.listing.words}: {part}"
        if self.checks:
            yield from _missing_checks(self.checks)

    def _early_ends(self) -> Iterator[str]:
        """Say why the crawl, or a part of it, has ended before all was done."""
        if self._ending:
            yield self._ending.why
        yield from dict.fromkeys(each.why for each in self.spent)

    def _next(self, command: str, now: datetime) -> Iterator[Labelled]:
        if self._ending and self._ending.first:
            yield "first", self._ending.first
        for search in self.searches:
            if search.result:
                yield from self._named(search, _next_of(search.result, now))
        if self.is_unfinished:
            yield "when", self._when(now)
        results = [search.result for search in self.searches if search.result]
        if self.is_unfinished or not all(result.is_over for result in results):
            yield "command", command

    def _named(self, search: SearchEnd, lines: Iterator[Labelled]) -> Iterator[Labelled]:
        """Say which query file lines are about, where there are several."""
        name = f"{search.name}: " if len(self.searches) > 1 else ""
        return ((label, f"{name}{text}") for label, text in lines)

    def _when(self, now: datetime) -> str:
        """Say when the next run can go on."""
        if self._ending and self._ending.later:
            return self._ending.later
        times = [left.possible_from(self.spent) for left in self._left(now)]
        if times and not any(times):
            return "when that setting allows some"
        at = min(filter(None, times), default=now)
        at = max(at, not_before(self._reason, now), self.waits_until or now)
        return "now, or whenever you like" if at <= now + SOON else from_time(at, now)

    def _left(self, now: datetime) -> Iterator[Left]:
        """Yield what later runs go on with."""
        for search in self.searches:
            if not search.is_done:
                yield left_of_search(search.result, now)
        for stage, result in self.stages:
            if not (result and result.is_fulfilled):
                yield left_of_stage(stage, result, now)
        if self.checks and self.checks.is_unfinished:
            yield left_of_checks(now)

    @property
    def _reason(self) -> str:
        if self.stats.get(f"tiktok/answers/{AnswerKind.SCOPE}_count"):
            # Of a part of it; the others were asked for.
            return CloseReason.CREDENTIALS_REFUSED
        return str(self.stats.get("finish_reason", "finished"))

    @property
    def _ending(self) -> Ending | None:
        return ending(self._reason)

    def _stat(self, name: str) -> str:
        return f"{self.stats.get(f'tiktok/{name}', 0):,}"


def _in_a_line(search: SearchEnd) -> str:
    """Say of one of several query files what the database has."""
    if not search.result:
        return f"{search.name}: not begun"
    budget = search.budget
    run = f"in this run {budget.new:,} new, {number_of(budget.requests, 'requests')}"
    if isinstance(search.result, ListState):
        return f"{search.name}: {list_in_a_line(search.result)}; {run}"
    plan = search.result.plan
    days = f"{len(plan.standings.done):,} of {number_of(len(plan.days), 'days')}"
    videos = f"{search.result.totals.videos:,} videos"
    return f"{search.name}: {days}, {videos}; {run}"


def _missing_checks(result: ChecksResult) -> Iterator[Labelled]:
    if result.left:
        yield "existence", f"{number_of(result.left, 'checks')} left to a later run"
    elif not result.is_decided:
        yield "existence", "what is not checked yet is left to a later run"
    for check in result.held:
        yield "held", held(check)


def _missing_of(search: SearchEnd, now: datetime) -> Iterator[Labelled]:
    if search.budget.has_all_videos and not search.is_fulfilled:
        wanted = number_of(search.budget.max_videos or 0, "videos")
        yield "ended", f"with the {wanted} of max_videos: other days are not searched"
    elif search.budget.failure and not search.is_done:
        yield "ended", f"early: {visible(search.budget.failure)}"
    elif search.budget.has_sent_all and not search.is_done:
        sent = number_of(search.budget.requests, "requests")
        yield "ended", f"early: the {sent} of its max_requests are sent"
    if isinstance(search.result, ListState):
        yield from missing_of_list(search.result, now)
    if not isinstance(search.result, SearchResult):
        return
    standings = search.result.plan.standings
    postponed = set(standings.in_state(DayState.PARKED))
    yield from missing_lines(standings)
    lacking = (each for each in search.result.parked if postponed.intersection(each.days))
    yield from parked_lines(list(lacking), now)


def _next_of(result: SearchResult | ListState, now: datetime) -> Iterator[Labelled]:
    if isinstance(result, ListState):
        yield from next_of_list(result, now)
        return
    plan = result.plan
    if result.asks_for_nobody:
        yield "query", FOR_NOBODY
    if plan.window_count:
        yield "left", f"{number_of(plan.window_count, 'windows')}, at least as many requests"
    if plan.taken_windows:
        windows = listed_ranges([request.window.days for request in plan.taken_windows])
        yield "others", f"{windows}: another crawl works on that"
    if plan.next_retry_at:
        windows = listed_ranges([waiting.request.window.days for waiting in plan.waiting_windows])
        yield "postponed", f"{windows}: tried again {from_time(plan.next_retry_at, now)}"
    yield from (("keywords", line) for line in keyword_lines(plan))
    if (unsettled := plan.standings.unsettled) and result.final_from:
        again = from_time(result.final_from, now)
        yield "not final", f"{ranges(unsettled)}: {UNSETTLED}; collected once more {again}"
    yield from (("suspicious", line) for line in describe_doubts(plan.standings.doubts, now))
    if plan.left_windows:
        windows = ", ".join(str(request.window) for request in plan.left_windows)
        yield "left alone", f"{windows}: begun for other dates of this query"


def _section(title: str, rows: Iterator[Labelled]) -> Iterator[str]:
    lines = [f"  {label:10} {text}" for label, text in rows]
    if lines:
        yield title
        yield from lines
    else:
        yield f"{title:12} {NOTHING[title]}"


def _in_words(counts: Mapping[WindowState, int]) -> str:
    words = (f"{counts[state]:,} {state}{EXPLAINED.get(state, '')}" for state in sorted(counts))
    return ", ".join(words) or "none"
