"""What is told over time: what is drawn of it, and the same numbers as a table."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from tiktok_crawler.html_report.charts import Bar, Picture, Point, bars, lines
from tiktok_crawler.planning.window_days import known_sum
from tiktok_crawler.reports.dataset_tables import Table, share
from tiktok_crawler.spelling import number_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from datetime import date

    from tiktok_crawler.planning.window_days import DayCount
    from tiktok_crawler.storage.ledger.provenance import Provenance
    from tiktok_crawler.storage.overview import Overview, Reading

T = TypeVar("T")

MOST_DAYS = 750
"""More are drawn, and listed, month by month."""

COUNTERS = {
    "view_count": "views",
    "like_count": "likes",
    "comment_count": "comments",
    "share_count": "shares",
}


@dataclass(frozen=True, slots=True)
class Figure:
    """A picture, and the table with its numbers."""

    caption: str
    picture: Picture
    table: Table


def videos_over_time(overview: Overview) -> Figure | None:
    """Tell how many videos were published when."""
    return _counted("Videos by {unit} of publication (UTC)", "videos", overview.days)


def requests_over_time(facts: Provenance) -> Figure | None:
    """Tell what was spent of the quota when."""
    found: Counter[date] = Counter()
    for day in facts.quota:
        found[day.day] += day.requests
    return _counted("Requests by {unit} (UTC)", "requests", found)


def faults_over_time(facts: Provenance) -> Figure | None:
    """Tell what went wrong when, in runs that have ended."""
    found = {run.day: sum(run.faults.values()) for run in facts.runs.days}
    if not any(found.values()):
        return None
    return _counted("What went wrong in runs, by {unit} of their beginning (UTC)", "times", found)


def withheld_over_time(facts: Provenance) -> Figure | None:
    """Tell what share of the matches of each day, or month, the API did not deliver."""
    counts = list(_day_counts(facts))
    by_month = _is_long({day for day, _ in counts})
    unit = _unit(by_month=by_month)
    found = {day: known_sum(of_day) for day, of_day in _grouped(counts, by_month=by_month).items()}
    rows = [(day, count) for day, count in sorted(found.items()) if count.matches]
    if not rows:
        return None
    drawn = [
        Bar(
            day,
            (count.withheld or 0) / count.matches,
            f"{_name(day, by_month=by_month)}: {share(count.withheld or 0, count.matches)} of "
            f"{number_of(count.matches, 'matches')}",
        )
        for day, count in rows
    ]
    listed = (
        (
            _name(day, by_month=by_month),
            count.matches,
            count.videos or 0,
            count.withheld or 0,
            share(count.withheld or 0, count.matches),
        )
        for day, count in rows
    )
    head = (unit, "matches", "delivered", "withheld", "share withheld")
    caption = f"Share of matches that the API withheld, by {unit} of publication (UTC)"
    picture = bars(drawn, by_month=by_month, is_share=True)
    return Figure(caption, picture, Table(caption, head, tuple(listed)))


def growth(overview: Overview) -> Figure | None:
    """Tell how counters have grown since the first reading of a video."""
    points = list(_points(overview.growth))
    if not points:
        return None
    caption = "Counters as a multiple of the first reading of the same videos, by days after it"
    rows = tuple(map(_growth_row, overview.growth))
    head = ("days after", "readings", *COUNTERS.values())
    return Figure(caption, lines(points), Table(caption, head, rows))


def _growth_row(reading: Reading) -> tuple[str | int, ...]:
    values = (_times(reading.growth[counter]) for counter in COUNTERS)
    return (f"{reading.days}", reading.readings, *values)


def _points(readings: Iterable[Reading]) -> Iterator[Point]:
    for counter, name in COUNTERS.items():
        for reading in readings:
            if (value := reading.growth[counter]) is not None:
                label = f"{name}, {number_of(reading.days, 'days')} after: {_times(value)} times"
                yield Point(name, reading.days, value, label)


def _times(value: float | None) -> str:
    return "none" if value is None else f"{value:.2f}"


def _counted(title: str, what: str, found: Mapping[date, int]) -> Figure | None:
    """Draw what was counted by day, or by month: its title says by which `{unit}`."""
    if not found:
        return None
    by_month = _is_long(found)
    unit = _unit(by_month=by_month)
    caption = title.format(unit=unit)
    added = {day: sum(counts) for day, counts in _grouped(found.items(), by_month=by_month).items()}
    rows = [(_name(day, by_month=by_month), day, count) for day, count in sorted(added.items())]
    drawn = [Bar(day, count, f"{name}: {number_of(count, what)}") for name, day, count in rows]
    table = Table(caption, (unit, what), tuple((n, c) for n, _, c in rows))
    return Figure(caption, bars(drawn, by_month=by_month), table)


def _day_counts(facts: Provenance) -> Iterator[tuple[date, DayCount]]:
    """Give what came of each wanted day of each query of which the API counts the matches."""
    for query in facts.queries:
        for day, standing in query.status.days.by_day.items():
            if standing.counted:
                yield day, standing.counted


def _grouped(found: Iterable[tuple[date, T]], *, by_month: bool) -> dict[date, list[T]]:
    """Collect what is of the same day; or of the same month, by its first day."""
    groups: dict[date, list[T]] = defaultdict(list)
    for day, each in found:
        groups[day.replace(day=1) if by_month else day].append(each)
    return groups


def _is_long(days: Collection[date]) -> bool:
    return bool(days) and (max(days) - min(days)).days > MOST_DAYS


def _name(day: date, *, by_month: bool) -> str:
    return f"{day:%Y-%m}" if by_month else f"{day}"


def _unit(*, by_month: bool) -> str:
    return "month" if by_month else "day"
