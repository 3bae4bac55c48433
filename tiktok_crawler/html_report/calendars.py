"""The days wanted of a query as a calendar: a row a month, a cell a day."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from tiktok_crawler.planning.days import DayState
from tiktok_crawler.planning.window_days import DayCount, known_sum
from tiktok_crawler.reports.dataset_tables import Table, minute, share
from tiktok_crawler.reports.days_report import FEW
from tiktok_crawler.spelling import number_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from tiktok_crawler.planning.days import Day, Days

    Row = tuple[str | int, ...]


NOT_COUNTED = ("not counted", "")
"""What a sample says of the matches: nobody knows how many there are."""


class Mark(Enum):
    """The marks of days: a letter, since colour alone says nothing, a word, and what it means."""

    COVERED = ("", "covered", "searched to its end")
    SAMPLED = ("R", "sampled", "some of its videos were drawn at random")
    UNSETTLED = ("N", "not settled", "searched before all videos had appeared; searched once more")
    SUSPICIOUS = ("S", "suspicious", f"{FEW} came")
    DUE = ("D", "due again", "searched early, and to be searched once more by now")
    OPEN = ("O", "open", "in a search that is not at its end")
    PARKED = ("P", "parked", "postponed after failures or a refusal")
    GAP = ("G", "gap", "not searched")

    def __init__(self, letter: str, word: str, meaning: str) -> None:
        self.letter, self.word, self.meaning = letter, word, meaning

    @property
    def style(self) -> str:
        """The class of its cells."""
        return f"day-{self.name.lower()}"


@dataclass(frozen=True, slots=True)
class Cell:
    """A day of the calendar; `title` is what is shown on hover."""

    mark: Mark
    title: str


@dataclass(frozen=True, slots=True)
class Month:
    """A month of the calendar, with a cell for each of its days that is wanted, by its number."""

    name: str
    cells: dict[int, Cell]


@dataclass(frozen=True, slots=True)
class Calendar:
    """The calendar of a query, and how many days have each mark."""

    months: tuple[Month, ...]
    counts: tuple[tuple[Mark, int], ...]


def calendar(days: Days) -> Calendar:
    """Lay out the days of a query."""
    months: dict[str, dict[int, Cell]] = defaultdict(dict)
    counts = dict.fromkeys(Mark, 0)
    for day, standing in sorted(days.by_day.items()):
        mark = mark_of(day, days)
        counts[mark] += 1
        months[f"{day:%Y-%m}"][day.day] = Cell(mark, _title(day, standing, mark))
    return Calendar(
        tuple(Month(name, cells) for name, cells in months.items()),
        tuple((mark, count) for mark, count in counts.items() if count),
    )


def mark_of(day: date, days: Days) -> Mark:
    """Tell how a day stands, with what is wrong before what is right."""
    state = days.by_day[day].state
    if state is not DayState.COVERED:
        return Mark[state.name]
    if day in days.doubts:
        return Mark.SUSPICIOUS
    return Mark.UNSETTLED if day in days.unsettled else Mark.COVERED


def by_day(days: Days) -> Table:
    """List the days one by one."""
    return Table(
        "Day by day",
        ("day", "state", "videos", "withheld", "last searched"),
        tuple(_day_row(day, standing, days) for day, standing in sorted(days.by_day.items())),
    )


def by_month(days: Days) -> Table:
    """List the days month by month."""
    return Table(
        "Month by month",
        ("month", "days wanted", "covered", "videos", "withheld", "share withheld"),
        tuple(_month_rows(days)),
    )


def _title(day: date, standing: Day, mark: Mark) -> str:
    count = standing.count
    if count is None or count.videos is None:
        return f"{day}: {mark.word}"
    withheld = "" if count.withheld is None else f", {count.withheld:,} withheld"
    return f"{day}: {mark.word}, {number_of(count.videos, 'videos')}{withheld}"


def _day_row(day: date, standing: Day, days: Days) -> Row:
    count = standing.count or DayCount(None, None)
    return (
        f"{day}",
        mark_of(day, days).word,
        "not counted" if count.videos is None else count.videos,
        "not counted" if count.withheld is None else count.withheld,
        minute(standing.searched_at),
    )


def _month_rows(days: Days) -> Iterator[Row]:
    months: dict[str, list[Day]] = defaultdict(list)
    for day, standing in sorted(days.by_day.items()):
        months[f"{day:%Y-%m}"].append(standing)
    for name, standings in months.items():
        found = known_sum(standing.count for standing in standings if standing.count)
        covered = sum(standing.state is DayState.COVERED for standing in standings)
        is_sample = any(standing.state is DayState.SAMPLED for standing in standings)
        withheld = found.withheld or 0
        of_matches = (withheld, share(withheld, found.matches))
        row = (name, len(standings), covered, found.videos or 0)
        yield (*row, *(NOT_COUNTED if is_sample else of_matches))
