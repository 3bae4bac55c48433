"""Each table has the same values from SQLite, PostgreSQL and an export, in one piece or batches."""

from __future__ import annotations

import odd_rows
import pytest
from odd_rows import IDS, comparable, expected

from tiktok_crawler.dataset import arrow
from tiktok_crawler.dataset.tables import TABLES


@pytest.mark.parametrize("name", TABLES)
def test_values_are_those_that_were_stored(dataset, name):
    found = dataset.table(name).to_arrow()

    assert comparable(name, found.to_pylist()) == comparable(name, expected(name))
    assert found.schema.equals(arrow.schema(TABLES[name].columns), check_metadata=True)


@pytest.mark.parametrize("name", TABLES)
def test_batches_have_the_rows_of_one_piece(dataset, name):
    table = dataset.table(name)

    batches = [row for batch in table.batches() for row in batch.to_arrow().to_pylist()]

    assert batches == table.to_arrow().to_pylist()


def test_rows_of_many_batches_are_those_of_one_piece(dataset, monkeypatch):
    monkeypatch.setattr("tiktok_crawler.dataset.reading.ROWS_AT_ONCE", 1)
    table = dataset.videos(columns=["id", "hashtag_names"])

    sizes = [len(batch.to_arrow()) for batch in table.batches()]

    assert sizes == [1, 1, 1]
    assert sorted(table.to_arrow().column("id").to_pylist()) == sorted(IDS)


METHODS = {
    "videos": "video",
    "hashtags": "video_hashtag",
    "comments": "comment",
    "users": "user_info",
    "edges": "user_relation",
    "statistics": "video_statistics",
    "coverage": "coverage",
}


@pytest.mark.parametrize(("method", "name"), METHODS.items())
def test_each_method_reads_its_table(dataset, method, name):
    assert getattr(dataset, method)().name == name
    assert len(getattr(dataset, method)().to_arrow()) == len(odd_rows.expected(name))


def test_all_tables_are_told_with_their_meaning(dataset):
    assert dataset.tables.keys() == TABLES.keys()
    assert all(meaning.endswith(".") for meaning in dataset.tables.values())


def test_a_column_alone_has_the_values_that_it_has_among_all(dataset):
    whole = dataset.videos().to_arrow()

    for column in whole.column_names:
        alone = dataset.videos(columns=[column]).to_arrow()
        assert alone.equals(whole.select([column])), column
