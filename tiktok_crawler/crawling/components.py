"""Finds the project's own components in a running crawl; a crawl cannot do without them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn, TypeVar

from tiktok_crawler.config import Config
from tiktok_crawler.crawling.refusal import refusing
from tiktok_crawler.exceptions import ConfigurationError

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

T = TypeVar("T")


def config_of(crawler: Crawler) -> Config:
    """Return the configuration from when the spider was built, before all other components.

    Spiders of Scrapy's own, as in `scrapy shell`, have none.
    """
    return getattr(crawler.spider, "config", None) or Config.of(crawler.settings)


def extension(crawler: Crawler, cls: type[T]) -> T:
    return crawler.get_extension(cls) or _refuse(crawler, cls, "EXTENSIONS")


def item_pipeline(crawler: Crawler, cls: type[T]) -> T:
    return crawler.get_item_pipeline(cls) or _refuse(crawler, cls, "ITEM_PIPELINES")


def downloader_middleware(crawler: Crawler, cls: type[T]) -> T:
    found = crawler.get_downloader_middleware(cls)
    return found or _refuse(crawler, cls, "DOWNLOADER_MIDDLEWARES")


def _refuse(crawler: Crawler, cls: type, setting: str) -> NoReturn:
    with refusing(crawler):
        raise ConfigurationError(
            f"{cls.__module__}.{cls.__name__} is switched off in {setting}; no crawl is possible "
            "without it"
        )
