"""Keeps the row of table `run` that tells of this crawl."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from scrapy import signals
from sqlalchemy.exc import DBAPIError

from tiktok_crawler.arguments.search_arguments import JOB
from tiktok_crawler.clock import utc_now
from tiktok_crawler.crawling.closing import CloseReason
from tiktok_crawler.crawling.components import config_of, extension
from tiktok_crawler.crawling.hiding import without_login
from tiktok_crawler.crawling.notice import NOTICE
from tiktok_crawler.exceptions import DatabaseLostError
from tiktok_crawler.extensions.outcome import Outcome
from tiktok_crawler.research_api.verdicts import AnswerKind
from tiktok_crawler.spelling import number_of
from tiktok_crawler.storage.engine import database
from tiktok_crawler.storage.engine.outage import explain
from tiktok_crawler.storage.engine.sqlite import empty_log
from tiktok_crawler.storage.ledger.runs import RunEnd, RunStart, begin_run, end_run

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import Self

    from scrapy.crawler import Crawler
    from scrapy.extensions.feedexport import FeedSlot
    from sqlalchemy import Engine

    from tiktok_crawler.storage.engine.open_files import Hold

logger = logging.getLogger(__name__)

FAULTS = {
    **{f"tiktok/answers/{kind}_count": kind.value for kind in AnswerKind if kind != "page"},
    "tiktok/searches/lost_count": "search_lost",
    "tiktok/storage/outage_count": "database_away",
}
"""The troubles of a run, by the statistics that count them."""

EXCEPTIONS = "downloader/exception_type_count/"
HELD_BACK = f"{EXCEPTIONS}tiktok_crawler."
"""Exceptions of this package are requests that were not sent, or are sent again."""


class RunRecord:
    """Writes that the run has begun, before all else in its database, and at the end how it ended.

    A run that was killed has no end. What an exporter stores after the spider was closed is known
    only when the engine has stopped, so that the end is written then.
    """

    def __init__(self, crawler: Crawler):
        self.crawler = crawler
        self._id: int | None = None
        self._reason = ""
        self._feeds: list[str] = []
        self.is_written = asyncio.Event()

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        record = cls(crawler)
        crawler.signals.connect(record.feed_slot_closed, signal=signals.feed_slot_closed)
        crawler.signals.connect(record.spider_closed, signal=signals.spider_closed)
        crawler.signals.connect(record.engine_stopped, signal=signals.engine_stopped)
        return record

    @property
    def has_begun(self) -> bool:
        """Tell whether there is a row of this run."""
        return self._id is not None

    def begin(self, engine: Engine, hold: Hold) -> int:
        """The run's id, which it gets the first time; for the thread of the database."""
        self._hold = hold
        if self._id is None:
            self._id = begin_run(engine, self._start(), utc_now())
        return self._id

    def feed_slot_closed(self, slot: FeedSlot) -> None:
        # Scrapy says this of feeds that failed, too, and counts these by the kind of their storage.
        failures = f"feedexport/failed_count/{type(slot.storage).__name__}"
        if not self.crawler.stats.get_value(failures):
            self._feeds.append(without_login(slot.uri))
            logger.log(
                NOTICE,
                "Stored %(format)s feed (%(items)s) in %(place)s",
                {
                    "format": slot.format,
                    "items": number_of(slot.itemcount, "items"),
                    "place": self._feeds[-1],
                },
            )

    def spider_closed(self, reason: str) -> None:
        self._reason = reason

    async def engine_stopped(self) -> None:
        try:
            if self._id is not None:
                await asyncio.to_thread(self._end, self._id)
        finally:
            self.is_written.set()

    def _start(self) -> RunStart:
        spider = self.crawler.spider
        given: Mapping[str, str] = spider.arguments  # type: ignore[union-attr]
        arguments = dict(without_secrets(given, self._secrets()))
        job = arguments.pop(JOB, None)
        return RunStart(spider.name, arguments, job)  # type: ignore[union-attr]

    def _secrets(self) -> Iterator[str]:
        config = config_of(self.crawler)
        password = database.database_url(config.database_url).password
        credentials = config.credentials
        yield from filter(None, (password, credentials.client_secret, credentials.client_key))

    def _end(self, run_id: int) -> None:
        stats = self.crawler.stats.get_stats()
        end = RunEnd(
            close_reason=self._reason,
            exit_status=extension(self.crawler, Outcome).exit_status,
            requests=stats.get("tiktok/requests/sent_count", 0),
            faults=faults_in(stats),
            feeds=tuple(self._feeds),
        )
        with database.opened(config_of(self.crawler).database_url, self._hold) as engine:
            try:
                end_run(engine, run_id, end, utc_now())
                empty_log(engine)
            except DatabaseLostError as exc:
                if self._reason != CloseReason.STORAGE_FAILED:
                    logger.error("%(error)s", {"error": exc})
                    extension(self.crawler, Outcome).broke()
            except DBAPIError as exc:
                logger.warning(
                    "How this run ended is not in the table run: %(reason)s",
                    {"reason": explain(exc, engine.url)},
                )


def without_secrets(
    arguments: Mapping[str, str], secrets: Iterable[str]
) -> Iterator[tuple[str, str]]:
    """The arguments, with *** for what must not be written anywhere."""
    hidden = list(secrets)
    for name, value in arguments.items():
        shown = value
        for secret in hidden:
            shown = shown.replace(secret, "***")
        yield name, shown


def faults_in(stats: Mapping[str, Any]) -> dict[str, int]:
    """Count a run's troubles by kind: answers that are no page, requests without one, others."""
    faults = {kind: stats[name] for name, kind in FAULTS.items() if stats.get(name)}
    unanswered = sum(
        count
        for name, count in stats.items()
        if name.startswith(EXCEPTIONS) and not name.startswith(HELD_BACK)
    )
    return faults | ({"no_answer": unanswered} if unanswered else {})
