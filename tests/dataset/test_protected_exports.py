"""No name of a person is in an export with pseudonyms, neither in its data nor beside them."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta

import openpyxl
import pyarrow.parquet as pq
import pytest
from listed_pages import store_list
from marathon import first
from persons_database import VIDEO, fill
from test_protection import NAMES, TEXTS

from tiktok_crawler.dataset.protection import Protection
from tiktok_crawler.dataset.pseudonyms import Pseudonyms
from tiktok_crawler.dataset.selection import Selection
from tiktok_crawler.export.export import export
from tiktok_crawler.export.options import Format, Options, wanted_tables
from tiktok_crawler.planning.coverage import Freshness
from tiktok_crawler.planning.plan import Wanted
from tiktok_crawler.research_api.endpoints import LISTINGS
from tiktok_crawler.storage.engine.database import create_engine_for, database_url

pytestmark = pytest.mark.slow

KEY = bytes(range(32))
NOW = datetime(2024, 6, 1, 12, tzinfo=UTC)
SEARCHED = [name for name in NAMES if len(name) >= 5]


def terms(query, days, fields):
    return Wanted(query, days, fields or ("id",), Freshness(timedelta(days=2)))


def exported(url, folder, format_, protection, **options):
    selection = Selection(**options)
    wanted = Options(
        wanted_tables([], [], selection), format_, selection=selection, protection=protection
    )
    engine = create_engine_for(database_url(url))
    try:
        return export(engine, folder, wanted, terms, NOW)
    finally:
        engine.dispose()


def texts(folder):
    """All that can be read in the files of an export, by file."""
    for path in folder.rglob("*"):
        if path.suffix == ".parquet":
            yield path, json.dumps(pq.read_table(path).to_pylist(), default=str, ensure_ascii=False)
        elif path.suffix == ".xlsx":
            sheets = openpyxl.load_workbook(path).worksheets
            yield path, "\n".join(str(row) for sheet in sheets for row in sheet.values)
        elif path.is_file():
            yield path, path.read_text()


@pytest.mark.parametrize("hide_ids", first(1, [True, False]))
@pytest.mark.parametrize("format_", Format)
def test_no_name_is_in_an_export_with_pseudonyms(prepared_sqlite_url, tmp_path, format_, hide_ids):
    fill(prepared_sqlite_url, NAMES, TEXTS)
    protection = Protection(Pseudonyms(KEY), hide_ids=hide_ids)
    where = (f"username != {NAMES[1]}",)
    folder = tmp_path / "out"
    exported(prepared_sqlite_url, folder, format_, protection, comparisons=where)

    names = "|".join(map(re.escape, sorted(SEARCHED, key=len, reverse=True)))
    pattern = re.compile(rf"(?<!\w)(?:{names})(?!\w)", re.IGNORECASE)
    read = dict(texts(folder))
    assert len(read) >= 5
    for path, text in read.items():
        assert not (pattern.search(text) or [None])[0], path
        assert not hide_ids or str(VIDEO) not in text, path


def test_the_same_key_goes_on_with_an_export_and_another_key_makes_it_anew(
    prepared_sqlite_url, tmp_path
):
    fill(prepared_sqlite_url, NAMES, TEXTS)
    folder = tmp_path / "out"
    same, other = Protection(Pseudonyms(KEY)), Protection(Pseudonyms(KEY[::-1]))
    url = prepared_sqlite_url
    assert exported(url, folder, Format.PARQUET, same).kept == 0
    assert exported(url, folder, Format.PARQUET, same).kept > 0
    assert exported(url, folder, Format.PARQUET, other).kept == 0
    assert exported(url, folder, Format.PARQUET, Protection()).kept == 0


def test_a_name_that_becomes_known_later_is_replaced_in_what_was_there_before(
    prepared_sqlite_url, tmp_path
):
    fill(prepared_sqlite_url, NAMES, [*TEXTS, "as lateron said"])
    folder, protection = tmp_path / "out", Protection(Pseudonyms(KEY))
    exported(prepared_sqlite_url, folder, Format.PARQUET, protection)
    assert any("lateron" in text for _, text in texts(folder))

    store_list(prepared_sqlite_url, LISTINGS["followers"], "bobby", {"username": "lateron"})
    exported(prepared_sqlite_url, folder, Format.PARQUET, protection)

    assert not any("lateron" in text for _, text in texts(folder))


def test_an_export_of_ids_alone_has_nothing_else(prepared_sqlite_url, tmp_path):
    fill(prepared_sqlite_url, NAMES, TEXTS)
    rows = exported(
        prepared_sqlite_url, tmp_path / "out", Format.CSV, Protection(ids_only=True)
    ).rows
    assert {name for name, count in rows.items() if count and name} == {
        "video",
        "comment",
        "playlist",
        "product",
    }
    assert (tmp_path / "out/video.csv").read_text().splitlines()[0] == '"id"'
