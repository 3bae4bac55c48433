"""`scrapy settings`, which refuses wrong settings first."""

from __future__ import annotations

from scrapy.commands import settings as scrapys

from tiktok_crawler.commands import Checked


class Command(Checked, scrapys.Command):
    """Scrapy's own otherwise."""
