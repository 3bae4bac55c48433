"""The common part of all spiders of this project."""

from __future__ import annotations

import asyncio
import logging
from abc import abstractmethod
from typing import TYPE_CHECKING, Any

from scrapy import Spider
from scrapy.exceptions import CloseSpider

from tiktok_crawler.arguments import search_arguments
from tiktok_crawler.config import Config
from tiktok_crawler.config.names import check_project
from tiktok_crawler.crawling.closing import CloseReason
from tiktok_crawler.crawling.components import extension, item_pipeline
from tiktok_crawler.crawling.failures import CrawlEndedError
from tiktok_crawler.crawling.notice import NOTICE
from tiktok_crawler.crawling.refusal import refusing
from tiktok_crawler.crawling.storage_thread import NotStoredError
from tiktok_crawler.exceptions import CrawlerError, DatabaseLostError
from tiktok_crawler.extensions.outcome import Outcome
from tiktok_crawler.pipelines.storage import StoragePipeline, crawl_storage
from tiktok_crawler.planning.seed_queue import SeedQueue
from tiktok_crawler.reports.stage_report import stage_beginning
from tiktok_crawler.spelling import listed
from tiktok_crawler.spiders.task_runner import TaskRunner

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from typing import Self

    from scrapy import Request
    from scrapy.crawler import Crawler

    from tiktok_crawler.pipelines.sharing import Shared
    from tiktok_crawler.planning.fair_queue import FairQueue
    from tiktok_crawler.planning.seeds import Stage
    from tiktok_crawler.planning.window_queue import WindowQueue

logger = logging.getLogger(__name__)

LOOKS_EVERY_SECONDS = 5
"""A crawl that waits for others sees so often whether they are at work."""


class ResearchSpider(Spider):
    """A spider that ends in order when its database cannot be used.

    `arguments` are those of `-a` as given, `stages` the listings that it works off, with these
    `tags`. `max_requests` is how many requests it may send. `queue` is what it works off now. With
    `probes`, it is not to collect everything.
    """

    stages: tuple[Stage, ...] = ()
    tags: tuple[str, ...] = ()
    queue: FairQueue | WindowQueue | SeedQueue | None = None
    probes: int | None = None

    def __init__(
        self, config: Config, arguments: Mapping[str, str], *, max_requests: int | None = None
    ):
        super().__init__()
        self.arguments = arguments
        self.config = config
        self.max_requests = max_requests

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> Self:  # noqa: ARG003
        """Build the spider from its arguments, those of `-a` or of a Python script.

        Raises:
            UsageError: an argument is unknown, missing or malformed.
            ConfigurationError: a query file, a setting or the database cannot be used.
            CredentialsError: there are none, or the secrets file cannot be used.
        """
        with refusing(crawler):
            check_project(crawler.settings)
            config = Config.of(crawler.settings)
            arguments = cls.read(config, search_arguments.as_written(kwargs))
            config.check_crawl()
            return super().from_crawler(crawler, config, *arguments)

    @classmethod
    @abstractmethod
    def read(cls, config: Config, given: dict[str, str]) -> tuple[Any, ...]:
        """Read from the arguments given what the spider is made of, beside its configuration."""

    async def start(self) -> AsyncIterator[Request]:
        if not self.crawler.crawling:
            # Ctrl-C came while the database was opened: Scrapy has noted it here, but stops only an
            # engine that runs, and one that closes later only if this was not noted.
            self.crawler.crawling = True
            raise CloseSpider("shutdown")
        self.runner = TaskRunner(self.crawler)
        try:
            async for request in self.requests():
                yield request
        except (CrawlEndedError, NotStoredError):
            # The crawl is closing, or closed: whoever could not store has demanded it.
            return
        except DatabaseLostError as exc:
            raise CloseSpider(CloseReason.STORAGE_FAILED) from exc
        except CrawlerError as exc:
            raise extension(self.crawler, Outcome).refuse(exc) from exc

    @abstractmethod
    def requests(self) -> AsyncIterator[Request]:
        """Yield all that there is to ask for."""

    async def list_stage(
        self, stage: Stage, *, waits_for_quota: bool = True
    ) -> AsyncIterator[Request]:
        """Work off a stage.

        Raises:
            CrawlerError: the stage cannot begin.
            NotStoredError: the database is away; the crawl ends.
        """
        storage = crawl_storage(self.crawler)

        async def fill_up() -> None:
            queue.add(await storage.due(stage))

        goes_on = True
        while goes_on:
            plan = await storage.begin_stage(stage, self.tags)
            logger.log(NOTICE, "%(work)s", {"work": stage_beginning(stage, plan)})
            self.queue = queue = SeedQueue(stage, plan)
            async for request in self.runner.requests(
                queue, fill_up, waits_for_quota=waits_for_quota
            ):
                yield request
            self.queue = None
            await storage.end_stage(stage)
            item_pipeline(self.crawler, StoragePipeline).reports.say_refusals()
            goes_on = not self.runner.lacks_quota and await self.others_have_ended(stage.listing)

    async def others_have_ended(self, subject: Shared) -> bool:
        """Wait for other crawls of the same, if something was left to them.

        Returns:
            Whether there may be something to do again: what they have not finished.
        """
        sharing, has_told = crawl_storage(self.crawler).sharing, False
        if not sharing.has_left(subject):
            return False
        while others := await sharing.at_work(subject):
            if await sharing.quota_is_used_up(subject):
                logger.log(
                    NOTICE,
                    "The day's quota is used up: the rest is left to %(others)s",
                    _named(others),
                )
                return False
            if not has_told:
                logger.log(
                    NOTICE,
                    "The rest is being collected by %(others)s. This crawl waits, and does what is "
                    "left then; Ctrl-C ends it, and the others go on",
                    _named(others),
                )
                has_told = True
            await asyncio.sleep(LOOKS_EVERY_SECONDS)
        sharing.forget(subject)
        return True


def _named(others: list[str]) -> dict[str, str]:
    return {"others": listed(others, conjunction="and")}
