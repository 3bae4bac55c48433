"""Queries without a file: what the arguments of a search mean, and the file that says the same."""

from __future__ import annotations

from datetime import date

import pytest

from tiktok_crawler.arguments.search_arguments import VIDEOS_ARGUMENTS, check, collection
from tiktok_crawler.exceptions import UsageError
from tiktok_crawler.query_file.collection import Collection, read_collection
from tiktok_crawler.query_file.query_arguments import QUERY_ARGUMENTS

TODAY = date(2024, 6, 15)
OFTEN = {"refresh_after": "7 days", "revisit": "3d, 11 days", "keep_fresh": "15 days"}
DATES = {"start_date": "2024-01-01", "end_date": "2024-01-31"}
EXAMPLES = {
    **dict.fromkeys(("any_hashtags", "all_hashtags", "either.hashtags"), "butter,#Cheese"),
    **dict.fromkeys(("any_keywords", "all_keywords", "either.keywords"), "fresh bread, NO"),
    **dict.fromkeys(("exclude.any_hashtags", "exclude.any_keywords"), "ad"),
    "exclude.usernames": "eve,@Fay",
    "regions": "us,NO",
    "usernames": "@ann,bob",
    "video_ids": "7318480000000000001",
    "music_ids": "7,8",
    "effect_ids": "9",
    "video_lengths": "short,MID",
    **{f"create_date.{each}": "2024-01-05" for each in ("eq", "in", "gt", "gte", "lt", "lte")},
    **{
        f"{counter}.{each}": "1000"
        for counter in ("view_count", "comment_count")
        for each in ("eq", "in", "gt", "gte", "lt", "lte")
    },
}


def given(**arguments: str) -> Collection:
    check(arguments, VIDEOS_ARGUMENTS)
    return collection(arguments, today=TODAY)


def refusal(**arguments: str) -> list[str]:
    with pytest.raises(UsageError) as caught:
        given(**arguments)
    return str(caught.value).splitlines()


def test_each_key_of_a_query_file_is_an_argument():
    assert set(QUERY_ARGUMENTS) == set(EXAMPLES)


@pytest.mark.parametrize("name", QUERY_ARGUMENTS)
def test_the_file_that_is_printed_says_the_same(tmp_path, name):
    asked = given(**DATES, **{name: EXAMPLES[name]}, tags="one, two", **OFTEN)
    path = tmp_path / "query.yaml"
    path.write_text(asked.as_file)

    read = read_collection(path, today=TODAY)

    assert read.query == asked.query
    assert (read.dates, read.start_written) == (asked.dates, asked.start_written)
    assert (read.tags, read.refresh_after) == (asked.tags, asked.refresh_after)
    assert (read.revisit, read.keep_fresh) == (asked.revisit, asked.keep_fresh)
    assert asked.tags == ("one", "two")
    assert asked.revisit
    assert asked.keep_fresh


def test_several_arguments_hold_together():
    asked = given(**DATES, any_hashtags="butter,cheese", regions="US", **{"view_count.gte": "9"})

    assert [(each.field_name, each.field_values) for each in asked.query.and_] == [
        ("hashtag_name", ("butter", "cheese")),
        ("region_code", ("US",)),
        ("view_count", ("9",)),
    ]
    assert asked.as_file.splitlines() == [
        "start_date: '2024-01-01'",
        "end_date: '2024-01-31'",
        "include:",
        "  any_hashtags: [butter, cheese]",
        "regions: [US]",
        "view_count: {gte: '9'}",
    ]


def test_a_list_can_stand_in_a_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "names.csv").write_text("username,n\n@Ann,1\nbob,2\n")

    (tmp_path / "tags.txt").write_text("one\ntwo\n")

    asked = given(**DATES, usernames="@names.csv", tags="@tags.txt")

    assert asked.query.usernames == ("ann", "bob")
    assert asked.tags == ("one", "two")
    assert "tags: {file: tags.txt}" in asked.as_file
    assert "usernames: {file: names.csv}" in asked.as_file


def test_each_mistake_is_named_with_its_argument(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "names.csv").write_text("ann\nb b\n")

    lines = refusal(
        start_date="2024-01-01",
        end_date="soon",
        any_hashtags="“butter”,cheese",
        regions="XX",
        usernames="@names.csv",
        **{"view_count.gte": "1,000"},
    )

    assert sorted(line.split(": ")[0] for line in lines) == [
        "-a any_hashtags=“butter”,cheese",
        "-a end_date=soon",
        "-a regions=XX",
        "-a view_count.gte=1,000",
        "names.csv:2",
    ]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({**DATES, "query": "query.yaml", "regions": "US"}, "-a regions=... cannot stand beside"),
        ({"regions": "US", "end_date": "2024-01-31"}, "start_date: is missing; write start"),
        ({**DATES, "usernames": "@none.csv"}, "none.csv: cannot be read: No such file"),
        ({**DATES, "usernames": "@ann"}, "; names are written without @"),
        ({**DATES, "any_hashtag": "a"}, "did you mean 'any_hashtags'?"),
        ({**DATES, "regions": " "}, "-a regions=: the value is empty"),
        ({**DATES, "regions": "US,,FR"}, "-a regions=US,,FR: '' is empty"),
        (DATES, "-a query=FILE is missing"),
    ],
)
def test_what_is_missing_or_too_much_is_told(arguments, words):
    (line,) = refusal(**arguments)
    assert words in line
    assert line.startswith(("-a ", "start_date: "))


def test_with_a_query_file_none_is_printed(tmp_path):
    path = tmp_path / "query.yaml"
    path.write_text("regions: [US]")
    assert given(**DATES, query=str(path)).as_file is None
