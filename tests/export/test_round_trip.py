"""Whatever the API delivers is read back from an export as it is stored, and of one moment."""

from __future__ import annotations

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from database_rows import in_order, rows_of_all
from hypothesis import given, settings
from hypothesis import strategies as st
from json_values import JSON
from marathon import times
from readers import by_arrow, by_csv, by_jsonl, by_workbook, parquet_rows, valued
from stored_pages import NOON, Search
from test_formats import nested, whole
from test_storage_four_writers import Writer, have_ended

from tiktok_crawler.dataset.columns import Kind
from tiktok_crawler.dataset.tables import TABLES
from tiktok_crawler.research_api.endpoints import VIDEO_QUERY

pytestmark = pytest.mark.slow

READERS = {"csv": by_csv, "xlsx": by_workbook, "parquet": by_arrow}

TEXT = st.text(max_size=5)
LIKELY = st.fixed_dictionaries(
    {},
    optional={
        "create_time": st.integers(1, 2**32),
        "video_description": TEXT,
        "view_count": st.integers(-(2**64), 2**64),
        "hashtag_names": st.lists(TEXT, max_size=3),
        "video_mention_list": st.lists(TEXT, max_size=3),
        "video_label": st.fixed_dictionaries(
            {}, optional={"content": TEXT | st.integers(), "type": JSON, "sink": st.booleans()}
        ),
        "sticker_info_list": st.lists(
            st.fixed_dictionaries({}, optional={"sticker_id": st.integers(), "sticker_name": TEXT})
        ),
    },
)
ANY = st.dictionaries(st.sampled_from(VIDEO_QUERY.fields) | TEXT, JSON, max_size=4)
VIDEOS = st.lists(st.tuples(LIKELY, ANY), min_size=1, max_size=8)


@settings(max_examples=times(1) // 4)
@given(VIDEOS)
def test_parquet_and_jsonl_say_what_was_stored(make_source, drawn):
    with TemporaryDirectory() as name:
        folder, source = Path(name), make_source(name)
        videos = ({**likely, **any_, "id": n} for n, (likely, any_) in enumerate(drawn, start=1))
        with Search(source.url, now=NOON) as run:
            run.store(run.booked(), *videos)
        stored = rows_of_all(source.url)
        for table in ("video", "video_hashtag", "video_mention", "video_statistics"):
            options = {"tables": (table,)}
            source.export(folder / "parquet", **options)
            rows = parquet_rows(by_arrow, folder / "parquet", table)
            assert nested(whole(rows)) == nested(stored[table])
            source.export(folder / "jsonl", "jsonl", **options)
            rows = valued(table, by_jsonl(folder / "jsonl", table), documents=lambda v: v)
            assert in_order(rows) == in_order(stored[table])


@pytest.fixture(scope="module")
def make_source(sqlite_template, filled_sqlite):
    def make(folder):
        shutil.copy(sqlite_template, Path(folder) / "test.db")
        return type(filled_sqlite)(f"sqlite:///{folder}/test.db")

    return make


def test_both_databases_give_the_same_rows(filled_sqlite, filled_postgresql, tmp_path):
    sources = {"sqlite": filled_sqlite, "postgresql": filled_postgresql}
    exports = {name: each.export(tmp_path / name, "jsonl") for name, each in sources.items()}

    here, there = exports.values()
    assert here.rows == there.rows
    for table in here.rows:
        rows = [in_order(with_floats(by_jsonl(each.folder, table))) for each in (here, there)]
        assert rows[0] == rows[1], table


@pytest.mark.parametrize("format_", ["csv", "xlsx", "parquet"])
def test_both_databases_spell_documents_alike(filled_sqlite, filled_postgresql, tmp_path, format_):
    here = spellings(filled_sqlite, format_, tmp_path / "sqlite")
    there = spellings(filled_postgresql, format_, tmp_path / "postgresql")

    assert here
    assert here == there


def spellings(source, format_, folder):
    """The texts of JSON in an export; PostgreSQL writes 1e300 in digits."""
    tables = ("video", "product")
    source.export(folder, format_, tables=tables)
    texts = (
        row.get(column.name)
        for table in tables
        for row in READERS[format_](folder, table)
        for column in TABLES[table].columns
        if column.kind in (Kind.JSON, Kind.NESTED)
    )
    return sorted(
        each.replace(f"1{300 * '0'}", "1e+300") for each in texts if isinstance(each, str)
    )


def with_floats(value):
    """A value in which large numbers are as SQLite has them: PostgreSQL writes 1e300 in digits."""
    if isinstance(value, list):
        return [with_floats(each) for each in value]
    if isinstance(value, dict):
        return {key: with_floats(each) for key, each in value.items()}
    return float(value) if type(value) is int and abs(value) > 10**200 else value


def test_an_export_in_the_midst_of_crawls_is_of_one_moment(source, tmp_path):
    """Processes store pages; an export reads on while they do, and they while it reads."""
    writers = [Writer(source.url, 0, 1), Writer(source.url, 2, 3)]
    assert have_ended(writers)
    counts = []
    for round_ in range(4):
        for writer in writers:
            writer.begin(round_)
        counts.append(agreeing(source, tmp_path / "out"))
        assert have_ended(writers)
    assert [writer.finish() for writer in writers] == [(0, "")] * 2

    assert counts == sorted(counts)
    assert agreeing(source, tmp_path / "out") == len(rows_of_all(source.url)["video"]) > counts[0]


def agreeing(source, folder):
    """Export, and see that the tables are of one moment; the number of videos."""
    tables = ("video", "video_hashtag", "video_statistics", "video_source")
    folder = source.export(folder, tables=tables).folder
    rows = {table: list(by_arrow(folder, table)) for table in tables}
    videos = {row["id"] for row in rows["video"]}
    assert {row["video_id"] for row in rows["video_source"]} == videos
    assert {row["video_id"] for row in rows["video_statistics"]} <= videos
    linked = sorted((row["video_id"], row["hashtag_name"]) for row in rows["video_hashtag"])
    listed = [(v["id"], name) for v in rows["video"] for name in v["hashtag_names"] or ()]
    assert linked == sorted(listed)
    return len(videos)
