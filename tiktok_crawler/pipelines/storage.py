"""The one way from a crawl to the database: a single thread, which keeps the order of writes."""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, NoReturn, ParamSpec, TypeVar

from scrapy.exceptions import DropItem
from sqlalchemy.exc import DBAPIError

from tiktok_crawler import configuration
from tiktok_crawler.archive.session import ArchivedSession
from tiktok_crawler.archive.writer import ArchiveWriter
from tiktok_crawler.closing import CloseReason
from tiktok_crawler.components import extension
from tiktok_crawler.delay_queue import utc_now
from tiktok_crawler.exceptions import ArchiveError, CrawlerError
from tiktok_crawler.extensions.outcome import Outcome
from tiktok_crawler.failures import CrawlStoppingError
from tiktok_crawler.items import HeavyWindow, LostSearch, Page, ParkedWindow
from tiktok_crawler.research_api.endpoints import VIDEO_QUERY
from tiktok_crawler.storage.outage import is_outage
from tiktok_crawler.storage.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from typing import Self

    from scrapy.crawler import Crawler

    from tiktok_crawler.archive.lines import Answer
    from tiktok_crawler.collection.plan import Plan
    from tiktok_crawler.items import PageRequest
    from tiktok_crawler.storage.session import Remains
    from tiktok_crawler.storage.store import Saved

P = ParamSpec("P")
T = TypeVar("T")

logger = logging.getLogger(__name__)


PATIENCE_SECONDS = 60.0
"""How long a database that is away, or a disk that is full, is waited for."""

LOOK_SECONDS = 1.0


class NotStoredError(DropItem, CrawlStoppingError):
    """The database is away, and the crawl ends: the item, or the request, leaves no trace in it."""


class StoragePipeline:
    """Stores each page in one transaction, with the ledger's checkpoint.

    Opens the database and takes the query's lock before the first request. While the database is
    away it tries again, for a minute. An exception here closes the crawl (`extensions/outcome.py`).

    Settings: TIKTOK_DATABASE_URL, TIKTOK_DAILY_BUDGET, TIKTOK_ARCHIVE.
    Statistics: tiktok/pages/stored_count, tiktok/windows/completed_count,
    tiktok/windows/parked_count, tiktok/videos/new_count, tiktok/videos/updated_count,
    tiktok/videos/refused_count, tiktok/videos/misfit_count, tiktok/text/cleaned_count,
    tiktok/windows/split_count, tiktok/windows/suspicious_count, tiktok/storage/outage_count.
    """

    def __init__(self, crawler: Crawler, session: Session):
        self.crawler = crawler
        self.remains: Remains | None = None
        self._session = session
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="storage")
        self._known_extra_fields: set[str] = set()
        self._is_away = False
        self._has_given_up = False
        self._has_said_that_ids_lie = False

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        settings, spider = crawler.settings, crawler.spider
        folder = configuration.archive_folder(settings)
        make = partial(ArchivedSession, archive=ArchiveWriter(folder)) if folder else Session
        session = make(
            configuration.database_url(settings),
            origin=configuration.origin(settings),
            collection=spider.collection,  # type: ignore[union-attr]
            wanted=spider.wanted,  # type: ignore[union-attr]
            account=configuration.quota_account(settings, VIDEO_QUERY.pool),
        )
        return cls(crawler, session)

    @property
    def location(self) -> str:
        """Where the data is, without a password."""
        return self._session.location

    async def open_spider(self) -> None:
        try:
            warning = await self._in_thread(self._session.open)
        except CrawlerError as exc:
            raise self._outcome.refuse(exc) from exc
        if warning:
            logger.warning("%(warning)s", {"warning": warning})

    async def close_spider(self) -> None:
        try:
            self.remains = await self._in_thread(self._session.close)
        except Exception as exc:
            self._outcome.broke()
            if isinstance(exc, ArchiveError):
                logger.error("%(error)s", {"error": exc})
            elif isinstance(exc, DBAPIError) and is_outage(exc):
                reason = self._session.explain(exc)
                logger.error("What is left to do cannot be read: %(reason)s", {"reason": reason})
            else:
                raise
        finally:
            self._executor.shutdown()
        if self.remains:
            self._report_remains(self.remains)

    async def process_item(self, item: object) -> object:
        if isinstance(item, Page):
            saved = await self._patiently(self._session.save_page, item)
            self._count(item, saved)
            self._report(saved)
        elif isinstance(item, LostSearch):
            item = lost = await self._patiently(self._session.search_lost, item, utc_now())
            self._report_shrinking(lost)
        elif isinstance(item, HeavyWindow):
            await self._patiently(self._session.split, item, utc_now())
            self.crawler.stats.inc_value("tiktok/windows/split_count")
        elif isinstance(item, ParkedWindow):
            await self._patiently(self._session.park, item, utc_now())
            self.crawler.stats.inc_value("tiktok/windows/parked_count")
        return item

    async def plan(self) -> Plan:
        """Register the collection, and decide what this run has to do."""
        try:
            return await self._patiently(self._session.plan, utc_now())
        except ArchiveError as exc:
            raise self._outcome.refuse(exc) from exc

    async def book(self, request: PageRequest) -> PageRequest:
        """Write down that the request is about to be sent.

        Returns:
            The request, with the window's row.

        Raises:
            QueryLockedError: the query's lock was lost; nothing may be sent.
            DailyBudgetSpentError: the day's budget is spent; nothing may be sent.
            SecondTriesSpentError: what second tries may cost in a day is spent, likewise.
            NotStoredError: the database is away for too long; the crawl ends.
        """
        return await self._patiently(self._session.book, request, utc_now())

    async def keep_answer(
        self, window_id: int, answer: Answer, received_at: datetime, *, is_malformed: bool
    ) -> None:
        """Archive the answer to the last request of a window, in a crawl with an archive.

        Raises:
            ArchiveError: that is not possible.
        """
        assert isinstance(self._session, ArchivedSession)
        keep = self._session.keep_answer
        await self._in_thread(keep, window_id, answer, received_at, is_malformed=is_malformed)

    async def fill_quota(self) -> None:
        """Write down that the API says that the day's quota is used up."""
        await self._patiently(self._session.fill_quota, utc_now())

    @property
    def _outcome(self) -> Outcome:
        return extension(self.crawler, Outcome)

    async def _in_thread(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        future = self._executor.submit(function, *args, **kwargs)
        return await asyncio.wrap_future(future)

    async def _patiently(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do it, and do it again while the database is away, unless the crawl is interrupted."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + PATIENCE_SECONDS
        while not self._has_given_up:
            try:
                result = await self._in_thread(function, *args, **kwargs)
            except DBAPIError as exc:
                if not is_outage(exc):
                    raise
                reason = self._session.explain(exc)
                if loop.time() >= deadline or not self.crawler.engine.running:
                    await self._give_up(reason)
                self._report_outage(reason)
                await asyncio.sleep(LOOK_SECONDS)
            else:
                self._is_away = False
                return result
        raise NotStoredError("the database is away")

    async def _give_up(self, reason: str) -> NoReturn:
        if not self._has_given_up:
            logger.error(
                "The database is still away, and the crawl ends; run the same command again when "
                "it is back: %(reason)s",
                {"reason": reason},
            )
        self._has_given_up = True
        self._outcome.stop(CloseReason.STORAGE_FAILED)
        # Closing has begun before the spider's next request is scheduled.
        await asyncio.sleep(0)
        raise NotStoredError(reason)

    def _report_outage(self, reason: str) -> None:
        self.crawler.stats.inc_value("tiktok/storage/outage_count")
        if not self._is_away:
            self._is_away = True
            logger.warning(
                "The database is away, and is tried again for %(seconds)d s: %(reason)s",
                {"seconds": PATIENCE_SECONDS, "reason": reason},
            )

    def _report_shrinking(self, lost: LostSearch) -> None:
        if lost.trusts_ids or self._has_said_that_ids_lie:
            return
        self._has_said_that_ids_lie = True
        logger.warning(
            "Searches of this query that are lost begin anew: the ids of its videos do not tell "
            "when they were published (TIKTOK_ID_SKEW_SECONDS)"
        )

    def _report_remains(self, remains: Remains) -> None:
        for days in remains.silences:
            self.crawler.stats.inc_value("tiktok/windows/suspicious_count")
            logger.warning(
                "%(days)s: no video, beside days that have many; suspicious, and searched once "
                "more by the first run after three days",
                {"days": days},
            )
        for days in remains.taken_back:
            logger.warning(
                "%(days)s: not complete after all: a search that was lost had passed these days, "
                "but the ids of this query's videos do not tell when they were published; they are "
                "searched again by the next run",
                {"days": days},
            )
        if not remains.plan.is_fulfilled:
            self._outcome.left_undone()

    def _count(self, page: Page, saved: Saved) -> None:
        stats = self.crawler.stats
        stats.inc_value("tiktok/pages/stored_count")
        stats.inc_value("tiktok/videos/new_count", saved.new_count)
        stats.inc_value("tiktok/videos/updated_count", saved.updated_count)
        if not page.has_more:
            stats.inc_value("tiktok/windows/completed_count")
        if page.suspicious:
            stats.inc_value("tiktok/windows/suspicious_count")
            logger.warning(
                "%(window)s: the API sent no data at all, twice; taken as empty, but suspicious",
                {"window": page.request.window},
            )
        for name, count in (
            ("tiktok/videos/refused_count", len(saved.refused)),
            ("tiktok/videos/misfit_count", len(saved.misfits)),
            ("tiktok/text/cleaned_count", saved.cleaned_count),
        ):
            if count:
                stats.inc_value(name, count)

    def _report(self, saved: Saved) -> None:
        for reason in saved.refused:
            logger.warning("A record was not stored: %(reason)s", {"reason": reason})
        for misfit in saved.misfits:
            logger.warning("Kept in video.extra_data: %(misfit)s", {"misfit": misfit})
        new_fields = sorted(set(saved.unknown_fields) - self._known_extra_fields)
        if new_fields:
            self._known_extra_fields.update(new_fields)
            logger.warning(
                "The API has fields that this version does not know, kept in video.extra_data: "
                "%(fields)s",
                {"fields": ", ".join(new_fields)},
            )
