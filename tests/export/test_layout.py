"""How files are laid out: parts of Parquet, quotes of CSV, cells of workbooks."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime

import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from listed_pages import store_list
from readers import (
    PARQUET_READERS,
    by_csv,
    by_duckdb,
    by_polars,
)
from stored_pages import JANUARY_10, NOON, Search

from tiktok_crawler.dataset.arrow import record_batch
from tiktok_crawler.dataset.columns import Kind
from tiktok_crawler.dataset.reading import Part
from tiktok_crawler.dataset.tables import TABLES
from tiktok_crawler.exceptions import ExportError, UsageError
from tiktok_crawler.export import parquet_files, workbook
from tiktok_crawler.export.options import UNITS, Format
from tiktok_crawler.export.parquet_files import ParquetFiles
from tiktok_crawler.export.verify import verify
from tiktok_crawler.research_api.endpoints import COMMENTS

DAY = 86_400
UNDATED = "undated"


def store(source, *videos):
    with Search(source.url, now=NOON) as run:
        run.store(run.booked(), *videos)


@pytest.fixture
def seldom_dated(sqlite_source):
    """Videos, and no comment."""
    store(sqlite_source, {"id": 1, "create_time": JANUARY_10}, {"id": 2})
    return sqlite_source


@pytest.mark.parametrize("unit", UNITS)
def test_months_and_days_are_columns_for_all_who_read_the_folder(seldom_dated, tmp_path, unit):
    folder = seldom_dated.export(tmp_path / "out", unit=UNITS[unit]).folder
    name, part = f"create_{unit}", {"month": "2024-01", "day": "2024-01-10"}[unit]

    assert {path.name for path in (folder / "video").iterdir()} == {
        f"{name}={part}",
        f"{name}={UNDATED}",
    }
    for read in PARQUET_READERS.values():
        assert {row["id"]: row[name] for row in read(folder, "video")} == {1: part, 2: UNDATED}
        assert list(read(folder, "comment")) == []
    assert sorted(pd.read_parquet(folder / "video")[name]) == [part, UNDATED]
    assert pd.read_parquet(folder / "comment").empty


def test_where_no_time_is_known_all_read_it_too(sqlite_source, tmp_path):
    store(sqlite_source, {"id": 1}, {"id": 2})
    folder = sqlite_source.export(tmp_path / "out").folder

    for read in (*PARQUET_READERS.values(), lambda f, t: pd.read_parquet(f / t).to_dict("records")):
        assert {row["create_month"] for row in read(folder, "video")} == {UNDATED}


def test_types_are_those_that_keep_all_digits_and_the_zone(filled_sqlite, tmp_path):
    folder = filled_sqlite.export(tmp_path / "out").folder
    times = pa.timestamp("us", "UTC")

    for table in TABLES.values():
        path = next(iter(sorted((folder / table.name).rglob("*"))[-1:]), None)
        file = pq.ParquetFile(path or folder / f"{table.name}.parquet")
        for column in table.columns:
            type_ = file.schema_arrow.field(column.name).type
            expected = {Kind.ID: pa.int64(), Kind.TIME: times, Kind.DATE: pa.date32()}
            assert type_ == expected.get(column.kind, type_), column.name
        assert {
            file.metadata.row_group(0).column(place).compression
            for place in range(file.metadata.num_columns if file.metadata.num_row_groups else 0)
        } <= {"ZSTD"}


def comment_block(ids, time):
    names = TABLES["comment"].by_name
    block = {name: [None] * len(ids) for name in names}
    return block | {"id": list(ids), "create_time": [time] * len(ids)}


def test_groups_of_rows_have_about_100_000(tmp_path):
    table = TABLES["comment"]
    files = ParquetFiles(tmp_path, [table], UNITS["month"])
    for start in range(0, 250_000, 4_000):
        block = comment_block(range(start, start + 4_000), "2024-01-10 00:00:00")
        files.write(Part(table, "2024-01", block))
    (file,) = files.close()

    metadata = pq.ParquetFile(tmp_path / file.name).metadata
    groups = [metadata.row_group(n).num_rows for n in range(metadata.num_row_groups)]
    assert sum(groups) == file.rows == 252_000
    assert groups == [100_000, 100_000, 52_000]


def test_of_long_rows_fewer_are_held(tmp_path, monkeypatch):
    monkeypatch.setattr(parquet_files, "MOST_BYTES", 4_000)
    table = TABLES["video_hashtag"]
    files = ParquetFiles(tmp_path, [table], UNITS["month"])
    for number in range(10):
        block = {"video_id": [number] * 10, "hashtag_name": ["tea" * 50] * 10}
        files.write(Part(table, "2024-01", block))
    (written,) = files.close()

    metadata = pq.read_metadata(tmp_path / written.name)
    groups = [metadata.row_group(n).num_rows for n in range(metadata.num_row_groups)]
    assert groups == [30, 30, 30, 10]


@pytest.mark.slow
def test_months_in_any_order_get_each_row_once(sqlite_source, tmp_path, monkeypatch):
    """More months than files are open at once, over and over: ids tell nothing of the time."""
    monkeypatch.setattr(parquet_files, "MOST_OPEN", 3)
    times = [JANUARY_10 + (7 * number % 40) * 31 * DAY for number in range(200)]
    videos = ({"id": n, "create_time": time} for n, time in enumerate(times, start=1))
    store(sqlite_source, *videos)
    monkeypatch.setattr("tiktok_crawler.dataset.reading.ROWS_AT_ONCE", 7)
    folder = sqlite_source.export(tmp_path / "out").folder

    assert list((folder / "video").rglob("part-1.parquet"))
    for read in (by_duckdb, by_polars):
        rows = list(read(folder, "video"))
        assert sorted(row["id"] for row in rows) == list(range(1, 201))
        assert {row["create_month"] for row in rows} == {
            datetime.fromtimestamp(time, UTC).strftime("%Y-%m") for time in times
        }
        assert all(row["create_time"].strftime("%Y-%m") == row["create_month"] for row in rows)


def test_a_batch_that_arrow_parses_at_once_says_what_one_by_one_does():
    table = TABLES["video"].with_columns((TABLES["video"].column("video_tag"),))
    documents = ['{"type":"a"}', None, '{"number":1}', "null", "{}"]
    misfit = '{"novel":[1,{"a":null}]}'

    alone = record_batch(table.columns, {"video_tag": documents})["video_tag"]
    beside = record_batch(table.columns, {"video_tag": [*documents, misfit]})["video_tag"]
    assert beside.to_pylist() == [*alone.to_pylist(), None]


@pytest.fixture
def texts(sqlite_source, request):
    """A database with a comment of each text."""
    records = ({"id": n, "text": text, "=": "=1"} for n, text in enumerate(request.param, start=1))
    store_list(sqlite_source.url, COMMENTS, "9", *records)
    return sqlite_source


FORMULAS = ["=1+1", "+1", "-1", "@a", " =1", "\t=1", "\r=1", "＝1", "plain", "", "a=1"]  # noqa: RUF001


@pytest.mark.parametrize("texts", [FORMULAS], indirect=True)
@pytest.mark.parametrize("for_excel", [True, False])
def test_formulas_are_guarded_for_excel_alone(texts, tmp_path, for_excel):
    options = {"delimiter": ";", "for_excel": for_excel}
    folder = texts.export(tmp_path / "out", "csv", **options).folder
    raw = (folder / "comment.csv").read_bytes()

    assert raw.startswith(b'\xef\xbb\xbf"id";"video_id"' if for_excel else b'"id";"video_id"')
    encoding = "utf-8-sig" if for_excel else "utf-8"
    rows = list(by_csv(folder, "comment", delimiter=";", encoding=encoding))
    guarded = [f"'{text}" if n < 8 else text for n, text in enumerate(FORMULAS)]
    assert [row["text"] for row in rows] == (guarded if for_excel else FORMULAS)
    assert {row["extra_data"] for row in rows} == {'{"=":"=1"}'}


@pytest.mark.parametrize("texts", [["a\r\nb", 'x"y', ""]], indirect=True)
def test_csv_is_as_rfc_4180_says(texts, tmp_path):
    columns = ("comment.text", "comment.like_count", "comment.id")
    folder = texts.export(tmp_path / "out", "csv", columns=columns).folder

    assert (folder / "comment.csv").read_bytes() == (
        b'"text","like_count","id"\r\n"a\r\nb",,"1"\r\n"x""y",,"2"\r\n"",,"3"\r\n'
    )


@pytest.mark.parametrize("texts", [["a"]], indirect=True)
def test_csv_of_one_column_has_no_empty_lines(texts, tmp_path):
    with pytest.raises(UsageError, match="like_count alone would be an empty line"):
        texts.export(tmp_path / "out", "csv", columns=("comment.like_count",))
    texts.export(tmp_path / "out", "csv", columns=("comment.id",))
    texts.export(tmp_path / "other", "jsonl", columns=("comment.like_count",))


@pytest.mark.parametrize("format_", Format)
def test_the_name_of_a_folder_may_be_no_utf_8(sqlite_source, tmp_path, format_):
    store(sqlite_source, {"id": 1, "create_time": JANUARY_10})
    folder = tmp_path / os.fsdecode(b"bad\xff")

    exported = sqlite_source.export(folder, format_, tables=("video",))
    again = sqlite_source.export(folder, format_, tables=("video",))

    assert exported.rows == again.rows == {"video": 1}
    assert verify(folder).others == []


@pytest.mark.parametrize("texts", [["a"]], indirect=True)
@pytest.mark.parametrize("format_", ["csv", "jsonl", "xlsx"])
def test_a_table_that_somebody_has_worked_on_is_not_replaced(texts, tmp_path, format_):
    folder = texts.export(tmp_path / "coded", format_, tables=("comment",)).folder
    (table,) = folder.glob(f"*.{format_}")
    table.write_bytes(table.read_bytes() + b"code")
    worked_on = table.read_bytes()

    with pytest.raises(ExportError, match="has changed since it was exported, and would be"):
        texts.export(folder, format_, tables=("comment",))
    assert table.read_bytes() == worked_on

    table.rename(tmp_path / table.name)
    assert texts.export(folder, format_, tables=("comment",)).replaces


@pytest.mark.parametrize("texts", [["x" * 32_767, "👍" * 16_383]], indirect=True)
def test_a_workbook_has_texts_as_long_as_a_cell_holds(texts, tmp_path):
    assert texts.export(tmp_path / "out", "xlsx", tables=("comment",)).rows == {"comment": 2}


@pytest.mark.parametrize("texts", [["x" * 32_768], ["👍" * 16_384]], indirect=True)
def test_a_text_that_no_cell_holds_is_refused_with_the_way_out(texts, tmp_path):
    with pytest.raises(ExportError, match=r"32,768 characters, and a cell .*--format csv"):
        texts.export(tmp_path / "out", "xlsx")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("texts", [["a", "b", "c"]], indirect=True)
def test_more_rows_than_a_sheet_holds_are_refused_with_the_way_out(texts, tmp_path, monkeypatch):
    monkeypatch.setattr(workbook, "MOST_ROWS", 4)
    texts.export(tmp_path / "out", "xlsx", tables=("comment",))
    monkeypatch.setattr(workbook, "MOST_ROWS", 3)
    with pytest.raises(ExportError, match=r"comment has more rows than a sheet .*--sample"):
        texts.export(tmp_path / "other", "xlsx", tables=("comment",))


def test_a_workbook_has_sheets_of_tables_with_rows_in_their_order(seldom_dated, tmp_path):
    folder = seldom_dated.export(tmp_path / "out", "xlsx").folder

    book = openpyxl.load_workbook(folder / "dataset.xlsx")
    with_rows = [table for table in TABLES if table in book.sheetnames]
    assert book.sheetnames == with_rows
    assert {"video", "video_source", "coverage", "query"} <= set(with_rows)
    assert "comment" not in with_rows
    assert book.active.title == "video"
    assert [sheet.title for sheet in book if sheet.sheet_view.tabSelected] == ["video"]
    resources = json.loads((folder / "datapackage.json").read_text())["resources"]
    assert [resource["name"] for resource in resources] == with_rows
    told = (folder / "DICTIONARY.md").read_text().partition("## comment\n")[2]
    assert "It has no rows here, and so no sheet." in told.partition("##")[0]


def test_a_workbook_of_nothing_has_the_heads_of_a_table(sqlite_source, tmp_path):
    folder = sqlite_source.export(tmp_path / "out", "xlsx", tables=("comment", "shop")).folder

    book = openpyxl.load_workbook(folder / "dataset.xlsx")
    assert book.sheetnames == ["comment"]
    assert book["comment"]["A1"].value == "id"


def test_times_in_a_workbook_are_times_and_ids_are_text(seldom_dated, tmp_path):
    folder = seldom_dated.export(tmp_path / "out", "xlsx").folder

    sheet = openpyxl.load_workbook(folder / "dataset.xlsx")["video"]
    (head, first, second) = sheet.iter_rows()
    cells = {cell.value: value for cell, value in zip(head, first, strict=True)}
    assert cells["id"].value == "1"
    assert cells["create_time"].value == datetime.fromtimestamp(JANUARY_10, UTC).replace(
        tzinfo=None
    )
    assert cells["create_time"].number_format == "yyyy-mm-dd hh:mm:ss"
    assert second[[cell.value for cell in head].index("create_time")].value is None
