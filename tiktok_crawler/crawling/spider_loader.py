"""Finds the spiders for everything that runs one, and checks the settings before that."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from scrapy.spiderloader import SpiderLoader

from tiktok_crawler.config.sources import check_settings

if TYPE_CHECKING:
    from typing import Self

    from scrapy.settings import BaseSettings


class CheckedSpiderLoader(SpiderLoader):
    """Scrapy's loader, which a Python script's `CrawlerProcess` asks before it opens the log."""

    @classmethod
    def from_settings(cls, settings: BaseSettings) -> Self:
        """Raise ConfigurationError if no crawl could work with the settings."""
        check_settings(settings, os.environ)
        return super().from_settings(settings)
