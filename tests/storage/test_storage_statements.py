from __future__ import annotations

import pytest
from stored_pages import rows

from tiktok_crawler.storage.engine.statements import BLOCK, statements_for
from tiktok_crawler.storage.models.records import Hashtag

COLUMNS = tuple(Hashtag.__table__.columns)
COUNTS = (0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK + 7)


@pytest.fixture
def statements(engine):
    return statements_for(engine.dialect)


def names(engine):
    return {row["id"]: row["name"] for row in rows(engine, "hashtag")}


@pytest.mark.parametrize("count", COUNTS)
def test_rows_are_written_and_deleted_whatever_their_number(engine, statements, count):
    written = [(id_, f"butter {id_}") for id_ in range(count)]

    with engine.begin() as connection:
        statements.insert(connection, COLUMNS, written)
    assert names(engine) == dict(written)

    with engine.begin() as connection:
        statements.remove(connection, COLUMNS, written)
    assert names(engine) == {}


@pytest.mark.parametrize("count", COUNTS)
def test_rows_that_are_there_are_left_or_replaced(engine, statements, count):
    with engine.begin() as connection:
        statements.insert_missing(connection, COLUMNS, [(0, "bread"), (count + 1, "cheese")])
        statements.insert_missing(
            connection, COLUMNS, [(id_, f"butter {id_}") for id_ in range(count)]
        )
        statements.upsert(connection, COLUMNS, [(id_, f"salt {id_}") for id_ in range(1, count)])

    salted = {id_: f"salt {id_}" for id_ in range(1, count)}
    assert names(engine) == {0: "bread", **salted, count + 1: "cheese"}
