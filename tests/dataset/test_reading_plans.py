"""What some videos have is looked up, and not searched for among what all videos have."""

from __future__ import annotations

import pytest
from sqlalchemy import event
from stored_pages import Search

from tiktok_crawler.dataset.reading import Reader
from tiktok_crawler.dataset.selection import Drawn
from tiktok_crawler.dataset.tables import TABLES
from tiktok_crawler.storage.engine.database import create_engine_for, database_url

BESIDE = [table for table in TABLES.values() if table.beside_video and not table.lists]


@pytest.mark.parametrize("table", BESIDE, ids=[table.name for table in BESIDE])
def test_no_table_is_read_as_a_whole_for_some_videos(prepared_sqlite_url, table):
    with Search(prepared_sqlite_url) as run:
        run.store(run.booked(), *({"id": number} for number in range(1, 50)))
    engine = create_engine_for(database_url(prepared_sqlite_url))
    asked = []
    event.listen(engine, "before_cursor_execute", lambda *args: asked.append(args[2:4]))
    with engine.connect() as connection:
        list(Reader(connection, Drawn()).videos([table]))
        plans = [
            row[-1]
            for statement, values in asked
            if str(statement).startswith("SELECT") and "video_id >" in statement
            for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
        ]
    engine.dispose()

    assert plans
    assert not [step for step in plans if step.startswith("SCAN")]
