"""Brings together where settings stand: on the command line, in the environment, in code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scrapy.settings import BaseSettings

from tiktok_crawler.config.names import SETTINGS, check_names
from tiktok_crawler.config.scrapy_settings import check_scrapy_settings

if TYPE_CHECKING:
    from collections.abc import Mapping

ENVIRONMENT_PRIORITY = 35
"""Above settings modules, Python scripts and spiders (20, 20, 30), below the command line (40)."""


def check_settings(settings: BaseSettings, environ: Mapping[str, str]) -> None:
    """Refuse settings that do not exist, and values of Scrapy's that no crawl could work with.

    Raises:
        ConfigurationError: naming the setting, and the reason.
    """
    check_names(settings, environ)
    check_scrapy_settings(settings)


def with_environment(settings: BaseSettings, environ: Mapping[str, str]) -> BaseSettings:
    """Return the settings that hold, with those that the environment has; empty ones say nothing.

    Blanks around them are taken off.

    Raises:
        ConfigurationError: one of either does not exist.
    """
    check_names(settings, environ)
    chosen = BaseSettings(settings)
    for name in SETTINGS:
        value = environ.get(name, "").strip()
        if value:
            chosen.set(name, value, priority=ENVIRONMENT_PRIORITY)
        if isinstance(chosen[name], str):
            chosen.set(name, chosen[name].strip(), priority=chosen.getpriority(name) or 0)
    return chosen
