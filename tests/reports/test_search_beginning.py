"""The line that says what a search is about to do."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from asked import JANUARY, QUERY, window_request

from tiktok_crawler.date_range import DateRange
from tiktok_crawler.planning.coverage import Covered, Freshness
from tiktok_crawler.planning.plan import Known, WaitingWindow, Wanted, make_plan
from tiktok_crawler.reports.search_beginning import search_beginning

NOON = datetime(2024, 6, 1, 12, tzinfo=UTC)
NEW_YEAR = DateRange(date(2024, 1, 1), date(2024, 1, 1))
ALL = (Covered(JANUARY, NOON),)
DAYS = "2024-01-01 to 2024-01-31"
COLLECTING = f"Collecting {DAYS}, 0 of 31 days covered so far:"
DUE = "2024-06-01 13:00 UTC"
PARKED = "postponed after failures or a refusal"
TAKEN = "1 window that another crawl works on"
WINDOW = "(a window: at most 31 days, searched as one)"


def parked(hours):
    request = window_request(JANUARY, fields=("id",), row_id=7)
    return (WaitingWindow(request, NOON + timedelta(hours=hours)),)


@pytest.mark.parametrize(
    ("days", "known", "words"),
    [
        (
            JANUARY,
            Known(),
            f"{COLLECTING} 1 window to search {WINDOW}: 1 new",
        ),
        (
            JANUARY,
            Known(open_windows=(window_request(NEW_YEAR, fields=("id",), row_id=7),)),
            f"{COLLECTING} 2 windows to search {WINDOW}: 1 begun before, 1 new",
        ),
        (
            JANUARY,
            Known(parked_windows=parked(-1)),
            f"{COLLECTING} 1 window to search {WINDOW}: 1 once more",
        ),
        (
            JANUARY,
            Known(parked_windows=parked(1)),
            f"Nothing to collect now from {DAYS}: 1 window parked ({PARKED}), not due before {DUE}",
        ),
        (
            JANUARY,
            Known(taken_windows=(window_request(NEW_YEAR, fields=("id",), row_id=7),)),
            f"{COLLECTING} 1 window to search {WINDOW}: 1 new, and besides {TAKEN}",
        ),
        (
            JANUARY,
            Known(taken_windows=(window_request(JANUARY, fields=("id",), row_id=7),)),
            f"Nothing to collect now from {DAYS}: {TAKEN}",
        ),
        (
            JANUARY,
            Known(coverage=ALL),
            "Nothing to collect: all 31 days from 2024-01-01 to 2024-01-31 are covered",
        ),
        (NEW_YEAR, Known(coverage=ALL), "Nothing to collect: 2024-01-01 is covered"),
    ],
)
def test_a_run_says_what_it_will_search_for(days, known, words):
    plan = make_plan(Wanted(QUERY, days, ("id",), Freshness(timedelta(days=2))), known, NOON)
    assert search_beginning(plan) == words
