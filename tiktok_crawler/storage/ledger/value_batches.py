"""Keeps which values of a list are searched together, and reads what is known of all of them."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import Text, and_, cast, func, select, update

from tiktok_crawler.date_range import DateRange
from tiktok_crawler.planning.batch_searches import Searched
from tiktok_crawler.planning.keyword_forms import NOTHING_TRIED, KeywordForms
from tiktok_crawler.planning.task_states import WindowState
from tiktok_crawler.planning.value_batches import KnownBatch
from tiktok_crawler.research_api.query import Field
from tiktok_crawler.storage.engine.text import clean_text
from tiktok_crawler.storage.ledger.keyword_forms import is_in_vain, keyword_forms
from tiktok_crawler.storage.ledger.queries import WAS_ASKED, count_videos, find_query
from tiktok_crawler.storage.models.ledger import (
    VIDEOS_TO_CRAWLS,
    CollectionRow,
    Crawl,
    CrawlWindow,
    ValueBatchRow,
)

if TYPE_CHECKING:
    from collections.abc import Collection as Values
    from collections.abc import Iterable, Iterator
    from datetime import date, datetime

    from sqlalchemy import Connection, Row, Select

    from tiktok_crawler.planning.task_states import Halved, Unusable
    from tiktok_crawler.query_file.collection import Collection
    from tiktok_crawler.query_file.each_value import ValueBatch
    from tiktok_crawler.research_api.pages import Page
    from tiktok_crawler.storage.engine.statements import Statements

BATCH = ValueBatchRow.__table__
AT_ONCE = 10_000
"""Rows that are read at once."""


def register_batch(
    connection: Connection, statements: Statements, query_id: int, batch: ValueBatch
) -> None:
    """Write down which values a query asks for together; of what is there, nothing changes."""
    columns = (BATCH.c.query_id, BATCH.c.value, BATCH.c.field_name, BATCH.c.template)
    rows = [(query_id, value, batch.field.value, batch.template) for value in batch.values]
    statements.insert_missing(connection, columns, rows)


def known_batches(
    connection: Connection, collection: Collection, fields: Iterable[str]
) -> dict[int, KnownBatch]:
    """Read what a plan has to know of all batches of a list, by their queries' ids, in order."""
    batches: dict[int, _Batch] = defaultdict(_Batch)
    for row in _stream(connection, _values(collection.fingerprint)):
        batches[row.query_id].add_value(row.value, row.refused_at)
    of_query = BATCH.c.template == collection.fingerprint
    queries = select(BATCH.c.query_id).where(of_query)
    found = keyword_forms(connection, CrawlWindow.query_id.in_(queries))

    @cache
    def forms(query_id: int) -> KeywordForms:
        query = collection.for_values(batches[query_id].values).query
        return found[query_id] if query.has_keyword_forms else NOTHING_TRIED

    for query_id in batches.keys() - _registered(connection, collection):
        batches[query_id].is_unregistered = True
    wanted = frozenset(fields)
    for window in _stream(connection, _windows(collection.fingerprint)):
        if window.keywords_as and is_in_vain(window, forms(window.query_id)):
            continue
        batches[window.query_id].add_window(window, wanted <= _names(window.fields))
    return {query_id: batch.known() for query_id, batch in sorted(batches.items())}


def batches_of(statements: Statements, template: str, values: Values[str]) -> Select[Any]:
    """Select the queries for some of these values of a list."""
    is_one = statements.among(BATCH.c.value, values)
    return select(BATCH.c.query_id).where(BATCH.c.template == template, is_one).distinct()


def queries_of(connection: Connection, statements: Statements, collection: Collection) -> list[int]:
    """Return the ids of the queries with which a collection was searched: of a list, several."""
    if collection.each:
        batches = batches_of(statements, collection.fingerprint, collection.each.values)
        return sorted(connection.scalars(batches))
    found = find_query(connection, collection.fingerprint)
    return [] if found is None else [found]


@dataclass(frozen=True, slots=True)
class ListTotals:
    """All that the queries for some values have cost and brought."""

    requests: int = 0
    videos: int = 0
    pages: int = 0
    first_page_at: datetime | None = None
    last_page_at: datetime | None = None


def totals_of_list(
    connection: Connection, statements: Statements, collection: Collection
) -> ListTotals:
    """Count what the database has of the values of a list."""
    assert collection.each
    queries = batches_of(statements, collection.fingerprint, collection.each.values)
    requests = select(func.sum(CrawlWindow.requests)).where(CrawlWindow.query_id.in_(queries))
    of_queries = Crawl.query_id.in_(queries)
    at = Crawl.received_at
    pages = select(func.count(), func.min(at), func.max(at)).where(of_queries)
    count, first, last = connection.execute(pages).one()
    spent = connection.scalar(requests) or 0
    return ListTotals(spent, count_videos(connection, of_queries), count, first, last)


@dataclass(frozen=True, slots=True)
class RefusedValue:
    """A value that cannot be searched, even alone: the API's answer, and when it is tried again."""

    value: str
    reason: str
    log_id: str | None
    refused_at: datetime
    retry_at: datetime | None


def refused_values(
    connection: Connection, template: str, values: Values[str]
) -> tuple[RefusedValue, ...]:
    """Read why the API refuses each of these values, in their order."""
    if not values:
        return ()
    window = CrawlWindow
    is_parked = (window.query_id == BATCH.c.query_id, window.state == WindowState.PARKED)
    retry_at = select(func.min(window.retry_at)).where(*is_parked).scalar_subquery()
    columns = (BATCH.c.value, BATCH.c.error, BATCH.c.error_log_id, BATCH.c.refused_at)
    alone = select(BATCH.c.query_id).group_by(BATCH.c.query_id).having(func.count() == 1)
    of_list = (BATCH.c.template == template, BATCH.c.refused_at.is_not(None))
    found = select(*columns, retry_at).where(*of_list, BATCH.c.query_id.in_(alone))
    refused = {row[0]: RefusedValue(*row) for row in connection.execute(found)}
    return tuple(refused[value] for value in values if value in refused)


def replaced_batches(connection: Connection) -> set[int]:
    """Return the queries for several values that the API refuses, and that others stand in for."""
    refused = select(BATCH.c.query_id).group_by(BATCH.c.query_id)
    refused = refused.having(func.count() > 1, func.count(BATCH.c.refused_at) > 0)
    searched = select(BATCH.c.template, BATCH.c.value).where(BATCH.c.query_id.not_in(refused))
    other = searched.distinct().subquery()
    is_of_value = and_(other.c.template == BATCH.c.template, other.c.value == BATCH.c.value)
    found = (
        select(BATCH.c.query_id)
        .outerjoin_from(BATCH, other, is_of_value)
        .where(BATCH.c.query_id.in_(refused))
        .group_by(BATCH.c.query_id)
        .having(func.count() == func.count(other.c.value))
    )
    return set(connection.scalars(found))


def missed_ids(connection: Connection, statements: Statements, collection: Collection) -> int:
    """Count the ids of videos of a list that no search for them has ever brought."""
    assert collection.each
    if collection.each.field is not Field.VIDEO_ID:
        return 0
    is_wanted = statements.among(BATCH.c.value, collection.each.values)
    of_list = (BATCH.c.template == collection.fingerprint, is_wanted)
    returned = func.count(BATCH.c.last_returned_at) == 0
    missed = func.count(BATCH.c.first_missed_at) > 0
    ids = select(BATCH.c.value).where(*of_list).group_by(BATCH.c.value).having(returned, missed)
    return connection.scalar(select(func.count()).select_from(ids.subquery())) or 0


def refuse_query(
    connection: Connection, query_id: int, event: Halved | Unusable, now: datetime
) -> None:
    """Write down that the API does not take a query."""
    values = {"error": clean_text(event.reason), "error_log_id": clean_text(event.log_id)}
    of_query = update(ValueBatchRow).where(ValueBatchRow.query_id == query_id)
    connection.execute(of_query.values(values | {"refused_at": now}))


def accept_query(connection: Connection, query_id: int) -> None:
    """Write down that the API has answered a query which it may have refused before."""
    values: dict[Any, Any] = {
        ValueBatchRow.refused_at: None,
        ValueBatchRow.error: None,
        ValueBatchRow.error_log_id: None,
    }
    refused = (ValueBatchRow.query_id == query_id, ValueBatchRow.refused_at.is_not(None))
    connection.execute(update(ValueBatchRow).where(*refused).values(values))


def note_returned_ids(connection: Connection, query_id: int, page: Page) -> None:
    """Write down which ids of videos a search has brought, and which not, now that it has ended."""
    window_id = page.request.task.row_id
    of_window = select(CrawlWindow.begun_at).where(CrawlWindow.id == window_id)
    begun_at = connection.scalar(of_window)
    brought = (
        select(VIDEOS_TO_CRAWLS.c.video_id)
        .join(Crawl, Crawl.id == VIDEOS_TO_CRAWLS.c.crawl_id)
        .where(Crawl.crawl_window_id == window_id, Crawl.received_at >= begun_at)
    )
    found = set(map(str, connection.scalars(brought)))
    of_query = select(ValueBatchRow.value).where(ValueBatchRow.query_id == query_id)
    for value in connection.scalars(of_query).all():
        is_it = (ValueBatchRow.query_id == query_id, ValueBatchRow.value == value)
        if value in found:
            change = update(ValueBatchRow).where(*is_it).values(last_returned_at=begun_at)
        else:
            is_first = (*is_it, ValueBatchRow.first_missed_at.is_(None))
            change = update(ValueBatchRow).where(*is_first).values(first_missed_at=begun_at)
        connection.execute(change)


@dataclass(slots=True)
class _Batch:
    """What is read of a batch."""

    values: list[str] = field(default_factory=list)
    refused_at: datetime | None = None
    searches: list[Searched] = field(default_factory=list)
    begun: list[DateRange] = field(default_factory=list)
    postponed: list[DateRange] = field(default_factory=list)
    cut: list[DateRange] = field(default_factory=list)
    widest: int = 0
    is_doubtful: bool = False
    is_unregistered: bool = False
    retry_at: datetime | None = None

    def add_value(self, value: str, refused_at: datetime | None) -> None:
        self.values.append(value)
        self.refused_at = self.refused_at or refused_at

    def add_window(self, window: Row[Any], has_all_fields: bool) -> None:  # noqa: FBT001
        days = _days(window.start_date, window.end_date)
        if window.state == WindowState.SPLIT:
            self.cut += [days] if window.is_cut else []
        elif window.state == WindowState.COMPLETE:
            search = Searched(days, window.begun_at, window.pages)
            self.searches += [search] if has_all_fields else []
            self.widest = max(self.widest, len(days) if window.pages else 0)
            self.is_doubtful |= window.suspicious
        elif has_all_fields and window.cursor:
            self.begun.append(days)
        elif has_all_fields and window.state == WindowState.PARKED:
            self.postponed.append(days)
            self.retry_at = min(filter(None, (self.retry_at, window.retry_at)), default=None)

    def known(self) -> KnownBatch:
        return KnownBatch(
            tuple(self.values),
            tuple(self.searches),
            tuple(self.begun),
            tuple(self.postponed),
            tuple(self.cut),
            self.widest,
            self.refused_at,
            self.is_doubtful,
            self.is_unregistered,
            self.retry_at,
        )


def _registered(connection: Connection, collection: Collection) -> set[int]:
    """Read which queries of a list some run with all of its tags has used.

    The last run of each kept them as fresh as this one does.
    """
    wanted, refreshing = set(collection.tags), collection.refreshing.to_json() or None
    wish = CollectionRow.__table__.c
    queries = select(BATCH.c.query_id).where(BATCH.c.template == collection.fingerprint)
    found = select(wish.query_id, wish.tags, wish.refreshing).where(wish.query_id.in_(queries))
    tagged, last = set(), {}
    for query_id, tags, keys in connection.execute(found.order_by(wish.last_run_at, wish.id)):
        last[query_id] = keys
        if wanted <= set(tags):
            tagged.add(query_id)
    return {query_id for query_id in tagged if last[query_id] == refreshing}


def _values(template: str) -> Select[Any]:
    columns = (BATCH.c.query_id, BATCH.c.value, BATCH.c.refused_at)
    return select(*columns).where(BATCH.c.template == template).order_by(*columns[:2])


def _windows(template: str) -> Select[Any]:
    window = CrawlWindow.__table__.c
    queries = select(BATCH.c.query_id).where(BATCH.c.template == template)
    return (
        select(
            *(window.query_id, window.start_date, window.end_date, window.state),
            *(
                window.retry_at,
                window.begun_at,
                window.cursor,
                window.pages,
                window.suspicious,
                window.keywords_as,
            ),
            cast(window.fields, Text).label("fields"),
            window.error.is_not(None).label("is_cut"),
        )
        .where(window.query_id.in_(queries), WAS_ASKED)
        .order_by(window.query_id, window.id)
    )


def _stream(connection: Connection, statement: Select[Any]) -> Iterator[Row[Any]]:
    return iter(connection.execute(statement.execution_options(yield_per=AT_ONCE)))


@cache
def _names(fields: str) -> frozenset[str]:
    return frozenset(json.loads(fields))


@cache
def _days(start: date, end: date) -> DateRange:
    """Return the same object for the same days: there are few, of many windows."""
    return DateRange(start, end)
