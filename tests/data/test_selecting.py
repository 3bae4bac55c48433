"""Rows are chosen by query, tag and days alike in databases and exports; mistakes are named."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pandas as pd
import pytest
from exports import exported
from odd_rows import DAYS, IDS, TEXTS

from tiktok_crawler import data
from tiktok_crawler.data.database import SETTLE
from tiktok_crawler.dataset.tables import TABLES
from tiktok_crawler.exceptions import ConfigurationError, QueryFileError, UsageError
from tiktok_crawler.settings import TIKTOK_SETTLE_DAYS

FRENCH, AMERICAN, GERMAN = IDS
"""Each video is of the query of the same number; the second one's page was of no query."""

QUERY_FILE = """
start_date: 2024-01-01
end_date: 2024-01-01
regions: [{}]
"""


@pytest.fixture
def query_file(tmp_path):
    def write(region):
        (tmp_path / "query.yaml").write_text(QUERY_FILE.format(region))
        return tmp_path / "query.yaml"

    return write


def ids(table, column="id"):
    return sorted(table.to_arrow().column(column).to_pylist())


@pytest.mark.parametrize(
    ("which", "found"),
    [
        ({}, IDS),
        ({"query": FRENCH}, [FRENCH]),
        ({"query": str(GERMAN)}, [GERMAN]),
        ({"query": AMERICAN}, []),
        ({"tag": TEXTS[0]}, [FRENCH]),
        ({"tag": TEXTS[2]}, [GERMAN]),
        ({"tag": TEXTS[1]}, [AMERICAN]),
        ({"since": "2024-01-31"}, [FRENCH]),
        ({"since": date(2024, 2, 1)}, []),
        ({"since": datetime(2024, 1, 31, tzinfo=UTC)}, [FRENCH]),
        ({"since": pd.Timestamp("2024-01-31")}, [FRENCH]),
        ({"until": "2024-01-31"}, [FRENCH, GERMAN]),
        ({"until": "2024-01-30"}, [GERMAN]),
        ({"since": "1999-12-31", "until": "1999-12-31"}, [GERMAN]),
        ({"query": FRENCH, "tag": TEXTS[0], "since": "2024-01-01"}, [FRENCH]),
        ({"query": FRENCH, "tag": TEXTS[2]}, []),
        ({"query": None, "tag": None, "since": None, "until": None, "columns": None}, IDS),
    ],
)
def test_videos_are_chosen_by_query_tag_and_days(dataset, which, found):
    assert ids(dataset.videos(**which)) == sorted(found)


def test_a_query_is_known_by_its_file(dataset, query_file):
    assert ids(dataset.videos(query=query_file("DE"))) == [GERMAN]
    assert ids(dataset.videos(query=str(query_file("FR")))) == [FRENCH]


@pytest.mark.parametrize("name", [name for name, table in TABLES.items() if table.belongs_by])
def test_what_belongs_to_the_videos_comes_with_them(dataset, name):
    """Each row but those of lists belongs to the video of its number."""
    belonging, of_video = (column.name for column in TABLES[name].belongs_by)
    (video,) = dataset.videos(query=FRENCH).to_arrow().to_pylist()
    key = "video_id" if name.startswith("video_") else belonging

    found = dataset.table(name, query=FRENCH, since="2024-01-01").to_arrow()

    assert set(found.column(key).to_pylist()) == {video[of_video]}


def test_days_of_coverage_are_chosen_by_query_and_days(dataset):
    def days(**which):
        return dataset.coverage(**which).to_arrow().column("day").to_pylist()

    assert days(query=AMERICAN) == [DAYS[1]]
    assert sorted(days(since=DAYS[1])) == [*DAYS[1:]]
    assert sorted(days(until=DAYS[1])) == [*DAYS[:2]]
    assert days(query=FRENCH, since=DAYS[1]) == []
    with pytest.raises(UsageError, match="coverage knows no tags"):
        days(tag=TEXTS[0])


def test_days_settle_as_the_settings_say():
    assert SETTLE.days == TIKTOK_SETTLE_DAYS


@pytest.mark.parametrize("name", [name for name, table in TABLES.items() if not table.belongs_by])
def test_tables_that_have_nothing_to_do_with_videos_cannot_be_chosen_by_them(dataset, name):
    if name != "coverage":
        with pytest.raises(UsageError, match=f"of the table {name} belong to no videos"):
            dataset.table(name, since="2024-01-01")


@pytest.mark.parametrize(
    ("which", "words"),
    [
        ({"query": 7}, f"query=7: there is no such query; .* are: 1, {IDS[1]}, {IDS[0]}$"),
        ({"query": "7"}, "query=7: there is no such query"),
        ({"tag": "na"}, "tag='na': nothing was collected with it; did you mean 'NA'"),
        ({"tag": "xxxxx"}, "nothing was collected with it; the tags are: '', 'NA', "),
        ({"since": "31.1.2024"}, "since='31.1.2024' is not a day"),
        ({"until": "yesterday"}, "until='yesterday' is not a day"),
        ({"until": datetime(2024, 1, 1, 5, tzinfo=UTC)}, "until='2024-01-01 05:00:00.*not a day"),
        ({"since": "2024-02-01", "until": "2024-01-01"}, "since=2024-02-01 is after until="),
        ({"columns": ["veiw_count"]}, "no column 'veiw_count'; did you mean 'view_count'"),
        ({"columns": []}, "columns= is empty"),
    ],
)
def test_mistakes_are_named(dataset, which, words):
    with pytest.raises(UsageError, match=words):
        dataset.videos(**which)


def test_a_query_file_that_is_new_or_missing_is_named(dataset, query_file, tmp_path):
    with pytest.raises(UsageError, match="nothing was collected with it yet"):
        dataset.videos(query=query_file("JP"))
    with pytest.raises(QueryFileError, match=r"none\.yaml: cannot be read"):
        dataset.videos(query=tmp_path / "none.yaml")


def test_a_table_that_there_is_not_is_named_with_the_nearest_one(dataset):
    with pytest.raises(UsageError, match="no table 'videos'; did you mean 'video'"):
        dataset.table("videos")
    with pytest.raises(UsageError, match="no table 'xxxxxxx'; there are video, video_hashtag, "):
        dataset.table("xxxxxxx")


def test_an_argument_that_there_is_not_is_an_error_of_pythons_own(dataset):
    with pytest.raises(TypeError, match="there is no argument tags=; did you mean 'tag'"):
        dataset.videos(tags="x")


def test_columns_come_in_the_order_in_which_they_are_named(dataset):
    found = dataset.videos(columns=("view_count", "id", "view_count")).to_arrow()

    assert found.column_names == ["view_count", "id"]
    assert dataset.videos(columns="id").to_arrow().column_names == ["id"]


@pytest.fixture
def narrow(odd_sqlite, tmp_path):
    """An export of some tables and columns."""

    def export(tables, columns=()):
        url = f"sqlite:///{odd_sqlite}"
        return data.open(exported(url, tmp_path / "out", tables=tables, columns=columns))

    return export


def test_what_an_export_lacks_is_named(narrow):
    dataset = narrow(["video", "comment", "video_query_tag"], ["id", "comment.text"])

    assert dataset.comments().columns == ["text"]
    assert ids(dataset.videos(tag=TEXTS[0])) == [FRENCH]
    with pytest.raises(ConfigurationError, match=r"lacks the table user_info: .* with --tables"):
        dataset.users()
    with pytest.raises(UsageError, match="lacks the column view_count of the table video"):
        dataset.videos(columns=["id", "view_count"])
    with pytest.raises(ConfigurationError, match="lacks the table video_source"):
        dataset.videos(query=1)
    with pytest.raises(ConfigurationError, match=r"the table video .* lacks create_time"):
        dataset.videos(since="2024-01-01").to_arrow()
    with pytest.raises(ConfigurationError, match=r"the table comment .* lacks video_id"):
        dataset.comments(tag=TEXTS[0]).to_arrow()


def test_an_export_without_fingerprints_knows_queries_by_number_alone(narrow, query_file):
    dataset = narrow(["video", "video_source", "query"], ["query.id", "id"])

    assert ids(dataset.videos(query=FRENCH)) == [FRENCH]
    with pytest.raises(UsageError, match="does not say which query file a query is of"):
        dataset.videos(query=query_file("FR"))


def test_an_export_without_queries_knows_their_numbers_by_the_videos(narrow):
    dataset = narrow(["video", "video_source"])

    assert ids(dataset.videos(query=GERMAN)) == [GERMAN]
    with pytest.raises(UsageError, match=f"the queries.* are: 1, {FRENCH}$"):
        dataset.videos(query=2)


def test_a_file_of_an_export_that_is_broken_is_named(odd_sqlite, tmp_path):
    out = exported(f"sqlite:///{odd_sqlite}", tmp_path / "out", tables=["run"])
    Path(out / "run.parquet").write_bytes(b"PAR1 no longer")

    with pytest.raises(ConfigurationError, match=r"run\.parquet cannot be read"):
        data.open(out).table("run").to_arrow()
