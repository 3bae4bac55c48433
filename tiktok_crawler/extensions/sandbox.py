"""Serves the sandbox inside the crawl, for as long as the crawl lasts."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING

from scrapy import signals
from scrapy.exceptions import NotConfigured
from sqlalchemy.exc import DBAPIError

from tiktok_crawler.clock import utc_now
from tiktok_crawler.config.paths import in_project
from tiktok_crawler.crawling.components import config_of, extension
from tiktok_crawler.exceptions import CrawlerError
from tiktok_crawler.research_api.endpoints import Pool
from tiktok_crawler.storage.ledger.quota import VIDEOS, read_spent

if TYPE_CHECKING:
    from typing import Self

    from aiohttp.web import AppRunner
    from scrapy.crawler import Crawler

    from tiktok_crawler.config import Config
    from tiktok_crawler.sandbox import Sandbox

CHECKS = ".scrapy/sandbox-checks"
"""The folder of the compliance checks of a project's own sandboxes."""


class SandboxServer:
    """With TIKTOK_SANDBOX, serves an imitation of the API on this machine, at `url`.

    All crawls of a day on a database share one quota, as if they had asked the same API, and those
    of a project know each other's compliance checks.

    Settings: TIKTOK_SANDBOX, TIKTOK_SANDBOX_URL (where one is served already),
    TIKTOK_SANDBOX_PROFILE.
    """

    def __init__(self, sandbox: Sandbox, config: Config):
        self._sandbox = sandbox
        self._config = config
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._runner: AppRunner | None = None

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        config = config_of(crawler)
        if config.api_url:
            raise NotConfigured
        from tiktok_crawler.sandbox import Sandbox, load_profile  # noqa: PLC0415 - rehearsals only

        profile = load_profile(config.sandbox_profile)
        server = cls(Sandbox(profile=profile, checks_folder=in_project(CHECKS)), config)
        crawler.signals.connect(server.spider_opened, signal=signals.spider_opened)
        crawler.signals.connect(server.spider_closed, signal=signals.spider_closed)
        return server

    @property
    def url(self) -> str:
        host, port = self._socket.getsockname()
        return f"http://{host}:{port}"

    async def spider_opened(self) -> None:
        from tiktok_crawler.sandbox.server import start  # noqa: PLC0415 - slow to import

        self._sandbox.count_earlier(await asyncio.to_thread(self._spent_today))
        self._runner = await start(self._sandbox, self._socket)

    def _spent_today(self) -> dict[Pool, int]:
        account = self._config.quota_account(Pool.RESEARCH, VIDEOS)
        try:
            found = read_spent(self._config.database_url, utc_now())
        except (CrawlerError, DBAPIError):
            # The crawl says what is wrong with its database.
            return {}
        return {spent.pool: spent.requests for spent in found if spent.client == account.client}

    async def spider_closed(self) -> None:
        if self._runner:
            await self._runner.cleanup()
        self._socket.close()


def api_url(crawler: Crawler) -> str:
    """Return the URL of the API of this crawl: as configured, or the crawl's own sandbox."""
    return config_of(crawler).api_url or extension(crawler, SandboxServer).url
