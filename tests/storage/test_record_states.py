"""What becomes of a record by answers that come in any order."""

from __future__ import annotations

from functools import reduce

from hypothesis import given
from hypothesis import strategies as st

from tiktok_crawler.storage.models.column_types import dump_json
from tiktok_crawler.storage.records.comparison import (
    Comparison,
    State,
    same_address,
    same_document,
)

SIGHTINGS = Comparison({1: same_address}, marks_sightings=True)
CHANGES = Comparison({1: same_document})

ADDRESSES = st.sampled_from(["https://a/1?x", "https://a/1?y", "https://a/2"])
PROFILES = st.lists(st.tuples(st.integers(0, 2), ADDRESSES), min_size=1, max_size=5)
ORDERS = st.randoms(use_true_random=False)


def seen(time, *values, marks_sightings=True, extra=None):
    at = f"2024-06-01 00:00:0{time}"
    updated_at = at if marks_sightings else None
    return State("ann", at, updated_at, extra and dump_json(extra), values, time)


def after(comparison, states):
    return reduce(lambda stored, state: comparison.changed(stored, state).after, states)


@given(PROFILES, ORDERS)
def test_answers_in_any_order_and_repeated_end_in_the_latest_profile(profiles, order):
    states = [seen(time, *profile) for time, profile in enumerate(profiles)]
    shuffled = states + states[:2]
    order.shuffle(shuffled)

    expected, found = after(SIGHTINGS, states), after(SIGHTINGS, shuffled)
    assert (found.values, found.first_at, found.updated_at) == (
        expected.values,
        expected.first_at,
        expected.updated_at,
    )


@given(st.integers(1, 5), ORDERS)
def test_changes_in_any_order_and_repeated_end_in_the_latest_record(count, order):
    states = [
        seen(n, n, dump_json([n]), marks_sightings=False, extra={"n": n}) for n in range(count)
    ]
    shuffled = states + states[:2]
    order.shuffle(shuffled)

    expected, found = after(CHANGES, states), after(CHANGES, shuffled)
    assert found._replace(crawl_id=None) == expected._replace(crawl_id=None)


@given(st.lists(st.tuples(st.none() | st.integers(0, 2), st.none()), min_size=1, max_size=5))
def test_absent_values_never_replace_known_ones(answers):
    states = [seen(n, *values, marks_sightings=False) for n, values in enumerate(answers)]
    known = [value for value, _ in answers if value is not None]

    assert after(CHANGES, states).values == (known[-1] if known else None, None)


def test_the_same_again_is_no_change():
    state = seen(0, 1, '{"a":1}', marks_sightings=False, extra={"x": 1})
    again = state._replace(first_at="2025", crawl_id=7)

    assert CHANGES.changed(state, again) == (state, again, state, False)
    assert CHANGES.repeats(state, again)
    assert CHANGES.repeats(state, again._replace(values=(None, None), extra_data=None))
    assert not CHANGES.repeats(state, again._replace(values=(2, None)))
    assert not CHANGES.repeats(state, state._replace(first_at="2023"))
    assert not SIGHTINGS.repeats(state, again)


def test_a_document_written_in_another_way_stays_as_it_is():
    stored = seen(0, 1, '{"a":1,"b":100}', marks_sightings=False)
    again = seen(1, 1, '{"b":1e2,"a":1}', marks_sightings=False)

    assert CHANGES.changed(stored, again) == (stored, again, stored, False)


def test_another_signature_replaces_an_address_without_a_change():
    stored, again = seen(0, 1, "https://a/1?x"), seen(1, 1, "https://a/1?y")
    change = SIGHTINGS.changed(stored, again)

    assert (change.after.values[1], change.after.updated_at) == ("https://a/1?y", again.first_at)
    assert (change.is_update, change.after.crawl_id) == (False, stored.crawl_id)


def test_what_only_fills_a_gap_is_no_replacement():
    before = seen(0, None, '{"a":1}', marks_sightings=False)
    change = CHANGES.changed(before, seen(1, 5, '{"a":2}', marks_sightings=False))

    assert list(CHANGES.replaced(change)) == [(1, '{"a":1}')]
    assert (change.after.crawl_id, change.is_update) == (1, True)
