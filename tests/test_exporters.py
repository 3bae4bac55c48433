"""Feeds of records that hold lists and objects."""

from __future__ import annotations

import csv
import json
from io import BytesIO, StringIO

import pytest
from scrapy.settings import Settings
from scrapy.utils.misc import load_object

from tiktok_crawler import settings
from tiktok_crawler.exporters import CsvRecordExporter


def written(*records, **options):
    """A CSV feed of the records."""
    file = BytesIO()
    exporter = CsvRecordExporter(file, **options)
    exporter.start_exporting()
    for record in records:
        exporter.export_item(record)
    exporter.finish_exporting()
    return StringIO(file.getvalue().decode(), newline="")


def exported(*records):
    """The rows of a CSV feed of the records, read back."""
    return list(csv.DictReader(written(*records)))


def test_csv_feeds_use_this_exporter():
    project = Settings()
    project.setmodule(settings, priority="project")

    assert load_object(project.getwithbase("FEED_EXPORTERS")["csv"]) is CsvRecordExporter


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(["butter", "bread, fresh"], id="commas"),
        pytest.param(["a", 'b"c'], id="quotes"),
        pytest.param(["زبدة", "バター", "🧈"], id="other alphabets"),
        pytest.param([], id="empty list"),
        pytest.param([{"hashtag_id": 7361234567890123456, "hashtag_name": "x"}], id="objects"),
        pytest.param({"type": 0, "vote": False, "content": "a\nb"}, id="an object"),
        pytest.param({}, id="empty object"),
    ],
)
def test_lists_and_objects_are_json_that_reads_back(value):
    [row] = exported({"value": value})

    assert json.loads(row["value"]) == value


def test_letters_of_other_alphabets_stay_readable():
    [row] = exported({"hashtag_names": ["バター"]})

    assert row["hashtag_names"] == '["バター"]'


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (7320768196569599275, "7320768196569599275"),
        ("bread, butter", "bread, butter"),
        ('she said "no"', 'she said "no"'),
        ("two\nlines", "two\nlines"),
        ("", ""),
        (True, "True"),
        (None, ""),
    ],
)
def test_other_values_are_written_as_scrapy_writes_them(value, text):
    [row] = exported({"value": value})

    assert row["value"] == text


def test_each_record_is_one_row_with_the_columns_of_the_first():
    rows = exported({"id": 1, "hashtag_names": ["a", "b"]}, {"id": 2}, {"hashtag_names": ["c"]})

    assert rows == [
        {"id": "1", "hashtag_names": '["a", "b"]'},
        {"id": "2", "hashtag_names": ""},
        {"id": "", "hashtag_names": '["c"]'},
    ]


RECORD = {
    "text": "=HYPERLINK(1)",
    "=number": -5,
    "list": ["=1", "@ann"],
    "object": {"+1": "-1"},
    "@bytes": b"\r=1",
    "nothing": None,
}
CELLS = [*RECORD, "=HYPERLINK(1)", "-5", '["=1", "@ann"]', '{"+1": "-1"}', "\r=1", ""]
GUARDED = ("=HYPERLINK(1)", "=number", "@bytes", "\r=1")


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"lineterminator": "\n"},
        {"lineterminator": "\r", "quoting": csv.QUOTE_NONE, "escapechar": "\\"},
        {"lineterminator": "\n", "quoting": csv.QUOTE_ALL},
    ],
    ids=str,
)
def test_a_cell_stays_whole_whatever_ends_a_line(options):
    rows = list(csv.reader(written({"id": 7, "text": "a\r=1\nb\r\nc"}, **options)))

    assert rows == [["id", "text"], ["7", "a\r=1\nb\r\nc"]]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"delimiter": ";"},
        {"delimiter": "\t", "lineterminator": "\n"},
        {"quoting": csv.QUOTE_ALL},
        {"quotechar": "'"},
        {"quoting": csv.QUOTE_NONE, "escapechar": "\\"},
        {"fields_to_export": {name: name for name in RECORD}},
    ],
    ids=str,
)
def test_a_guarded_table_has_no_cell_that_a_spreadsheet_runs(options):
    dialect = {key: options[key] for key in options if not key.startswith(("fields", "line"))}

    def cells(**guard):
        rows = csv.reader(written(RECORD, **guard, **options), **dialect)
        return [cell for row in rows for cell in row]

    assert cells() == CELLS
    assert cells(is_guarded=True) == [f"'{cell}" if cell in GUARDED else cell for cell in CELLS]
