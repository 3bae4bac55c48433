"""Which values of a query are looked for in videos, and which are then said to be missing."""

from __future__ import annotations

import pytest

from tiktok_crawler.planning.query_values import (
    ANY,
    LONGEST_VALUE,
    SoughtValues,
    length_classes,
    listed_values,
    named_values,
    unseen_values,
)
from tiktok_crawler.research_api.query import Condition, Field, Query

TAGS = Condition("hashtag_name", "IN", ("butter", "electons"))
BUTTER = Condition("hashtag_name", "EQ", ("butter",))
TOO_LONG = "b" * (LONGEST_VALUE + 1)
REGIONS = Condition("region_code", "IN", ("FR", "US"))
FIELDS = ("id", "hashtag_names", "region_code", "video_description")


def found(query, **shown):
    return SoughtValues(query).found(lambda field: shown.get(field.value, ()))


def unseen(query, found, *searched):
    return list(unseen_values(query, found, searched or (FIELDS,)))


@pytest.mark.parametrize(
    ("query", "values"),
    [
        (Query((TAGS,)), {"hashtag_name": ["butter", "electons"]}),
        (
            Query((Condition("hashtag_name", "EQ", ("butter",)), REGIONS)),
            {"region_code": ["FR", "US"]},
        ),
        (
            Query(
                or_=(Condition("hashtag_name", "EQ", ("a",)), Condition("keyword", "EQ", ("b",)))
            ),
            {"hashtag_name": ["a"], "keyword": ["b"]},
        ),
        (Query(or_=(Condition("hashtag_name", "EQ", ("a",)),)), {}),
        (
            Query(
                (Condition("hashtag_name", "EQ", ("a",)), Condition("hashtag_name", "EQ", ("b",)))
            ),
            {},
        ),
        (Query((), (), (TAGS,)), {}),
        (
            Query(
                (TAGS, Condition("create_date", "IN", ("20240101", "20240102"))),
                (Condition("view_count", "GTE", ("10",)), Condition("view_count", "LT", ("5",))),
            ),
            {"hashtag_name": ["butter", "electons"]},
        ),
        (
            Query((Condition("keyword", "IN", ("a", "b" * (LONGEST_VALUE + 1))),)),
            {"keyword": ["a"]},
        ),
    ],
)
def test_values_for_which_others_can_stand_in_are_looked_for(query, values):
    assert listed_values(query) == values


def test_all_values_that_videos_show_are_named():
    query = Query((Condition("hashtag_name", "EQ", ("a",)), REGIONS), (), (TAGS,))

    assert list(named_values(query)) == [
        ("hashtag_name", "a"),
        ("region_code", "FR"),
        ("region_code", "US"),
    ]


@pytest.mark.parametrize(
    ("field", "values", "shown", "expected"),
    [
        ("hashtag_name", ("Butter", "tea"), ["BUTTER", "butterfly"], {"Butter"}),
        ("hashtag_name", ("été", "ete"), ["E\u0301te\u0301"], {"été"}),
        ("hashtag_name", ("butter", "Butter"), ["butter"], {"butter", "Butter"}),
        ("region_code", ("FR", "US"), ["FR", "fr"], {"FR"}),
        ("keyword", ("green tea", "black tea"), ["Tea, green!", "black milk"], {"green tea"}),
        ("keyword", ("パン", "犬"), ["今日のパンとバター"], {"パン"}),
        ("video_id", ("1", "12"), ["12"], {"12"}),
    ],
)
def test_values_are_found_whatever_their_case(field, values, shown, expected):
    query = Query((Condition(field, "IN", values),))

    assert found(query, **{field: shown}) == {(field, value) for value in {ANY, *expected}}


def test_nothing_is_found_where_nothing_is_shown():
    assert found(Query((TAGS, REGIONS))) == set()


def test_what_is_remembered_is_not_looked_for_again():
    sought = SoughtValues(Query((TAGS, REGIONS)))
    sought.remember([("hashtag_name", value) for value in (ANY, "butter", "electons")])
    asked = []
    assert sought.found(lambda field: asked.append(field) or ["FR"]) == {
        ("region_code", ANY),
        ("region_code", "FR"),
    }
    assert asked == [Field.REGION_CODE]
    assert sought

    sought.remember([("region_code", value) for value in (ANY, "FR", "US")])
    assert not sought
    assert not SoughtValues(Query((Condition("region_code", "EQ", ("FR",)),)))


def test_a_value_that_was_not_found_is_unseen():
    query = Query((TAGS, REGIONS))
    known = {("hashtag_name", ANY), ("hashtag_name", "butter"), ("region_code", ANY)}

    assert unseen(query, known) == [
        ("hashtag_name", "electons"),
        ("region_code", "FR"),
        ("region_code", "US"),
    ]


def test_nothing_is_said_of_a_field_that_the_api_never_delivered():
    assert unseen(Query((TAGS,)), set()) == []


def test_nothing_is_said_of_a_field_that_was_not_always_asked_for():
    known = {("hashtag_name", ANY), ("hashtag_name", "butter")}

    assert unseen(Query((TAGS,)), known, FIELDS, ("id",)) == []
    assert unseen(Query((TAGS,)), known, FIELDS, ("id", "hashtag_info_list")) == [
        ("hashtag_name", "electons")
    ]


@pytest.mark.parametrize(
    ("seconds", "classes"),
    [
        (0, ["SHORT"]),
        (15, ["SHORT", "MID"]),
        (59, ["MID"]),
        (60, ["MID", "LONG"]),
        (300, ["LONG", "EXTRA_LONG"]),
        (4000, ["EXTRA_LONG"]),
        (-1, []),
    ],
)
def test_a_length_at_the_end_of_a_class_may_be_in_both(seconds, classes):
    assert length_classes(seconds) == classes
