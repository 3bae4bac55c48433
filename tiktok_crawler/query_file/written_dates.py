"""Days and durations as people write them in query files and spider arguments.

What cannot be read raises ValueError with words that follow the text: what it is not, what is
allowed, and what was probably meant.
"""

from __future__ import annotations

import re
from calendar import monthrange
from contextlib import suppress
from datetime import date, timedelta
from typing import TYPE_CHECKING

from tiktok_crawler.spelling import did_you_mean, nearest

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

TIKTOK_BEGAN = date(2016, 9, 1)

NEVER = timedelta.max
"""The age that nothing reaches."""

_DAY = re.compile(r"([1-9][0-9]{3})(-?)([0-9]{2})\2([0-9]{2})")
_LOOSE_DAY = re.compile(r"([1-9][0-9]{3})[-/. ]([0-9]{1,2})[-/. ]([0-9]{1,2})(?:[T ].*)?")
_AGO = re.compile(r"([0-9]{1,4}) (day|week)s? ago")
_AGE = re.compile(r"([1-9][0-9]{0,3}) ?(h|hours?|d|days?|w|weeks?)")
_MOST = 9999
_LONG_AGE = re.compile(r"([1-9][0-9]{0,3}) ?(months?|y|years?)")

_DATE_FORMS = ("today", "yesterday", "{} days ago", "{} weeks ago")
_AGE_FORMS = ("never", "{} hours", "{} days", "{} weeks")

_RELATIVE = {"today": timedelta(0), "yesterday": timedelta(days=1)}
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}


def parse_day(text: str) -> date:
    """A day such as 2024-01-31 or 20240131.

    Raises:
        ValueError: the text is something else, or there is no such day.
    """
    if not (found := _DAY.fullmatch(text.strip())):
        raise ValueError(f"is not a day; allowed: 2024-01-31 or 20240131{_meant_day(text)}")
    year, _, month, day = found.groups()
    try:
        return date(int(year), int(month), int(day))
    except ValueError as exc:
        raise ValueError("is a day that the calendar does not have") from exc


def parse_date(text: str, *, today: date) -> date:
    """A day as in `parse_day`, or one relative to today: yesterday, 3 days ago, 2 weeks ago.

    Raises:
        ValueError: the text is something else, or there is no such day.
    """
    words = " ".join(text.lower().split())
    if words in _RELATIVE:
        return today - _RELATIVE[words]
    if found := _AGO.fullmatch(words):
        return today - int(found[1]) * _UNITS[found[2][0]]
    if _DAY.fullmatch(words):
        return parse_day(words)
    raise ValueError(
        "is not a date; allowed: 2024-01-31, 20240131, today, yesterday, 3 days ago or 2 weeks ago"
        f"{_meant_day(text) or _meant(words, _DATE_FORMS)}"
    )


def parse_age(text: str) -> timedelta:
    """A duration such as 12 hours, 7 days, 7d or 2 weeks, or never, which gives NEVER.

    Raises:
        ValueError: the text is something else.
    """
    words = " ".join(text.lower().split())
    if words == "never":
        return NEVER
    if found := _AGE.fullmatch(words):
        return int(found[1]) * _UNITS[found[2][0]]
    raise ValueError(
        f"is not an age; allowed: 12 hours, 7 days, 7d, 2 weeks or never{_meant(words, _AGE_FORMS)}"
    )


def age_as_written(age: timedelta) -> str:
    """Write an age that `parse_age` has read as it can stand in a query file: 36 hours, 1000 days.

    Tables and archives have it so, where `parse_age` reads it again; people are shown the same,
    as they can write it themselves; `1,000 days`, which no query file can say, is for neither.

    Raises:
        ValueError: the age is one that no query file can say.
    """
    if age == NEVER:
        return "never"
    for word in ("day", "week", "hour"):
        count, rest = divmod(age, _UNITS[word[0]])
        if not rest and count <= _MOST:
            return f"{count} {word}" if count == 1 else f"{count} {word}s"
    raise ValueError("is not an age that can be written")


def parse_time_ago(text: str, *, now: datetime) -> datetime:
    """Return the time before which something is older than an age, such as 2 years or 90 days.

    Raises:
        ValueError: the text is no age, or there is no such time.
    """
    words = " ".join(text.lower().split())
    if not (found := _LONG_AGE.fullmatch(words)):
        with suppress(ValueError):
            if (age := parse_age(text)) != NEVER:
                return now - age
        raise ValueError("is not an age; allowed: 90 days, 6 months, 2 years")
    months = int(found[1]) * (12 if found[2].startswith("y") else 1)
    year, month = divmod(now.year * 12 + now.month - 1 - months, 12)
    if year < 1:
        raise ValueError("is longer ago than there are dates")
    day = min(now.day, monthrange(year, month + 1)[1])
    return now.replace(year=year, month=month + 1, day=day)


def _meant_day(text: str) -> str:
    """Suggest the day meant by one with other signs or fewer digits; only if the year is first."""
    if not (found := _LOOSE_DAY.fullmatch(text.strip())):
        return ""
    year, month, day = (int(number) for number in found.groups())
    try:
        return did_you_mean([date(year, month, day).isoformat()])
    except ValueError:
        return ""


def _meant(words: str, forms: Sequence[str]) -> str:
    """Suggest which of the allowed forms was meant by words, perhaps with a number among them."""
    number = re.search(r"\b[1-9][0-9]{0,3}\b", words)
    spelled = [form.format(number[0] if number else "3") for form in forms]
    return did_you_mean(nearest(words, spelled))
