from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiktok_crawler.query_file.written_dates import NEVER, parse_age, parse_date, parse_day

TODAY = date(2024, 3, 1)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2024-02-29", date(2024, 2, 29)),
        ("20240229", date(2024, 2, 29)),
        (" 2024-02-29 ", date(2024, 2, 29)),
        ("today", TODAY),
        ("Yesterday", date(2024, 2, 29)),
        ("1 day ago", date(2024, 2, 29)),
        ("3 days ago", date(2024, 2, 27)),
        ("3  DAYS\tAGO", date(2024, 2, 27)),
        ("1 week ago", date(2024, 2, 23)),
        ("2 weeks ago", date(2024, 2, 16)),
        ("0 days ago", TODAY),
    ],
)
def test_dates_are_days_or_relative_to_today(text, day):
    assert parse_date(text, today=TODAY) == day


@pytest.mark.parametrize(
    ("text", "essential"),
    [
        ("", "is not a date; allowed: 2024-01-31, 20240131, today, yesterday, 3 days ago"),
        ("2024-02-30", "is a day that the calendar does not have"),
        ("0204-01-01", "is not a date"),
        ("2024-0101", "is not a date"),
        ("2024W011", "is not a date"),
        ("२०२४-०१-०१", "is not a date"),
        ("2024/1/5", "; did you mean '2024-01-05'?"),
        ("2024-01-05T10:00:00Z", "; did you mean '2024-01-05'?"),
        ("yesterdy", "; did you mean 'yesterday'?"),
        ("3 days", "; did you mean '3 days ago'?"),
        ("12 weks ago", "; did you mean '12 weeks ago'?"),
        ("days ago", "; did you mean '3 days ago'?"),
    ],
)
def test_other_texts_are_no_dates(text, essential):
    with pytest.raises(ValueError, match="is ") as caught:
        parse_date(text, today=TODAY)
    assert essential in str(caught.value)


@pytest.mark.parametrize("text", ["05.01.2024", "2024/13/01", "soon", "x" * 1000])
def test_nothing_is_suggested_for_what_is_not_certain(text):
    with pytest.raises(ValueError, match="is not a date") as caught:
        parse_date(text, today=TODAY)
    assert "did you mean" not in str(caught.value)


@pytest.mark.parametrize("text", ["today", "3 days ago", "2024-1-5"])
def test_a_day_is_not_relative(text):
    with pytest.raises(ValueError, match="is not a day; allowed: 2024-01-31 or 20240131"):
        parse_day(text)


@given(st.dates(date(1000, 1, 1)))
def test_every_day_is_read_in_both_spellings(day):
    assert parse_day(day.isoformat()) == day
    assert parse_day(f"{day:%Y%m%d}") == day


@pytest.mark.parametrize(
    ("text", "age"),
    [
        ("7 days", timedelta(days=7)),
        ("1 day", timedelta(days=1)),
        ("7d", timedelta(days=7)),
        ("2 Weeks", timedelta(weeks=2)),
        ("2w", timedelta(weeks=2)),
        ("12 hours", timedelta(hours=12)),
        ("12h", timedelta(hours=12)),
        ("9999 weeks", timedelta(weeks=9999)),
        ("never", NEVER),
        ("NEVER ", NEVER),
    ],
)
def test_ages(text, age):
    assert parse_age(text) == age


@pytest.mark.parametrize(
    ("text", "suggestion"),
    [
        ("7 dyas", "; did you mean '7 days'?"),
        ("nevr", "; did you mean 'never'?"),
        ("7", ""),
        ("0 days", "; did you mean '3 days'?"),
        ("-1 days", ""),
        ("1 month", ""),
        ("99999 days", ""),
        ("", ""),
    ],
)
def test_other_texts_are_no_ages(text, suggestion):
    with pytest.raises(ValueError, match="is not an age; allowed: 12 hours, 7 days") as caught:
        parse_age(text)
    assert suggestion in str(caught.value)
