"""What is read back of every format is what the database has, value by value, of every table."""

from __future__ import annotations

import pytest
from database_rows import NESTED, in_order, rows_of_all
from odd_data import ODD_TEXTS
from readers import (
    PARQUET_READERS,
    by_csv,
    by_csv_of_duckdb,
    by_csv_of_pandas,
    by_csv_of_polars,
    by_jsonl,
    by_workbook,
    parquet_rows,
    valued,
)

from tiktok_crawler.dataset.tables import TABLES

FORMATS = ("parquet", "csv", "jsonl", "xlsx")


@pytest.fixture(scope="module")
def exports(filled, tmp_path_factory):
    """An export of each format."""
    folder = tmp_path_factory.mktemp("exports")
    for format_ in FORMATS:
        filled.export(folder / format_, format_)
    return folder


@pytest.fixture(scope="module")
def stored(filled):
    return rows_of_all(filled.url)


def test_what_is_stored_is_as_odd_as_it_was_delivered(stored):
    assert all(stored.values()), "a table without rows shows nothing"
    kept = {text.encode(errors="ignore").decode().replace("\0", "") for text in ODD_TEXTS}
    assert {row["video_description"] for row in stored["video"]} - {None} == kept


@pytest.mark.slow
@pytest.mark.parametrize("read", PARQUET_READERS.values(), ids=PARQUET_READERS)
def test_parquet(exports, stored, read):
    for table in TABLES:
        rows = list(parquet_rows(read, exports / "parquet", table))
        assert nested(whole(rows)) == nested(stored[table]), table


def whole(rows):
    """Rows with what `misfit_data` has in the place where it was stored."""
    for row in rows:
        misfits = row.pop("misfit_data", None) or {}
        assert all(row[name] is None for name in misfits)
        yield row | misfits


def nested(rows):
    """Rows for a comparison in which structs have all their fields."""
    return in_order(
        {name: without_missing(v) if name in NESTED else v for name, v in row.items()}
        for row in rows
    )


def without_missing(value):
    if isinstance(value, dict):
        return {key: without_missing(each) for key, each in value.items() if each is not None}
    return [without_missing(each) for each in value] if isinstance(value, list) else value


@pytest.mark.slow
def test_csv_read_by_a_reader_that_knows_missing_values(exports, stored):
    for table in TABLES:
        rows = by_csv_of_duckdb(exports / "csv", table)
        assert in_order(valued(table, rows)) == in_order(stored[table]), table


@pytest.mark.parametrize("read", [by_csv, by_csv_of_pandas, by_csv_of_polars])
def test_csv(exports, stored, read):
    for table in TABLES:
        rows = ({n: v or None for n, v in row.items()} for row in read(exports / "csv", table))
        assert filled_up(valued(table, rows)) == filled_up(stored[table]), table


def filled_up(rows):
    """Rows as readers have them who make empty text of what is missing."""
    return in_order({n: "" if v is None else v for n, v in row.items()} for row in rows)


def test_jsonl(exports, stored):
    for table in TABLES:
        rows = by_jsonl(exports / "jsonl", table)
        found = valued(table, rows, documents=lambda value: value)
        assert in_order(found) == in_order(stored[table]), table


@pytest.mark.slow
def test_xlsx(exports, stored):
    for table in TABLES:
        found = valued(table, by_workbook(exports / "xlsx", table))
        assert filled_up(found) == filled_up(stored[table]), table
