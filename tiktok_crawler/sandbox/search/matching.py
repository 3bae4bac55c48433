"""Finds the videos of a query: a query becomes a test of videos (api_facts.md 3.3)."""

from __future__ import annotations

from bisect import bisect_right
from datetime import date
from operator import attrgetter, eq, ge, gt, le, lt
from typing import TYPE_CHECKING, Any

from tiktok_crawler.sandbox.search.conditions import (
    VIDEO_LENGTHS,
    SandboxCondition,
    SandboxQuery,
    parse_date,
)
from tiktok_crawler.sandbox.world.corpus import DAY_SECONDS, SandboxVideo

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable

    Test = Callable[[SandboxVideo], bool]
    MakeTest = Callable[[SandboxCondition], Test]

_LENGTH_LIMITS = (15, 61, 301)
"""Seconds at which a video belongs to the next of VIDEO_LENGTHS."""

_PUNCTUATION = "#@.,:;!?…\"'()"
_EPOCH = date(1970, 1, 1).toordinal()


def test_of(query: SandboxQuery, keyword_forms: Container[str]) -> Test:
    """A function that tells whether the query finds a video.

    Conditions about keywords in other forms than `keyword_forms` hold for none.
    """

    def condition_test(condition: SandboxCondition) -> Test:
        if condition.field_name == "keyword" and condition.operation not in keyword_forms:
            return _never
        return _TESTS[condition.field_name](condition)

    all_of = [condition_test(each) for each in query.all_of]
    any_of = [condition_test(each) for each in query.any_of]
    none_of = [condition_test(each) for each in query.none_of]

    def matches(video: SandboxVideo) -> bool:
        return (
            all(test(video) for test in all_of)
            and (not any_of or any(test(video) for test in any_of))
            and not any(test(video) for test in none_of)
        )

    return matches


def _never(_video: SandboxVideo) -> bool:
    return False


def _is_one_of(read: Callable[[str], Any], value_of: Callable[[SandboxVideo], Any]) -> MakeTest:
    """The tests whether a video's value is among those of a condition, as `read` reads them."""

    def test(condition: SandboxCondition) -> Test:
        wanted = frozenset(map(read, condition.field_values))
        return lambda video: value_of(video) in wanted

    return test


def _has_one_of(
    read: Callable[[str], str], values_of: Callable[[SandboxVideo], Iterable[str]]
) -> MakeTest:
    """The tests whether one of a video's values is among those of a condition."""

    def test(condition: SandboxCondition) -> Test:
        wanted = frozenset(map(read, condition.field_values))
        return lambda video: not wanted.isdisjoint(values_of(video))

    return test


def _compares(read: Callable[[str], int], value_of: Callable[[SandboxVideo], int]) -> MakeTest:
    """The tests whether a video's number stands in the relation of a condition to its values."""

    def test(condition: SandboxCondition) -> Test:
        compare = _comparison(condition.operation, list(map(read, condition.field_values)))
        return lambda video: compare(value_of(video))

    return test


def _comparison(operation: str, values: list[int]) -> Callable[[int], bool]:
    if operation == "IN":
        return frozenset(values).__contains__
    compare = {"EQ": eq, "GT": gt, "GTE": ge, "LT": lt, "LTE": le}[operation]
    return lambda number: bool(compare(number, values[0]))


def _keyword(condition: SandboxCondition) -> Test:
    """Approximate, and about the description alone: all words of one of the values are in it."""
    wanted = [_words(value) for value in condition.field_values]

    def matches(video: SandboxVideo) -> bool:
        words = _words(video.video_description)
        return any(value <= words for value in wanted)

    return matches


def _words(text: str) -> frozenset[str]:
    return frozenset(word.strip(_PUNCTUATION) or word for word in text.casefold().split())


def _length(video: SandboxVideo) -> str:
    return VIDEO_LENGTHS[bisect_right(_LENGTH_LIMITS, video.video_duration)]


def _day(value: str) -> int:
    return parse_date(value).toordinal() - _EPOCH


_TESTS: dict[str, MakeTest] = {
    # About the UTC day of `create_time`
    "create_date": _compares(_day, lambda video: video.create_time // DAY_SECONDS),
    "username": _is_one_of(str.lower, lambda video: video.account.username),
    "region_code": _is_one_of(str, lambda video: video.account.region_code),
    "video_id": _is_one_of(int, attrgetter("id")),
    "hashtag_name": _has_one_of(str.lower, attrgetter("hashtag_names")),
    "keyword": _keyword,
    "music_id": _is_one_of(int, attrgetter("music_id")),
    "effect_id": _has_one_of(str, attrgetter("effect_ids")),
    "video_length": _is_one_of(str, _length),
    "view_count": _compares(int, attrgetter("view_count")),
    "comment_count": _compares(int, attrgetter("comment_count")),
}
