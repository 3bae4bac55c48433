"""Puts a query in words: `videos from DE or AT with #cheese or #butter, AND the keyword bread`."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from tiktok_crawler.research_api.query import Field, Operation
from tiktok_crawler.spelling import listed, shortened

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tiktok_crawler.research_api.query import Condition, Query, Sample

LISTED_VALUES = 10

_VALUES = {
    Field.REGION_CODE: "from {}",
    Field.USERNAME: "by {}",
    Field.HASHTAG_NAME: "{}",
    Field.KEYWORD: "the keyword {}",
    Field.VIDEO_ID: "the id {}",
    Field.MUSIC_ID: "the music {}",
    Field.EFFECT_ID: "the effect {}",
    Field.VIDEO_LENGTH: "the length {}",
    Field.CREATE_DATE: "the date {}",
    Field.VIEW_COUNT: "{} views",
    Field.COMMENT_COUNT: "{} comments",
}
_DELETED = {
    Field.USERNAME: "by persons who were deleted",
    Field.VIDEO_ID: "the ids of videos that were deleted",
}
_SIGNS = {Field.HASHTAG_NAME: "#", Field.USERNAME: "@"}
_BOUNDS = {
    Operation.GT: "more than",
    Operation.GTE: "at least",
    Operation.LT: "less than",
    Operation.LTE: "at most",
}
_DATE_BOUNDS = {
    Operation.GT: "after",
    Operation.GTE: "from",
    Operation.LT: "before",
    Operation.LTE: "up to",
}
_WHERE_FROM = (Field.REGION_CODE, Field.USERNAME)
"""What is said of videos before what they have."""

EITHER = (Field.HASHTAG_NAME, Field.KEYWORD)
"""The kinds of conditions of which one can be enough: `either` in query files."""


def in_words(query: Query) -> str:
    """Say which videos a query finds."""
    wheres = [_condition(each) for each in query.and_ if each.field_name in _WHERE_FROM]
    haves = [_condition(each) for each in query.and_ if each.field_name not in _WHERE_FROM]
    if query.or_:
        choice = " OR ".join(map(_condition, query.or_))
        haves.append(f"at least one of: {choice}" if len(query.or_) > 1 else choice)
    words = " ".join([*_drawn(query.sample), "videos", *_joined_places(wheres)])
    if haves:
        words += f" with {', AND '.join(haves)}"
    return words + "".join(f", NOT {_condition(each)}" for each in query.not_)


def _drawn(sample: Sample | None) -> Iterable[str]:
    """Say that some of the videos are drawn."""
    if sample:
        draw = f" (draw {sample.draw})" if sample.draw > 1 else ""
        yield f"a random sample of at most {sample.per_day} a day{draw} of"


def joins_two_kinds(query: Query) -> bool:
    """Tell whether a video needs a hashtag as well as a keyword: one of them may be meant."""
    return len({each.field_name for each in query.and_} & set(EITHER)) > 1


def _joined_places(wheres: list[str]) -> Iterable[str]:
    """Several conditions of where videos are from hold together, as all others do."""
    return [", AND ".join(wheres)] if wheres else []


def _condition(condition: Condition) -> str:
    field = Field(condition.field_name)
    if condition.is_of_nobody:
        return _DELETED[field]
    values = [_value(field, value) for value in condition.field_values[:LISTED_VALUES]]
    more = len(condition.field_values) - LISTED_VALUES
    text = listed([*values, f"{more:,} more"] if more > 0 else values)
    bounds = _DATE_BOUNDS if field is Field.CREATE_DATE else _BOUNDS
    if condition.operation not in bounds:
        return _VALUES[field].format(text)
    bound = f"{bounds[Operation(condition.operation)]} {text}"
    return f"a date {bound}" if field is Field.CREATE_DATE else _VALUES[field].format(bound)


def _value(field: Field, value: str) -> str:
    if field is Field.CREATE_DATE:
        return f"{date.fromisoformat(value)}"
    if field in (Field.VIEW_COUNT, Field.COMMENT_COUNT):
        return f"{int(value):,}"
    return f"{_SIGNS.get(field, '')}{shortened(value)}"
