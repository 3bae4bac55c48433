"""What a plan says of keeping data fresh."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tiktok_crawler.planning.nights_ahead import NIGHTS, Ahead
from tiktok_crawler.query_file.refreshing import KeepFresh, Refreshing
from tiktok_crawler.reports.refreshing_report import RefreshingCost, percent

DAY = timedelta(days=1)
KEYS = Refreshing(None, (3 * DAY, 11 * DAY), KeepFresh(15 * DAY, counters=True))


def said(ahead, *, keys=KEYS, a_day=1000):
    return list(RefreshingCost(keys, ahead, a_day).lines())


def test_it_says_what_the_next_nights_cost_and_of_what():
    ahead = Ahead(NIGHTS * (20,), checks=90)
    [line] = said(ahead)
    assert line == (
        "Kept fresh:    revisit: 3 days, 11 days; keep_fresh: 15 days with counters: about 690 "
        "requests in the next 30 days (600 to search days again and 90 to find out what is still "
        "there), 2.3 % of their quota; at most 23 in one night"
    )
    assert RefreshingCost(KEYS, ahead, 1000).as_json() == {
        "revisit": "3 days, 11 days",
        "keep_fresh": "15 days with counters",
        "nights": 30,
        "requests": 690,
        "searches": 600,
        "checks": 90,
        "is_known": True,
        "busiest_night": 23,
        "share_of_quota": 0.023,
        "fits": True,
    }


def test_it_says_before_that_a_quota_cannot_carry_it():
    first, second = said(Ahead((900, *29 * (10,))), a_day=800)
    assert "5.0 % of their quota; at most 900 in one night" in first
    assert second.startswith("Too much:      a night of 900 requests is more than the 800 of a day")


def test_nothing_is_said_where_nothing_is_kept_fresh():
    assert said(Ahead(), keys=Refreshing()) == []
    assert RefreshingCost(Refreshing(), Ahead(), 1000).as_json() is None


def test_of_what_nobody_knows_the_least_is_said():
    [line] = said(Ahead(NIGHTS * (1,), is_known=False), keys=None)
    assert line.startswith("Kept fresh:    at least 30 requests in the next 30 days")


@pytest.mark.parametrize(
    ("share", "words"),
    [(0, "0.0 %"), (0.0001, "less than 0.1 %"), (0.034, "3.4 %"), (0.5, "50 %"), (12, "1,200 %")],
)
def test_shares_are_percentages(share, words):
    assert percent(share) == words
