"""Keeps what came of each day of a window: as its pages come, and for those who tell of days."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, delete, func, select, update

from tiktok_crawler.planning.task_states import WindowState
from tiktok_crawler.planning.window_days import NONE, DayCount, Delivered, days_of_page, known_sum
from tiktok_crawler.storage.models.ledger import (
    VIDEOS_TO_CRAWLS,
    Crawl,
    CrawlWindow,
    WindowDay,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

    from sqlalchemy import Connection, Executable, Select

    from tiktok_crawler.research_api.pages import Page
    from tiktok_crawler.storage.engine.statements import Statements
    from tiktok_crawler.storage.records.links import StoredPage
    from tiktok_crawler.storage.records.shape import Records

_DAYS = WindowDay.__table__


MOST_SEARCHES = 32
"""So many searches are remembered; what another one has brought is read from the database."""


@dataclass(frozen=True, slots=True)
class Searched:
    """What a search has brought so far: by day, the ids, and how many matches it stands for.

    The ids are no more than a day's quota buys.
    """

    counts: Mapping[date, DayCount] = field(default_factory=dict)
    ids: set[int] = field(default_factory=set)
    matches: int = 0


class SearchesUnderWay:
    """Remembers what the searches that a page store works on have brought, as it is committed."""

    def __init__(self) -> None:
        self._searches: dict[int | None, Searched] = {}

    def take(self, page: Page) -> Searched | None:
        """Return what the search of a page has brought before, if that is known.

        It is forgotten until the page is committed.
        """
        known = self._searches.pop(page.request.task.row_id, None)
        return Searched() if page.request.starts_task else known

    def remember(self, page: Page, searched: Searched, ids: Iterable[int | None]) -> None:
        """Remember a search whose page, with these ids, is committed."""
        if page.next_request is None:
            return
        searched.ids.update(id_ for id_ in ids if id_ is not None)
        self._searches[page.request.task.row_id] = searched
        if len(self._searches) > MOST_SEARCHES:
            del self._searches[next(iter(self._searches))]


def add_page(stored: StoredPage, read: Records, known: Searched | None) -> Searched:
    """Add a page to the days of its window; the first page of a search replaces them.

    Args:
        stored: the page, whose window has moved on already.
        read: its records.
        known: what the search has brought before; None if that is to be read.

    Returns:
        What it has brought now, with the ids of the pages before.
    """
    request, window_id = stored.page.request, stored.page.request.task.row_id
    if request.starts_task:
        stored.statements.run(stored.connection, _forget, {"window_id": window_id})
    known = known or _searched(stored)
    days = request.window.days
    reached = min((day for day in known.counts if day in days), default=None)
    added = days_of_page(_delivered(stored.page, read, known), days, reached, known.ids)
    counts = {day: known.counts.get(day, NONE).plus(count) for day, count in added.items()}
    rows = [(window_id, day.isoformat(), *count) for day, count in sorted(counts.items())]
    stored.statements.upsert(stored.connection, tuple(_DAYS.columns), rows)
    matches = known.matches + known_sum(added.values()).matches
    return Searched({**known.counts, **counts}, known.ids, matches)


def give_days(connection: Connection, window_id: int | None, other_id: int, first: date) -> None:
    """Give the days of a window from `first` on to another window, which has them now."""
    moved = update(WindowDay).where(WindowDay.crawl_window_id == window_id, WindowDay.day >= first)
    connection.execute(moved.values(crawl_window_id=other_id))


def counts_by_window(
    connection: Connection, query_id: int, *states: WindowState
) -> Mapping[int, Mapping[date, DayCount]]:
    """Read the days of a query's windows in some states, by the windows' rows."""
    rows = (
        select(_DAYS)
        .join(CrawlWindow, CrawlWindow.id == _DAYS.c.crawl_window_id)
        .where(CrawlWindow.query_id == query_id, CrawlWindow.state.in_(states))
        .order_by(_DAYS.c.crawl_window_id, _DAYS.c.day)
    )
    found: dict[int, dict[date, DayCount]] = defaultdict(dict)
    for window_id, day, *count in connection.execute(rows):
        found[window_id][day] = DayCount(*count)
    return found


def last_counts(connection: Connection, queries: Select[Any]) -> DayCount:
    """Add up what came of each day by the last search of each of these queries that has ended."""
    window = CrawlWindow.__table__.c
    latest_first = window.begun_at.desc(), window.id.desc()
    place = func.row_number().over(
        partition_by=(window.query_id, _DAYS.c.day), order_by=latest_first
    )
    names = DayCount._fields
    searches = (
        select(*(_DAYS.c[name] for name in names), place.label("place"))
        .join(CrawlWindow, window.id == _DAYS.c.crawl_window_id)
        .where(window.query_id.in_(queries), window.state == WindowState.COMPLETE)
        .subquery()
    )
    sums = select(*(func.sum(searches.c[name]) for name in names))
    found = connection.execute(sums.where(searches.c.place == 1)).one()
    return DayCount(*(int(number or 0) for number in found))


def _delivered(page: Page, read: Records, known: Searched) -> Delivered:
    times = {id_: record.values.get("create_time") for id_, record in read.by_id.items()}
    times |= read.left_out
    return Delivered(
        ids=read.ids,
        times={id_: time for id_, time in times.items() if time},
        matches=page.cursor - known.matches if page.is_cursor_given else 0,
        ends_search=page.next_request is None,
    )


def _searched(stored: StoredPage) -> Searched:
    """Read what the pages before have brought of a search."""
    window_id = stored.page.request.task.row_id
    window = CrawlWindow.__table__.c
    searched_at = select(window.begun_at).where(window.id == window_id).scalar_subquery()
    ids = (
        select(VIDEOS_TO_CRAWLS.c.video_id)
        .join(Crawl, Crawl.id == VIDEOS_TO_CRAWLS.c.crawl_id)
        .where(
            Crawl.crawl_window_id == window_id,
            Crawl.received_at >= searched_at,
            Crawl.id != stored.crawl_id,
        )
    )
    days = select(*[*_DAYS.c][1:]).where(_DAYS.c.crawl_window_id == window_id)
    counts = {day: DayCount(*count) for day, *count in stored.connection.execute(days)}
    # What an earlier version did not count, the cursor did.
    matches = max(known_sum(counts.values()).matches, stored.page.request.place.cursor)
    return Searched(counts, set(stored.connection.scalars(ids)), matches)


def _forget(_statements: Statements) -> Executable:
    return delete(_DAYS).where(_DAYS.c.crawl_window_id == bindparam("window_id"))
