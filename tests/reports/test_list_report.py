"""What summaries and plans say of lists, by what is known of their values."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from tiktok_crawler.date_range import DateRange
from tiktok_crawler.planning.batch_searches import Searched
from tiktok_crawler.planning.coverage import Freshness
from tiktok_crawler.planning.nights_ahead import Ahead
from tiktok_crawler.planning.quota import Allowance
from tiktok_crawler.planning.search_budget import SearchBudget
from tiktok_crawler.planning.value_batches import KnownBatch, WantedValues, plan_batches
from tiktok_crawler.query_file.collection import Collection
from tiktok_crawler.query_file.each_value import Each
from tiktok_crawler.query_file.refreshing import Refreshing
from tiktok_crawler.reports.list_plan import ListPlan
from tiktok_crawler.reports.list_report import list_beginning
from tiktok_crawler.reports.refreshing_report import RefreshingCost
from tiktok_crawler.reports.summary import SearchEnd, Summary
from tiktok_crawler.research_api.query import Field, Query
from tiktok_crawler.storage.ledger.value_batches import ListTotals
from tiktok_crawler.storage.value_lists import ListState

NOW = datetime(2024, 2, 1, 12, tzinfo=UTC)
DAYS = DateRange(date(2024, 1, 25), date(2024, 1, 31))
EACH = Each(Field.USERNAME, ("ada", "bob"))
LIST = Collection(Query(), DAYS, "2024-01-25", "2024-01-31", each=EACH)
TOTALS = ListTotals(requests=3, videos=1234)


def state(*known, missed=0):
    wanted = WantedValues(EACH, DAYS, Freshness(timedelta(days=2)))
    return ListState(wanted, plan_batches(wanted, known, NOW), TOTALS, NOW, missed=missed)


def searched(*values, at=NOW, **changes):
    return KnownBatch(values, (Searched(DAYS, at),), **changes)


NEW = state()
STALE = RefreshingCost(Refreshing(), Ahead(), 1000)
POSTPONED = state(KnownBatch(EACH.values, postponed=(DAYS,), retry_at=NOW + timedelta(hours=4)))
REFUSED = KnownBatch(("bob",), postponed=(DAYS,), refused_at=NOW, retry_at=NOW)
TRIED_AGAIN = state(searched("ada"), REFUSED)
TRIED_LATER = state(searched("ada"), replace(REFUSED, retry_at=NOW + timedelta(hours=4)))
DONE = state(searched("ada", "bob"), missed=3)


def summary(*states):
    ends = [SearchEnd(f"{n}.yaml", SearchBudget(), found) for n, found in enumerate(states)]
    return Summary(tuple(ends), (), {}, "here")


@pytest.mark.parametrize(
    ("found", "lines"),
    [
        (NEW, ["days       2 usernames lack some of 2024-01-25..2024-01-31"]),
        (NEW, ["left       at least 1 request", "when       now, or whenever you like"]),
        (POSTPONED, ["postponed  what is left is tried again from 2024-02-01 16:00 UTC on"]),
        (POSTPONED, ["when       from 2024-02-01 16:00 UTC on"]),
        (
            DONE,
            ["values     2 usernames", "days       2024-01-25..2024-01-31: 7 of 7"],
        ),
        (DONE, ["not found  3 ids: the API has returned no such video, which proves nothing"]),
        (DONE, ["not final  2024-01-30..2024-01-31: not settled", "Missing      nothing"]),
    ],
)
def test_a_summary_says_what_a_list_has_and_lacks(found, lines):
    text = summary(found).text(command="again", now=NOW)
    assert all(line in text for line in lines), text


@pytest.mark.parametrize(
    ("found", "is_unfinished", "is_complete"),
    [(NEW, True, False), (POSTPONED, True, False), (DONE, False, False)],
)
def test_a_list_is_finished_when_no_value_lacks_days(found, is_unfinished, is_complete):
    assert summary(found).is_unfinished is is_unfinished
    assert found.is_complete is is_complete


def test_of_several_files_each_has_a_line():
    text = summary(NEW, DONE).text(command="again", now=NOW)
    assert "0.yaml: 0 of 2 usernames have all days, 1,234 videos; in this run 0 new" in text
    assert "1.yaml: 2 of 2 usernames have all days" in text
    assert "0.yaml: 2 usernames lack some of" in text


@pytest.mark.parametrize(
    ("found", "words"),
    [(NEW, "2 lack days; 1 search for some of them each"), (DONE, "nothing to ask for")],
)
def test_a_run_begins_with_what_it_has_to_do(found, words):
    assert list_beginning(LIST, found.plan) == f"2 usernames, {DAYS}: {words}"


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (NEW, "At least 1 request"),
        (NEW, "New searches:  1 search, for 2 usernames: at least 1 request"),
        (POSTPONED, "Postponed:     what is left is tried again from 2024-02-01 16:00 UTC on"),
        (TRIED_AGAIN, "At least 1 request"),
        (TRIED_AGAIN, "Second tries:  1 search, for what the API has refused: at least 1 request"),
        (TRIED_LATER, "No requests: nothing is due"),
        (DONE, "No requests: nothing is due"),
    ],
)
def test_a_plan_says_what_a_list_costs(found, words):
    assert words in "\n".join(plan_of(found).lines())


def test_a_plan_for_programs_counts_second_tries():
    assert [plan_of(found).as_json()["least_requests"] for found in (TRIED_AGAIN, DONE)] == [1, 0]


def plan_of(found):
    return ListPlan(LIST, found, Allowance(1000, 1000), NOW, STALE)
