"""`scrapy delete` searches long texts in a transaction, for longer than crawls may say nothing."""

from __future__ import annotations

import time
from types import SimpleNamespace

from sqlalchemy import Engine, create_engine, event, text

from tiktok_crawler.acts.deleting import NAMED, SINGLE, delete
from tiktok_crawler.storage.engine import database, transactions

CHOSEN = {"video_ids": "7000000000000000011", "yes": True, "dry_run": False, "vacuum": False}


def test_a_deletion_may_pause_for_longer_than_a_crawl(prepared_postgresql_url, monkeypatch):
    with database.opened(prepared_postgresql_url) as engine:
        database.prepare(engine, "sandbox")
    config = SimpleNamespace(database_url=prepared_postgresql_url, origin="sandbox", archive=None)
    options = SimpleNamespace(**dict.fromkeys((*NAMED, *SINGLE)) | CHOSEN, archive=[])
    monkeypatch.setattr(transactions, "LONGEST_PAUSE_SECONDS", 0.05)

    def search(_connection, _cursor, statement, *_):
        if statement.startswith("UPDATE removal"):
            time.sleep(0.2)

    event.listen(Engine, "before_cursor_execute", search)
    try:
        assert delete(config, [], options) == 0
    finally:
        event.remove(Engine, "before_cursor_execute", search)
    engine = create_engine(prepared_postgresql_url)
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM removal WHERE ended_at IS NOT NULL"))
    engine.dispose()
