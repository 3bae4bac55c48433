"""Conditions that the API takes (api_facts.md 3.3): what is wrong with one, without its place."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import TYPE_CHECKING, Literal

from tiktok_crawler.research_api.query import Field, Operation
from tiktok_crawler.research_api.regions import REGION_CODES, USUAL_SLIPS
from tiktok_crawler.spelling import did_you_mean, listed, nearest, quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

VIDEO_LENGTHS = {
    "SHORT": "under 15 seconds",
    "MID": "15 to 60 seconds",
    "LONG": "1 to 5 minutes",
    "EXTRA_LONG": "over 5 minutes",
}

_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_NOT_IN_NAMES = re.compile(r"[\s,#@]")
_ID = re.compile(r"[0-9]{1,19}")
_ROUNDED_ID = re.compile(r"[0-9]([.,][0-9]+)?E\+?[0-9]{2}", re.IGNORECASE)
_COUNT = re.compile(r"0|[1-9][0-9]{0,18}")
_GROUPED_DIGITS = re.compile(r"[0-9]{1,3}(?:[ ,._'][0-9]{3})+|0+[0-9]+")
_TWO_LETTERS = re.compile(r"[A-Z]{2}")
_DAY = re.compile(r"[0-9]{8}")
_SEPARATED_DAY = re.compile(r"([1-9][0-9]{3})[-/. ]([0-9]{1,2})[-/. ]([0-9]{1,2})")

Part = Literal["field_name", "operation", "field_values"]


@dataclass(frozen=True, slots=True)
class Problem:
    """A mistake in one part of a condition.

    `index` says with which value, if it is one; the words then follow that value.
    """

    part: Part
    words: str
    index: int | None = None


def condition_problems(
    field_name: str, operation: str, field_values: Sequence[str]
) -> Iterator[Problem]:
    """Everything that is wrong with a condition; nothing if the API would take it."""
    field = Field(field_name) if field_name in set(Field) else None
    if field is None:
        yield Problem("field_name", _not_one_of(field_name, "a field", tuple(Field)))
    if operation not in set(Operation):
        yield Problem("operation", _not_one_of(operation, "an operation", tuple(Operation)))
    elif field is not None and operation not in field.operations:
        yield Problem("operation", _not_for(field, operation))
    if words := _number_problem(operation, field_values):
        yield Problem("field_values", words)
    for index, value in enumerate(field_values if field is not None else ()):
        if field is not None and (words := value_problem(field, value)):
            yield Problem("field_values", words, index)


def value_problem(field: Field, value: str) -> str | None:
    """Say what keeps the API from taking this value, in words that follow the value."""
    return text_problem(value) or _VALUE_RULES[field](value)


def text_problem(text: str) -> str | None:
    """Say what keeps a text from being a value of anything, in words that follow the text."""
    if not text.strip():
        return "is empty"
    if found := _UNPRINTABLE.search(text):
        return f"holds the unprintable character {found[0]!r}"
    return None


def _not_one_of(word: str, what: str, known: Sequence[str]) -> str:
    meant = did_you_mean(nearest(word, known))
    return f"{quoted(word)} is not {what} of the API; allowed: {', '.join(known)}{meant}"


def _not_for(field: Field, operation: str) -> str:
    return f"{operation} cannot be used with {field}, only {listed(field.operations)}"


def _number_problem(operation: str, values: Sequence[str]) -> str | None:
    if not values:
        return "has no value"
    distinct = len(set(values))
    if operation == Operation.IN or operation not in set(Operation) or distinct == 1:
        return None
    instead = "; use IN for several" if operation == Operation.EQ else ""
    return f"{operation} takes one value, found {distinct}{instead}"


def _region_problem(value: str) -> str | None:
    if value in REGION_CODES:
        return None
    return (
        "is not a region code that the API knows; allowed: its 245 codes of two capital letters, "
        f"such as FR, JP or US{did_you_mean(_meant_regions(value.upper()))}"
    )


def _meant_regions(code: str) -> list[str]:
    if code in REGION_CODES:
        return [code]
    if code in USUAL_SLIPS:
        return [USUAL_SLIPS[code]]
    if not _TWO_LETTERS.fullmatch(code):
        return []
    return sorted(known for known in REGION_CODES if known.startswith(code[0]))


def _name_problem(value: str, *, what: str, sign: str) -> str | None:
    if not _NOT_IN_NAMES.search(value):
        return None
    bare = value.strip(f"{sign}, ")
    suggestions = [] if not bare or _NOT_IN_NAMES.search(bare) else [bare]
    return (
        f"is not one {what}: written without {sign}, blanks and commas{did_you_mean(suggestions)}"
    )


def _id_problem(value: str) -> str | None:
    if _ID.fullmatch(value):
        return None
    return f"is not an id: at most 19 digits and nothing else{rounded_id_hint(value)}"


def rounded_id_hint(value: str) -> str:
    """The end of a message about an id: what happened to one such as 7.31848E+18."""
    if not _ROUNDED_ID.fullmatch(value):
        return ""
    return "; a spreadsheet has rounded it: format the column of ids as text before they come in"


def _count_problem(value: str) -> str | None:
    if _COUNT.fullmatch(value):
        return None
    digits = re.sub(r"[^0-9]", "", value).lstrip("0") or "0"
    meant = did_you_mean([digits] if _GROUPED_DIGITS.fullmatch(value) else [])
    return f"is not a whole number such as 1000: digits and nothing else{meant}"


def _day_problem(value: str) -> str | None:
    if _DAY.fullmatch(value) and _is_day(value):
        return None
    found = _SEPARATED_DAY.fullmatch(value)
    digits = "".join(number.zfill(2) for number in found.groups()) if found else ""
    return f"is not a day such as 20240131{did_you_mean([digits] if _is_day(digits) else [])}"


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _length_problem(value: str) -> str | None:
    if value in VIDEO_LENGTHS:
        return None
    allowed = ", ".join(f"{name} ({meaning})" for name, meaning in VIDEO_LENGTHS.items())
    meant = did_you_mean(nearest(value, VIDEO_LENGTHS))
    return f"is not a video length; allowed: {allowed}{meant}"


def _no_problem(_value: str) -> None:
    return None


_VALUE_RULES: dict[Field, Callable[[str], str | None]] = {
    Field.CREATE_DATE: _day_problem,
    Field.USERNAME: partial(_name_problem, what="username", sign="@"),
    Field.REGION_CODE: _region_problem,
    Field.VIDEO_ID: _id_problem,
    Field.HASHTAG_NAME: partial(_name_problem, what="hashtag", sign="#"),
    Field.KEYWORD: _no_problem,
    Field.MUSIC_ID: _id_problem,
    Field.EFFECT_ID: _id_problem,
    Field.VIDEO_LENGTH: _length_problem,
    Field.VIEW_COUNT: _count_problem,
    Field.COMMENT_COUNT: _count_problem,
}
