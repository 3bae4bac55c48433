"""Which values are searched together on which days, and what that costs."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from value_ledger import DAY, FINAL, NOW, ValueLedger, days

from tiktok_crawler.planning.batch_searches import Searched
from tiktok_crawler.planning.coverage import Freshness
from tiktok_crawler.planning.day_bits import DayBits, FreshDays
from tiktok_crawler.planning.value_batches import (
    REFUSED_AGAIN_AFTER,
    Batch,
    KnownBatch,
    WantedValues,
    halves,
    plan_batches,
)
from tiktok_crawler.query_file.each_value import Each
from tiktok_crawler.research_api.query import Field
from tiktok_crawler.research_api.video_ids import days_of

if TYPE_CHECKING:
    from tiktok_crawler.date_range import DateRange

LONG_AGO = NOW - 60 * DAY
WEEK = days(1, 7)

names = st.sampled_from("abcdefgh")
lists = st.sets(names, min_size=1)
ranges = st.builds(lambda first, more: days(first, first + more), *2 * [st.integers(1, 12)])


def wanted(values: str, wanted_days: DateRange = WEEK, **changes) -> WantedValues:
    each = Each(Field.USERNAME, tuple(sorted(values)))
    return replace(WantedValues(each, wanted_days, FINAL, size=3), **changes)


def searched(values: str, *windows: DateRange, **changes) -> KnownBatch:
    return KnownBatch(tuple(values), tuple(Searched(each, LONG_AGO) for each in windows), **changes)


def planned(goal: WantedValues, *known: KnownBatch) -> list[tuple[str, tuple[DateRange, ...]]]:
    batches = plan_batches(goal, known, NOW).batches
    return [("".join(batch.values), (*batch.missing, *batch.begun)) for batch in batches]


def test_new_values_are_searched_together_in_order_and_none_twice():
    assert planned(wanted("gfedcba")) == [("abc", (WEEK,)), ("def", (WEEK,)), ("g", (WEEK,))]


def test_a_list_that_is_covered_needs_nothing():
    plan = plan_batches(wanted("abc"), [searched("abc", WEEK)], NOW)
    assert (plan.batches, plan.lacking, plan.missing, plan.values) == ((), 0, (), 3)


def test_a_value_that_is_added_costs_its_own_days_alone():
    assert planned(wanted("abcd"), searched("abc", WEEK)) == [("d", (WEEK,))]


def test_a_value_that_is_removed_costs_nothing():
    assert planned(wanted("ab"), searched("abc", WEEK)) == []


def test_what_is_left_of_a_batch_lacks_new_days_together():
    known = searched("abc", WEEK)
    assert planned(wanted("ab", days(1, 9)), known) == [("ab", (days(8, 9),))]


def test_a_value_keeps_its_batch():
    known = [searched("ace", WEEK), searched("bdf", WEEK)]
    later = [("ace", (days(8),)), ("bdf", (days(8),))]
    assert planned(wanted("abcdef", days(1, 8)), *known) == later


def test_a_value_has_the_days_of_all_its_batches():
    known = [searched("abc", days(1, 3)), searched("ab", days(4, 5)), searched("b", days(6, 7))]
    assert planned(wanted("abc"), *known) == [
        ("a", (days(6, 7),)),
        ("c", (days(4, 7),)),
    ]


def test_small_batches_are_joined_if_that_makes_fewer():
    known = [searched("abc", WEEK), searched("d", WEEK), searched("e", WEEK)]
    goal = wanted("abcde", days(1, 8))
    assert planned(goal, *known) == [("abc", (days(8),)), ("de", (days(8),))]


def test_small_batches_are_kept_if_joining_makes_no_fewer():
    known = [searched("ab", WEEK), searched("de", WEEK)]
    goal = wanted("abde", days(1, 8))
    assert planned(goal, *known) == [("ab", (days(8),)), ("de", (days(8),))]


def test_loose_values_are_searched_with_small_batches_if_that_makes_fewer():
    known = [searched("a", WEEK), searched("xyz", WEEK), searched("bc", days(1, 3), days(5, 7))]
    goal = wanted("abcxyz", days(1, 8))
    # b and c lack another day besides.
    assert planned(goal, *known) == [
        ("a", (days(8),)),
        ("bc", (days(4), days(8))),
        ("xyz", (days(8),)),
    ]
    assert planned(wanted("ad", days(1, 8)), known[0], searched("dx", WEEK)) == [("ad", (days(8),))]


def test_a_larger_batch_than_wanted_is_divided():
    known = searched("abcde", WEEK)
    assert planned(wanted("abcde", days(1, 8)), known) == [("abc", (days(8),)), ("de", (days(8),))]


def test_begun_windows_of_a_batch_with_a_removed_value_are_finished_and_not_asked_besides():
    known = searched("abc", begun=(days(3, 5),))
    plan = plan_batches(wanted("ab"), [known], NOW)
    assert plan.batches == (
        Batch(("a", "b", "c"), days(3, 5), (), (days(3, 5),), known, is_retired=True),
        Batch(("a", "b"), WEEK, (days(1, 2), days(6, 7))),
    )
    assert plan.lacking == 2


def test_begun_windows_are_left_alone_when_nobody_lacks_their_days():
    known = [searched("abc", begun=(WEEK,)), searched("ab", WEEK)]
    assert planned(wanted("ab"), *known) == []
    assert planned(wanted("xyz"), known[0]) == [("xyz", (WEEK,))]


def test_a_batch_goes_on_with_what_it_has_begun():
    known = searched("abc", days(1, 2), begun=(days(3, 4),))
    assert planned(wanted("abc"), known) == [("abc", (days(5, 7), days(3, 4)))]


def test_a_batch_with_windows_that_are_postponed_is_not_joined_with_others():
    known = [searched("a", WEEK, postponed=(days(8),)), searched("b", WEEK)]
    assert planned(wanted("ab", days(1, 8)), *known) == [("a", (days(8),)), ("b", (days(8),))]


def test_a_refused_value_is_left_to_its_postponed_windows():
    known = [
        searched("abc", refused_at=LONG_AGO),
        searched("c", refused_at=LONG_AGO, postponed=(days(2, 3),)),
    ]
    plan = plan_batches(wanted("abc"), known, NOW)
    assert plan.refused == ("c",)
    assert plan.lacking == 3
    assert plan.batches == (
        Batch(("a", "b"), WEEK, (WEEK,)),
        Batch(("c",), WEEK, (days(2, 3),), (), known[1], is_retired=True),
    )


@pytest.mark.parametrize(
    ("since", "expected"), [(REFUSED_AGAIN_AFTER, [("c", (WEEK,))]), (DAY, [])]
)
def test_a_refused_value_without_such_windows_is_asked_for_again_some_days_later(since, expected):
    known = searched("c", refused_at=NOW - since)
    assert planned(wanted("c"), known) == expected


def test_values_that_are_refused_together_are_searched_apart():
    known = searched("abc", refused_at=LONG_AGO)
    assert planned(wanted("abc"), known) == [("ab", (WEEK,)), ("c", (WEEK,))]
    worked = [known, searched("ab", WEEK), searched("c", WEEK)]
    assert planned(wanted("abc", days(1, 8)), *worked) == [("ab", (days(8),)), ("c", (days(8),))]


def test_what_a_refused_batch_has_begun_is_not_gone_on_with():
    known = searched("abc", begun=(WEEK,), refused_at=LONG_AGO)
    assert [values for values, _ in planned(wanted("abc"), known)] == ["ab", "c"]


def test_doubtful_batches_are_looked_at_once_more():
    known = searched("abc", WEEK, is_doubtful=True)
    assert planned(wanted("abc"), known) == [("abc", ())]
    assert planned(wanted("ab"), known) == []


def test_batches_that_lack_a_tag_of_the_run_are_given_it_without_a_request():
    known = [searched("abc", WEEK, is_unregistered=True), searched("x", WEEK, is_unregistered=True)]
    plan = plan_batches(wanted("ab", days(1, 31)), known, NOW)
    assert plan.batches[-1] == Batch(("a", "b", "c"), WEEK, (), (), known[0], is_retired=True)
    assert [batch.values for batch in plan.batches] == [("a", "b"), ("a", "b", "c")]
    assert plan.batches[-1].least_requests == 0


def test_new_batches_are_as_narrow_as_others_have_proved():
    cut = (days(1, 31), days(1, 15), days(1, 8))
    known = [searched("abc", WEEK, cut_windows=cut), searched("def", WEEK, widest=7)]
    assert plan_batches(wanted("x"), known, NOW).too_wide == (days(1, 8), days(1, 15))
    proved = [*known, searched("ghi", widest=15)]
    assert plan_batches(wanted("x"), proved, NOW).too_wide == (days(1, 31),)


def test_days_that_were_not_final_are_lacking_once_they_are():
    freshness = Freshness(timedelta(days=2))
    at = datetime(2024, 1, 8, 12, tzinfo=UTC)
    known = KnownBatch(("a",), (Searched(WEEK, at),))
    soon = plan_batches(wanted("a", freshness=freshness), [known], at + timedelta(hours=1))
    later = plan_batches(wanted("a", freshness=freshness), [known], at + 5 * DAY)
    assert soon.batches == ()
    assert later.batches[0].missing == (days(6, 7),)


moments = st.integers(0, 30 * 24).map(
    lambda hours: datetime(2024, 1, 1, tzinfo=UTC) + hours * DAY / 24
)


@given(
    ranges,
    moments,
    moments,
    st.builds(
        Freshness,
        st.integers(0, 90).map(lambda hours: timedelta(hours=hours)),
        st.none() | st.integers(1, 9).map(timedelta),
        st.lists(st.integers(1, 9).map(timedelta), max_size=3).map(tuple),
    ),
)
def test_ranges_are_fresh_by_the_rule_for_days(searched_days, at, now, freshness):
    bits = DayBits(days(3, 9))
    fresh = bits.ranges(FreshDays(bits, freshness, now).of(searched_days, at))
    assert [day for part in fresh for day in part] == [
        day for day in bits.days if day in searched_days and not freshness.is_due(day, at, now)
    ]


@given(st.lists(st.tuples(lists, ranges, st.integers()), max_size=6), lists, ranges)
def test_no_day_of_a_value_is_paid_twice_or_left_out(runs, last_values, last_days):
    ledger = ValueLedger()
    for values, run_days, seed in runs:
        ledger.run(ledger.wanted(values, run_days, Field.USERNAME), Random(seed))
    goal = ledger.wanted(last_values, last_days, Field.USERNAME)
    while ledger.plan(goal).batches:
        ledger.run(goal)
    assert all(ledger.covers(value, day) for value in last_values for day in last_days)
    assert set(ledger.paid.values()) <= {1}


@given(st.lists(st.tuples(lists, ranges), max_size=6))
def test_runs_that_end_well_ask_for_what_is_wanted_and_nothing_else(runs):
    ledger = ValueLedger()
    for values, run_days in runs:
        ledger.run(ledger.wanted(values, run_days, Field.USERNAME))
    assert ledger.paid.keys() == {
        (value, day) for values, run_days in runs for value in values for day in run_days
    }
    assert set(ledger.paid.values()) <= {1}


def id_at(day: int, seconds: int = 0) -> str:
    at = datetime(2024, 1, 1, tzinfo=UTC) + (day - 1) * DAY + timedelta(seconds=seconds)
    return str(int(at.timestamp()) << 32)


def wanted_ids(*ids: str) -> WantedValues:
    return WantedValues(Each(Field.VIDEO_ID, ids), days(1, 90), FINAL, size=3, window_days=31)


def test_ids_are_searched_by_time_in_windows():
    ids = [id_at(1), id_at(31), id_at(32), id_at(40), id_at(41), id_at(42, 86_000)]
    batches = plan_batches(wanted_ids(*reversed(ids)), (), NOW).batches
    assert [(batch.values, batch.days, batch.missing) for batch in batches] == [
        ((ids[0], ids[1]), days(1, 31), (days(1, 31),)),
        (tuple(ids[2:5]), days(32, 41), (days(32, 41),)),
        ((ids[5],), days(42, 43), (days(42, 43),)),
    ]


def test_an_id_that_is_added_is_searched_alone():
    known = KnownBatch((id_at(1), id_at(5)), (Searched(days(1, 5), LONG_AGO),))
    (batch,) = plan_batches(wanted_ids(id_at(1), id_at(3), id_at(5)), [known], NOW).batches
    assert (batch.values, batch.missing) == ((id_at(3),), (days(3),))


def test_ids_whose_search_is_due_again_stay_together():
    known = KnownBatch((id_at(1), id_at(5)), (Searched(days(1, 5), LONG_AGO),))
    goal = replace(
        wanted_ids(id_at(1), id_at(5)), freshness=Freshness(timedelta(0), refresh_after=9 * DAY)
    )
    (batch,) = plan_batches(goal, [known], NOW).batches
    assert (batch.known, batch.missing) == (known, (days(1, 5),))


ids = st.builds(id_at, st.integers(1, 90), st.sampled_from([0, 40_000, 86_399]))


@given(st.lists(st.tuples(st.sets(ids, min_size=1), st.integers()), max_size=5), st.sets(ids))
def test_no_day_of_an_id_is_paid_twice_or_left_out(runs, last):
    ledger = ValueLedger()
    for values, seed in runs:
        ledger.run(ledger.wanted(values, days(1, 95), Field.VIDEO_ID), Random(seed))
    goal = ledger.wanted(last, days(1, 95), Field.VIDEO_ID)
    while ledger.plan(goal).batches:
        ledger.run(goal)
    own = {(value, day) for value in last for day in days_of(int(value))}
    assert all(ledger.covers(value, day) for value, day in own)
    assert all(ledger.paid[each] == 1 for each in own)


@pytest.mark.parametrize("count", [2, 3, 10])
def test_one_value_among_some_is_found_by_halving(count):
    values, asked = tuple(map(str, range(count))), 0
    while len(values) > 1:
        values, asked = max(halves(values), key=len), asked + 1
    assert asked + 1 <= 5


def search(batches, plan, now):
    """Search all that is planned."""
    for batch in plan.batches:
        found = tuple(Searched(each, now) for each in batch.missing)
        batches[batch.values] = (*batches.get(batch.values, ()), *found)


def oldest(batches, values, now):
    """How long ago the last search of any day of any value was."""
    last = {}
    for of_batch, searches in batches.items():
        for searched in searches:
            for key in ((value, day) for value in of_batch for day in searched.days):
                last[key] = max(last.get(key, searched.begun_at), searched.begun_at)
    return now - min(at for (value, _), at in last.items() if value in values)


@given(st.lists(st.floats(0, 23.9), min_size=1), st.integers(1, 25))
@settings(max_examples=15)
def test_days_of_a_list_are_searched_again_in_time_a_share_each_night(hours, count):
    weekly = Freshness(timedelta(0), again_within=7 * DAY)
    values = [f"v{number:02}" for number in range(count)]
    each = Each(Field.USERNAME, tuple(values))
    goal = WantedValues(each, days(1, 62), weekly, size=2)
    batches, loads = {}, []
    for number in range(16):
        now = NOW + number * DAY + timedelta(hours=hours[number % len(hours)])
        if number:
            assert oldest(batches, values, now) <= 7 * DAY
        if number == 8:  # One value is added, and one taken out: batches are divided anew.
            values = [*values[1:], "new"]
            goal = replace(goal, each=replace(each, values=tuple(sorted(values))))
        known = [KnownBatch(each, searches) for each, searches in batches.items()]
        plan = plan_batches(goal, known, now)
        search(batches, plan, now)
        loads.append(sum(len(batch.missing) for batch in plan.batches))
        known = [KnownBatch(each, searches) for each, searches in batches.items()]
        assert not plan_batches(goal, known, now).batches, "a night has one share"
    assert max(loads[1:8]) <= max(loads[0] // 5 + 2, 2)


def test_batches_with_new_days_come_before_those_that_are_refreshed():
    weekly = Freshness(timedelta(0), refresh_after=7 * DAY)
    known = [KnownBatch(("a",), (Searched(WEEK, LONG_AGO),))]
    first, second = plan_batches(wanted("ab", freshness=weekly, size=1), known, NOW).batches
    assert [(each.values, each.refreshes) for each in (first, second)] == [
        (("b",), False),
        (("a",), True),
    ]
