"""Finds the videos of a query: a query becomes a test of videos (api_facts.md 3.3)."""

from __future__ import annotations

from bisect import bisect_right
from datetime import date
from operator import eq, ge, gt, le, lt
from typing import TYPE_CHECKING

from tiktok_crawler.sandbox.search.conditions import (
    VIDEO_LENGTHS,
    SandboxCondition,
    SandboxQuery,
    parse_date,
)
from tiktok_crawler.sandbox.world.corpus import DAY_SECONDS, SandboxVideo

if TYPE_CHECKING:
    from collections.abc import Callable

    Test = Callable[[SandboxVideo], bool]

_LENGTH_LIMITS = (15, 61, 301)
"""Seconds at which a video belongs to the next of VIDEO_LENGTHS."""

_PUNCTUATION = "#@.,:;!?…\"'()"
_EPOCH = date(1970, 1, 1).toordinal()


def test_of(query: SandboxQuery) -> Test:
    """A function that tells whether the query finds a video."""
    all_of = [_condition_test(each) for each in query.all_of]
    any_of = [_condition_test(each) for each in query.any_of]
    none_of = [_condition_test(each) for each in query.none_of]

    def matches(video: SandboxVideo) -> bool:
        return (
            all(test(video) for test in all_of)
            and (not any_of or any(test(video) for test in any_of))
            and not any(test(video) for test in none_of)
        )

    return matches


def _condition_test(condition: SandboxCondition) -> Test:
    return _TESTS[condition.field_name](condition)


def _lower(condition: SandboxCondition) -> frozenset[str]:
    return frozenset(value.lower() for value in condition.field_values)


def _numbers(condition: SandboxCondition) -> frozenset[int]:
    return frozenset(int(value) for value in condition.field_values)


def _username(condition: SandboxCondition) -> Test:
    wanted = _lower(condition)
    return lambda video: video.account.username in wanted


def _region_code(condition: SandboxCondition) -> Test:
    wanted = frozenset(condition.field_values)
    return lambda video: video.account.region_code in wanted


def _hashtag_name(condition: SandboxCondition) -> Test:
    wanted = _lower(condition)
    return lambda video: not wanted.isdisjoint(video.hashtag_names)


def _video_id(condition: SandboxCondition) -> Test:
    wanted = _numbers(condition)
    return lambda video: video.id in wanted


def _music_id(condition: SandboxCondition) -> Test:
    wanted = _numbers(condition)
    return lambda video: video.music_id in wanted


def _effect_id(condition: SandboxCondition) -> Test:
    wanted = frozenset(condition.field_values)
    return lambda video: not wanted.isdisjoint(video.effect_ids)


def _video_length(condition: SandboxCondition) -> Test:
    wanted = frozenset(condition.field_values)
    return lambda video: VIDEO_LENGTHS[bisect_right(_LENGTH_LIMITS, video.video_duration)] in wanted


def _keyword(condition: SandboxCondition) -> Test:
    """Approximate, and about the description alone: all words of one of the values are in it."""
    wanted = [_words(value) for value in condition.field_values]

    def matches(video: SandboxVideo) -> bool:
        words = _words(video.video_description)
        return any(value <= words for value in wanted)

    return matches


def _words(text: str) -> frozenset[str]:
    return frozenset(word.strip(_PUNCTUATION) or word for word in text.casefold().split())


def _create_date(condition: SandboxCondition) -> Test:
    """About the UTC day of `create_time`."""
    compare = _comparison(
        condition.operation,
        [parse_date(value).toordinal() - _EPOCH for value in condition.field_values],
    )
    return lambda video: compare(video.create_time // DAY_SECONDS)


def _view_count(condition: SandboxCondition) -> Test:
    compare = _comparison(condition.operation, [int(v) for v in condition.field_values])
    return lambda video: compare(video.view_count)


def _comment_count(condition: SandboxCondition) -> Test:
    compare = _comparison(condition.operation, [int(v) for v in condition.field_values])
    return lambda video: compare(video.comment_count)


def _comparison(operation: str, values: list[int]) -> Callable[[int], bool]:
    if operation == "IN":
        return frozenset(values).__contains__
    compare = {"EQ": eq, "GT": gt, "GTE": ge, "LT": lt, "LTE": le}[operation]
    return lambda number: bool(compare(number, values[0]))


_TESTS: dict[str, Callable[[SandboxCondition], Test]] = {
    "create_date": _create_date,
    "username": _username,
    "region_code": _region_code,
    "video_id": _video_id,
    "hashtag_name": _hashtag_name,
    "keyword": _keyword,
    "music_id": _music_id,
    "effect_id": _effect_id,
    "video_length": _video_length,
    "view_count": _view_count,
    "comment_count": _comment_count,
}
