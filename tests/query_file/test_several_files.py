"""Several query files are named at once, and their mistakes are told together."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from tiktok_crawler.exceptions import QueryFileError, UsageError
from tiktok_crawler.query_file.limits import Limits
from tiktok_crawler.query_file.several_files import query_files, read_collections

TODAY = date(2024, 6, 1)
GOOD = "start_date: 2024-01-01\nend_date: 2024-01-31\nregions: [US]\n"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    queries = tmp_path / "queries"
    queries.mkdir()
    for name in ("b.yaml", "a.yml", "c.json", ".hidden.yaml", "notes.txt"):
        (queries / name).write_text(GOOD)
    (queries / "older").mkdir()
    (queries / "older" / "z.yaml").write_text(GOOD)
    (tmp_path / "one,two.yaml").write_text(GOOD)
    return tmp_path


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("queries", ["queries/a.yml", "queries/b.yaml", "queries/c.json"]),
        ("queries/", ["queries/a.yml", "queries/b.yaml", "queries/c.json"]),
        ("queries/*.yaml", ["queries/b.yaml"]),
        ("queries/older,queries/a.yml", ["queries/older/z.yaml", "queries/a.yml"]),
        ("queries/b.yaml, queries/a.yml,", ["queries/b.yaml", "queries/a.yml"]),
        (
            "queries/a.yml,queries,./queries/a.yml",
            ["queries/a.yml", "queries/b.yaml", "queries/c.json"],
        ),
        ("one,two.yaml", ["one,two.yaml"]),
        ("not there.yaml", ["not there.yaml"]),
    ],
)
@pytest.mark.usefixtures("folder")
def test_files_are_named_in_many_ways(written, found):
    assert [str(path) for path in query_files(written)] == found


@pytest.mark.usefixtures("folder")
def test_the_home_folder_can_be_written_as_a_tilde(monkeypatch, folder):
    monkeypatch.setenv("HOME", str(folder))
    assert query_files("~/queries/*.json") == (folder / "queries/c.json",)


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("queries/*.txt.yaml", "queries/*.txt.yaml: no file is like that"),
        ("empty", "empty: the folder has no query file (*.yaml, *.yml or *.json)"),
    ],
)
def test_where_no_file_is_meant_it_is_said(written, words):
    Path("empty").mkdir()
    with pytest.raises(QueryFileError) as caught:
        query_files(written)
    assert str(caught.value) == words


def test_mistakes_of_all_files_are_told_together(folder):
    (folder / "queries/a.yml").write_text(GOOD.replace("US", "USA"))
    (folder / "queries/c.json").write_text('{"start_date": "2024-01-01", "end_date": "2024-01-02"}')
    with pytest.raises(QueryFileError) as caught:
        read_collections("queries,nowhere.yaml", today=TODAY)
    lines = str(caught.value).splitlines()
    assert [line.split(":")[0] for line in lines] == [
        "queries/a.yml",
        "queries/c.json",
        "nowhere.yaml",
    ]


@pytest.mark.usefixtures("folder")
def test_a_mistake_in_an_argument_is_told_once():
    with pytest.raises(UsageError) as caught:
        read_collections("queries", today=TODAY, overrides={"end_date": "soon"})
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.usefixtures("folder")
def test_arguments_beat_every_file():
    found = read_collections("queries", today=TODAY, overrides={"end_date": "2024-01-15"})
    assert {each.dates.end for each in found} == {date(2024, 1, 15)}
    assert [each.name for each in found] == ["queries/a.yml", "queries/b.yaml", "queries/c.json"]


def test_a_file_says_how_much_of_a_run_it_may_have(folder):
    limits = "priority: 3\nmax_requests: 50\nmax_videos: 1000\n"
    (folder / "one.yaml").write_text(f"{GOOD}{limits}")
    [found] = read_collections("one.yaml", today=TODAY)
    assert found.limits == Limits(3, 50, 1000)
    [other] = read_collections("queries/b.yaml", today=TODAY)
    assert other.limits == Limits(1, None, None)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("priority: 0", "priority: '0' is no whole number from 1 to 100"),
        ("priority: 101", "priority: '101' is no whole number from 1 to 100"),
        ("priority: high", "priority: 'high' is no whole number from 1 to 100"),
        ("max_requests: 0", "max_requests: '0' is no whole number of at least 1"),
        ("max_videos: -5", "max_videos: '-5' is no whole number of at least 1"),
        ("max_videos: [5]", "max_videos: must be one value, found a list"),
        ("max_videos:", "max_videos: has no value"),
    ],
)
def test_a_limit_that_is_none_is_a_mistake(folder, line, words):
    (folder / "one.yaml").write_text(f"{GOOD}{line}\n")
    with pytest.raises(QueryFileError) as caught:
        read_collections("one.yaml", today=TODAY)
    assert words in str(caught.value)
