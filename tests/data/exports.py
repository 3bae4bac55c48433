"""Exports databases into folders."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from tiktok_crawler.dataset.selection import Selection
from tiktok_crawler.export.export import export
from tiktok_crawler.export.options import Format, Options, wanted_tables
from tiktok_crawler.planning.coverage import Freshness
from tiktok_crawler.planning.plan import Wanted
from tiktok_crawler.research_api.endpoints import VIDEO_QUERY
from tiktok_crawler.storage.engine import database

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def exported(url: str, folder: Path, *, tables=(), columns=(), format_=Format.PARQUET) -> Path:
    """Do what `scrapy export` does."""
    options = Options(wanted_tables(tables, columns, Selection()), format_)
    with database.opened_to_read(url) as engine:
        export(engine, folder, options, terms, NOW)
    return folder


def terms(query, days, fields):
    return Wanted(query, days, fields or VIDEO_QUERY.fields, Freshness(timedelta(days=2)))
