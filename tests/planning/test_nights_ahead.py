"""What keeping data fresh will cost is foretold as it will be."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from refreshing_nights import SETTLE, Nights, hours_of
from test_refreshing_nights import TONIGHT, nights
from value_ledger import days

from tiktok_crawler.date_range import DAY, DateRange
from tiktok_crawler.planning.batch_searches import Searched
from tiktok_crawler.planning.coverage import Freshness
from tiktok_crawler.planning.nights_ahead import (
    NIGHTS,
    Ahead,
    Stored,
    look_ahead,
    of_list,
    of_search,
)
from tiktok_crawler.planning.plan import Known, Wanted
from tiktok_crawler.planning.value_batches import KnownBatch, WantedValues
from tiktok_crawler.query_file.each_value import Each
from tiktok_crawler.query_file.refreshing import KeepFresh
from tiktok_crawler.research_api.query import Field, Query

NOW = hours_of(TONIGHT, 4)
END = TONIGHT - 4 * DAY
EVERY_MONTH = KeepFresh(30 * DAY)


def foretold(query: Nights, *, end_moves: bool = False) -> Ahead:
    wanted = Wanted(Query(), DateRange(query.first, END), ("id",), query.freshness)
    subject = of_search(wanted, Known(coverage=tuple(query.coverage)))
    return look_ahead(replace(subject, end_moves=end_moves), NOW)


@pytest.mark.parametrize("per_day", [3, 40, 700])
def test_what_comes_is_foretold_night_by_night(per_day):
    query = nights(200, per_day, Freshness(SETTLE, revisit=(10 * DAY,), again_within=15 * DAY))
    ahead = foretold(query)

    came = []
    for number in range(NIGHTS):
        now = NOW + number * DAY
        found = query.plan(now, END).refreshed_windows
        for window in found:
            query.collect(window, now)
        came.append(query.requests(found))

    assert sum(ahead.searches) == pytest.approx(sum(came), rel=0.02)
    assert all(abs(a - b) <= max(came) / 10 + 1 for a, b in zip(ahead.searches, came, strict=True))
    assert ahead.is_known


def test_days_to_come_are_revisited_too():
    query = nights(10, 300, Freshness(SETTLE, revisit=(5 * DAY,)))
    standing = sum(foretold(query).searches)
    assert standing <= 12
    assert sum(foretold(query, end_moves=True).searches) >= standing + 26 * 3


def test_a_query_that_is_never_searched_again_costs_nothing():
    assert foretold(nights(100, 40, Freshness(SETTLE))) == Ahead()


def test_of_a_new_query_no_more_is_known_than_the_least():
    freshness = Freshness(SETTLE, again_within=15 * DAY)
    ahead = look_ahead(of_search(Wanted(Query(), days(1, 310), ("id",), freshness), Known()), NOW)
    assert not ahead.is_known
    assert sum(ahead.searches) >= 20


@pytest.mark.parametrize(
    ("fresh", "stored", "requests"),
    [
        (EVERY_MONTH, Stored(), 0),
        (EVERY_MONTH, Stored(videos=1), 4),
        (EVERY_MONTH, Stored(1_000_000, 10_001), 317),
        (KeepFresh(30 * DAY, counters=True), Stored(1_000_000, 10_001), 7),
        (KeepFresh(15 * DAY), Stored(videos=1_000_000), 643),
    ],
)
def test_three_requests_find_out_about_ten_thousand_records(fresh, stored, requests):
    subject = of_search(Wanted(Query(), days(1, 9), ("id",), Freshness(SETTLE)), Known())
    assert look_ahead(subject, NOW, fresh, stored).checks == requests


def test_a_list_costs_as_its_searches_did():
    goal = WantedValues(
        Each(Field.USERNAME, ("ada", "bob", "cem")),
        days(1, 62),
        Freshness(timedelta(0), again_within=31 * DAY),
        size=2,
    )
    at = NOW - DAY
    batches = [
        KnownBatch(("ada", "bob"), (Searched(days(1, 31), at, 10), Searched(days(32, 62), at, 20))),
        KnownBatch(("cem",), (Searched(days(1, 31), at, 1), Searched(days(32, 62), at, 1))),
    ]
    ahead = look_ahead(of_list(goal, batches), NOW)
    assert sum(ahead.searches) == 32
    assert max(ahead.searches) <= 30


def test_nights_of_several_queries_add_up():
    first = Ahead((1, *28 * (0,), 5), 30)
    both = first + Ahead((9, *29 * (0,)), 0, is_known=False)
    assert (both.requests, both.busiest, both.is_known) == (45, 11, False)
