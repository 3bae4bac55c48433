"""Runs crawls of listings inside the test's process, and reads what they stored."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from crawling import project_settings
from scrapy.crawler import Crawler
from scrapy.utils.misc import walk_modules_iter
from scrapy.utils.spider import iter_spider_classes
from sqlalchemy import text

from tiktok_crawler.storage.engine.database import create_engine_for, database_url

if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST_SECONDS = 120

SPIDERS = {
    spider.name: spider
    for module in walk_modules_iter("tiktok_crawler.spiders")
    for spider in iter_spider_classes(import_module(module.__name__))
}


@dataclass
class ListingDatabase:
    """A database at `url`, and crawls of the API at `api_url` into it."""

    url: str
    api_url: str

    async def crawl(self, spider: str, settings: dict[str, Any] | None = None, **arguments: str):
        """One run of a spider; it has to end."""
        crawler = Crawler(SPIDERS[spider], self.settings(**settings or {}))
        await asyncio.wait_for(crawler.crawl_async(**arguments), LONGEST_SECONDS)
        return crawler

    def settings(self, **overrides: Any):
        own = {
            "TIKTOK_SANDBOX": True,
            "TIKTOK_SANDBOX_URL": self.api_url,
            "TIKTOK_DATABASE_URL": self.url,
        }
        return project_settings(**own | overrides)

    def rows(self, query: str, **values: Any) -> list[tuple[Any, ...]]:
        engine = create_engine_for(database_url(self.url))
        try:
            with engine.connect() as connection:
                return [tuple(row) for row in connection.execute(text(query), values)]
        finally:
            engine.dispose()

    def column(self, query: str, **values: Any) -> Iterator[Any]:
        return (row[0] for row in self.rows(query, **values))
