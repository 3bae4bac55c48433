from __future__ import annotations

import json

import pytest
from query_files import DATES, compiled, mistake, read

RAW = """
query:
  and:
    - {operation: IN, field_name: region_code, field_values: [US, JP]}
  not:
    - {operation: EQ, field_name: hashtag_name, field_values: [ad]}
"""


def test_the_api_object_is_put_in_canonical_order(tmp_path):
    assert compiled(tmp_path, RAW) == {
        "and": [{"field_name": "region_code", "field_values": ["JP", "US"], "operation": "IN"}],
        "not": [{"field_name": "hashtag_name", "field_values": ["ad"], "operation": "EQ"}],
    }


def test_values_are_never_rewritten(tmp_path):
    text = "query: {and: [{operation: EQ, field_name: hashtag_name, field_values: [BUTTER]}]}"
    assert compiled(tmp_path, text)["and"][0]["field_values"] == ["BUTTER"]


def test_one_value_stands_for_a_list_of_one(tmp_path):
    text = "query: {and: [{operation: EQ, field_name: keyword, field_values: 'a, b'}]}"
    assert compiled(tmp_path, text)["and"][0]["field_values"] == ["a, b"]


def test_empty_groups_are_left_out(tmp_path):
    text = "query: {or: [], not: , and: [{operation: EQ, field_name: keyword, field_values: [a]}]}"
    assert set(compiled(tmp_path, text)) == {"and"}


def test_numbers_of_a_json_file_are_the_text_typed(tmp_path):
    condition = {"operation": "EQ", "field_name": "video_id", "field_values": [7318480000000000001]}
    text = {"start_date": "20240101", "end_date": "20240131", "query": {"and": [condition]}}
    (found,) = read(tmp_path, json.dumps(text)).query.and_
    assert found.field_values == ("7318480000000000001",)


@pytest.mark.parametrize(
    ("text", "essential"),
    [
        ("query:", "1:1: names no condition"),
        ("query: {and: []}", "1:1: names no condition"),
    ],
)
def test_a_query_needs_a_condition(tmp_path, text, essential):
    assert essential in mistake(tmp_path, DATES + text)


@pytest.mark.parametrize(
    ("text", "essential"),
    [
        (
            "query: [a]",
            "3:8: query: must hold keys with values, found a list; allowed: and, or, not",
        ),
        ("query: {xor: []}", "3:9: query.xor: is not a key here; allowed: and, or, not"),
        (
            "query: {and: {operation: EQ}}",
            "3:14: query.and: must be a list, found keys with values",
        ),
        (
            "query: {and: [a]}",
            "3:15: query.and: must hold keys with values, found 'a'; allowed: field_name",
        ),
        ("query: {and: [{operation: EQ}]}", "3:15: query.and: lacks field_name and field_values"),
        (
            "query:\n  and:\n  -\n  - {operation: EQ, field_name: keyword, field_values: [a]}",
            "5:4: query.and: has no value",
        ),
    ],
)
def test_the_shape_of_the_object_is_checked(tmp_path, text, essential):
    assert essential in mistake(tmp_path, DATES + text)


@pytest.mark.parametrize(
    ("condition", "essential"),
    [
        (
            "{operation: LIKE, field_name: keyword, field_values: [a]}",
            "4:21: query.and.operation: 'LIKE' is not an operation of the API; allowed: EQ, IN, GT",
        ),
        (
            "{operation: EQ, field_name: keywrd, field_values: [a]}",
            "4:37: query.and.field_name: 'keywrd' is not a field of the API",
        ),
        ("{operation: EQ, field_name: keywrd, field_values: [a]}", "did you mean 'keyword'?"),
        (
            "{operation: GT, field_name: keyword, field_values: [a]}",
            "query.and.operation: GT cannot be used with keyword, only EQ or IN",
        ),
        (
            "{operation: EQ, field_name: keyword, field_values: [a, b]}",
            "4:60: query.and.field_values: EQ takes one value, found 2; use IN for several",
        ),
        (
            "{operation: IN, field_name: region_code, field_values: [FR, us]}",
            "4:69: query.and.field_values: 'us' is not a region code",
        ),
        (
            "{operation: EQ, field_name: keyword, field_values: []}",
            "4:60: query.and.field_values: has no value",
        ),
    ],
)
def test_each_part_of_a_condition_is_checked_at_its_place(tmp_path, condition, essential):
    assert essential in mistake(tmp_path, f"{DATES}query:\n  and: [{condition}]")


@pytest.mark.parametrize(
    ("condition", "essential"),
    [
        (
            "{operation: , field_name: keyword, field_values: [a]}",
            "query.and.operation: has no value",
        ),
        (
            "{operation: [EQ], field_name: keyword, field_values: [a]}",
            "operation: must be one value, found a list",
        ),
        ("{operation: EQ, field_name: keyword, field_values: }", "field_values: has no value"),
        (
            "{operation: EQ, field_name: keyword, field_values: [[a]]}",
            "field_values: each value must be text, found a list",
        ),
        ("{operation: EQ, field: keyword, field_values: [a]}", "did you mean 'field_name'?"),
    ],
)
def test_a_condition_that_is_not_whole_is_reported_once(tmp_path, condition, essential):
    good = "{operation: EQ, field_name: keyword, field_values: [a]}"
    assert essential in mistake(tmp_path, f"{DATES}query:\n  and: [{condition}, {good}]")


def test_the_two_forms_cannot_stand_in_one_file(tmp_path):
    line = mistake(tmp_path, f"{DATES}regions: [US]\ninclude: {{any_keywords: [a]}}{RAW}")
    assert line.startswith("5:1: query: cannot stand beside regions, include; write all")


def test_contradictions_are_found_in_this_form_too(tmp_path):
    text = (
        "query:\n"
        "  and:\n"
        "    - {operation: EQ, field_name: region_code, field_values: [US]}\n"
        "    - {operation: EQ, field_name: region_code, field_values: [FR]}\n"
    )
    line = mistake(tmp_path, DATES + text)
    assert "5:62: query.and.field_values: nothing can be found" in line
    assert "no video satisfies all conditions on region_code" in line


@pytest.mark.parametrize(
    ("condition", "field"),
    [
        ("{operation: GTE, field_name: create_date, field_values: [20240101]}", "create_date"),
        ("{operation: GTE, field_name: view_count, field_values: [0]}", "view_count"),
    ],
)
def test_excluding_everything_is_a_contradiction_too(tmp_path, condition, field):
    line = mistake(tmp_path, f"{DATES}query: {{not: [{condition}]}}")
    assert "query.not.field_values: nothing can be found: no video" in line
    assert f"satisfies all conditions on {field}" in line
