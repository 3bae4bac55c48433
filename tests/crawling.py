"""Runs crawls inside the test's process, with the project's own settings and no waiting."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from new_databases import new_database
from scrapy.crawler import Crawler
from scrapy.settings import Settings
from scripted_api import ScriptedApi, page
from sqlalchemy import create_engine

from tiktok_crawler.extensions.outcome import Outcome
from tiktok_crawler.spiders.videos import VideosSpider

if TYPE_CHECKING:
    from pathlib import Path

QUERY = """
start_date: 2024-01-01
end_date: 2024-01-02
include: {any_hashtags: [butter]}
"""

QUICK = {
    "TIKTOK_RETRY_DELAY": 0.01,
    "TIKTOK_RETRY_DELAY_MAX": 0.02,
    "TIKTOK_SEARCH_ID_DELAY": 0.01,
    "TIKTOK_RATE_LIMIT_DELAY": 0.01,
    "LOGSTATS_INTERVAL": 0,
}


def project_settings(**overrides: Any) -> Settings:
    settings = Settings()
    settings.setmodule("tiktok_crawler.settings", priority="project")
    settings.setdict(QUICK | overrides, priority="cmdline")
    return settings


@dataclass
class CrawlFolder:
    """A user's folder: query file, secrets, database, which has its tables."""

    path: Path
    database_url: str = ""

    def __post_init__(self) -> None:
        self.query_file = self.path / "query.yaml"
        self.query_file.write_text(QUERY)
        self.secrets_file = self.path / "secrets.yaml"
        self.secrets_file.write_text("client_key: key-of-ann\nclient_secret: secret-of-ann\n")
        self.secrets_file.chmod(0o600)
        self.database_url = self.database_url or new_database(self.path / "crawl.db")

    async def crawl(
        self, api_url: str, settings: dict[str, Any] | None = None, **arguments: str
    ) -> Crawler:
        """One run of the spider against an API."""
        crawler = Crawler(VideosSpider, self.settings(api_url, **settings or {}))
        await crawler.crawl_async(**{"query": str(self.query_file)} | arguments)
        return crawler

    async def prove_query(self, api: ScriptedApi) -> None:
        """Let the query succeed once: a query that never has is asked for alone."""
        answers, api.answers = api.answers, [page(9)]
        await self.crawl(api.url, start_date="2023-06-01", end_date="2023-06-01")
        api.answers = answers
        api.bodies.clear()
        api.headers.clear()
        api.token_forms.clear()

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """What a statement in SQL finds in the database, or nothing if it changes something."""
        engine = create_engine(self.database_url)
        try:
            with engine.begin() as connection:
                found = connection.exec_driver_sql(statement)
                return [tuple(row) for row in found] if found.returns_rows else []
        finally:
            engine.dispose()

    def settings(self, api_url: str, **overrides: Any) -> Settings:
        return project_settings(
            **{
                "TIKTOK_API_URL": api_url,
                "TIKTOK_DATABASE_URL": self.database_url,
                "TIKTOK_SECRETS_FILE": str(self.secrets_file),
            }
            | overrides
        )


def exit_status(crawler: Crawler) -> int:
    outcome = crawler.get_extension(Outcome)
    assert outcome
    return outcome.exit_status


def stat(crawler: Crawler, name: str) -> int:
    return crawler.stats.get_value(f"tiktok/{name}", 0)
