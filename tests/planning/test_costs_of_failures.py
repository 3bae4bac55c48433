"""What failing windows cost: by chance, because of one day, and because of their width."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from math import ceil
from random import Random
from statistics import median
from typing import TYPE_CHECKING

import pytest
from asked import QUERY
from hypothesis import given
from hypothesis import strategies as st

from tiktok_crawler.date_range import DAY, DateRange
from tiktok_crawler.planning.coverage import Covered, Freshness
from tiktok_crawler.planning.plan import Known, Wanted, make_plan
from tiktok_crawler.planning.problems import ApiIsDown, Problem, ProblemKind
from tiktok_crawler.planning.task_states import Cut
from tiktok_crawler.planning.window_queue import WindowQueue, retries
from tiktok_crawler.research_api.pages import Page

if TYPE_CHECKING:
    from collections.abc import Callable

    from tiktok_crawler.research_api.tasks import PageRequest

    Fails = Callable[[DateRange], bool]

START = date(2024, 1, 1)
NOW = datetime(2026, 1, 1, tzinfo=UTC)
SEEDS = range(30)
RETRY_TIMES = 5
NOTHING = Known()
BEFORE = Covered(DateRange(START - 8 * DAY, START - 2 * DAY), NOW, matches=7)
WORKED = Known(coverage=(BEFORE,))


@dataclass
class Collected:
    """What an API was asked: requests, failures, the days of the windows that were given up."""

    sent: int = 0
    failed: int = 0
    searched: list[date] = field(default_factory=list)
    parked: list[date] = field(default_factory=list)


@dataclass(frozen=True)
class Days:
    """Days to collect, each with so many matches."""

    length: int
    daily: int

    def least_requests(self, widest: int = 31) -> int:
        widths = (min(widest, self.length - first) for first in range(0, self.length, widest))
        return sum(max(1, ceil(width * self.daily / 100)) for width in widths)


def collect(
    days: Days, fails: Fails, *, side_by_side: int = 4, known: Known = NOTHING
) -> Collected:
    """Collect days as a crawl does: some windows side by side, each page asked for some times."""
    wanted = Wanted(
        QUERY,
        DateRange(START, START + (days.length - 1) * DAY),
        ("id",),
        Freshness(timedelta(days=2)),
    )
    work, found = WindowQueue(make_plan(wanted, known, NOW), wanted), Collected()
    asked: deque[tuple[PageRequest, int]] = deque()
    while True:
        while len(asked) < side_by_side and (new := work.next()) is not None:
            asked.append((new, 1))
        if not asked:
            return found
        request, tries = asked.popleft()
        found.sent += 1
        window = request.window.days
        if fails(window):
            found.failed += 1
            if tries <= retries(request, RETRY_TIMES):
                asked.append((request, tries + 1))
                continue
            match work.judge(request, Problem(ProblemKind.FAILED, "HTTP 500")):
                case Cut():
                    work.cut(request.task)
                case ApiIsDown():
                    work.everything_fails()
                    asked.append((request, 1))
                case _:
                    found.parked += window
                    work.ended(request.task)
            continue
        page = page_of(request, days.daily * len(window))
        work.page_stored(page)
        if page.next_request:
            asked.append((page.next_request, 1))
        else:
            found.searched += window
            work.ended(request.task)


def page_of(request: PageRequest, matches: int) -> Page:
    cursor = min(request.place.cursor + 100, matches)
    return Page(request, (), cursor, "77", cursor < matches, log_id=None, received_at=NOW)


def by_chance(seed: int, *, fails_at_first: int = 0) -> Fails:
    """Let one request in ten fail, and the first ones of all."""
    chance, left = Random(seed), [None] * fails_at_first
    return lambda _: (bool(left) and left.pop() is None) or chance.random() < 0.1


NINE_REQUESTS = [Days(279, 0), Days(279, 1), Days(279, 3), Days(93, 9), Days(31, 29)]


@pytest.mark.parametrize("side_by_side", [1, 4])
@pytest.mark.parametrize(("fails_at_first", "ratio"), [(0, 1.25), (2, 1.6)])
@pytest.mark.parametrize("days", NINE_REQUESTS, ids=str)
def test_failures_by_chance_cost_little(days, fails_at_first, ratio, side_by_side):
    assert days.least_requests() == 9
    spent = (
        collect(days, by_chance(seed, fails_at_first=fails_at_first), side_by_side=side_by_side)
        for seed in SEEDS
    )
    assert median(found.sent for found in spent) <= ratio * 9


@pytest.mark.parametrize("side_by_side", [1, 4])
@pytest.mark.parametrize(
    "days", [Days(365, 0), Days(365, 3), Days(365, 100), Days(90, 50), Days(31, 161)], ids=str
)
def test_windows_that_are_too_wide_cost_little(days, side_by_side):
    found = collect(days, lambda window: len(window) > 7, side_by_side=side_by_side)
    assert found.sent <= 1.15 * days.least_requests(7)


def test_a_later_run_asks_for_none_that_are_too_wide():
    cut = tuple(DateRange(START - width * DAY, START - DAY) for width in (31, 15))
    known = Known(coverage=(BEFORE,), cut_windows=cut)
    found = collect(Days(365, 3), lambda window: len(window) > 7, known=known)
    assert (found.sent, found.failed) == (53, 0)


@given(
    st.builds(Days, st.integers(2, 120), st.sampled_from([0, 1, 9, 50, 300])),
    st.sampled_from([1, 4]),
    st.sampled_from([NOTHING, WORKED]),
    st.data(),
)
def test_one_bad_day_is_found_and_given_up_and_all_others_are_searched(
    days, side_by_side, known, data
):
    bad = START + data.draw(st.integers(0, days.length - 1)) * DAY

    found = collect(days, lambda window: bad in window, side_by_side=side_by_side, known=known)

    assert found.parked == [bad]
    assert len(found.searched) == len(set(found.searched)) == days.length - 1
    assert found.failed <= 16
    assert found.sent - found.failed <= days.least_requests() + 11


@given(
    st.builds(Days, st.integers(1, 120), st.sampled_from([0, 9, 300])),
    st.integers(1, 31),
    st.lists(st.integers(0, 119), max_size=3),
    st.floats(0, 0.5),
    st.integers(0, 99),
)
def test_each_day_is_searched_once_or_given_up_whatever_fails(days, widest, bad, rate, seed):
    chance = Random(seed)

    def fails(window: DateRange) -> bool:
        has_bad_day = any(START + number * DAY in window for number in bad)
        return has_bad_day or len(window) > widest or chance.random() < rate

    found = collect(days, fails)

    assert sorted([*found.searched, *found.parked]) == [
        START + number * DAY for number in range(days.length)
    ]
