"""The one way from a crawl to the database."""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from sqlalchemy.exc import DBAPIError

from tiktok_crawler import config
from tiktok_crawler.archive.archiving import ArchivingSession
from tiktok_crawler.archive.listing_session import ArchivedListingSession
from tiktok_crawler.archive.session import ArchivedSession
from tiktok_crawler.archive.writer import ArchiveWriter
from tiktok_crawler.clock import utc_now
from tiktok_crawler.crawling.closing import CloseReason
from tiktok_crawler.crawling.components import extension
from tiktok_crawler.crawling.storage_thread import StorageThread
from tiktok_crawler.exceptions import ArchiveError, CrawlerError
from tiktok_crawler.extensions.outcome import Outcome
from tiktok_crawler.pipelines.storage_reports import StorageReports
from tiktok_crawler.planning.task_states import (
    HeavyWindow,
    LostSearch,
    ParkedSeed,
    ParkedWindow,
    RefusedSeed,
)
from tiktok_crawler.research_api.endpoints import VIDEO_QUERY
from tiktok_crawler.research_api.pages import ListPage, Page
from tiktok_crawler.research_api.tasks import ListRequest
from tiktok_crawler.storage.engine import database
from tiktok_crawler.storage.engine.outage import explain, is_outage
from tiktok_crawler.storage.search_session import SearchSession
from tiktok_crawler.storage.stage_session import StageSession

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from typing import Self

    from scrapy.crawler import Crawler
    from scrapy.settings import BaseSettings

    from tiktok_crawler.archive.answers import RawAnswer
    from tiktok_crawler.planning.plan import Plan
    from tiktok_crawler.planning.seeds import Stage, StagePlan, StageResult
    from tiktok_crawler.research_api.tasks import ApiRequest
    from tiktok_crawler.storage.search_session import SearchResult

T = TypeVar("T", SearchSession, StageSession)

logger = logging.getLogger(__name__)


class StoragePipeline:
    """Stores each page in one transaction, with the ledger's checkpoint.

    A spider with a `collection` has its database opened, and the query's lock taken, before its
    first request; stages of listings are begun and ended by the spider, one after another. While
    the database is away it is tried again (`storage_thread.py`). An exception here closes the crawl
    (`extensions/outcome.py`).

    Settings: TIKTOK_DATABASE_URL, TIKTOK_DAILY_BUDGET, TIKTOK_SHARES, TIKTOK_ARCHIVE.
    Statistics: tiktok/windows/parked_count, tiktok/windows/split_count, tiktok/seeds/parked_count,
    tiktok/seeds/refused_count, and those of `storage_reports.py`.
    """

    def __init__(self, crawler: Crawler, url: str, search: SearchSession | None):
        self.crawler = crawler
        self.remains: SearchResult | None = None
        self.stage_remains: dict[Stage, StageResult] = {}
        self._url = url
        self._search_session = search
        self._listing_session: StageSession | None = None
        self._thread = StorageThread(crawler, self._explain, self._stop)
        self._reports = StorageReports(crawler)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        settings, spider = crawler.settings, crawler.spider
        url = config.database_url(settings)
        collection = getattr(spider, "collection", None)
        if collection is None:
            return cls(crawler, url, None)
        make = _archiving(SearchSession, ArchivedSession, settings)
        session = make(
            url,
            origin=config.origin(settings),
            collection=collection,
            wanted=spider.wanted,  # type: ignore[union-attr]
            account=config.quota_account(settings, VIDEO_QUERY.pool, "videos"),
        )
        return cls(crawler, url, session)

    @property
    def location(self) -> str:
        """Where the data is, without user name and password."""
        return database.describe(database.database_url(self._url))

    async def open_spider(self) -> None:
        if self._search_session is None:
            return
        try:
            _warn(await self._thread.run(self._search_session.open))
        except CrawlerError as exc:
            raise self._outcome.refuse(exc) from exc

    async def close_spider(self) -> None:
        try:
            await self._close_sessions()
        except Exception as exc:
            self._outcome.broke()
            if isinstance(exc, ArchiveError):
                logger.error("%(error)s", {"error": exc})
            elif isinstance(exc, DBAPIError) and is_outage(exc):
                reason = self._explain(exc)
                logger.error("What is left to do cannot be read: %(reason)s", {"reason": reason})
            else:
                raise
        finally:
            self._thread.shut_down()
        if self.remains:
            self._reports.crawl_ended(self.remains)
            if not self.remains.plan.is_fulfilled:
                self._outcome.left_undone()
        if not all(remains.is_fulfilled for remains in self.stage_remains.values()):
            self._outcome.left_undone()

    async def process_item(self, item: object) -> object:
        patiently, stats = self._thread.run_patiently, self.crawler.stats
        match item:
            case Page():
                self._reports.page_stored(item, await patiently(self._search.save_page, item))
            case LostSearch():
                item = lost = await patiently(self._search.search_lost, item, utc_now())
                self._reports.search_shrunk(lost)
            case HeavyWindow():
                await patiently(self._search.split, item, utc_now())
                stats.inc_value("tiktok/windows/split_count")
            case ParkedWindow():
                await patiently(self._search.park, item, utc_now())
                stats.inc_value("tiktok/windows/parked_count")
            case ListPage():
                self._reports.list_page_stored(item, await patiently(self._listing.save_page, item))
            case RefusedSeed():
                await patiently(self._listing.refuse, item)
                stats.inc_value("tiktok/seeds/refused_count")
            case ParkedSeed():
                await patiently(self._listing.park, item, utc_now())
                stats.inc_value("tiktok/seeds/parked_count")
        return item

    async def plan(self) -> Plan:
        """Register the collection, and decide what this run has to do."""
        try:
            return await self._thread.run_patiently(self._search.plan, utc_now())
        except ArchiveError as exc:
            raise self._outcome.refuse(exc) from exc

    async def begin_stage(self, stage: Stage, tags: tuple[str, ...]) -> StagePlan:
        """Open the database for a stage, and decide what it has to do.

        Raises:
            ArchiveError: the archive cannot be written.
            ConfigurationError: the database, or the archive's folder, cannot be used as it is.
            QueryLockedError: another crawl of this listing is running on the database.
        """
        settings, listing = self.crawler.settings, stage.listing
        make = _archiving(StageSession, ArchivedListingSession, settings)
        session = make(
            self._url,
            origin=config.origin(settings),
            stage=stage,
            tags=tags,
            account=config.quota_account(settings, listing.endpoint.pool, listing.name),
        )
        self._listing_session = session
        try:
            _warn(await self._thread.run(session.open))
            return await self._thread.run_patiently(session.plan, utc_now())
        except CrawlerError:
            await self.end_stage()
            raise

    async def end_stage(self) -> None:
        """Release what the stage has taken, and see what is left of it."""
        session, self._listing_session = self._listing_session, None
        if session is None:
            return
        remains = await self._thread.run(session.close)
        if remains:
            self.stage_remains[session.stage] = remains

    async def book(self, asked: ApiRequest) -> ApiRequest:
        """Write down that the request is about to be sent.

        Returns:
            The request, with the row of its window.

        Raises:
            QueryLockedError: the lock was lost; nothing may be sent.
            DailyBudgetSpentError: the day's budget is spent; nothing may be sent.
            DailyShareSpentError: what this kind of request may cost in a day is spent, likewise.
            SecondTriesSpentError: what second tries may cost in a day is spent, likewise.
            NotStoredError: the database is away for too long; the crawl ends.
        """
        if isinstance(asked, ListRequest):
            return await self._thread.run_patiently(self._listing.book, asked, utc_now())
        return await self._thread.run_patiently(self._search.book, asked, utc_now())

    async def keep_answer(
        self, asked: ApiRequest, answer: RawAnswer, received_at: datetime, *, is_page: bool
    ) -> None:
        """Archive the answer to a request, in a crawl with an archive.

        Raises:
            ArchiveError: that is not possible.
        """
        session: SearchSession | StageSession
        if isinstance(asked, ListRequest):
            session, row_id = self._listing, asked.seed_id
        else:
            assert asked.window_id
            session, row_id = self._search, asked.window_id
        assert isinstance(session, ArchivingSession)
        await self._thread.run(session.keep_answer, row_id, answer, received_at, is_page=is_page)

    async def fill_quota(self, asked: ApiRequest) -> None:
        """Write down that the API says that the day's quota of the request's pool is used up."""
        session = self._listing if isinstance(asked, ListRequest) else self._search
        await self._thread.run_patiently(session.fill_quota, utc_now())

    async def _close_sessions(self) -> None:
        """End what is open, the search also if a stage cannot be ended."""
        try:
            await self.end_stage()
        finally:
            if self._search_session:
                self.remains = await self._thread.run(self._search_session.close)

    @property
    def _search(self) -> SearchSession:
        assert self._search_session
        return self._search_session

    @property
    def _listing(self) -> StageSession:
        assert self._listing_session
        return self._listing_session

    @property
    def _outcome(self) -> Outcome:
        return extension(self.crawler, Outcome)

    def _stop(self) -> None:
        self._outcome.stop(CloseReason.STORAGE_FAILED)

    def _explain(self, error: DBAPIError) -> str:
        return f"{self.location}: {explain(error, database.database_url(self._url))}"


def _archiving(
    plain: type[T], archiving: Callable[..., T], settings: BaseSettings
) -> Callable[..., T]:
    """What makes a session: one that keeps an archive, if one is wanted, or a plain one."""
    folder = config.archive_folder(settings)
    return partial(archiving, archive=ArchiveWriter(folder)) if folder else plain


def _warn(warning: str | None) -> None:
    if warning:
        logger.warning("%(warning)s", {"warning": warning})
