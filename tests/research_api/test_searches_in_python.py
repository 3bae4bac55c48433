from __future__ import annotations

import subprocess
import sys
from datetime import date

import numpy as np
import pytest
from asked import QUERY

from tiktok_crawler import research_api
from tiktok_crawler.date_range import DateRange
from tiktok_crawler.exceptions import QueryError
from tiktok_crawler.research_api import (
    VIDEO_QUERY,
    Condition,
    Field,
    Query,
    build_query,
    condition,
    first_request,
)

FIRST = date(2024, 1, 1)
UNKNOWN_NAME = (
    "field_name: 'hastag_name' is not a field of the API; "
    f"allowed: {', '.join(Field)}; did you mean 'hashtag_name'?"
)
UNKNOWN_FIELD = (
    "fields: 'like_counts' is not a field of videos; "
    f"allowed: {', '.join(VIDEO_QUERY.fields)}; did you mean 'like_count'?"
)
BUTTER = condition("hashtag_name", "EQ", "butter")


def mistakes(build, *arguments, **options) -> list[str]:
    with pytest.raises(QueryError) as caught:
        build(*arguments, **options)
    return str(caught.value).splitlines()


def test_a_condition_is_written_as_the_api_has_it():
    assert condition("region_code", "IN", "US", "FR").to_json() == {
        "field_name": "region_code",
        "operation": "IN",
        "field_values": ["FR", "US"],
    }


@pytest.mark.parametrize(
    ("field_name", "value", "sent"),
    [
        ("view_count", 1000, "1000"),
        ("create_date", date(2024, 1, 5), "20240105"),
        ("keyword", "home made, bread", "home made, bread"),
    ],
)
def test_numbers_and_days_become_the_text_that_the_api_takes(field_name, value, sent):
    assert condition(field_name, "EQ", value).field_values == (sent,)


def test_ids_can_come_from_an_array_of_numpy():
    ids = np.array([7318480000000000001, 7318480000000000002])
    assert condition("video_id", "IN", *ids).field_values == tuple(map(str, ids))


def test_a_query_built_in_python_is_the_same_query():
    built = build_query(and_=[BUTTER], or_=iter([BUTTER]), not_={condition("keyword", "EQ", "ad")})
    assert built == Query((BUTTER,), (BUTTER,), (Condition("keyword", "EQ", ("ad",)),))


def test_every_mistake_of_a_condition_is_named_at_once():
    assert mistakes(condition, "hastag_name", "IM") == [
        UNKNOWN_NAME,
        "operation: 'IM' is not an operation of the API; allowed: EQ, IN, GT, GTE, LT, LTE",
        "field_values: has no value",
    ]


def test_a_mistaken_value_is_shown():
    (line,) = mistakes(condition, "hashtag_name", "IN", "butter", "#bread")
    assert line.startswith("field_values: '#bread' is not one hashtag")
    assert line.endswith("did you mean 'bread'?")


@pytest.mark.parametrize("value", [["butter", "bread"], 2.5, None, b"butter"])
def test_what_is_no_value_is_never_sent_as_text(value):
    (line,) = mistakes(condition, "keyword", "EQ", value)
    assert line == (
        f"field_values: {value!r} is neither text nor a whole number nor a day; "
        "several values are given one by one"
    )


def test_a_query_has_a_condition():
    assert mistakes(build_query) == ["a query needs at least one condition"]


@pytest.mark.parametrize("group", ["and_", "or_", "not_"])
def test_conditions_made_without_a_check_are_checked_by_the_query(group):
    (line,) = mistakes(build_query, **{group: [Condition("view_count", "EQ", ("many",))]})
    assert line.startswith("field_values: 'many' is not a whole number")


def test_a_query_that_no_video_can_meet_is_refused():
    assert mistakes(build_query, and_=[BUTTER], not_=[BUTTER]) == [
        "nothing can be found: no video satisfies all conditions on hashtag_name"
    ]


def test_a_first_request_asks_for_everything_from_the_start():
    request = first_request(QUERY, FIRST, date(2024, 1, 31))
    assert request.window.days == DateRange(FIRST, date(2024, 1, 31))
    assert (request.task.fields, request.max_count) == (VIDEO_QUERY.fields, 100)
    assert request.starts_task


def test_a_first_request_can_ask_for_less():
    request = first_request(QUERY, FIRST, FIRST, fields=["id", "username"], max_count=1)
    assert (request.task.fields, request.max_count) == (("id", "username"), 1)


@pytest.mark.parametrize(
    ("end", "options", "expected"),
    [
        (date(2023, 12, 31), {}, "end: 2023-12-31 is before the start, 2024-01-01"),
        (
            date(2024, 2, 1),
            {},
            "end: 2024-01-01 to 2024-02-01 are 32 days; a search has at most 31",
        ),
        (
            "2024-01-31",
            {},
            f"start, end: {FIRST!r}, '2024-01-31' must be days such as date(2024, 1, 31)",
        ),
        (FIRST, {"max_count": 0}, "max_count: 0 is not a number from 1 to 100"),
        (FIRST, {"max_count": 101}, "max_count: 101 is not a number from 1 to 100"),
        (
            FIRST,
            {"fields": ["id", "like_counts"]},
            UNKNOWN_FIELD,
        ),
    ],
)
def test_a_first_request_that_the_api_would_not_take_is_refused(end, options, expected):
    assert mistakes(first_request, QUERY, FIRST, end, **options) == [expected]


def test_every_name_of_the_door_is_there():
    assert all(hasattr(research_api, name) for name in research_api.__all__)


def test_the_door_opens_with_the_standard_library_alone():
    code = (
        "import sys; before = set(sys.modules); import tiktok_crawler.research_api\n"
        "names = {name.partition('.')[0] for name in set(sys.modules) - before}\n"
        "print(sorted(names - sys.stdlib_module_names))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "['tiktok_crawler']\n"
