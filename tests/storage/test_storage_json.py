from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiktok_crawler.storage.models.column_types import dump_json

TEXT = st.text(st.characters(codec="utf-8"))
NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda children: st.lists(children) | st.dictionaries(TEXT, children),
)


@given(JSON)
def test_json_says_what_was_given(value):
    text = dump_json(value)

    assert repr(json.loads(text)) == repr(in_key_order(value))


@pytest.mark.parametrize("number", [2**63, 2**64, -(2**63) - 1, 10**400])
def test_large_numbers_keep_all_digits(number):
    assert dump_json({"b": [number], "a": 1}) == f'{{"a":1,"b":[{number}]}}'


@pytest.mark.parametrize(
    "value",
    [{"b": 1, "a": {"d": "хлеб", "c": '\n"\\/'}}, {"a": {"c": '\n"\\/', "d": "хлеб"}, "b": 1}],
)
def test_equal_objects_have_one_text(value):
    assert dump_json(value) == '{"a":{"c":"\\n\\"\\\\/","d":"хлеб"},"b":1}'


def in_key_order(value):
    if isinstance(value, dict):
        return {key: in_key_order(value[key]) for key in sorted(value)}
    return [in_key_order(item) for item in value] if isinstance(value, list) else value
