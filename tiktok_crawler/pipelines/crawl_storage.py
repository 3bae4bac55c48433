"""The sessions of a crawl, as the crawl awaits them: what they judge, and what they do."""

from __future__ import annotations

import logging
import os
from contextlib import nullcontext, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy.exc import DBAPIError

from tiktok_crawler.archive.recorder import Journal, RecordedSession
from tiktok_crawler.archive.rewriting import pending_archives, rewrite_archive
from tiktok_crawler.clock import utc_now
from tiktok_crawler.crawling.components import config_of, extension
from tiktok_crawler.crawling.failures import CrawlEndedError, SearchEndedError
from tiktok_crawler.crawling.storage_thread import StorageThread
from tiktok_crawler.exceptions import CrawlerError
from tiktok_crawler.extensions.run_record import RunRecord
from tiktok_crawler.pipelines.sharing import Sharing
from tiktok_crawler.planning.checks import OnGone
from tiktok_crawler.reports.deletion_report import lost_lines
from tiktok_crawler.research_api.checks import CHECKS
from tiktok_crawler.research_api.endpoints import VIDEO_QUERY
from tiktok_crawler.storage.asked_for import without_deleted
from tiktok_crawler.storage.check_session import (
    CheckSession,
    ChecksPlan,
    ChecksResult,
    look_up_checks,
)
from tiktok_crawler.storage.deletion.disk import check_may_delete
from tiktok_crawler.storage.engine import database, sqlite
from tiktok_crawler.storage.engine.open_files import Hold
from tiktok_crawler.storage.engine.outage import explain
from tiktok_crawler.storage.search_session import SearchSession
from tiktok_crawler.storage.stage_session import StageSession
from tiktok_crawler.storage.value_lists import ListState, look_up_list

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from datetime import datetime, timedelta

    from scrapy.crawler import Crawler

    from tiktok_crawler.archive.lines import RawAnswer
    from tiktok_crawler.date_range import DateRange
    from tiktok_crawler.pipelines.sharing import Subject
    from tiktok_crawler.planning.plan import Plan, Wanted
    from tiktok_crawler.planning.quota import QuotaAccount
    from tiktok_crawler.planning.search_budget import SearchBudget
    from tiktok_crawler.planning.seeds import Stage, StagePlan, StageResult
    from tiktok_crawler.planning.task_states import Event
    from tiktok_crawler.planning.value_batches import BatchPlan, WantedValues
    from tiktok_crawler.query_file.collection import Collection
    from tiktok_crawler.research_api.endpoints import Pool
    from tiktok_crawler.research_api.pages import Page
    from tiktok_crawler.research_api.query import Query
    from tiktok_crawler.research_api.tasks import PageRequest
    from tiktok_crawler.storage.page_store import Saved
    from tiktok_crawler.storage.search_session import SearchResult

logger = logging.getLogger(__name__)

T = TypeVar("T")
S = TypeVar("S", SearchSession, StageSession, CheckSession)

Doer = SearchSession | StageSession | RecordedSession
"""A session, or what does its deeds in a crawl with an archive."""


class CrawlStorage:
    """Has a session for each query and listing that a crawl works on; tasks say whose they are.

    Each method does one thing in the storage's thread, and does it again while the database is
    away: then NotStoredError ends the crawl. `results` and `stage_results` are what the sessions
    that are closed leave behind; `sharing` knows of other crawls of the same.

    Settings: TIKTOK_DATABASE_URL, TIKTOK_DAILY_BUDGET, TIKTOK_SHARES, TIKTOK_ARCHIVE.
    """

    def __init__(self, crawler: Crawler, *, stop: Callable[[], None]):
        self.crawler = crawler
        self.results: dict[Collection, SearchResult | ListState] = {}
        self.stage_results: dict[Stage, StageResult] = {}
        self.checks_result: ChecksResult | None = None
        self._config = config_of(crawler)
        self._url = self._config.database_url
        self._hold = Hold()
        self._begin_run = extension(crawler, RunRecord).begin
        self._thread = StorageThread(crawler, self.explain, stop)
        self.sharing = Sharing(self._config, self._hold, self._thread)
        self._journal: Journal | None = None
        self._sessions: dict[Subject, SearchSession | StageSession | CheckSession] = {}
        self._doers: dict[Subject, Doer | CheckSession] = {}
        self._lists: dict[Collection, tuple[WantedValues, datetime]] = {}
        self._budgets: dict[Subject, SearchBudget] = {}
        self._due_to_checks = 0
        self._is_closed = False
        self._has_begun = False

    @property
    def location(self) -> str:
        """The location of the data, without user name and password."""
        return database.describe(database.database_url(self._url))

    def explain(self, error: DBAPIError) -> str:
        """Put an error of the database in words, without a password."""
        return f"{self.location}: {explain(error, database.database_url(self._url))}"

    def outage(self, error: BaseException) -> str | None:
        """Say why the database is away, if that is what an error says."""
        return self._thread.outage(error)

    async def begin_search(
        self,
        collection: Collection,
        wanted: Wanted,
        budget: SearchBudget,
        *,
        of_list: Collection | None = None,
    ) -> Plan:
        """Open the database for a query, register a run of it, and decide what it has to do.

        One for some values of a list shares the list's budget.

        Raises:
            ConfigurationError: the database, or the archive's folder, cannot be used as it is.
            QueryLockedError: another crawl of this query is running on the database.
            CrawlEndedError: the crawl has been closed.
        """
        query = collection.query
        session = SearchSession(
            self._url,
            origin=self._config.origin,
            collection=collection,
            wanted=wanted,
            account=self._account(VIDEO_QUERY.pool, "videos"),
        )
        session.counted = (of_list or collection) if budget.max_videos else None
        session.list_lock = self.sharing.list_lock(collection)
        self._budgets[query] = budget
        await self._open(query, session)
        await self._begin(query, session)
        await self._correct(session, self._thread.run_patiently)
        if budget.max_videos and not collection.batch:
            budget.videos = await self._thread.run_patiently(session.video_count)
        plan = await self._thread.run_patiently(session.plan, utc_now())
        if plan.taken_windows:
            self.sharing.leave(query)
        return plan

    async def without_deleted(self, collections: tuple[Collection, ...]) -> tuple[Collection, ...]:
        """Return what is asked for without what persons have asked to delete.

        Raises:
            ConfigurationError: the database cannot be used as it is.
        """
        origin = self._config.origin
        return await self._thread.run(without_deleted, self._url, origin, collections)

    async def plan_list(
        self, collection: Collection, wanted: WantedValues, budget: SearchBudget
    ) -> BatchPlan:
        """Decide which values of a list are searched together, and keep others from it.

        Raises:
            ConfigurationError: the database cannot be used as it is.
            QueryLockedError: another crawl of this list is running on the database.
        """
        self._lists[collection] = (wanted, utc_now())
        await self.sharing.take_list(collection)
        state = await self._thread.run_patiently(self._look_up, collection)
        budget.videos = state.totals.videos
        return state.plan

    def _look_up(self, collection: Collection) -> ListState:
        wanted, now = self._lists[collection]
        return look_up_list(self._url, self._config.origin, collection, wanted, now)

    async def end_search(self, query: Query) -> None:
        """See what a search leaves behind, and release what it has taken.

        Raises:
            NotStoredError: that is not possible; the crawl ends, and sees what it can then.
        """
        session = self._sessions.get(query)
        if isinstance(session, SearchSession):
            await self._conclude(session, self._thread.run_patiently)
            await self._release(query)

    async def begin_stage(self, stage: Stage, tags: tuple[str, ...]) -> StagePlan:
        """Open the database for a stage, and count what there is to ask for.

        Raises:
            ConfigurationError: the database, or the archive's folder, cannot be used as it is.
            QueryLockedError: another crawl of this listing is running on the database.
            CrawlEndedError: the crawl has been closed.
        """
        listing = stage.listing
        session = StageSession(
            self._url,
            origin=self._config.origin,
            stage=stage,
            tags=tags,
            account=self._account(listing.endpoint.pool, listing.name),
        )
        await self._open(listing, session)
        try:
            await self._begin(listing, session)
            self._check_open(listing)
            plan = await self._thread.run_patiently(session.plan, utc_now())
        except CrawlerError:
            await self._release(listing)
            raise
        if session.left_out:
            logger.info(
                "%(count)s of the seeds that are named are not asked about, as persons have asked "
                "to be deleted (`scrapy delete`)",
                {"count": f"{session.left_out:,}"},
            )
        return plan

    async def due(self, stage: Stage) -> Sequence[PageRequest]:
        """Read the next part of what is due of a stage; an empty one is the last.

        Raises:
            CrawlEndedError: the crawl has been closed.
        """
        self._check_open(stage.listing)
        session = self._sessions[stage.listing]
        assert isinstance(session, StageSession)
        return await self._thread.run_patiently(session.due)

    async def open_task(self, request: PageRequest) -> PageRequest:
        """Make the row of a request's task.

        Raises:
            TaskTakenError: another crawl works on it.
            CrawlEndedError: the crawl has been closed.
        """
        self._check_open(request.task.subject)
        open_task = self._doer(request).open_task
        with self.sharing.leaving(request.task.subject):
            return await self._thread.run_patiently(open_task, request, utc_now())

    async def book(self, request: PageRequest) -> PageRequest:
        """Write down that a request is about to be sent.

        Raises:
            QueryLockedError: the lock was lost; nothing may be sent.
            TaskTakenError: another crawl works on the task; nothing may be sent.
            DailyBudgetSpentError: the day's budget is spent; nothing may be sent.
            DailyShareSpentError: what this kind of request may cost in a day is spent, likewise.
            SecondTriesSpentError: what second tries may cost in a day is spent, likewise.
            SearchEndedError: what the query file may cost in this run is spent, likewise.
        """
        budget = self._budgets.get(request.task.subject)
        if budget and budget.is_spent:
            raise SearchEndedError
        subject = request.task.subject
        with budget.spending() if budget else nullcontext(), self.sharing.leaving(subject):
            book = self._doers[subject].book
            return await self._thread.run_patiently(book, request, utc_now())

    async def keep_answer(
        self, request: PageRequest, answer: RawAnswer, received_at: datetime
    ) -> None:
        """Keep the answer to a request, in a crawl with an archive.

        Raises:
            NotStoredError: that is not possible; the crawl ends.
        """
        doer = self._doers[request.task.subject]
        if isinstance(doer, CheckSession):
            return  # What checks say is asked again where it is needed.
        assert isinstance(doer, RecordedSession)
        await self._thread.run_patiently(doer.keep_answer, request, answer, received_at)

    async def save_page(self, page: Page) -> Saved:
        """Store a page, and move its task on, in one transaction."""
        saved = await self._thread.run_patiently(self._doer(page.request).save_page, page)
        if budget := self._budgets.get(page.request.task.subject):
            budget.stored(saved.new_count, saved.first_count)
        return saved

    async def days_passed(self, request: PageRequest) -> tuple[DateRange | None, bool]:
        """Find the days that a lost search has delivered completely."""
        session = self._search(request.window.query)
        return await self._thread.run_patiently(session.days_passed, request)

    async def end(
        self, request: PageRequest, event: Event, now: datetime | None = None
    ) -> PageRequest | None:
        """Change a task that brings no page now.

        Raises:
            TaskTakenError: another crawl works on it.
        """
        end = self._doer(request).end
        with self.sharing.leaving(request.task.subject):
            return await self._thread.run_patiently(end, request, event, now or utc_now())

    async def fill_quota(self, request: PageRequest) -> None:
        """Write down that the API says that the day's quota of the request's pool is used up."""
        session = self._sessions[request.task.subject]
        await self._thread.run_patiently(session.fill_quota, utc_now())

    async def end_stage(self, stage: Stage) -> None:
        """See what is left of a stage, and release what it has taken."""
        session = self._sessions.get(stage.listing)
        if not isinstance(session, StageSession):
            return
        try:
            if session.is_planned:
                self.stage_results[stage] = await self._thread.run(session.result)
        finally:
            await self._release(stage.listing)

    async def keep_for_checks(self, max_age: timedelta | None) -> None:
        """Keep of the day's quota what the checks take that this run is to do at its end.

        Raises:
            ConfigurationError: the database cannot be used as it is.
        """
        origin, now = self._config.origin, utc_now()
        plan = await self._thread.run_patiently(look_up_checks, self._url, origin, max_age, now)
        self._due_to_checks = plan.requests

    def _account(self, pool: Pool, part: str) -> QuotaAccount:
        account = self._config.quota_account(pool, part)
        return replace(account, due=self._due_to_checks) if pool is VIDEO_QUERY.pool else account

    async def begin_checks(self, max_age: timedelta | None) -> ChecksPlan:
        """Open the database for checks of existence, and decide what to ask about.

        Raises:
            ConfigurationError: the database cannot be used as it is.
            QueryLockedError: another crawl does checks on the database.
            CrawlEndedError: the crawl has been closed.
        """
        session = CheckSession(
            self._url,
            origin=self._config.origin,
            account=self._account(VIDEO_QUERY.pool, "compliance"),
            max_age=max_age,
            limit=self._config.gone_limit,
        )
        await self._open(CHECKS, session)
        if self._config.on_gone is OnGone.DELETE:
            await self._thread.run(check_may_delete, session.engine)
        await self._begin(CHECKS, session)
        return await self._thread.run_patiently(session.plan, utc_now())

    async def check(self, deed: Callable[[CheckSession], T]) -> T:
        """Do something in the session of checks.

        Raises:
            CrawlEndedError: the crawl has been closed.
        """
        self._check_open(CHECKS)
        session = self._sessions[CHECKS]
        assert isinstance(session, CheckSession)
        return await self._thread.run_patiently(deed, session)

    async def end_checks(self) -> None:
        """Keep what came of the checks, and release what they have taken."""
        session = self._sessions.get(CHECKS)
        if isinstance(session, CheckSession):
            self.checks_result = result = session.conclude()
            self.crawler.stats.inc_value("tiktok/checks/left_count", result.left)
            await self._release(CHECKS)

    async def close(self) -> None:
        """End what is open, the searches also if a stage cannot be ended."""
        self._is_closed = True
        try:
            await self.end_checks()
            for session in list(self._sessions.values()):
                if isinstance(session, StageSession):
                    await self.end_stage(session.stage)
        finally:
            try:
                for session in list(self._sessions.values()):
                    if isinstance(session, SearchSession):
                        await self._end_search(session)
                for collection in self._lists:
                    self.results[collection] = await self._thread.run(self._look_up, collection)
            finally:
                await self.sharing.give_all()
                if self._journal:
                    await self._thread.run(self._journal.close)
                if self._config.archive and self._has_begun:
                    await self._thread.run(self._see_to_archive, self._config.archive)

    def shut_down(self) -> None:
        """Nothing can be done afterwards."""
        self._thread.shut_down()

    def _see_to_archive(self, folder: Path) -> None:
        """Take out of the archive's files what was deleted while crawls wrote them."""
        with (
            suppress(CrawlerError, DBAPIError, OSError),
            database.opened(self._url, self._hold) as engine,
        ):
            if Path(os.path.realpath(folder)) in pending_archives(engine):
                for line in lost_lines(rewrite_archive(engine, [folder])):
                    logger.warning("%(line)s", {"line": line})

    async def _end_search(self, session: SearchSession) -> None:
        try:
            if session.begun_at:
                await self._conclude(session, self._thread.run)
        finally:
            await self._release(session.subject)

    async def _conclude(self, session: SearchSession, run: Callable[..., Awaitable[Any]]) -> None:
        """Correct what later pages have shown to be wrong, and read what a search leaves behind."""
        if not self._journal or not self._journal.has_failed:
            await self._correct(session, run)
        if not session.collection.batch:
            self.results[session.collection] = result = await run(session.result)
            if result.plan.taken_windows:
                self.sharing.leave(session.subject)

    async def _open(self, subject: Subject, session: S) -> None:
        if self._is_closed:
            raise CrawlEndedError
        session.hold = self._hold
        is_of_list = isinstance(session, SearchSession) and bool(session.collection.batch)
        session.is_alone = is_of_list or isinstance(session, CheckSession)
        lock_name, _ = session.lock_name
        self.sharing.works_on(subject, lock_name)
        self._sessions[subject] = session
        self._doers[subject] = doer = self._recorded(session)
        try:
            warning = await self._thread.run(doer.open)
        except CrawlerError:
            await self._release(subject)
            raise
        if warning:
            logger.warning("%(warning)s", {"warning": warning})

    async def _begin(self, subject: Subject, session: S) -> None:
        """Make the first entries of this run in the database.

        Raises:
            CrawlEndedError: the crawl has been closed.
        """
        patiently = self._thread.run_patiently
        self._check_open(subject)
        session.run_id = await patiently(self._begin_run, session.engine, self._hold)
        self._has_begun = True
        self._check_open(subject)
        await patiently(self._doers[subject].begin, utc_now())

    async def _correct(self, session: SearchSession, run: Callable[..., Awaitable[Any]]) -> None:
        corrections = await run(session.corrections)
        if corrections:
            self._check_open(session.subject)
            doer = self._doers[session.subject]
            assert isinstance(doer, SearchSession | RecordedSession)
            await run(doer.correct, corrections, utc_now())

    async def _release(self, subject: Subject) -> None:
        """Release a session, unless the crawl's end has done so: it waits for nobody."""
        if self._sessions.pop(subject, None):
            await self._thread.run(self._doers.pop(subject).release)

    def _recorded(
        self, session: SearchSession | StageSession | CheckSession
    ) -> Doer | CheckSession:
        folder = self._config.archive
        if not folder or isinstance(session, CheckSession):
            return session
        beside = sqlite.file_of(database.database_url(self._url))
        self._journal = self._journal or Journal(folder, self._config.origin, beside=beside)
        return RecordedSession(session, self._journal)

    def _search(self, query: Query) -> SearchSession:
        session = self._sessions[query]
        assert isinstance(session, SearchSession)
        return session

    def _check_open(self, subject: Subject) -> None:
        if subject not in self._doers:
            raise CrawlEndedError

    def _doer(self, request: PageRequest) -> Doer:
        doer = self._doers[request.task.subject]
        assert not isinstance(doer, CheckSession)
        return doer
