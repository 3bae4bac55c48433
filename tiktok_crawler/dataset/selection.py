"""Selects videos: by query, tag, days and simple comparisons, or a sample of those.

What else leaves the database belongs to these videos, or to none.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from hashlib import blake2b
from heapq import nsmallest
from operator import eq, ge, gt, itemgetter, le, lt, ne
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from tiktok_crawler.dataset.columns import Kind
from tiktok_crawler.dataset.tables import VIDEO, VIDEOS
from tiktok_crawler.date_range import DAY, midnight
from tiktok_crawler.exceptions import UsageError
from tiktok_crawler.query_file.written_dates import parse_day
from tiktok_crawler.spelling import listed, quoted
from tiktok_crawler.storage.engine.statements import statements_for
from tiktok_crawler.storage.models.ledger import (
    VIDEOS_TO_CRAWLS,
    VIDEOS_TO_QUERY_TAGS,
    Crawl,
    QueryTag,
)
from tiktok_crawler.storage.records.field_readers import MAX_INT64

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import ColumnElement, Connection

    from tiktok_crawler.dataset.tables import DataTable

    Condition = ColumnElement[bool]

OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "<=": le,
    ">=": ge,
    "!=": ne,
    "=": eq,
    "<": lt,
    ">": gt,
}
EQUALITY = ("=", "!=")
"""Operators of text: databases have different orders of it."""

COMPARISON = re.compile(r"\s*(\w+)\s*(<=|>=|!=|==|=|<|>)\s*(.*?)\s*", re.DOTALL)
COMPARABLE = (Kind.ID, Kind.INTEGER, Kind.TEXT, Kind.BOOLEAN, Kind.TIME)
BOOLEANS = {"true": True, "false": False}
SAMPLED_AT_ONCE = 10_000


@dataclass(frozen=True, slots=True)
class Sample:
    """So many videos at random; the same seed gives the same ones."""

    size: int
    seed: int = 0

    def pick(self, ids: Iterator[int]) -> list[int]:
        """Pick ids, whatever order they come in."""
        key = str(self.seed).encode()[:64]
        ranked = (
            (blake2b(str(id_).encode(), key=key, digest_size=16).digest(), id_) for id_ in ids
        )
        return sorted(map(itemgetter(1), nsmallest(self.size, ranked)))


@dataclass(frozen=True, slots=True)
class Selection:
    """Which videos are wanted; without anything, all, and all that belongs to none, too.

    Of several queries or tags, one is enough. `since` and `until` are days of `create_time`, in
    UTC, both inclusive.
    """

    query_ids: tuple[int, ...] = ()
    tags: tuple[str, ...] = ()
    since: date | None = None
    until: date | None = None
    comparisons: tuple[str, ...] = ()
    sample: Sample | None = None

    def __bool__(self) -> bool:
        return self != Selection()

    def drawn(self, connection: Connection) -> Drawn:
        """Draw the sample, if one is wanted.

        Raises:
            UsageError: a comparison cannot be understood, or the database has no such tag.
        """
        conditions = tuple(self._conditions(connection))
        if self.sample is None:
            return Drawn(conditions)
        ids = select(VIDEO.id).where(*conditions).execution_options(yield_per=SAMPLED_AT_ONCE)
        picked = self.sample.pick(iter(connection.execute(ids).scalars()))
        return Drawn((statements_for(connection.dialect).among(VIDEO.id, picked),))

    def _conditions(self, connection: Connection) -> Iterator[Condition]:
        links, pages = VIDEOS_TO_QUERY_TAGS.c, VIDEOS_TO_CRAWLS.c
        if self.query_ids:
            found = select(pages.video_id).join(Crawl.__table__)
            statements = statements_for(connection.dialect)
            is_of_query = statements.among(Crawl.__table__.c.query_id, self.query_ids)
            yield VIDEO.id.in_(found.where(is_of_query))
        if self.tags:
            tagged = select(links.video_id).where(links.query_tag_id.in_(_tags(connection, self)))
            yield VIDEO.id.in_(tagged)
        if self.since:
            yield VIDEO.create_time >= midnight(self.since)
        if self.until == date.max:
            yield VIDEO.create_time.is_not(None)
        elif self.until:
            yield VIDEO.create_time < midnight(self.until + DAY)
        yield from map(comparison, self.comparisons)


@dataclass(frozen=True, slots=True)
class Drawn:
    """A selection as conditions on `video`; without any it selects all there is."""

    conditions: tuple[Condition, ...] = ()

    def of(self, table: DataTable) -> tuple[Condition, ...]:
        """Return conditions for the rows of a table that belong to the videos."""
        if not self.conditions or table.belongs_by is None:
            return ()
        column, of_video = table.belongs_by
        if column is VIDEO.id:
            return self.conditions
        return (column.in_(select(of_video).where(*self.conditions)),)


def comparison(written: str) -> Condition:
    """Read a comparison such as `view_count >= 1000` or `region_code = DE`.

    Raises:
        UsageError: it is none, or has a column or value that there is not.
    """
    found = COMPARISON.fullmatch(written)
    if not found:
        raise UsageError(
            f"--where {quoted(written)} is no comparison: write a column of video, one of "
            f"{listed(list(OPERATORS))}, and a value, such as --where 'view_count >= 1000'"
        )
    name, operator, value = found.groups()
    try:
        column = VIDEOS.column(name)
    except LookupError as exc:
        raise UsageError(f"--where {quoted(written)}: {exc}") from None
    if column.kind not in COMPARABLE or column.expression is None:
        raise UsageError(f"--where {quoted(written)}: {name} cannot be compared with a value")
    operator = operator.replace("==", "=")
    if column.kind is Kind.TEXT and operator not in EQUALITY:
        raise UsageError(
            f"--where {quoted(written)}: {name} is text, which is compared by {listed(EQUALITY)}"
        )
    condition: Condition = OPERATORS[operator](
        column.expression, _value(column.kind, value, written)
    )
    return condition


def _value(kind: Kind, text: str, written: str) -> Any:
    text = text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"" else text
    try:
        if kind in (Kind.ID, Kind.INTEGER):
            return _integer(text)
        if kind is Kind.BOOLEAN:
            return BOOLEANS[text.casefold()]
        if kind is Kind.TIME:
            return _time(text)
        text.encode()
    except (ValueError, LookupError, OverflowError):
        allowed = {Kind.BOOLEAN: "true or false", Kind.TIME: "a day such as 2024-01-31, or a time"}
        allowed |= {Kind.TEXT: "text in UTF-8"}
        what = allowed.get(kind, "a whole number that a database can hold")
        raise UsageError(f"--where {quoted(written)}: {quoted(text)} is not {what}") from None
    return text


def _integer(text: str) -> int:
    number = int(text)
    if abs(number) > MAX_INT64:
        raise ValueError(text)
    return number


def _time(text: str) -> datetime:
    try:
        return midnight(parse_day(text))
    except ValueError:
        found = datetime.fromisoformat(text)
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


def _tags(connection: Connection, selection: Selection) -> list[int]:
    known = select(QueryTag.name, QueryTag.id)
    ids = {name: id_ for name, id_ in connection.execute(known)}  # noqa: C416 - dict() of Rows
    for tag in selection.tags:
        if tag not in ids:
            shown = listed([quoted(name) for name in sorted(ids)[:10]], conjunction="and")
            raise UsageError(
                f"--tag {quoted(tag)}: nothing was collected with it; there are {shown}"
                if ids
                else f"--tag {quoted(tag)}: the database has no tags"
            )
    return [ids[tag] for tag in selection.tags]
