from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiktok_crawler.storage.engine.text import MAX_DEPTH, Cleaner, clean_text

ANY_TEXT = st.text(st.characters(codec=None, categories=None) | st.sampled_from("\0\ud800\udc00"))
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ANY_TEXT,
    lambda children: st.lists(children) | st.dictionaries(ANY_TEXT, children),
)


def clean(value):
    cleaner = Cleaner()
    return cleaner.clean(value), cleaner.count


@pytest.mark.parametrize(
    ("dirty", "cleaned", "count"),
    [
        ("plain", "plain", 0),
        ("الخبز 🍞 e\u0301", "الخبز 🍞 e\u0301", 0),
        ("a\0b\0", "ab", 1),
        ("\ud83d", "", 1),
        ("\ud83d\0\ude00", "", 1),
        (["a\0", {"k\0": "v\0"}], ["a", {"k": "v"}], 3),
        ([math.nan, math.inf, -math.inf, 1.5], [None, None, None, 1.5], 3),
        ([True, None, 10**400], [True, None, 10**400], 0),
    ],
)
def test_what_databases_refuse_is_taken_out_and_counted(dirty, cleaned, count):
    assert clean(dirty) == (cleaned, count)


def test_what_is_nested_too_deep_becomes_null():
    nested = []
    for _ in range(900):
        nested = [nested]

    cleaned, count = clean(nested)

    depth = 0
    while cleaned:
        (cleaned,) = cleaned
        depth += 1
    assert (cleaned, depth, count) == (None, MAX_DEPTH, 1)


@given(ANY_JSON)
def test_clean_values_can_be_stored_and_are_clean(value):
    cleaned, _ = clean(value)

    text = json.dumps(cleaned, ensure_ascii=False, allow_nan=False)
    text.encode()
    assert not strings(cleaned) & set("\0")
    assert clean(cleaned) == (cleaned, 0)


@given(ANY_JSON)
def test_what_is_not_counted_is_not_changed(value):
    cleaned, count = clean(value)

    assert (cleaned == value) == (count == 0)


@pytest.mark.parametrize(("text", "cleaned"), [(None, None), ("a\0", "a"), ("a", "a")])
def test_single_texts_are_cleaned_too(text, cleaned):
    assert clean_text(text) == cleaned


def strings(value):
    """All characters of all texts in a value."""
    if isinstance(value, str):
        return set(value)
    if isinstance(value, dict):
        return set().union(*map(strings, value), *map(strings, value.values()))
    return set().union(*map(strings, value)) if isinstance(value, list) else set()
