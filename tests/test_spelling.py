from __future__ import annotations

import json
from pathlib import Path

import pytest

from tiktok_crawler.spelling import (
    and_more,
    did_you_mean,
    guarded,
    json_text,
    listed,
    named,
    nearest,
    number_of,
    quoted,
    shortened,
    unguarded,
    visible,
    visible_lines,
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


def test_of_many_words_the_first_are_named():
    assert and_more(["a", "b"], 2) == "a, b"
    assert and_more(["a", "b"], 1236) == "a, b and 1,234 more"


def test_long_texts_are_cut_and_stay_on_one_line():
    assert quoted("a\nb") == r"'a\nb'"
    assert shortened("a\nb") == "a�b"
    assert shortened("köln") == "köln"
    assert shortened("x" * 60) == "x" * 60
    assert shortened("x" * 1_000_000) == "x" * 59 + "…"
    assert len(quoted("x" * 1_000_000)) == 62


def test_what_would_steer_a_terminal_is_made_visible():
    assert visible("a\x1b[31mb\nc\u202e") == "a�[31mb�c�"
    assert visible("a\x7f\x9b2J\u2028b\ud800") == "a��2J�b�"
    assert visible_lines("a\x1b[2J\n\tb\r\u202e") == "a�[2J\n\tb��"


def test_names_of_files_stay_on_one_line():
    assert named(Path("a\nb\x1b[2J.yaml")) == "a�b�[2J.yaml"


@pytest.mark.parametrize("text", ["برنامه\u200cنویسی", "👩\u200d🔬", "20\xa0€", "\U0001fae8"])
def test_what_belongs_to_the_spelling_stays(text):
    assert visible(text) == visible_lines(text) == text


def test_json_steers_no_terminal_and_has_the_same_value():
    value = {"name": "a\x1b[2J\n\x9b\u202e\U000e0041 کتاب"}
    text = json_text(value)
    assert json.loads(text) == value
    assert visible_lines(text) == text
    assert "کتاب" in text


@pytest.mark.parametrize(
    ("count", "plural", "words"),
    [
        (1, "videos", "1 video"),
        (0, "videos", "0 videos"),
        (1, "replies", "1 reply"),
        (1234, "replies", "1,234 replies"),
        (1, "shop names", "1 shop name"),
        (1, "matches", "1 match"),
    ],
)
def test_a_number_stands_before_its_noun(count, plural, words):
    assert number_of(count, plural) == words


@pytest.mark.parametrize(
    "cell",
    [
        *("=1+1", "+1", "-1", "-cheese-", "@ann", "\tbutter", "\rbutter", "\n"),
        *(" =1", "\xa0@ann", "\ufeff=1", "\x0b-1", "\uff1d1", "\uff0b", "\uff0d", "\uff20ann"),
    ],
)
def test_text_that_a_spreadsheet_would_run_has_an_apostrophe_before(cell):
    assert guarded(cell) == f"'{cell}"
    assert unguarded(guarded(cell)) == cell


@pytest.mark.parametrize(
    "cell", ["", " ", "1-1", "a=1", "#butter", "'=1", "[-1]", "{}", -5, -0.5, None, True]
)
def test_other_cells_stay_as_they_are(cell):
    assert guarded(cell) is cell


@pytest.mark.parametrize("cell", ["", "'", "'tis", "a=1", "1-1"])
def test_an_apostrophe_that_guards_nothing_stays(cell):
    assert unguarded(cell) == cell
