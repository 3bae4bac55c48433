from __future__ import annotations

import pytest
from sandbox_client import condition

from tiktok_crawler.sandbox.protocol.errors import ApiError
from tiktok_crawler.sandbox.search.conditions import (
    SandboxCondition,
    SandboxQuery,
    has_empty_group,
    parse_query,
)
from tiktok_crawler.sandbox.search.regions import REGION_CODES


def refusal(query: object) -> tuple[int, str]:
    with pytest.raises(ApiError) as refused:
        parse_query(query)
    problem = refused.value.problem
    return problem.status, problem.code


def test_the_three_groups_are_read():
    parsed = parse_query(
        {
            "and": [condition("region_code", "US", "FR")],
            "or": [condition("keyword", "butter")],
            "not": [condition("view_count", "10", operation="LT")],
        }
    )
    assert parsed == SandboxQuery(
        all_of=(SandboxCondition("IN", "region_code", ("US", "FR")),),
        any_of=(SandboxCondition("EQ", "keyword", ("butter",)),),
        none_of=(SandboxCondition("LT", "view_count", ("10",)),),
    )


def test_numbers_are_taken_as_values_too():
    as_number = parse_query({"and": [condition("video_id", 7_319_283_881_829_467_169)]})
    assert as_number == parse_query({"and": [condition("video_id", "7319283881829467169")]})


def test_a_group_that_is_null_is_no_group():
    assert parse_query({"and": [condition("keyword", "a")], "or": None}).any_of == ()


@pytest.mark.parametrize("group", ["and", "or", "not"])
def test_an_empty_group_says_nothing(group):
    other = {"or" if group == "and" else "and": [condition("keyword", "a")]}
    assert parse_query(other | {group: []}) == parse_query(other)
    assert has_empty_group(other | {group: []})
    assert not has_empty_group(other)


def test_a_query_of_empty_groups_asks_for_nothing():
    assert refusal({"and": [], "or": [], "not": []}) == (400, "invalid_params")


@pytest.mark.parametrize(
    "query",
    [
        None,
        [],
        "butter",
        {},
        {"And": [condition("keyword", "a")]},
        {"and": condition("keyword", "a")},
        {"and": ["keyword"]},
        {"and": [{}]},
        {"and": [{"operation": "EQ", "field_values": ["a"]}]},
        {"and": [{"field_name": "keyword", "field_values": ["a"]}]},
        {"and": [{"operation": "EQ", "field_name": "keyword"}]},
        {"and": [{"operation": "EQ", "field_name": "keyword", "field_values": "a"}]},
        {"and": [condition("keyword", operation="IN")]},
        {"and": [condition("keyword", None)]},
        {"and": [{"operation": "EQ", "field_name": "keyword", "field_values": [True]}]},
        {"and": [condition("keyword", 1.5)]},
        {"and": [{"and": [condition("keyword", "a")]}]},
        {"and": [condition("hashtags", "a")]},
        {"and": [condition("keyword", "a", operation="eq")]},
        {"and": [condition("keyword", "a", operation="LIKE")]},
        {"and": [condition("keyword", "a", "b", operation="EQ")]},
        {"and": [condition("view_count", "1", "2", operation="GT")]},
    ],
)
def test_what_is_no_query_is_refused(query):
    assert refusal(query) == (400, "invalid_params")


@pytest.mark.parametrize("operation", ["GT", "GTE", "LT", "LTE"])
@pytest.mark.parametrize(
    ("field_name", "value"),
    [
        ("username", "a"),
        ("region_code", "US"),
        ("video_id", "1"),
        ("hashtag_name", "a"),
        ("keyword", "a"),
        ("music_id", "1"),
        ("effect_id", "1"),
        ("video_length", "SHORT"),
    ],
)
def test_only_dates_and_counts_are_compared(operation, field_name, value):
    query = {"and": [condition(field_name, value, operation=operation)]}
    assert refusal(query) == (400, "invalid_params")


@pytest.mark.parametrize("operation", ["EQ", "IN", "GT", "GTE", "LT", "LTE"])
@pytest.mark.parametrize(
    ("field_name", "value"),
    [("create_date", "20240131"), ("view_count", "10"), ("comment_count", 0)],
)
def test_dates_and_counts_take_all_operations(operation, field_name, value):
    parsed = parse_query({"and": [condition(field_name, value, operation=operation)]})
    assert parsed.all_of == (SandboxCondition(operation, field_name, (str(value),)),)


@pytest.mark.parametrize(
    ("field_name", "value"),
    [
        ("create_date", "2024-01-31"),
        ("create_date", "20240231"),
        ("create_date", "240131"),
        ("username", " "),
        ("region_code", "us"),
        ("region_code", "UK"),
        ("video_id", "7x"),
        ("video_id", "1" * 20),
        ("hashtag_name", "#butter"),
        ("hashtag_name", ""),
        ("keyword", ""),
        ("music_id", "-1"),
        ("effect_id", ""),
        ("video_length", "short"),
        ("view_count", "1e3"),
        ("comment_count", "\u0661\u0660"),
    ],
)
def test_values_must_be_of_their_kind(field_name, value):
    assert refusal({"not": [condition(field_name, value)]}) == (400, "invalid_params")


def test_the_245_regions_of_the_documentation_are_known():
    assert len(REGION_CODES) == 245
    assert {"TP", "XK", "US", "NO"} < REGION_CODES
    assert REGION_CODES.isdisjoint({"CC", "CX", "GS", "HM", "KP", "SJ"})
