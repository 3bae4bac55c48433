"""What is due again is spread over the nights: never late, and no night has more than necessary."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from fractions import Fraction
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiktok_crawler.planning.spreading import Due, share_of

DAY = timedelta(days=1)
TONIGHT = date(2024, 5, 1)
COSTS = st.integers(1, 9) | st.floats(0.01, 9)
DUE = st.lists(st.tuples(st.integers(-3, 20), COSTS), max_size=60)


def due(found):
    """Things that are due so many nights from now, each with its cost."""
    return [Due(n, TONIGHT + nights * DAY, cost) for n, (nights, cost) in enumerate(found)]


def nights_of(items, *, missed=()):
    """Do the share of each night; in which night each thing is done."""
    done, left, night = {}, list(items), 0
    while left:
        if night not in missed:
            for what in share_of(TONIGHT + night * DAY, left):
                done[what] = night
            left = [each for each in left if each.what not in done]
        night += 1
    return done


def nights_until(item):
    return max((item.by - TONIGHT).days, 0)


@given(DUE)
def test_nothing_is_done_late_if_each_night_does_its_share(found):
    items = due(found)

    done = nights_of(items)

    assert set(done) == {each.what for each in items}
    assert all(done[each.what] <= nights_until(each) for each in items)


@given(DUE)
def test_no_night_has_more_than_it_must_but_for_its_last_thing(found):
    items = due(found)
    costs = Counter()
    for what, night in nights_of(items).items():
        costs[night] += items[what].cost
    least = 0
    for last in map(nights_until, items):
        by_then = (Fraction(each.cost) for each in items if nights_until(each) <= last)
        least = max(least, sum(by_then) / (last + 1))
    largest = max((each.cost for each in items), default=0)

    assert max(costs.values(), default=0) <= max(ceil(least), largest) + largest + 1


@given(DUE, st.sets(st.integers(0, 25), max_size=10))
def test_what_missed_nights_left_is_done_in_the_next_one(found, missed):
    items = due(found)
    done = nights_of(items, missed=missed)
    for each in items:
        by = nights_until(each)
        while by in missed:
            by += 1
        assert done[each.what] <= by


@given(DUE)
def test_the_first_due_come_first(found):
    items = due(found)
    share = set(share_of(TONIGHT, items))
    left = [each.by for each in items if each.what not in share]
    assert all(each.by <= min(left, default=each.by) for each in items if each.what in share)


def test_a_thousand_things_of_one_night_come_due_evenly():
    items = [Due(number, TONIGHT + 13 * DAY) for number in range(1000)]

    nights = Counter(nights_of(items).values())

    assert sorted(nights) == list(range(14))
    assert set(nights.values()) <= set(range(64, 73))


def test_things_of_one_night_are_done_in_their_order():
    items = [Due(number, TONIGHT + 9 * DAY) for number in range(100)]
    assert share_of(TONIGHT, items) == list(range(10))


@pytest.mark.parametrize(("things", "cost"), [(1, 10), (5, 50), (3, 0.1), (20, 1 / 31)])
def test_what_is_done_again_and_again_is_not_done_more_often_than_it_must(things, cost):
    by = dict.fromkeys(range(things), TONIGHT + 13 * DAY)
    spent, nights = 0, 14 * 10
    for night in range(nights):
        share = share_of(TONIGHT + night * DAY, [Due(*each, cost) for each in by.items()])
        spent += cost * len(share)
        by |= dict.fromkeys(share, TONIGHT + (night + 14) * DAY)
    assert spent <= 1.11 * cost * things * nights / 14


def test_a_share_is_as_many_requests_as_its_things_cost():
    dense = [Due(number, TONIGHT + 9 * DAY, 5) for number in range(20)]
    sparse = [Due(number, TONIGHT + 9 * DAY, 1 / 31) for number in range(100)]
    assert share_of(TONIGHT, dense) == [0, 1]
    assert share_of(TONIGHT, sparse) == [], "there are nights enough"
    assert share_of(TONIGHT + 8 * DAY, sparse) == list(range(62)), "two whole windows"


def test_nothing_is_due_of_nothing():
    assert share_of(TONIGHT, []) == []


def test_what_is_overdue_is_done_at_once_however_much_it_is():
    late = [Due(number, TONIGHT - number * DAY) for number in range(40)]
    soon = [Due(100 + number, TONIGHT + 9 * DAY) for number in range(40)]
    assert sorted(share_of(TONIGHT, late + soon)) == list(range(40))
