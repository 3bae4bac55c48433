from __future__ import annotations

import pytest
from stored_pages import rows

from tiktok_crawler.storage.engine.statements import statements_for
from tiktok_crawler.storage.models.records import Hashtag
from tiktok_crawler.storage.records.names import NameIds

COLUMN = Hashtag.__table__.c.name


@pytest.fixture
def resolve(engine):
    """Resolves names in a transaction of its own."""
    ids = NameIds(statements_for(engine.dialect), COLUMN, size=4)

    def resolve(*names, remember=True):
        with engine.begin() as connection:
            found = ids.resolve(connection, set(names))
        if remember:
            ids.remember(found)
        return found

    return resolve


def test_names_get_one_id_each(engine, resolve):
    first = resolve("butter", "cheese", "it's 100% 🧀\\")
    second = resolve("cheese", "bread")

    assert second["cheese"] == first["cheese"]
    assert {row["name"]: row["id"] for row in rows(engine, "hashtag")} == first | second


def test_known_names_are_looked_up_and_not_inserted(resolve, statements):
    resolve("butter", remember=False)
    statements.clear()
    resolve("butter")

    assert not [text for text in statements if text.startswith("INSERT")]


def test_remembered_names_cost_no_statement(resolve, statements):
    resolve("butter", "cheese")
    statements.clear()
    resolve("butter", "cheese")
    resolve()

    assert not [text for text in statements if "hashtag" in text]


def test_names_that_were_not_used_lately_are_forgotten(resolve, statements):
    resolve("a", "b")
    resolve("a")
    resolve("c")
    statements.clear()

    resolve("a", "c")
    assert not [text for text in statements if "hashtag" in text]
    resolve("b")
    assert [text for text in statements if "hashtag" in text]


def test_names_that_were_rolled_back_are_not_remembered(engine):
    ids = NameIds(statements_for(engine.dialect), COLUMN)
    with engine.connect() as connection:
        ids.resolve(connection, {"butter"})

    with engine.begin() as connection:
        found = ids.resolve(connection, {"butter"})

    assert rows(engine, "hashtag") == [{"id": found["butter"], "name": "butter"}]
