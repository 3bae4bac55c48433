"""Reads exports as those do who get them: no part of the package is asked how.

Rows are dicts of Python's values: text, whole numbers, booleans, aware times, days, and for lists,
objects and documents what their JSON says.
"""

from __future__ import annotations

import csv
import json
from datetime import UTC, date, datetime

import duckdb
import openpyxl
import pandas as pd
import polars as pl
import pyarrow.dataset as ds
from openpyxl.utils.escape import unescape

from tiktok_crawler.dataset.columns import Kind
from tiktok_crawler.dataset.tables import TABLES

HIVE = {"create_month", "create_day", "received_month", "received_day"}


def _path(folder, table):
    path = folder / table
    return path if path.is_dir() else folder / f"{table}.parquet"


def by_duckdb(folder, table):
    path = _path(folder, table)
    pattern = f"{path}/**/*.parquet" if path.is_dir() else str(path)
    with duckdb.connect() as connection:
        return connection.sql(f"FROM '{pattern}'").to_arrow_table().to_pylist()


def by_polars(folder, table):
    return pl.scan_parquet(_path(folder, table)).collect().to_dicts()


def by_pandas(folder, table):
    frame = pd.read_parquet(_path(folder, table), dtype_backend="pyarrow")
    columns = {name: list(map(_plain, frame[name])) for name in frame}
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def by_arrow(folder, table):
    return ds.dataset(_path(folder, table), partitioning="hive").to_table().to_pylist()


def _plain(value):
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    return value.to_pydatetime() if isinstance(value, pd.Timestamp) else value


PARQUET_READERS = {
    "duckdb": by_duckdb,
    "polars": by_polars,
    "pandas": by_pandas,
    "arrow": by_arrow,
}


def parquet_rows(read, folder, table):
    """The rows of a table; what the folders say is left out."""
    documents = {c.name for c in TABLES[table].columns if c.kind is Kind.JSON}
    for row in read(folder, table):
        yield {
            name: json.loads(value) if value is not None and name in documents else value
            for name, value in row.items()
            if name not in HIVE
        }


def by_csv(folder, table, *, delimiter=",", encoding="utf-8"):
    """The rows; missing values cannot be told from empty text by this reader."""
    with (folder / f"{table}.csv").open(newline="", encoding=encoding) as file:
        yield from csv.DictReader(file, delimiter=delimiter, strict=True)


def by_csv_of_duckdb(folder, table):
    """The rows, with empty text kept apart from what is missing."""
    options = "all_varchar=true, header=true, nullstr='', allow_quoted_nulls=false"
    dialect = """delim=',', quote='"', escape='"', new_line='\\r\\n'"""
    with duckdb.connect() as connection:
        found = connection.sql(f"FROM read_csv('{folder}/{table}.csv', {dialect}, {options})")
        return found.to_arrow_table().to_pylist()


def by_csv_of_pandas(folder, table):
    frame = pd.read_csv(folder / f"{table}.csv", dtype=str, keep_default_na=False, na_values=[])
    return frame.to_dict("records")


def by_csv_of_polars(folder, table):
    return pl.read_csv(folder / f"{table}.csv", infer_schema=False).to_dicts()


def by_jsonl(folder, table):
    with (folder / f"{table}.jsonl").open(encoding="utf-8", newline="\n") as file:
        return [json.loads(line) for line in file]


def by_workbook(folder, table):
    """The rows, with characters that XML does not have as Excel reads them (`_x000D_`).

    A table without rows has no sheet.
    """
    book = openpyxl.load_workbook(folder / "dataset.xlsx", read_only=True)
    try:
        if table not in book.sheetnames:
            return []
        head, *rows = book[table].iter_rows(values_only=True)
    finally:
        book.close()
    days = {c.name for c in TABLES[table].columns if c.kind is Kind.DATE}
    cells = (dict(zip(head, row, strict=True)) for row in rows)
    return [{name: _cell(value, name in days) for name, value in row.items()} for row in cells]


def _cell(value, is_day):
    if isinstance(value, datetime):
        return f"{value.date()}" if is_day else f"{value.isoformat()}Z"
    return unescape(value) if isinstance(value, str) else value


def valued(table, rows, *, documents=json.loads):
    """Rows of text as rows of values, by the types that the dictionary tells."""
    spelled = {
        Kind.ID: _id,
        Kind.INTEGER: int,
        Kind.BOOLEAN: _boolean,
        Kind.TIME: _time,
        Kind.DATE: date.fromisoformat,
        Kind.JSON: documents,
        Kind.NESTED: documents,
        Kind.TEXT: lambda text: text,
    }
    kinds = {c.name: spelled[c.kind] for c in TABLES[table].columns}
    for row in rows:
        yield {n: None if v is None else kinds[n](v) for n, v in row.items()}


def _id(value):
    assert isinstance(value, str)
    return int(value)


def _boolean(value):
    return value if isinstance(value, bool) else {"true": True, "false": False}[value]


def _time(text):
    assert text.endswith("Z")
    return datetime.fromisoformat(text).astimezone(UTC)
