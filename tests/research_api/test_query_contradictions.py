from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiktok_crawler.research_api.contradictions import contradictory_fields
from tiktok_crawler.research_api.query import Condition, Query

Parts = list[tuple[str, str, list[str]]]


def query(and_: Parts = (), or_: Parts = (), not_: Parts = ()) -> Query:
    groups = ([Condition(f, o, tuple(v)) for f, o, v in group] for group in (and_, or_, not_))
    return Query(*map(tuple, groups))


@pytest.mark.parametrize(
    "conditions",
    [
        [("comment_count", "IN", ["1", "2"]), ("comment_count", "GT", ["2"])],
        [("create_date", "GT", ["20240131"]), ("create_date", "LT", ["20240201"])],
        [("region_code", "EQ", ["US"]), ("region_code", "EQ", ["FR"])],
        [("username", "IN", ["a", "b"]), ("username", "EQ", ["c"])],
        [("video_length", "EQ", ["MID"]), ("video_length", "EQ", ["LONG"])],
    ],
)
def test_conditions_that_cannot_hold_together(conditions):
    assert contradictory_fields(query(conditions)) == [conditions[0][0]]


@pytest.mark.parametrize(
    "conditions",
    [
        [("create_date", "GTE", ["20240229"]), ("create_date", "LT", ["20240301"])],
        [("hashtag_name", "EQ", ["a"]), ("hashtag_name", "EQ", ["b"])],
        [("keyword", "EQ", ["a"]), ("keyword", "EQ", ["b"])],
        [("effect_id", "EQ", ["1"]), ("effect_id", "EQ", ["2"])],
        [("region_code", "IN", ["US", "FR"]), ("region_code", "EQ", ["FR"])],
    ],
)
def test_conditions_that_can_hold_together(conditions):
    assert contradictory_fields(query(conditions)) == []


@pytest.mark.parametrize(
    ("required", "excluded", "is_possible"),
    [
        (("hashtag_name", "EQ", ["a"]), ("hashtag_name", "IN", ["a", "b"]), False),
        (("hashtag_name", "IN", ["a", "b"]), ("hashtag_name", "EQ", ["a"]), True),
        (("region_code", "EQ", ["US"]), ("region_code", "EQ", ["US"]), False),
        (("region_code", "EQ", ["US"]), ("region_code", "EQ", ["FR"]), True),
    ],
)
def test_what_is_excluded_cannot_be_required(required, excluded, is_possible):
    assert contradictory_fields(query([required], not_=[excluded])) == (
        [] if is_possible else [required[0]]
    )


def test_alternatives_must_not_all_be_excluded():
    both = [("hashtag_name", "EQ", ["a"]), ("keyword", "EQ", ["a"])]
    assert contradictory_fields(query(or_=both, not_=both)) == ["hashtag_name"]
    assert contradictory_fields(query(or_=both, not_=both[:1])) == []
    comparison = [("view_count", "GT", ["1"])]
    assert contradictory_fields(query(or_=comparison, not_=[("view_count", "EQ", ["1"])])) == []


counts = st.integers(0, 6).map(str)
comparisons = st.tuples(
    st.just("view_count"),
    st.sampled_from(["EQ", "GT", "GTE", "LT", "LTE"]),
    counts.map(lambda n: [n]),
) | st.tuples(st.just("view_count"), st.just("IN"), st.lists(counts, min_size=1))
HOLDS = {
    "EQ": lambda n, values: n in values,
    "IN": lambda n, values: n in values,
    "GT": lambda n, values: n > values[0],
    "GTE": lambda n, values: n >= values[0],
    "LT": lambda n, values: n < values[0],
    "LTE": lambda n, values: n <= values[0],
}


@given(st.lists(comparisons, max_size=4), st.lists(comparisons, max_size=4))
def test_counts_agree_with_trying_every_number(required, excluded):
    def holds(condition, number):
        return HOLDS[condition[1]](number, [int(value) for value in condition[2]])

    is_possible = any(
        all(holds(c, n) for c in required) and not any(holds(c, n) for c in excluded)
        for n in range(9)
    )
    assert contradictory_fields(query(required, not_=excluded)) == (
        [] if is_possible else ["view_count"]
    )
