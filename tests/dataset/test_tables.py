"""Every table with data leaves the database, and of each column it is said what it holds."""

from __future__ import annotations

import pytest

from tiktok_crawler.dataset import arrow
from tiktok_crawler.dataset.columns import Kind
from tiktok_crawler.dataset.tables import TABLES
from tiktok_crawler.storage.models.base import Base
from tiktok_crawler.storage.models.ledger import (
    VIDEOS_TO_CRAWLS,
    VIDEOS_TO_QUERY_TAGS,
)
from tiktok_crawler.storage.models.records import VIDEOS_TO_EFFECT_IDS, VIDEOS_TO_HASHTAGS

AS_LINKS = {
    VIDEOS_TO_HASHTAGS: "video_hashtag",
    VIDEOS_TO_EFFECT_IDS: "video_effect",
    VIDEOS_TO_QUERY_TAGS: "video_query_tag",
    VIDEOS_TO_CRAWLS: "video_source",
}
BESIDE_THE_DATA = {
    "api_quota",
    "api_quota_share",
    "collection",
    "crawl",
    "crawl_window",
    "crawls_to_query_tags",
    "archive_removal",
    "compliance_check",
    "compliance_check_record",
    "database_origin",
    "effect",
    "hashtag",
    "journal_mark",
    "kept_out",
    "notice",
    "query_tag",
    "query_value",
    "removal",
    "value_batch",
    "window_day",
    "worker",
}
"""What only the program needs, or what is in the place of its numbers."""


def test_each_table_of_the_database_leaves_it_or_is_the_programs_own():
    read = {AS_LINKS.get(table, table.name) for table in Base.metadata.sorted_tables}

    assert read - BESIDE_THE_DATA <= set(TABLES)
    assert read >= BESIDE_THE_DATA


@pytest.mark.parametrize("table", TABLES.values(), ids=list(TABLES))
def test_each_column_has_a_type_and_a_meaning(table):
    for column in table.columns:
        assert arrow.type_of(column)
        assert column.meaning.endswith("."), column.name
        assert column.source == "tiktok_crawler" or column.source.startswith("API: ")
    assert (table.rows is None) == (not table.order)
    assert table.meaning.startswith("One row for each ") or not table.meaning.startswith(
        "One row a"
    )


def test_documents_with_a_nested_type_are_columns():
    nested = {c.name for table in TABLES.values() for c in table.columns if c.kind is Kind.NESTED}

    assert nested == set(arrow.NESTED_TYPES)


def test_a_column_that_there_is_not_is_named_with_the_nearest_one():
    with pytest.raises(LookupError, match="video has no column 'view_cuont'; did you mean 'view_c"):
        TABLES["video"].column("view_cuont")
