"""Refuses what would break the promises that a crawl makes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tiktok_crawler.config.values import number, switch
from tiktok_crawler.exceptions import ConfigurationError

if TYPE_CHECKING:
    from scrapy.settings import BaseSettings

SCRAPY_NUMBERS = (
    "CONCURRENT_REQUESTS",
    "CONCURRENT_REQUESTS_PER_DOMAIN",
    "DOWNLOAD_DELAY",
    "DOWNLOAD_TIMEOUT",
    "CLOSESPIDER_TIMEOUT",
)
"""Scrapy's settings that users change; Scrapy itself fails on a wrong one with a traceback."""


def check_promises(settings: BaseSettings) -> None:
    """Refuse Scrapy settings under which pages could be lost, or secrets written to disk.

    Raises:
        ConfigurationError: naming the setting and the reason.
    """
    if number(settings, "CONCURRENT_ITEMS") != 1:
        raise ConfigurationError(
            "CONCURRENT_ITEMS must be 1: a page is stored before the next one is asked for"
        )
    for name in SCRAPY_NUMBERS:
        number(settings, name)
    if settings.get("JOBDIR"):
        raise ConfigurationError(
            "JOBDIR must not be set: it writes the access token to disk, and resuming needs no "
            "JOBDIR (run the same command again)"
        )
    if switch(settings, "HTTPCACHE_ENABLED"):
        raise ConfigurationError(
            "HTTPCACHE_ENABLED must be False: it writes the access token to disk and would answer "
            "with old data"
        )
