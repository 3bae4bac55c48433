"""Numbers and words among the settings."""

from __future__ import annotations

from enum import StrEnum

import pytest
from crawling import project_settings as settings

from tiktok_crawler.config.values import choice, number
from tiktok_crawler.exceptions import ConfigurationError


@pytest.mark.parametrize(("value", "found"), [(7, 7), ("7", 7), ("2.5", 2.5), (" 10 ", 10)])
def test_a_number_may_come_as_text(value, found):
    assert number(settings(X=value), "X", least=1, most=10) == found


@pytest.mark.parametrize(
    "value", ["", "many", None, "0.9", "10.1", "-5", "nan", "inf", "-inf", [], "5 s", True]
)
def test_what_is_no_number_within_bounds_is_refused_with_the_bounds(value):
    with pytest.raises(ConfigurationError, match=r"^X=.* is not a number from 1 to 10$"):
        number(settings(X=value), "X", least=1, most=10)


@pytest.mark.parametrize("value", ["-1", "inf", "nan", "soon"])
def test_a_number_without_an_upper_bound_is_finite_all_the_same(value):
    with pytest.raises(ConfigurationError, match=r"^X=.* is not a number of at least 0$"):
        number(settings(X=value), "X")


class Season(StrEnum):
    SPRING = "spring"
    AUTUMN = "autumn"


@pytest.mark.parametrize("value", ["autumn", "AUTUMN", " autumn ", Season.AUTUMN])
def test_a_choice_is_read_in_any_case(value):
    assert choice(settings(X=value), "X", Season) is Season.AUTUMN


@pytest.mark.parametrize("value", ["", None, "winter"])
def test_another_word_is_refused_with_the_choices(value):
    with pytest.raises(ConfigurationError, match=r"^X=.* is not one of: spring, autumn$"):
        choice(settings(X=value), "X", Season)
