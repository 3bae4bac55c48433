"""The table `coverage` has a row a query and day, as `scrapy status` counts the days."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from asked import QUERY

from tiktok_crawler.dataset import arrow
from tiktok_crawler.dataset.coverage import coverage_blocks
from tiktok_crawler.dataset.tables import COVERAGE
from tiktok_crawler.date_range import DateRange
from tiktok_crawler.planning.coverage import Covered, Freshness
from tiktok_crawler.planning.plan import Known, Wanted, make_plan
from tiktok_crawler.planning.window_days import DayCount
from tiktok_crawler.research_api.query import Sample
from tiktok_crawler.storage.ledger.queries import Totals, UsedQuery
from tiktok_crawler.storage.ledger.status import QueryStatus

FIRST, SECOND, THIRD = (date(2024, 1, day) for day in (1, 2, 3))
ALL_DAYS = (DateRange(FIRST, THIRD),)
LATER = datetime(2024, 1, 9, tzinfo=UTC)
SOON = datetime(2024, 1, 3, 1, tzinfo=UTC)


def one(query_id, *covered, days=ALL_DAYS, now=LATER, query=QUERY):
    known = Known(tuple(covered))
    wanted = [Wanted(query, part, ("id",), Freshness(timedelta(days=2))) for part in days]
    return QueryStatus(
        used=UsedQuery(query_id, query, (), days, ("id",)),
        plans=tuple(make_plan(part, known, now) for part in wanted),
        windows=(),
        totals=Totals({}, 0, 0),
    )


def rows(*queries):
    batches = [arrow.record_batch(COVERAGE.columns, block) for block in coverage_blocks(queries)]
    return [row for batch in batches for row in batch.to_pylist()]


def test_a_day_is_told_with_what_its_last_search_brought():
    counts = {FIRST: DayCount(7, 2, 0, 1, 3)}
    search = Covered(DateRange(FIRST, SECOND), LATER, counts=counts)

    unknown = dict.fromkeys(("videos", "withheld", "refused", "repeated"))
    covered = {"query_id": 4, "state": "covered", "settled": True, "suspicious": False}
    assert rows(one(4, search)) == [
        covered | {"day": FIRST, "videos": 7, "withheld": 2, "refused": 1, "repeated": 3},
        covered | {"day": SECOND} | unknown,
        covered | {"day": THIRD, "state": "gap", "settled": False} | unknown,
    ]


def test_of_a_sampled_day_nobody_knows_what_was_withheld():
    search = Covered(DateRange(FIRST, FIRST), LATER, counts={FIRST: DayCount(4, 0)})
    sample = replace(QUERY, sample=Sample(5))

    assert rows(one(1, search, days=(DateRange(FIRST, FIRST),), query=sample)) == [
        {
            "query_id": 1,
            "day": FIRST,
            "state": "sampled",
            "settled": True,
            "suspicious": False,
            "videos": 4,
            "withheld": None,
            "refused": 0,
            "repeated": 0,
        }
    ]


@pytest.mark.parametrize(("now", "state"), [(SOON, "covered"), (LATER, "due")])
def test_a_day_that_was_searched_too_early_is_not_settled(now, state):
    search = Covered(DateRange(FIRST, THIRD), SOON)

    assert {(row["state"], row["settled"]) for row in rows(one(1, search, now=now))} == {
        (state, False)
    }


def test_a_search_that_brought_nothing_and_never_came_to_its_end_is_suspicious():
    counts = {FIRST: DayCount()}
    search = Covered(DateRange(FIRST, FIRST), LATER, counts=counts, suspicious=True)

    assert [row["suspicious"] for row in rows(one(1, search))] == [True, False, False]


def test_several_ranges_of_days_are_in_order_and_each_query_for_itself():
    days = (DateRange(THIRD, THIRD), DateRange(FIRST, FIRST))

    found = [(row["query_id"], row["day"]) for row in rows(one(2, days=days), one(5, days=days))]

    assert found == [(2, FIRST), (2, THIRD), (5, FIRST), (5, THIRD)]


def test_a_query_without_days_has_no_rows():
    assert rows(one(1, days=())) == []
