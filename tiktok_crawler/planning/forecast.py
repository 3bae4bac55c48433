"""Forecasts the requests that a plan takes, by how many matches stretches of time have. Pure.

A *sample* is a stretch of time whose matches are counted: days that were searched, and what the
pages of an unfinished search have passed, which is all that a probe is. Between samples the matches
a day are interpolated, outside they are those of the nearest one. How far neighbouring samples
differ says how far the sum can be wrong. `benchmarks/forecast.py` measures how often it is.
"""

from __future__ import annotations

from bisect import bisect
from collections import defaultdict
from dataclasses import dataclass
from math import ceil, exp, floor, log, sqrt
from statistics import NormalDist, fmean
from typing import TYPE_CHECKING

from tiktok_crawler.date_range import DAY, midnight
from tiktok_crawler.planning import coverage
from tiktok_crawler.planning.plan import Known
from tiktok_crawler.planning.widths import Widths
from tiktok_crawler.research_api.endpoints import VIDEO_QUERY
from tiktok_crawler.research_api.query import Field

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from tiktok_crawler.date_range import DateRange
    from tiktok_crawler.planning.plan import Plan
    from tiktok_crawler.research_api.query import Query
    from tiktok_crawler.research_api.tasks import PageRequest

LONGEST_SAMPLE_DAYS = 28
"""Days that follow each other are one sample up to so many: whole weeks, whatever their rhythm."""

_ERRORS = 1.65
"""So many standard errors lie between the likely number and either end of the range."""

_USUAL_SPREAD = 0.3
"""The relative standard deviation of samples before two are known; it counts as one pair."""

_DRIFT = 0.25
"""By how much matches a day may change in a month of which nothing is known."""

_MONTH = 30
_NOTHING_FOUND = 3
"""So many matches may be in as much time as was searched in vain."""

_UNLIKE = 2
"""A query that is like others may be so many times as dense as the densest of them, or less so."""

_NO_NAMES = (Field.CREATE_DATE, Field.VIDEO_LENGTH, Field.VIEW_COUNT, Field.COMMENT_COUNT)

_QUANTILES = [NormalDist().inv_cdf((n + 0.5) / 20) for n in range(20)]


@dataclass(frozen=True, slots=True)
class Sample:
    """A stretch of time with so many matches; times are days since the first day of year 1."""

    start: float
    end: float
    matches: float

    @property
    def centre(self) -> float:
        return (self.start + self.end) / 2

    @property
    def rate(self) -> float:
        """The matches a day."""
        return self.matches / (self.end - self.start)


@dataclass(frozen=True, slots=True)
class Forecast:
    """The requests that a plan takes: the likely number, and the range that it should lie in.

    What is not known is None. `matches` are those of a search that are still to be paged through.
    """

    least: int
    likely: int | None
    most: int | None
    matches: int = 0


@dataclass(frozen=True, slots=True)
class Density:
    """The matches a day that the days of another query had, as far as they were searched."""

    query: Query
    rate: float


@dataclass(frozen=True, slots=True)
class _Span:
    """The time that one window has still to search."""

    start: float
    end: float


def forecast(plan: Plan, known: Known) -> Forecast | None:
    """Forecast the requests of a plan by what is known of its query; None if nothing is."""
    spans = list(_spans(plan, known))
    if not spans:
        return Forecast(0, 0, 0)
    found = samples(known)
    if not found:
        return None
    return _Estimate(found, spans).forecast(known)


def forecast_by_others(plan: Plan, others: Sequence[Density]) -> Forecast:
    """Forecast the requests of a plan by the densities of queries that are like its own."""
    days = [span.end - span.start for span in _spans(plan, Known())]
    rates = [max(other.rate, 1 / _MONTH) for other in others]
    middle = exp(fmean(map(log, rates)))
    least, likely, most = (
        sum(_pages(rate * each)[0] for each in days)
        for rate in (min(rates) / _UNLIKE, middle, max(rates) * _UNLIKE)
    )
    return Forecast(floor(least), round(likely), ceil(most), round(middle * sum(days)))


def alike(query: Query, others: Iterable[Density]) -> tuple[Density, ...]:
    """Return those of other queries that name a hashtag, keyword or the like that this one names.

    A query that names none is like those of its regions.
    """
    named = _named(query)
    return tuple(other for other in others if not named.isdisjoint(_named(other.query)))


def _named(query: Query) -> set[tuple[str, str]]:
    """Return what a query asks for by name; the regions only if there is nothing else."""
    values = {
        (condition.field_name, value)
        for condition in (*query.and_, *query.or_)
        if Field(condition.field_name) not in _NO_NAMES
        for value in condition.field_values
    }
    return {each for each in values if each[0] != Field.REGION_CODE} or values


def samples(known: Known) -> list[Sample]:
    """Return what is known of the density of a query over time, oldest first.

    What an unfinished search has passed is a sample of its own: its rest comes right before.
    """
    joined: list[Sample] = []
    joined_search = 0
    for search, piece in sorted(_pieces(known), key=lambda each: each[1].start):
        last = joined[-1] if joined else None
        if last and piece.start < last.end:
            continue
        goes_on = last and piece.start == last.end and search == joined_search
        if last and goes_on and piece.end - last.start <= LONGEST_SAMPLE_DAYS:
            joined[-1] = Sample(last.start, piece.end, last.matches + piece.matches)
        else:
            joined.append(piece)
        joined_search = search
    return joined


def _pieces(known: Known) -> Iterator[tuple[int, Sample]]:
    """The days that were searched, and the parts of days that searches have come to.

    With each comes the row of the search that goes on from there; 0 if it is at its end.
    """
    unfinished = {request.task.row_id: request.window for request in known.unfinished_windows}
    for row_id, counts in known.counts.items():
        days = {day: count for day, count in counts.items() if count.videos is not None}
        window = unfinished.get(row_id)
        search = row_id if window else 0
        reached = min((day for day in days if day in window.days), default=None) if window else None
        for day, count in days.items():
            end = float(day.toordinal() + 1)
            if day != reached:
                yield search, Sample(end - 1, end, count.matches)
            elif at := known.reached.get(row_id):
                # A page ends with a match: it says as much of the time as one match fewer.
                start = max(_moment(at), end - 1)
                if start < end:
                    yield search, Sample(start, end, max(count.matches - 1, 0))


def _spans(plan: Plan, known: Known) -> Iterator[_Span]:
    """The time that each window of a plan has to search."""
    for request in (*plan.open_windows, *plan.parked_windows, *plan.suspicious_windows):
        yield _rest(request, known)
    for windows in (plan.new_windows, plan.refreshed_windows):
        width = Widths(max(map(len, windows), default=1), plan.too_wide).days
        days = (day for window in windows for day in window)
        yield from (_span(each) for each in coverage.windows(days, width))
    if plan.trial:
        yield _span(plan.trial.window.days)


def _rest(request: PageRequest, known: Known) -> _Span:
    whole = _span(request.window.days)
    at = known.reached.get(request.task.row_id or 0)
    if request.starts_task or at is None:
        return whole
    return _Span(whole.start, min(max(_moment(at), whole.start), whole.end))


def _span(days: DateRange) -> _Span:
    return _Span(days.start.toordinal(), days.end.toordinal() + 1)


def _moment(at: datetime) -> float:
    return at.toordinal() + (at - midnight(at.date())) / DAY


class _Estimate:
    """The matches of spans, and how far their sum may be wrong."""

    def __init__(self, found: Sequence[Sample], spans: Iterable[_Span]) -> None:
        self._samples = found
        self._centres = [sample.centre for sample in found]
        self._spread = _spread(found)
        self._days: defaultdict[int, float] = defaultdict(float)
        """How many days each sample stands for."""
        self._drift = 0.0
        self._means = [sum(self._matches(day, size) for day, size in _days(s)) for s in spans]
        self._length = sum(self._days.values())

    def forecast(self, known: Known) -> Forecast:
        matches = sum(self._means)
        error = self._relative_error(matches)
        wasted, waste_error = _waste(known)
        error = sqrt(error**2 + waste_error**2)
        searched = sum(sample.end - sample.start for sample in self._samples)
        unseen = _NOTHING_FOUND * self._length / searched / len(self._means)
        low, likely, high = (
            [_pages(mean * factor + more) for mean in self._means]
            for factor, more in (
                (exp(-_ERRORS * error), 0),
                (1, 0),
                (exp(_ERRORS * error), unseen),
            )
        )
        chance = sqrt(sum(variance for _, variance in likely))
        pages = sum(each for each, _ in likely)
        return Forecast(
            least=max(len(self._means), floor(sum(each for each, _ in low) * wasted - chance)),
            likely=round(pages * wasted),
            most=ceil(sum(each for each, _ in high) * wasted + chance),
            matches=round(matches),
        )

    def _matches(self, day: float, size: float) -> float:
        """The matches of a part of a day; the samples that this is known by stand for it."""
        right = bisect(self._centres, day)
        if right in (0, len(self._samples)):
            nearest = min(right, len(self._samples) - 1)
            return self._matches_outside(nearest, day, size)
        left = right - 1
        share = (day - self._centres[left]) / (self._centres[right] - self._centres[left])
        self._days[left] += (1 - share) * size
        self._days[right] += share * size
        before, after = self._samples[left].rate, self._samples[right].rate
        return (before + share * (after - before)) * size

    def _matches_outside(self, nearest: int, day: float, size: float) -> float:
        sample = self._samples[nearest]
        matches = sample.rate * size
        self._days[nearest] += size
        away = max(sample.start - day, day - sample.end, 0)
        self._drift += matches * _DRIFT * sqrt(away / _MONTH)
        return matches

    def _relative_error(self, matches: float) -> float:
        """The standard error of the sum, over the sum."""
        if not matches:
            return 0.0
        variance = matches + self._drift**2
        for number, days in self._days.items():
            sample = self._samples[number]
            by_chance = 1 / (sample.matches + 1)
            variance += (days * sample.rate) ** 2 * max(self._spread, by_chance)
        return sqrt(variance) / matches


def _days(span: _Span) -> Iterator[tuple[float, float]]:
    """The centre and the size of each day of a span, the first and the last of which may be cut."""
    start = span.start
    while start < span.end:
        end = min(floor(start) + 1, span.end)
        yield (start + end) / 2, end - start
        start = end


def _spread(found: Sequence[Sample]) -> float:
    """Return the square of how far, relative to it, a sample lies from what is around."""
    squares = [_USUAL_SPREAD**2]
    for before, sample, after in zip(found, found[1:], found[2:], strict=False):
        rates = (before.rate, sample.rate, after.rate)
        off = rates[1] - (rates[0] + rates[2]) / 2
        squares.append((off / fmean(rates)) ** 2 / 1.5 if any(rates) else 0.0)
    return fmean(squares)


def _waste(known: Known) -> tuple[float, float]:
    """Return the requests of the query so far over the pages that they brought, and its error."""
    if not known.pages:
        return 1.0, 0.0
    in_vain = max(known.requests - known.pages, 0)
    wasted = 1 + in_vain / known.pages
    return wasted, sqrt(in_vain) / known.pages / wasted


def _pages(matches: float) -> tuple[float, float]:
    """Return the mean and the variance of the pages of a window with about so many matches."""
    deviation = sqrt(matches + (matches / 10) ** 2)
    pages = [max(1, ceil((matches + z * deviation) / VIDEO_QUERY.max_count)) for z in _QUANTILES]
    mean = fmean(pages)
    return mean, fmean((each - mean) ** 2 for each in pages)
