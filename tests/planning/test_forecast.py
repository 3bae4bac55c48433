"""What the requests of a plan are forecast to be, by what is known of the query."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from asked import QUERY, window_request

from tiktok_crawler.date_range import DAY, DateRange, midnight
from tiktok_crawler.planning.coverage import Covered, Freshness
from tiktok_crawler.planning.forecast import (
    Density,
    Forecast,
    alike,
    forecast,
    forecast_by_others,
    samples,
)
from tiktok_crawler.planning.plan import Known, Wanted, make_plan
from tiktok_crawler.planning.window_days import DayCount
from tiktok_crawler.research_api.query import Condition, Query

START = date(2024, 1, 1)
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def days(first: int, last: int) -> DateRange:
    return DateRange(START + first * DAY, START + last * DAY)


def plan_of(length: int, known: Known):
    wanted = Wanted(QUERY, days(0, length - 1), ("id",), Freshness(timedelta(days=2)))
    return make_plan(wanted, known, NOW)


def searched(first: int, last: int, a_day: int, row_id: int = 1) -> Known:
    """Days that were searched to their end, each with so many matches."""
    counts = dict.fromkeys(days(first, last), DayCount(videos=a_day))
    coverage = (Covered(days(first, last), NOW, a_day * len(counts), counts),)
    return Known(coverage, counts={row_id: counts}, requests=1, pages=1)


def begun(*spans: tuple[int, int, float]) -> Known:
    """Windows whose first page has come so many days down from their end."""
    requests, counts, reached = [], {}, {}
    for row_id, (first, last, passed) in enumerate(spans, start=1):
        window = days(first, last)
        requests.append(window_request(window, fields=("id",), row_id=row_id, cursor=100))
        end = midnight(window.end + DAY)
        reached[row_id] = end - passed * DAY
        found = [day for day in window if day >= reached[row_id].date()]
        counts[row_id] = dict.fromkeys(found, DayCount(videos=100 // len(found)))
    pages = len(requests)
    return Known(
        open_windows=tuple(requests), counts=counts, reached=reached, requests=pages, pages=pages
    )


def test_where_nothing_is_known_there_is_no_forecast():
    assert forecast(plan_of(91, Known()), Known()) is None


def test_what_is_complete_costs_nothing():
    known = searched(0, 30, 50)
    assert forecast(plan_of(31, known), known) == Forecast(0, 0, 0)


def test_days_to_come_are_like_those_that_were_searched():
    known = searched(0, 30, 100)

    found = forecast(plan_of(62, known), known)

    assert found.likely == 32, "31 days with 100 matches, and a page that is half full"
    assert found.least < 25
    assert found.most > 40


def test_pages_of_unfinished_searches_tell_of_the_time_that_they_have_passed():
    known = begun((0, 9, 0.5), (10, 19, 0.25))

    found = samples(known)

    assert [sample.rate for sample in found] == [99 / 0.5, 99 / 0.25]
    assert found[0].end == days(0, 9).end.toordinal() + 1


def test_the_rest_of_a_busy_window_is_like_its_pages_not_like_the_quiet_days_after_it():
    busy, quiet = begun((0, 2, 0.8)), searched(3, 20, 20, row_id=2)
    known = replace(busy, coverage=quiet.coverage, counts={**busy.counts, **quiet.counts})

    found = forecast(plan_of(21, known), known)

    assert found.likely == 3, "2.2 days with 124 matches"


def test_a_rest_of_a_window_costs_what_it_has_left():
    known = begun(*((first, first + 9, 1.0) for first in range(0, 120, 10)))

    found = forecast(plan_of(120, known), known)

    assert found.matches == pytest.approx(12 * 9 * 99, rel=0.01)
    assert found.least <= 12 * 9 <= found.most
    assert found.most <= 2 * found.least


def test_the_more_searches_differ_the_wider_is_the_range():
    even = begun(*((first, first + 9, 0.5) for first in range(0, 120, 10)))
    uneven = begun(*((first, first + 9, 0.2 + first % 3 / 2) for first in range(0, 120, 10)))

    narrow, wide = (forecast(plan_of(120, known), known) for known in (even, uneven))

    assert narrow.most / narrow.least < wide.most / wide.least


def test_windows_without_a_match_cost_a_request_each():
    known = searched(0, 30, 0)

    found = forecast(plan_of(93, known), known)

    assert (found.least, found.likely) == (2, 2)


def test_requests_that_brought_no_page_so_far_will_do_so_again():
    known = searched(0, 30, 1000)
    failing = Known(known.coverage, counts=known.counts, requests=450, pages=300)

    good, bad = (forecast(plan_of(62, each), each) for each in (known, failing))

    assert bad.likely == pytest.approx(1.5 * good.likely, rel=0.01)


def query(*values: str, field: str = "hashtag_name") -> Query:
    return Query((Condition(field, "IN", values),))


def test_queries_are_alike_that_name_the_same():
    bread = Density(query("bread", "rolls"), 10.0)
    cheese = Density(query("cheese"), 99.0)
    german = Density(Query((*query("cheese").and_, *query("DE", field="region_code").and_)), 5.0)

    assert alike(query("bread"), [bread, cheese]) == (bread,)
    assert alike(query("bread", field="keyword"), [bread]) == ()
    both = Query((*query("bread").and_, *query("DE", field="region_code").and_))
    assert alike(both, [german, bread]) == (bread,), "a region alone is not much"
    assert alike(query("DE", field="region_code"), [Density(query("DE", field="region_code"), 1)])


def test_a_query_that_is_new_is_forecast_by_those_that_are_like_it():
    others = (Density(query("butter"), 50.0), Density(query("butter", "x"), 100.0))

    found = forecast_by_others(plan_of(62, Known()), others)

    assert found.least == pytest.approx(62 * 50 / 2 / 100, abs=2)
    assert found.most == pytest.approx(62 * 100 * 2 / 100, abs=2)
    assert found.least < found.likely < found.most
