"""Reads what is known of the windows of a query, and corrects what later pages contradict."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from itertools import chain, filterfalse
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, not_, or_, select, update

from tiktok_crawler.date_range import DateRange, contiguous
from tiktok_crawler.planning.coverage import Covered, last_searches
from tiktok_crawler.planning.keyword_forms import NOTHING_TRIED, KeywordForms
from tiktok_crawler.planning.plan import Known, WaitingWindow
from tiktok_crawler.planning.suspicion import doubts
from tiktok_crawler.planning.task_states import UNFINISHED, WindowState
from tiktok_crawler.research_api.paging import START, Place
from tiktok_crawler.research_api.query import Operation
from tiktok_crawler.research_api.tasks import PageRequest, Window
from tiktok_crawler.research_api.video_ids import time_of
from tiktok_crawler.storage.ledger.keyword_forms import is_in_vain, keyword_forms
from tiktok_crawler.storage.ledger.lost_searches import kept_on_false_evidence, were_kept
from tiktok_crawler.storage.ledger.queries import WAS_ASKED
from tiktok_crawler.storage.ledger.tasks import Tasks, leave_to_others
from tiktok_crawler.storage.ledger.window_days import counts_by_window
from tiktok_crawler.storage.models.ledger import VIDEOS_TO_CRAWLS, Crawl, CrawlWindow
from tiktok_crawler.storage.models.records import Video
from tiktok_crawler.storage.records.existence import note_missing_videos

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
    from datetime import date, datetime

    from sqlalchemy import Connection, Row

    from tiktok_crawler.planning.plan import Wanted
    from tiktok_crawler.planning.window_days import DayCount
    from tiktok_crawler.research_api.query import Query

    Counts = Mapping[int, Mapping[date, DayCount]]


@dataclass(frozen=True, slots=True)
class StoredWindow:
    """A window's row, and what tells it apart in any database: its days, and when it was made."""

    row_id: int
    days: DateRange
    opened_at: datetime


@dataclass(frozen=True, slots=True)
class Corrections:
    """The corrections to make to the windows of a query.

    `taken_back` are complete ones whose days were kept of a lost search on false evidence, and are
    missing now; `needless` are parked ones whose days others have collected since; `in_vain` are
    complete ones with keywords in a form that finds nothing, whose days are missing, too.
    `compared` are complete ones that are believed: what they did not bring again is missing.
    """

    taken_back: tuple[StoredWindow, ...] = ()
    needless: tuple[StoredWindow, ...] = ()
    in_vain: tuple[StoredWindow, ...] = ()
    compared: tuple[StoredWindow, ...] = ()

    def __bool__(self) -> bool:
        """Tell whether there is anything to correct."""
        return bool(self.taken_back or self.needless or self.in_vain or self.compared)


@dataclass(frozen=True, slots=True)
class UnfinishedWindow:
    """The progress of an open or parked window, and what is known of its last failure.

    Its search has `reached` a day, of which it may lack something.
    """

    days: DateRange
    state: WindowState
    pages: int
    videos: int
    reached: date | None
    updated_at: datetime
    error: str | None
    error_log_id: str | None
    parked_at: datetime | None
    retry_at: datetime | None
    opened_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Windows:
    """The windows of one query, inside a transaction; those of other workers are left to them."""

    connection: Connection
    query_id: int
    worker_id: int | None = None

    def known(self, query: Query, fields: Iterable[str]) -> Known:
        """Read what a plan has to know of a query that is searched with these fields."""
        windows = defaultdict(list)
        for window in self._rows(*WindowState):
            windows[window.state].append(window)
        searched = [
            window for window in chain(*windows.values()) if window.state != WindowState.SPLIT
        ]
        forms = self._keyword_forms(query)
        complete = [w for w in windows[WindowState.COMPLETE] if not is_in_vain(w, forms)]
        unfinished = chain.from_iterable(windows[state] for state in UNFINISHED)
        parked = (_waiting(window, query) for window in self._own(windows[WindowState.PARKED]))
        counts = self._counts(WindowState.COMPLETE, *UNFINISHED)
        return Known(
            coverage=tuple(_coverage(complete, fields, counts)),
            open_windows=tuple(
                _request(window, query) for window in self._own(windows[WindowState.OPEN])
            ),
            parked_windows=tuple(sorted(parked, key=lambda window: window.retry_at)),
            taken_windows=tuple(
                _request(window, query) for window in unfinished if self._is_taken(window)
            ),
            cut_windows=tuple(_days(each) for each in windows[WindowState.SPLIT] if each.error),
            counts=counts,
            keyword_forms=forms,
            requests=sum(map(_ended_requests, searched)),
            pages=sum(window.pages for window in searched),
        )

    def last_row(self) -> int:
        """Return the highest row of the query's windows; 0 if it has none."""
        rows = select(func.max(CrawlWindow.id)).where(CrawlWindow.query_id == self.query_id)
        return self.connection.scalar(rows) or 0

    def others_have(self, days: DateRange, since: int) -> bool:
        """Tell whether other workers have opened a window with some of the days behind a row."""
        window = CrawlWindow
        opened = select(window.id).where(
            window.query_id == self.query_id,
            window.id > since,
            window.worker_id.is_distinct_from(self.worker_id),
            window.start_date <= days.end,
            window.end_date >= days.start,
        )
        return self.connection.scalar(opened.limit(1)) is not None

    def reached(self) -> dict[int, datetime]:
        """Read down to which time the pages of open and parked windows have come, by their rows."""
        window, oldest = CrawlWindow, func.min(VIDEOS_TO_CRAWLS.c.video_id)
        pages = (
            select(window.id, func.min(Video.create_time), oldest)
            .join(Crawl, Crawl.crawl_window_id == window.id)
            .join(VIDEOS_TO_CRAWLS, VIDEOS_TO_CRAWLS.c.crawl_id == Crawl.id)
            .join(Video, Video.id == VIDEOS_TO_CRAWLS.c.video_id)
            .where(window.query_id == self.query_id, window.state.in_(UNFINISHED))
            .where(Crawl.received_at >= window.begun_at, window.cursor > 0)
            .group_by(window.id)
        )
        rows = self.connection.execute(pages)
        return {row_id: created_at or time_of(id_) for row_id, created_at, id_ in rows}

    def unfinished(self) -> list[UnfinishedWindow]:
        """Read how far the open and the parked windows have come, by first day."""
        counts = self._counts(*UNFINISHED)
        return [
            UnfinishedWindow(
                days=_days(window),
                state=window.state,
                pages=window.pages,
                videos=window.record_count,
                reached=_reached(window, counts.get(window.id, {})),
                updated_at=window.updated_at,
                error=window.error,
                error_log_id=window.error_log_id,
                parked_at=window.parked_at,
                retry_at=window.retry_at,
                opened_at=window.created_at,
            )
            for window in self._rows(*UNFINISHED)
        ]

    def parked(self, days: DateRange) -> Iterator[UnfinishedWindow]:
        """Read the parked windows that have some of these days."""
        for window in self.unfinished():
            if window.state is WindowState.PARKED and window.days.overlaps(days):
                yield window

    def corrections(self, wanted: Wanted) -> Corrections:
        """Judge what has to be corrected, without changing it.

        Days that are taken back speak for nothing else.
        """
        stored, forms = self._rows(WindowState.COMPLETE), self._keyword_forms(wanted.query)
        complete = [window for window in stored if not is_in_vain(window, forms)]
        in_vain = [window for window in stored if is_in_vain(window, forms)]
        taken_back: list[Row[Any]] = []
        if kept_on_false_evidence(self.connection, self.query_id, wanted.id_skew):
            kept = set(
                self.connection.scalars(select(CrawlWindow.id).where(were_kept(self.query_id)))
            )
            taken_back = [window for window in complete if window.id in kept]
            complete = [window for window in complete if window.id not in kept]
        parked = self._rows(WindowState.PARKED)
        return Corrections(
            taken_back=tuple(map(stored_window, taken_back)),
            needless=tuple(
                stored_window(window)
                for window in parked
                if _is_collected_since(window, complete) or _is_idle_trial(window, forms, complete)
            ),
            in_vain=tuple(map(stored_window, in_vain)),
            compared=tuple(map(stored_window, self._believed(complete, wanted))),
        )

    def _believed(self, complete: Sequence[Row[Any]], wanted: Wanted) -> Iterator[Row[Any]]:
        """Yield the complete windows that are not compared yet, and sound on each of their days.

        A day that another window has covered since is that one's.
        """
        new = [window for window in complete if window.compared_at is None]
        if not new or wanted.query.sample:
            return
        counts, last = self._counts(WindowState.COMPLETE), _last_begun(complete)
        searches = [_covered(each, counts) for each in complete]
        doubted, freshness = doubts(searches, wanted.freshness), wanted.freshness
        for window in sorted(new, key=_begun_at):
            own = _own_days(window, last)
            settled = all(freshness.is_settled(day, _begun_at(window)) for day in own)
            if settled and doubted.keys().isdisjoint(own):
                yield window

    def correct(self, corrections: Corrections, tasks: Tasks, now: datetime) -> None:
        """Do what was judged; done once more with the same time, it changes nothing."""
        left = (*corrections.taken_back, *corrections.needless, *corrections.in_vain)
        for window in left:
            leave_to_others(tasks, window.row_id, now)
        if corrections.compared:
            self._compare({window.row_id for window in corrections.compared}, now)

    def _compare(self, row_ids: Container[int], now: datetime) -> None:
        """Note which videos windows did not bring, as others like them had before."""
        stored = self._rows(*WindowState)
        last, by_day = _last_begun(filter(_is_complete, stored)), _by_day(stored)
        for window in stored:
            if window.id in row_ids and window.compared_at is None:
                near = {each.id: each for day in _days(window) for each in by_day[day]}
                self._note_missing(window, near.values(), _own_days(window, last))
                compared = update(CrawlWindow).where(CrawlWindow.id == window.id)
                self.connection.execute(compared.values(compared_at=now))

    def _note_missing(
        self, window: Row[Any], near: Iterable[Row[Any]], own: Iterable[date]
    ) -> None:
        alike = [each.id for each in near if _asks_no_more(each, window)]
        if alike != [window.id]:
            since = [each.id for each in near]
            for days in contiguous(own):
                note_missing_videos(self.connection, days, _begun_at(window), alike, since)

    def drop_unasked(self) -> None:
        """Drop windows that were opened by a run that ended before it asked for them.

        They fix neither fields nor width.
        """
        unasked = delete(CrawlWindow).where(CrawlWindow.query_id == self.query_id, not_(WAS_ASKED))
        self.connection.execute(unasked.where(CrawlWindow.worker_id.is_(None)))

    def _own(self, windows: Iterable[Row[Any]]) -> Iterator[Row[Any]]:
        return filterfalse(self._is_taken, windows)

    def _is_taken(self, window: Row[Any]) -> bool:
        """Tell whether another worker has an unfinished window; whoever is alone asks for all."""
        if self.worker_id is None:
            return False
        return window.worker_id not in (None, self.worker_id)

    def _counts(self, *states: WindowState) -> Counts:
        return counts_by_window(self.connection, self.query_id, *states)

    def _keyword_forms(self, query: Query) -> KeywordForms:
        """Read what searches with keywords in either form have found, if there is a choice."""
        if not query.has_keyword_forms:
            return NOTHING_TRIED
        return keyword_forms(self.connection, CrawlWindow.query_id == self.query_id)[self.query_id]

    def _rows(self, *states: WindowState) -> list[Row[Any]]:
        columns = CrawlWindow.__table__
        counts = WAS_ASKED
        if self.worker_id is not None:
            # What others have opened, they are about to ask for.
            counts = or_(WAS_ASKED, columns.c.worker_id != self.worker_id)
        windows = (
            select(columns)
            .where(columns.c.query_id == self.query_id, columns.c.state.in_(states), counts)
            .order_by(columns.c.start_date, columns.c.id)
        )
        return list(self.connection.execute(windows))


def _is_complete(window: Row[Any]) -> bool:
    return bool(window.state == WindowState.COMPLETE)


def _asks_no_more(window: Row[Any], other: Row[Any]) -> bool:
    """Tell whether a window asks for no more fields than another one, and in the same form."""
    return window.keywords_as == other.keywords_as and set(window.fields) <= set(other.fields)


def _by_day(windows: Iterable[Row[Any]]) -> Mapping[date, Sequence[Row[Any]]]:
    found = defaultdict(list)
    for window in windows:
        for day in _days(window):
            found[day].append(window)
    return found


def _last_begun(complete: Iterable[Row[Any]]) -> Mapping[date, datetime]:
    """Return the days of complete windows, each with the start of its last search."""
    return last_searches(Covered(_days(each), _begun_at(each)) for each in complete)


def _own_days(window: Row[Any], last: Mapping[date, datetime]) -> list[date]:
    """Return the days of a window that no complete one has searched since."""
    begun_at = _begun_at(window)
    return [day for day in _days(window) if last.get(day, begun_at) <= begun_at]


def _begun_at(window: Row[Any]) -> datetime:
    """Return when a window was first asked for; an archive may lack the line that says so."""
    at: datetime = window.begun_at or window.created_at
    return at


def _days(window: Row[Any]) -> DateRange:
    return DateRange(window.start_date, window.end_date)


def _reached(window: Row[Any], counts: Iterable[date]) -> date | None:
    """Return the day to which a search has come, if it has a page."""
    days = _days(window)
    return min((day for day in counts if day in days), default=None) if window.pages else None


def _ended_requests(window: Row[Any]) -> int:
    """Count requests but those that may be under way still, or were when their crawl was killed."""
    is_out = window.state == WindowState.OPEN and window.updated_at != window.last_page_at
    return int(window.requests - is_out)


def stored_window(window: Row[Any]) -> StoredWindow:
    """Return what tells the window of a row apart."""
    return StoredWindow(window.id, _days(window), window.created_at)


def _request(window: Row[Any], query: Query) -> PageRequest:
    """Return the request that goes on where the window's last page ended."""
    form = Operation(window.keywords_as or Operation.IN)
    task = Window(query, _days(window), tuple(window.fields), row_id=window.id, keywords_as=form)
    if not window.cursor:
        return PageRequest(task, START)
    return PageRequest(
        task,
        Place(window.cursor, window.search_id, window.record_count),
        begun_at=window.begun_at,
        previous_page_at=window.last_page_at,
    )


def _waiting(window: Row[Any], query: Query) -> WaitingWindow:
    request = replace(_request(window, query), second_try=True)
    return WaitingWindow(request, window.retry_at or window.updated_at)


def _covered(window: Row[Any], counts: Counts) -> Covered:
    was_searched = window.pages > 0
    return Covered(
        days=_days(window),
        searched_at=window.begun_at,
        matches=window.cursor if was_searched else None,
        counts=counts.get(window.id, {}),
        suspicious=window.suspicious,
    )


def _coverage(complete: Iterable[Row[Any]], fields: Iterable[str], counts: Counts) -> list[Covered]:
    """Return the windows among the complete ones that were searched with all of these fields."""
    wanted = set(fields)
    return [_covered(window, counts) for window in complete if wanted <= set(window.fields)]


def _is_idle_trial(window: Row[Any], forms: KeywordForms, complete: Iterable[Row[Any]]) -> bool:
    """Tell whether a window was to try the other form of keywords, which is decided by now."""
    if not forms.brought or window.keywords_as in (None, forms.sent_as) or window.pages:
        return False
    searched = last_searches(_coverage(complete, window.fields, {}))
    return all(day in searched for day in _days(window))


def _is_collected_since(window: Row[Any], complete: Iterable[Row[Any]]) -> bool:
    coverage = _coverage(complete, window.fields, {})
    searched = last_searches(c for c in coverage if c.searched_at >= window.created_at)
    return all(day in searched for day in _days(window))
