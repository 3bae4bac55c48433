"""A session that keeps an archive: what it is told is on the disk before the database has it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from tiktok_crawler.archive.answers import Believed
from tiktok_crawler.archive.archiving import ArchivingSession
from tiktok_crawler.archive.lines import (
    Asked,
    Event,
    Run,
    RunLine,
    Source,
    SuspectLine,
    WindowLine,
    WindowParked,
    WindowShrunk,
    WindowSplit,
)
from tiktok_crawler.clock import utc_now
from tiktok_crawler.date_range import DAY, DateRange
from tiktok_crawler.storage.engine.transactions import reading
from tiktok_crawler.storage.models.ledger import CrawlWindow
from tiktok_crawler.storage.search_session import SearchSession

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from tiktok_crawler.planning.coverage import Covered
    from tiktok_crawler.planning.plan import Plan
    from tiktok_crawler.planning.task_states import HeavyWindow, LostSearch, ParkedWindow
    from tiktok_crawler.research_api.pages import Page
    from tiktok_crawler.research_api.tasks import PageRequest
    from tiktok_crawler.storage.store import Saved


class ArchivedSession(ArchivingSession, SearchSession):
    """Writes each answer, and what became of windows, into an archive.

    Where the archive cannot be written, all but `park` leave the database as it was.
    """

    def __init__(self, url: str, **of_session: Any) -> None:
        super().__init__(url, **of_session)
        self._source = Source(self._origin, self._collection.query, self._collection.tags)
        self._asked: dict[int, Asked] = {}

    def plan(self, now: datetime) -> Plan:
        self._archive.append(RunLine(now, self._source, Run(now, self._collection)))
        return super().plan(now)

    def book(self, request: PageRequest, now: datetime) -> PageRequest:
        # Before the request is booked: a booking that is followed by a failure would be repeated.
        begun_at = now if request.window_id is None else self._begun_at(request.window_id)
        booked = super().book(request, now)
        assert booked.window_id
        self._asked[booked.window_id] = Asked(booked, begun_at, now)
        return booked

    def save_page(self, page: Page) -> Saved:
        if page.request.window_id in self._answered_without_page:
            self._append(page.request.window_id, Believed(), page.received_at)
        return super().save_page(page)

    def split(self, heavy: HeavyWindow, now: datetime) -> None:
        self._append(heavy.request.window_id, WindowSplit(heavy.reason, heavy.log_id), now)
        super().split(heavy, now)

    def park(self, parked: ParkedWindow, now: datetime) -> None:
        # The database goes first: how often a window was parked decides when it is tried again.
        super().park(parked, now)
        resume = parked.request
        event = WindowParked(parked.reason, parked.log_id, resume.cursor, resume.search_id)
        self._append(resume.window_id, event, now)

    def _shrink(self, connection: Connection, lost: LostSearch, now: datetime) -> LostSearch:
        found, request = super()._shrink(connection, lost, now), lost.request
        assert found.resumed
        if found.resumed.window != request.window:
            passed = DateRange(found.resumed.window.end + DAY, request.window.end)
            self._append(request.window_id, WindowShrunk(passed), now)
        return found

    def _suspect(self, silences: list[Covered]) -> None:
        for silence in silences:
            now = utc_now()
            self._archive.append(SuspectLine(now, self._source, silence.days, silence.searched_at))
        super()._suspect(silences)

    def _append(self, row_id: int | None, event: Event, at: datetime) -> None:
        assert row_id
        self._archive.append(WindowLine(at, self._source, self._asked[row_id], event))

    def _begun_at(self, window_id: int) -> datetime:
        """When the window's row was made: with its first request, in this run or an earlier one."""
        if window_id in self._asked:
            return self._asked[window_id].begun_at
        assert self._engine
        begun_at = select(CrawlWindow.created_at).where(CrawlWindow.id == window_id)
        with reading(self._engine) as connection:
            return connection.execute(begun_at).scalar_one()
