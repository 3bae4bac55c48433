"""Stores pages as a crawl does, with `PageStore.save`. Command: DATABASE_URL PAGES [lean]."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from stored_pages import first_request, page
from turns import take_turns

from tiktok_crawler.storage.engine.database import create_engine_for, database_url, prepare
from tiktok_crawler.storage.page_store import PageStore

if TYPE_CHECKING:
    from sqlalchemy import Engine
    from turns import Page, Write

TAGS = {"benchmark"}


def main() -> None:
    engine = create_engine_for(database_url(sys.argv[1]))
    store = prepared_store(engine)
    take_turns(lambda: new_crawl(engine, store))


def prepared_store(engine: Engine) -> PageStore:
    """The store of a database, which gets its tables."""
    prepare(engine, "sandbox")
    return PageStore(engine)


def new_crawl(engine: Engine, store: PageStore) -> Write:
    """A crawl with one window; the function stores its next page."""
    request = first_request(engine)

    def write(records: Page) -> None:
        nonlocal request
        answer = page(request, *records, has_more=True, received_at=datetime.now(UTC))
        store.save(answer, tags=TAGS)
        assert answer.next_request
        request = answer.next_request

    return write


if __name__ == "__main__":
    main()
