from __future__ import annotations

import pytest

from tiktok_crawler.research_api.conditions import VIDEO_LENGTHS, condition_problems, value_problem
from tiktok_crawler.research_api.query import Field, Operation
from tiktok_crawler.research_api.regions import REGION_CODES

ORDERED = {"create_date", "view_count", "comment_count"}
GOOD_VALUES = {
    "create_date": "20240229",
    "username": "some.body_1",
    "region_code": "XK",
    "video_id": "7318480000000000001",
    "hashtag_name": "12:30",
    "keyword": "#home made, bread",
    "music_id": "0777",
    "effect_id": "0",
    "video_length": "EXTRA_LONG",
    "view_count": "1000",
    "comment_count": "0",
}


def words(field_name: str, operation: str, *values: str) -> list[str]:
    return [problem.words for problem in condition_problems(field_name, operation, values)]


def test_there_are_11_fields_and_245_regions():
    assert set(GOOD_VALUES) == set(Field)
    assert len(REGION_CODES) == 245
    assert {"TP", "XK"} <= REGION_CODES
    assert REGION_CODES.isdisjoint({"CC", "CX", "GS", "HM", "KP", "SJ"})


@pytest.mark.parametrize("operation", list(Operation))
@pytest.mark.parametrize("field", list(Field))
def test_every_field_takes_eq_and_in_and_ordered_fields_take_comparisons(field, operation):
    problems = words(field, operation, GOOD_VALUES[field])
    if field in ORDERED or operation in ("EQ", "IN"):
        assert problems == []
    else:
        assert problems == [f"{operation} cannot be used with {field}, only EQ or IN"]


@pytest.mark.parametrize("operation", ["EQ", "GT", "GTE", "LT", "LTE"])
def test_only_in_takes_several_values(operation):
    (problem,) = condition_problems("view_count", operation, ["1", "2"])
    assert problem.part == "field_values"
    assert problem.index is None
    assert problem.words.startswith(f"{operation} takes one value, found 2")
    assert ("use IN" in problem.words) == (operation == "EQ")
    assert words("view_count", operation, "1", "1") == []
    assert words("view_count", "IN", "1", "2") == []


def test_a_condition_needs_a_value():
    assert words("keyword", "IN") == ["has no value"]


def test_all_problems_of_a_condition_are_found_each_with_its_part():
    problems = list(condition_problems("hashtag", "LIKE", ["a", "b"]))
    assert [problem.part for problem in problems] == ["field_name", "operation"]
    assert "'hashtag' is not a field of the API" in problems[0].words
    assert "did you mean 'hashtag_name'?" in problems[0].words
    assert "allowed: EQ, IN, GT, GTE, LT, LTE" in problems[1].words


def test_every_bad_value_is_found_by_its_index():
    problems = list(condition_problems("region_code", "IN", ["US", "UX", "FR", "u"]))
    assert [(problem.part, problem.index) for problem in problems] == [
        ("field_values", 1),
        ("field_values", 3),
    ]


def test_operations_are_upper_case():
    assert "did you mean 'EQ'?" in words("keyword", "eq", "a")[0]


@pytest.mark.parametrize("field", list(Field))
@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("", "is empty"),
        (" \u3000", "is empty"),
        ("a\0b", "holds the unprintable character '\\x00'"),
        ("a\nb", "holds the unprintable character '\\n'"),
        ("a\x9bb", "holds the unprintable character '\\x9b'"),
        ("a\ud800b", "holds the unprintable character '\\ud800'"),
    ],
)
def test_no_field_takes_empty_or_unprintable_text(field, value, problem):
    assert value_problem(field, value) == problem


@pytest.mark.parametrize(
    ("field", "value", "essential"),
    [
        (Field.REGION_CODE, "UX", "did you mean 'UA', 'UG', 'UM', 'US', 'UY' or 'UZ'?"),
        (Field.REGION_CODE, "us", "did you mean 'US'?"),
        (Field.REGION_CODE, "UK", "did you mean 'GB'?"),
        (Field.REGION_CODE, "usa", "did you mean 'US'?"),
        (Field.REGION_CODE, "KP", "is not a region code that the API knows"),
        (Field.REGION_CODE, "France", "two capital letters, such as FR, JP or US"),
        (
            Field.HASHTAG_NAME,
            "#butter",
            "written without #, blanks and commas; did you mean 'butter'?",
        ),
        (Field.HASHTAG_NAME, "butter cheese", "is not one hashtag"),
        (Field.HASHTAG_NAME, "butter,cheese", "is not one hashtag"),
        (Field.HASHTAG_NAME, "#", "is not one hashtag"),
        (Field.USERNAME, "@somebody", "is not one username"),
        (Field.USERNAME, "@somebody", "did you mean 'somebody'?"),
        (Field.VIDEO_ID, "7.3e18", "is not an id"),
        (Field.MUSIC_ID, "1" * 20, "at most 19 digits"),
        (Field.EFFECT_ID, "٣", "is not an id"),
        (Field.VIDEO_LENGTH, "short", "did you mean 'SHORT'?"),
        (Field.VIDEO_LENGTH, "medium", "allowed: SHORT (under 15 seconds), MID"),
        (Field.VIEW_COUNT, "1_000", "did you mean '1000'?"),
        (Field.VIEW_COUNT, "1,000,000", "did you mean '1000000'?"),
        (Field.COMMENT_COUNT, "007", "did you mean '7'?"),
        (Field.COMMENT_COUNT, "-1", "is not a whole number"),
        (Field.COMMENT_COUNT, "1.5", "is not a whole number"),
        (Field.CREATE_DATE, "2024-01-05", "did you mean '20240105'?"),
        (Field.CREATE_DATE, "2024/1/5", "did you mean '20240105'?"),
        (Field.CREATE_DATE, "20240230", "is not a day such as 20240131"),
        (Field.CREATE_DATE, "2024W011", "is not a day such as 20240131"),
        (Field.CREATE_DATE, "yesterday", "is not a day such as 20240131"),
    ],
)
def test_values_that_the_api_does_not_take(field, value, essential):
    problem = value_problem(field, value)
    assert problem
    assert essential in problem


@pytest.mark.parametrize(
    ("field", "value"),
    [(Field.REGION_CODE, "Germany"), (Field.VIEW_COUNT, "1.5"), (Field.CREATE_DATE, "2024-13-01")],
)
def test_nothing_is_suggested_where_nothing_is_near(field, value):
    problem = value_problem(field, value)
    assert problem
    assert "did you mean" not in problem


@pytest.mark.parametrize("length", VIDEO_LENGTHS)
def test_video_lengths(length):
    assert value_problem(Field.VIDEO_LENGTH, length) is None


def test_region_codes():
    assert [code for code in REGION_CODES if value_problem(Field.REGION_CODE, code)] == []


@pytest.mark.parametrize("value", ["été", "한국", "🧈", "no", "0777", "null", "1_000", "a_b"])
def test_hashtags_can_be_in_any_script(value):
    assert value_problem(Field.HASHTAG_NAME, value) is None
