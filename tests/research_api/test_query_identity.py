from __future__ import annotations

import json
from hashlib import sha256

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tiktok_crawler.research_api.query import Condition, Field, Operation, Query

REGIONS = Condition(Field.REGION_CODE, Operation.IN, ("US", "JP"))
NOT_ADS = Condition(Field.HASHTAG_NAME, Operation.EQ, ("ad",))

texts = st.text(
    st.characters(exclude_categories=("Cc", "Cs")) | st.sampled_from("äßİ한🧈,\"'"), min_size=1
)
conditions = st.builds(
    Condition,
    st.sampled_from([field.value for field in Field]),
    st.just("IN"),
    st.lists(texts, min_size=1, max_size=5).map(tuple),
)
groups = st.lists(conditions, max_size=4)


def shuffled(conditions_: list[Condition], random) -> tuple[Condition, ...]:
    """The same conditions in another order, some of them twice, their values likewise."""
    again = [
        Condition(c.field_name, "IN", tuple(random.sample(c.field_values, len(c.field_values))) * 2)
        for c in conditions_ + conditions_[:2]
    ]
    random.shuffle(again)
    return tuple(again)


def test_the_canonical_form_is_sorted_json_without_blanks():
    query = Query(and_=(REGIONS,), not_=(NOT_ADS,))
    assert query.canonical() == (
        '{"and":[{"field_name":"region_code","field_values":["JP","US"],"operation":"IN"}],'
        '"not":[{"field_name":"hashtag_name","field_values":["ad"],"operation":"EQ"}]}'
    )


def test_the_fingerprint_is_the_sha_256_of_the_canonical_form_in_utf_8():
    query = Query(and_=(Condition("keyword", "EQ", ("Käse 🧀",)),))
    assert "Käse 🧀" in query.canonical()
    assert query.fingerprint == sha256(query.canonical().encode("utf-8")).hexdigest()


def test_in_with_one_value_is_eq():
    assert Condition("keyword", "IN", ("a", "a")) == Condition("keyword", "EQ", ("a",))


def test_a_single_keyword_is_sent_in_either_form_and_stays_the_same_query():
    query = Query((Condition("keyword", "EQ", ("a",)), REGIONS), not_=(NOT_ADS,))
    before = query.canonical()
    for form in (Operation.IN, Operation.EQ):
        sent = query.sent(form)
        assert sent["and"][0] == {
            "field_name": "keyword",
            "field_values": ["a"],
            "operation": form.value,
        }
        assert (sent["and"][1:], sent["not"]) == (query.to_json()["and"][1:], [NOT_ADS.to_json()])
        assert Query.from_json(sent) == query
    assert query.canonical() == before


def test_several_keywords_are_always_sent_as_in():
    query = Query((Condition("keyword", "IN", ("a", "b")),))
    assert query.sent(Operation.EQ) == query.sent(Operation.IN) == query.to_json()


@given(groups, groups, groups)
def test_what_is_sent_is_the_query(and_, or_, not_):
    query = Query(tuple(and_), tuple(or_), tuple(not_))
    assume(not any(each.is_of_nobody for each in (*and_, *or_, *not_)))
    assert all(Query.from_json(query.sent(form)) == query for form in (Operation.IN, Operation.EQ))


@pytest.mark.parametrize(
    ("conditions", "has_choice"),
    [
        ([("keyword", "a")], True),
        ([("keyword", "a"), ("keyword", "b"), ("region_code", "FR", "US")], True),
        ([("keyword", "a", "b")], False),
        ([("keyword", "a"), ("keyword", "b", "c")], False),
        ([("hashtag_name", "a")], False),
        ([], False),
    ],
)
def test_there_is_a_choice_if_every_condition_on_keywords_has_one_value(conditions, has_choice):
    made = tuple(Condition(name, "IN", values) for name, *values in conditions)
    assert Query(made).has_keyword_forms is has_choice
    assert Query(made[:1], made[1:]).has_keyword_forms is has_choice
    assert Query(made[:1], not_=made[1:]).has_keyword_forms is has_choice
    assert Query(or_=made).has_keyword_forms is has_choice


def test_there_is_no_choice_where_a_form_that_finds_nothing_would_find_more():
    keyword, tea = Condition("keyword", "EQ", ("a",)), Condition("hashtag_name", "EQ", ("tea",))
    assert not Query((tea,), not_=(keyword,)).has_keyword_forms
    assert not Query(or_=(tea, keyword), not_=(keyword,)).has_keyword_forms
    assert Query((tea, keyword), not_=(keyword,)).has_keyword_forms


DELETED = Condition("username", "EQ", ("deleted:",)), Condition("video_id", "EQ", ("1",))


@pytest.mark.parametrize("deleted", DELETED)
def test_what_is_about_deleted_ones_alone_is_not_sent_beside_others(deleted):
    query = Query((REGIONS,), (NOT_ADS, deleted), (deleted,))
    assert query.sent(Operation.EQ) == Query((REGIONS,), (NOT_ADS,)).sent(Operation.EQ)
    assert not query.asks_for_nobody


@pytest.mark.parametrize("deleted", DELETED)
def test_a_query_of_deleted_ones_alone_asks_for_nobody(deleted):
    assert Query((deleted, REGIONS)).asks_for_nobody
    assert Query((REGIONS,), (deleted,)).asks_for_nobody
    assert not Query((REGIONS,), not_=(deleted,)).asks_for_nobody
    assert not Query((REGIONS,)).asks_for_nobody


def test_values_are_sorted_as_text_without_repeats():
    condition = Condition("view_count", "IN", ("9", "10", "9"))
    assert condition.field_values == ("10", "9")


def test_the_same_values_in_different_groups_are_different_queries():
    fingerprints = {Query(**{group: (NOT_ADS,)}).fingerprint for group in ("and_", "or_", "not_")}
    assert len(fingerprints) == 3


def test_empty_groups_are_not_sent():
    assert Query(or_=(NOT_ADS,)).to_json() == {
        "or": [{"field_name": "hashtag_name", "field_values": ["ad"], "operation": "EQ"}]
    }


def test_usernames_are_those_that_the_search_is_limited_to():
    query = Query(
        and_=(Condition("username", "IN", ("zoe", "ann")), Condition("username", "EQ", ("bob",))),
        not_=(Condition("username", "EQ", ("eve",)),),
    )
    assert query.usernames == ("ann", "bob", "zoe")
    assert Query(and_=(REGIONS,)).usernames == ()


@given(groups, groups, groups, st.randoms())
def test_order_and_repeats_do_not_make_another_query(and_, or_, not_, random):
    query = Query(tuple(and_), tuple(or_), tuple(not_))
    other = Query(shuffled(and_, random), shuffled(or_, random), shuffled(not_, random))
    assert other == query
    assert other.canonical() == query.canonical()
    assert other.fingerprint == query.fingerprint


@given(groups, groups, groups)
def test_a_query_is_read_back_from_its_canonical_form(and_, or_, not_):
    query = Query(tuple(and_), tuple(or_), tuple(not_))
    assert Query.from_json(json.loads(query.canonical())) == query
    assert json.loads(query.canonical()) == query.to_json()


@given(groups)
def test_the_canonical_form_is_what_a_plain_encoder_makes_of_the_rules(and_):
    listed = {
        (
            c.field_name,
            "EQ" if len(set(c.field_values)) == 1 else "IN",
            tuple(sorted(c.field_values)),
        )
        for c in and_
    }
    expected = [
        {"field_name": field, "field_values": list(values), "operation": operation}
        for field, operation, values in sorted(
            listed, key=lambda parts: (parts[0], parts[1], parts[2])
        )
    ]
    text = json.dumps(
        {"and": expected} if expected else {},
        sort_keys=True,
        ensure_ascii=False,
        separators=(",", ":"),
    )
    assert Query(tuple(and_)).canonical() == text
