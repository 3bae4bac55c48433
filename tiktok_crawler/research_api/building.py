"""Searches for videos built in Python: what the API would not take is found before it is sent."""

from __future__ import annotations

from datetime import date
from numbers import Integral
from typing import TYPE_CHECKING

from tiktok_crawler.date_range import DateRange
from tiktok_crawler.exceptions import QueryError
from tiktok_crawler.research_api.conditions import condition_problems
from tiktok_crawler.research_api.contradictions import contradictory_fields
from tiktok_crawler.research_api.endpoints import LONGEST_WINDOW_DAYS, VIDEO_QUERY
from tiktok_crawler.research_api.query import Condition, Query
from tiktok_crawler.research_api.tasks import PageRequest, Window
from tiktok_crawler.spelling import did_you_mean, nearest, quoted, shortened

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


def condition(field_name: str, operation: str, *values: str | int | date) -> Condition:
    """A condition of a query, such as `condition("view_count", "GTE", 1000)`.

    Names, operations and values are the API's own, and sent as they are, but for a single keyword,
    which is sent as `IN` whatever the operation; a day becomes YYYYMMDD.

    Raises:
        QueryError: the API would not take it.
    """
    made = Condition(field_name, operation, tuple(map(_text, values)))
    _stop_at(_condition_mistakes(made))
    return made


def build_query(
    *,
    and_: Iterable[Condition] = (),
    or_: Iterable[Condition] = (),
    not_: Iterable[Condition] = (),
) -> Query:
    """The query for videos that meet all of `and_`, at least one of `or_` and none of `not_`.

    Raises:
        QueryError: there is no condition, one that the API would not take, or no video can meet
            them all.
    """
    query = Query(tuple(and_), tuple(or_), tuple(not_))
    conditions = (*query.and_, *query.or_, *query.not_)
    if not conditions:
        raise QueryError("a query needs at least one condition")
    _stop_at(words for each in conditions for words in _condition_mistakes(each))
    _stop_at(
        f"nothing can be found: no video satisfies all conditions on {field}"
        for field in contradictory_fields(query)
    )
    return query


def first_request(
    query: Query,
    start: date,
    end: date,
    *,
    fields: Iterable[str] = VIDEO_QUERY.fields,
    max_count: int = VIDEO_QUERY.max_count,
) -> PageRequest:
    """Return the request for the first page of a search from `start` to `end`, days in UTC.

    Both days are searched, with all days between. Later pages are the `next_request` of the `Page`
    before.

    Raises:
        QueryError: start and end are no days, too far apart or in the wrong order, a field is
            unknown, or a page cannot hold `max_count` videos.
    """
    wanted = tuple(fields)
    _stop_at((*_date_mistakes(start, end), *_field_mistakes(wanted), *_count_mistakes(max_count)))
    return PageRequest(Window(query, DateRange(start, end), wanted, max_count))


def _stop_at(mistakes: Iterable[str]) -> None:
    if lines := "\n".join(mistakes):
        raise QueryError(lines)


def _text(value: object) -> str:
    """A value as the API takes it; whole numbers are also those of NumPy."""
    if isinstance(value, date):
        return f"{value:%Y%m%d}"
    if isinstance(value, str | Integral):
        return str(value)
    raise QueryError(
        f"field_values: {shortened(repr(value))} is neither text nor a whole number nor a day; "
        "several values are given one by one"
    )


def _condition_mistakes(made: Condition) -> Iterator[str]:
    values = made.field_values
    for problem in condition_problems(made.field_name, made.operation, values):
        value = "" if problem.index is None else f"{quoted(values[problem.index])} "
        yield f"{problem.part}: {value}{problem.words}"


def _date_mistakes(start: object, end: object) -> Iterator[str]:
    if not (isinstance(start, date) and isinstance(end, date)):
        yield f"start, end: {start!r}, {end!r} must be days such as date(2024, 1, 31)"
    elif end < start:
        yield f"end: {end} is before the start, {start}"
    elif (days := len(DateRange(start, end))) > LONGEST_WINDOW_DAYS:
        yield f"end: {start} to {end} are {days} days; a search has at most {LONGEST_WINDOW_DAYS}"


def _field_mistakes(fields: Iterable[str]) -> Iterator[str]:
    for name in fields:
        if name not in VIDEO_QUERY.fields:
            meant = did_you_mean(nearest(name, VIDEO_QUERY.fields))
            allowed = ", ".join(VIDEO_QUERY.fields)
            yield f"fields: {quoted(name)} is not a field of videos; allowed: {allowed}{meant}"


def _count_mistakes(max_count: int) -> Iterator[str]:
    if not 1 <= max_count <= VIDEO_QUERY.max_count:
        yield f"max_count: {max_count} is not a number from 1 to {VIDEO_QUERY.max_count}"
