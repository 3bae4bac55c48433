from __future__ import annotations

import pytest

from tiktok_crawler.spelling import (
    did_you_mean,
    listed,
    nearest,
    number_of,
    quoted,
    shortened,
    visible,
)


@pytest.mark.parametrize(
    ("word", "expected"),
    [("regoins", ["regions"]), ("REGIONS", ["regions"]), ("start", ["start_date"]), ("xyz", [])],
)
def test_the_nearest_choice_is_found_whatever_its_case(word, expected):
    assert nearest(word, ["regions", "start_date", "end_date"]) == expected


def test_how_near_a_choice_has_to_be_can_be_said():
    assert nearest("regoins", ["regions"], similarity=0.85) == ["regions"]
    assert nearest("region", ["reason"]) == ["reason"]
    assert nearest("region", ["reason"], similarity=0.8) == []


def test_nothing_is_near_to_a_very_long_word():
    assert nearest("regions" * 100_000, ["regions" * 100_000]) == []


def test_suggestions_end_a_message():
    assert did_you_mean([]) == ""
    assert did_you_mean(["US"]) == "; did you mean 'US'?"
    assert did_you_mean(["UA", "US", "UZ"]) == "; did you mean 'UA', 'US' or 'UZ'?"


def test_words_are_listed():
    assert listed(["a"]) == "a"
    assert listed(["a", "b", "c"], conjunction="and") == "a, b and c"


def test_long_texts_are_cut_and_stay_on_one_line():
    assert quoted("a\nb") == r"'a\nb'"
    assert shortened("a\nb") == "a�b"
    assert shortened("köln") == "köln"
    assert shortened("x" * 60) == "x" * 60
    assert shortened("x" * 1_000_000) == "x" * 59 + "…"
    assert len(quoted("x" * 1_000_000)) == 62


def test_what_would_steer_a_terminal_is_made_visible():
    assert visible("a\x1b[31mb\nc\u202e") == "a�[31mb�c�"


@pytest.mark.parametrize(
    ("count", "plural", "words"),
    [
        (1, "videos", "1 video"),
        (0, "videos", "0 videos"),
        (1, "replies", "1 reply"),
        (1234, "replies", "1,234 replies"),
        (1, "shop names", "1 shop name"),
    ],
)
def test_a_number_stands_before_its_noun(count, plural, words):
    assert number_of(count, plural) == words
