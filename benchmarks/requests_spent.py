"""Requests spent, over the least possible, beside fixed windows of 7 days with shared days.

The least possible are windows of 31 days from the start date, or as wide as the API can search,
for each the number of matches over 100, rounded up. Both ways of collecting ask a sandbox of their
own with the same faults.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from math import ceil
from pathlib import Path
from statistics import median
from typing import Any

import fixed_windows
from measured import (
    EVERYTHING,
    answers,
    crawl_command,
    machine,
    print_table,
    run,
    served_sandbox,
)

SEEDS = range(1, 21)
THIRTY_SEEDS = range(1, 31)
ONE_SEED = range(1, 2)

WINDOW_DAYS = 31
PAGE_SIZE = 100

NO_DELAYS = {
    "TIKTOK_VIDEO_FIELDS": "id,create_time",
    "TIKTOK_RETRY_DELAY": 0.001,
    "TIKTOK_RETRY_DELAY_MAX": 0.01,
    "TIKTOK_SEARCH_ID_DELAY": 0.001,
    "TIKTOK_PROBE_INTERVAL": 0.01,
    "LOG_LEVEL": "WARNING",
}


@dataclass(frozen=True)
class Query:
    """What is collected: every video of these days, of which each has the same number.

    `widest` are the days that the API can search as one.
    """

    name: str
    start: date
    end: date
    videos_per_day: int
    widest: int = WINDOW_DAYS

    @property
    def least_requests(self) -> int:
        days = (self.end - self.start).days + 1
        lengths = (min(self.widest, days - first) for first in range(0, days, self.widest))
        return sum(ceil(length * self.videos_per_day / PAGE_SIZE) for length in lengths)


class Figure(StrEnum):
    """What is counted, and how it is written."""

    RATIO = "{:.2f}"
    """Requests over the least."""
    PAGES = "{:+.0f} pages"
    """Answered pages above the least."""
    FAILURES = "{:.0f} failures"
    """Requests that failed."""


@dataclass(frozen=True)
class Situation:
    """A query, what goes wrong, how much may be spent, and the status with which a run ends."""

    query: Query
    trouble: str
    target: float
    profile: dict[str, Any] = field(default_factory=dict)
    seeds: range = ONE_SEED
    figure: Figure = Figure.RATIO
    status: int = os.EX_OK


Collect = Callable[[Path, str, Query], int]
"""Collects a query from a sandbox; returns a status, 0 if all of it was collected."""

SPARSE = Query("3 a day over a year", date(2023, 1, 1), date(2023, 12, 31), 3)
DENSE = Query("1,000 a day over 31 days", date(2024, 1, 1), date(2024, 1, 31), 1000)
FIFTY_PAGES = Query("50 pages over 31 days", date(2024, 1, 1), date(2024, 1, 31), 161)
NINE_WINDOWS = Query("1 a day over 279 days", date(2024, 1, 1), date(2024, 10, 5), 1)
SPARSE_WEEKS = replace(SPARSE, widest=7)
PAGES_OF_WEEKS = replace(FIFTY_PAGES, widest=7)

RANDOM_500S = {"faults": [{"fault": "internal_error", "rate": 0.1}]}
BAD_BEGINNING = {
    "faults": [{"fault": "internal_error", "requests": [1, 2]}, *RANDOM_500S["faults"]]
}
TOO_WIDE = {"searches": {"fail_over_days": 7, "fail_over_matches": 2000}}
BAD_DAY = {"searches": {"fail_on_days": ["2023-07-04"]}}
HEAVY = {"searches": {"fail_over_matches": 5000}}
LOST = {"faults": [{"fault": "search_lost", "of": "later_pages", "request": 39}]}

SITUATIONS = (
    Situation(SPARSE, "none", 1.05),
    Situation(DENSE, "none", 1.05),
    Situation(SPARSE, "10 % random 500s", 1.25, RANDOM_500S, SEEDS),
    Situation(DENSE, "10 % random 500s", 1.25, RANDOM_500S, SEEDS),
    Situation(
        NINE_WINDOWS, "10 % random 500s, and the first two", 1.6, BAD_BEGINNING, THIRTY_SEEDS
    ),
    Situation(DENSE, "searches of more than 5,000 matches fail", 1.15, HEAVY),
    Situation(PAGES_OF_WEEKS, "searches of more than 7 days fail", 1.15, TOO_WIDE),
    Situation(SPARSE_WEEKS, "searches of more than 7 days fail", 1.15, TOO_WIDE),
    Situation(SPARSE, "one day fails", 16, BAD_DAY, figure=Figure.FAILURES, status=os.EX_TEMPFAIL),
    Situation(FIFTY_PAGES, "search lost at page 40", 6, LOST, figure=Figure.PAGES),
)


def main() -> None:
    print(f"{machine()}; with random faults the median of 20 or 30 seeds\n")
    print_table(
        ["videos", "trouble", "least", "this project", "fixed 7-day windows", "target", "met"],
        *map(row, SITUATIONS),
    )


def row(situation: Situation) -> list[str]:
    our_median, fixed_median = (
        median_spent(situation, collect) for collect in (crawl, collect_in_fixed_windows)
    )
    return [
        situation.query.name,
        situation.trouble,
        f"{situation.query.least_requests}",
        written(situation, our_median),
        written(situation, fixed_median),
        f"at most {written(situation, situation.target)}",
        "yes" if our_median <= situation.target else "NO",
    ]


def median_spent(situation: Situation, collect: Collect) -> float:
    """Seeds run side by side: requests are counted here, not seconds."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return median(pool.map(lambda seed: spent(situation, seed, collect), situation.seeds))


def spent(situation: Situation, seed: int, collect: Collect) -> float:
    """What was spent over the least possible; infinite if one run did not collect all of it."""
    query, least = situation.query, situation.query.least_requests
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        profile = folder / "profile.yaml"
        profile.write_text(json.dumps(situation.profile | {"seed": seed}))
        options = (f"--profile={profile}", f"--videos-per-day={query.videos_per_day}")
        with served_sandbox(folder, *options) as url:
            if collect(folder, url, query) != situation.status:
                return float("inf")
            counts = answers(url)
    match situation.figure:
        case Figure.RATIO:
            return sum(counts.values()) / least
        case Figure.PAGES:
            return counts[200] - least
        case Figure.FAILURES:
            return sum(counts.values()) - counts[200]


def crawl(folder: Path, url: str, query: Query) -> int:
    dates = {"start_date": f"{query.start}", "end_date": f"{query.end}"}
    query_file = folder / "query.yaml"
    query_file.write_text(json.dumps(dates | {"query": EVERYTHING}))
    command = crawl_command(query_file, folder / "crawl.db", url, **NO_DELAYS)
    return run(command, folder, statuses=(os.EX_OK, os.EX_TEMPFAIL)).status


def collect_in_fixed_windows(_: Path, url: str, query: Query) -> int:
    try:
        fixed_windows.collect(url, query.start, query.end)
    except fixed_windows.HopelessError:
        return os.EX_UNAVAILABLE
    return os.EX_OK


def written(situation: Situation, figure: float) -> str:
    if figure == float("inf"):
        return "not complete"
    return situation.figure.format(figure)


if __name__ == "__main__":
    main()
