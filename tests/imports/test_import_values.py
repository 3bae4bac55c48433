"""Cells of tables become what the API delivered, or stay what they are."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tiktok_crawler.imports import values
from tiktok_crawler.imports.values import LostDigitsError

JANUARY_10 = 1704844800


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        (7, 7), ("7", 7), (" 7 ", 7), ("7.0", 7), (7.0, 7), ("-3", -3), ("1e3", 1000),
        (2**62, 2**62), (str(2**62), 2**62), (float(2**53), 2**53), (2.5, 2.5), ("2.5", 2.5),
        ("NA", None), ("nan", None), (float("nan"), None), (float("inf"), None),
        ("many", "many"), (None, None), (True, True), ("9" * 30, "9" * 30), ("٣", "٣"),
    ],
)  # fmt: skip
def test_whole_numbers(cell, expected):
    found = values.whole(cell)
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize("cell", [7.318e18, "7.318E+18", "7318000000000000123.0", -7.318e18])
def test_numbers_that_floating_point_has_rounded_are_none(cell):
    with pytest.raises(LostDigitsError):
        values.whole(cell)


@pytest.mark.parametrize(
    ("number", "expected"),
    [(7318 * 10**15, True), (7318 * 10**15 + 1, False), (10**15, False), (7, False)],
)  # fmt: skip
def test_digits_of_a_spreadsheet(number, expected):
    assert values.is_rounded(number) is expected


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        (JANUARY_10, JANUARY_10), (str(JANUARY_10), JANUARY_10), (float(JANUARY_10), JANUARY_10),
        (JANUARY_10 * 1000, JANUARY_10), ("2024-01-10T00:00:00Z", JANUARY_10),
        ("2024-01-10 00:00:00 UTC", JANUARY_10), ("2024-01-10T01:00:00+01:00", JANUARY_10),
        (datetime(2024, 1, 10, tzinfo=UTC), JANUARY_10),
        ("2024-01-10 00:00:00", datetime(2024, 1, 10)),  # noqa: DTZ001
        (datetime(2024, 1, 10, 0, 0, 0, 7), datetime(2024, 1, 10)),  # noqa: DTZ001
        ("soon", "soon"), ("NA", None), (2**60, 2**60),
    ],
)  # fmt: skip
def test_times(cell, expected):
    assert values.time(cell) == expected


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("['a', 'b']", ["a", "b"]), ('["a", "b"]', ["a", "b"]), ("[]", []), ("a", ["a"]),
        ("a, b", ["a", "b"]), ("a|b", ["a", "b"]), ("a; b", ["a", "b"]), ("a,b", ["a", "b"]),
        ('c("a", "b,c")', ["a", "b,c"]), ("list()", []), ("character(0)", []), (["a"], ["a"]),
        ([["a"], ["b"]], ["a", "b"]), ({}, []), (0, ["0"]), ([0], ["0"]), ("NA", None),
        ("['a'", ["['a'"]), (None, None), ('["it\'s"]', ["it's"]), ("['it\\'s']", ["it's"]),
    ],
)  # fmt: skip
def test_lists_of_names(cell, expected):
    assert values.names(cell) == expected


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ('{"type": "AIGC"}', {"type": "AIGC"}), ("{'a': None, 'b': True}", {"a": None, "b": True}),
        ("[{'id': 1}]", [{"id": 1}]), ("nan", None), ("[" * 5000, "[" * 5000),
        ("[__import__('os')]", "[__import__('os')]"), ("text", "text"), ([1], [1]),
    ],
)  # fmt: skip
def test_lists_and_objects(cell, expected):
    assert values.structure(cell) == expected


@pytest.mark.parametrize(
    ("cell", "expected"),
    [("True", True), ("f", False), (1, True), (0.0, 0.0), ("", None), (True, True), ("yes", "yes")],
)  # fmt: skip
def test_booleans(cell, expected):
    assert values.boolean(cell) == expected


@pytest.mark.parametrize(("cell", "expected"), [(7, "7"), (7.0, "7"), ("7", "7"), (7.5, 7.5)])
def test_text_that_a_spreadsheet_took_for_numbers(cell, expected):
    assert values.text(cell) == expected


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("2024-01-10T01:00:00+01:00", datetime(2024, 1, 10, tzinfo=UTC)),
        ("2024-01-10", datetime(2024, 1, 10, tzinfo=UTC)),
        (datetime(2024, 1, 10), datetime(2024, 1, 10, tzinfo=UTC)),  # noqa: DTZ001
        ("soon", None), (None, None), (7, None),
    ],
)  # fmt: skip
def test_when_something_was_collected(cell, expected):
    assert values.collected(cell) == expected
