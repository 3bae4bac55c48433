"""Records of others, as an import stores them."""

from __future__ import annotations

from stored_pages import NOON

from tiktok_crawler.storage.import_store import ImportStore
from tiktok_crawler.storage.ledger.imports import ImportStart
from tiktok_crawler.storage.records.imported import ImportedPage, Kind

START = ImportStart("ab" * 32, "old.db", "database of tiktok-library", queries=({"query": "q"},))


def imported_page(kind, *records, at=NOON, tags=()):
    read = kind.type.read(records)
    assert not read.refused
    return ImportedPage(kind, at, tags, tuple(read.in_order()))


def import_pages(engine, *pages, start=START, now=NOON):
    """Import these pages as one batch, and end the import."""
    store = ImportStore(engine, start)
    return store.end(store.save(store.find(now), pages), 0, now)


def import_videos(engine, *records, **page):
    return import_pages(engine, imported_page(Kind.VIDEOS, *records, **page))
