"""Data frames have types that do not depend on the values, and lose nothing."""

from __future__ import annotations

import pandas as pd
import polars as pl
import pytest
from odd_rows import FITTING, IDS, LARGEST, TEXTS, TIMES, comparable, expected

from tiktok_crawler.dataset.columns import Kind
from tiktok_crawler.dataset.tables import TABLES

PANDAS = {
    Kind.ID: "Int64",
    Kind.INTEGER: "Int64",
    Kind.TEXT: "string",
    Kind.JSON: "string",
    Kind.BOOLEAN: "boolean",
    Kind.TIME: "datetime64[us, UTC]",
    Kind.DATE: "datetime64[us, UTC]",
    Kind.NESTED: "object",
}
POLARS = {
    Kind.ID: pl.Int64,
    Kind.INTEGER: pl.Int64,
    Kind.TEXT: pl.String,
    Kind.JSON: pl.String,
    Kind.BOOLEAN: pl.Boolean,
    Kind.TIME: pl.Datetime("us", "UTC"),
    Kind.DATE: pl.Date,
}


@pytest.mark.parametrize("which", [{}, {"since": "2025-01-01"}, {"until": "1999-12-31"}])
def test_types_of_pandas_are_the_same_with_and_without_rows(dataset, which):
    frame = dataset.videos(**which).to_pandas()

    kinds = {column.name: PANDAS[column.kind] for column in TABLES["video"].columns}
    assert {name: str(type_) for name, type_ in frame.dtypes.items()} == kinds
    assert list(frame.columns) == list(kinds)


def test_types_of_polars_are_those_of_the_columns(dataset):
    schema = dataset.videos().to_polars().schema

    for column in TABLES["video"].columns:
        if column.kind is not Kind.NESTED:
            assert schema[column.name] == POLARS[column.kind]
    assert schema["hashtag_names"] == pl.List(pl.String)


def test_a_day_is_a_time_in_pandas_that_videos_can_be_joined_with(dataset):
    frame = dataset.coverage().to_pandas()

    assert str(frame["day"].dtype) == PANDAS[Kind.DATE]
    assert frame["day"].min() == pd.Timestamp("2024-01-01", tz="UTC")
    assert dataset.coverage().to_polars().schema["day"] == pl.Date


@pytest.mark.parametrize("name", TABLES)
def test_polars_has_the_values_that_were_stored(dataset, name):
    rows = dataset.table(name).to_polars().to_dicts()

    assert comparable(name, rows) == comparable(name, expected(name))


@pytest.mark.parametrize("name", TABLES)
def test_pandas_has_the_values_that_were_stored(dataset, name):
    frame = dataset.table(name).to_pandas()
    rows = [
        {column: plain(value, TABLES[name].by_name[column].kind) for column, value in row.items()}
        for row in frame.to_dict("records")
    ]

    assert comparable(name, rows) == comparable(name, expected(name))


def plain(value, kind):
    """A value of pandas as Python has it."""
    if isinstance(value, list | dict) or value is None:
        return value
    if value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, pd.Timestamp):
        time = value.to_pydatetime()
        return time.date() if kind is Kind.DATE else time
    return value


def test_lists_are_lists_of_python_and_missing_ones_none(dataset):
    frame = dataset.videos().to_pandas().set_index("id")

    assert frame.loc[LARGEST, "video_mention_list"] == FITTING["video_mention_list"]
    assert type(frame.loc[LARGEST, "hashtag_info_list"][0]) is dict
    assert frame.loc[IDS[1], "video_mention_list"] is None
    assert len(frame.explode("video_mention_list")) == 5


def test_what_is_missing_stays_missing_and_what_is_empty_empty(dataset):
    frame = dataset.comments().to_pandas().set_index("id")

    assert frame.loc[IDS[1], "text"] is pd.NA
    assert frame.loc[IDS[2], "text"] == ""
    assert frame.loc[IDS[1], "like_count"] is pd.NA
    assert frame.loc[IDS[0], "like_count"] == LARGEST
    assert frame.loc[IDS[0], "text"] == TEXTS[0]
    assert frame["create_time"].max() == pd.Timestamp(TIMES[0].replace(microsecond=0))


def test_batches_become_frames_that_make_up_the_whole(dataset):
    batches = [batch.to_pandas() for batch in dataset.users().batches()]

    pd.testing.assert_frame_equal(
        pd.concat(batches, ignore_index=True), dataset.users().to_pandas()
    )


def test_a_table_says_what_can_be_done_with_it(dataset):
    table = dataset.users(columns=["username", "url"])

    assert repr(table).startswith("<table user_info with 2 columns: .to_pandas()")
    assert table.schema.field("url").metadata[b"description"].startswith(b"The address")
