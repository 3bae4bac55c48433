"""What `scrapy status` says of each situation."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from asked import QUERY
from tallies import tally

from tiktok_crawler.date_range import DateRange
from tiktok_crawler.planning.coverage import Covered, Freshness
from tiktok_crawler.planning.plan import Known, Wanted, make_plan
from tiktok_crawler.planning.query_values import Unseen, UnseenValue
from tiktok_crawler.planning.task_states import SeedState, WindowState
from tiktok_crawler.query_file.refreshing import KeepFresh, Refreshing
from tiktok_crawler.reports import status_report
from tiktok_crawler.research_api.endpoints import LIKED_VIDEOS, USERS, Pool
from tiktok_crawler.research_api.query import Condition, Field, Query
from tiktok_crawler.storage.engine.workers import Holder
from tiktok_crawler.storage.ledger.coverage import UnfinishedWindow
from tiktok_crawler.storage.ledger.listing_status import ListingStatus
from tiktok_crawler.storage.ledger.queries import Totals, UsedQuery
from tiktok_crawler.storage.ledger.quota import Spent
from tiktok_crawler.storage.ledger.runs import PastRun
from tiktok_crawler.storage.ledger.status import QueryStatus, Status

NOON = datetime(2024, 6, 1, 12, tzinfo=UTC)
JANUARY = DateRange(date(2024, 1, 1), date(2024, 1, 31))
TODAY = DateRange(NOON.date(), NOON.date())
BUTTER = Condition("hashtag_name", "EQ", ("butter",))
FRENCH = Condition("region_code", "EQ", ("FR",))


def query_status(*days, covered=(), windows=(), query=None, tags=()):
    known = Known(tuple(Covered(window, NOON) for window in covered))
    wanted = [Wanted(QUERY, part, ("id",), Freshness(timedelta(days=2))) for part in days]
    return QueryStatus(
        used=UsedQuery(7, query or Query((BUTTER,)), tags, days, ("id",)),
        plans=tuple(make_plan(part, known, NOON) for part in wanted),
        windows=windows,
        totals=Totals({}, 1234, 5678),
    )


def status(*queries, spent=()):
    return Status("SQLite database x.db", "sandbox", NOON, spent, queries)


def lines(*queries, spent=(), budget=None):
    words = status_report.text(status(*queries, spent=spent), budget)
    return [line.strip() for line in words.splitlines()]


def window(state, **changes):
    values = {"pages": 2, "videos": 150, "reached": None, "error": None, "error_log_id": None}
    values |= {"parked_at": None, "retry_at": None} | changes
    return UnfinishedWindow(days=JANUARY, state=state, updated_at=NOON, **values)


def test_a_database_that_no_crawl_has_used_is_one_line():
    unused = Status("SQLite database x.db", None, NOON)

    assert status_report.text(unused, 800) == "SQLite database x.db: no crawl has used it yet"


def test_a_complete_query_has_no_gaps_and_nothing_to_do():
    said = lines(query_status(JANUARY, covered=[JANUARY]))

    assert said == [
        "SQLite database x.db, data from sandbox",
        "Requests on 2024-06-01 UTC: none",
        "",
        "Query 7",
        "videos with #butter",
        "wanted     2024-01-01..2024-01-31 (31 days)",
        "covered    31 of 31 days (100.0 %)",
        "videos     5,678",
        "requests   1,234 so far",
        "next run   nothing is missing",
    ]


def test_days_that_are_not_final_are_named():
    said = lines(query_status(TODAY, covered=[TODAY]))

    assert (
        "not final  2024-06-01: not settled: searched before all their videos had appeared; "
        "collected once more when they have"
    ) in said
    (query,) = status_report.as_json(status(query_status(TODAY, covered=[TODAY])), None)["queries"]
    assert query["not_final"] == [{"start": "2024-06-01", "end": "2024-06-01"}]


def test_open_windows_say_how_far_they_have_come():
    query = query_status(JANUARY, windows=(window(WindowState.OPEN),))

    assert (
        "open       2024-01-01..2024-01-31: 2 pages with 150 records so far, last request "
        "2024-06-01 12:00 UTC"
    ) in lines(query)
    (described,) = status_report.as_json(status(query), None)["queries"]
    assert described["open"] == [
        {
            "start": "2024-01-01",
            "end": "2024-01-31",
            "pages": 2,
            "videos": 150,
            "reached": None,
            "last_request_at": "2024-06-01T12:00:00+00:00",
        }
    ]


def test_a_parked_window_without_words_of_the_api_says_so():
    parked = window(WindowState.PARKED)

    assert (
        "parked     2024-01-01..2024-01-31 since 2024-06-01 12:00 UTC (postponed after failures or "
        "a refusal): no reason known (log_id none)"
    ) in lines(query_status(JANUARY, windows=(parked,)))


@pytest.mark.parametrize(
    ("later", "words"),
    [
        (timedelta(hours=1), "tried again from 2024-06-01 13:00 UTC on"),
        (timedelta(), "tried again by the next run"),
        (-timedelta(hours=1), "tried again by the next run"),
    ],
)
def test_a_time_that_is_past_is_not_told_as_the_next(later, words):
    parked = window(WindowState.PARKED, retry_at=NOON + later)
    (first, second) = (
        line
        for line in lines(query_status(JANUARY, windows=(parked, parked)))
        if line.startswith("parked")
    )
    assert f"; {words}: no reason known" in first
    assert second == first.replace(" (postponed after failures or a refusal)", "")
    assert f"next retry {words.removeprefix('tried again ')}" in listing_lines(
        next_retry_at=NOON + later
    )


def test_many_gaps_are_counted_in_words_and_listed_in_json():
    days = [DateRange(date(2024, month, 1), date(2024, month, 1)) for month in range(1, 6)]
    days += [DateRange(date(2023, month, 1), date(2023, month, 1)) for month in range(1, 13)]
    query = query_status(*sorted(days))

    (gaps,) = [line for line in lines(query) if line.startswith("gaps")]
    assert gaps.endswith(", 2023-05-01 and 12 more")
    (described,) = status_report.as_json(status(query), None)["queries"]
    assert len(described["gaps"]) == len(described["wanted"]) == 17


def test_the_days_requests_are_told_for_each_client_key_and_pool():
    spent = (
        Spent(
            "a" * 64,
            Pool.RESEARCH,
            1700,
            is_used_up=True,
            parts={"users": 700, "videos": 1000},
        ),
        Spent("b" * 64, Pool.FOLLOW, 3, parts={"followers": 3}),
    )
    said = lines(spent=spent, budget=800)

    assert said[1:] == [
        (
            "Requests on 2024-06-01 UTC: 1,700 of 1,000 (research, client key aaaaaaaa...); "
            "used up, the API said"
        ),
        "of these   users 700, videos 1,000",
        "Requests on 2024-06-01 UTC: 3 of 20,000 (follow, client key bbbbbbbb...)",
        "Daily budget: 800 (TIKTOK_DAILY_BUDGET)",
    ]


COUNTS = {
    SeedState.OPEN: 1200,
    SeedState.COMPLETE: 3,
    SeedState.REFUSED: 0,
    SeedState.PARKED: 1,
}


def listing_lines(**changes):
    values = {"suspicious": 0, "records": 1234, "requests": 5678, "next_retry_at": None}
    come_to = tally({"complete": 3}, seeds=1204, stored=1234)
    listing = ListingStatus(LIKED_VIDEOS, COUNTS, come_to, **(values | changes))
    report = status_report.text(replace(status(), listings=(listing,)), None)
    return [line.strip() for line in report.splitlines()]


def test_a_listing_tells_how_far_its_seeds_are():
    words = listing_lines()

    assert words[-4:] == [
        "Listing liked videos",
        "seeds      1,204 users: 1,200 open, 3 complete, 0 refused, 1 parked",
        "delivered  1,234 videos",
        "requests   5,678 so far",
    ]


def test_a_listing_tells_what_is_suspicious_and_when_parked_seeds_are_due():
    words = listing_lines(suspicious=2, next_retry_at=NOON + timedelta(hours=1))

    assert "suspicious 2 of the complete ones may lack something" in words
    assert "next retry from 2024-06-01 13:00 UTC on" in words


@pytest.mark.parametrize(("due", "text"), [(None, None), (NOON, "2024-06-01T12:00:00+00:00")])
def test_a_listing_as_json(due, text):
    come_to = tally({"complete": 1, "api_limit": 2}, {"not_found": 4}, counted=2, total=90)
    listing = ListingStatus(USERS, COUNTS, come_to, 2, 10, 20, due)
    report = status_report.as_json(replace(status(), listings=(listing,)), None)

    assert report["listings"] == [
        {
            "listing": "users",
            "seeds": {"open": 1200, "complete": 3, "refused": 0, "parked": 1},
            "ends": {"complete": 1, "api_limit": 2, "cut": 0},
            "refusals": {"not_found": 4, "withheld": 0, "refused": 0},
            "broken_off": {"seeds": 0, "records": 0},
            "suspicious": 2,
            "next_retry_at": text,
            "records": 10,
            "counted": {"seeds": 2, "records": 0, "total": 90},
            "requests": 20,
        }
    ]


RUN = PastRun(
    "a", "videos", None, NOON, NOON + timedelta(minutes=5), "daily_budget_spent", 75, 1234
)


def test_the_last_run_is_one_line():
    text = status_report.text(replace(status(), recent_runs=(RUN,)), None)

    assert text.splitlines()[2] == (
        "Last run: videos, begun 2024-06-01 12:00 UTC, ended 2024-06-01 12:05 UTC: "
        "daily_budget_spent, exit status 75, requests 1,234"
    )


def test_a_run_of_scrapyds_is_told_by_its_job():
    text = status_report.text(replace(status(), recent_runs=(replace(RUN, job="26c5"),)), None)

    assert "Last run: videos, job 26c5, begun 2024-06-01 12:00 UTC, ended" in text


def test_a_last_run_without_an_end_is_running_or_was_killed():
    unfinished = replace(RUN, ended_at=None, close_reason=None, exit_status=None)
    text = status_report.text(replace(status(), recent_runs=(unfinished,)), None)

    assert "Last run: videos, begun 2024-06-01 12:00 UTC: still running, or killed" in text


def test_who_is_at_work_is_told():
    holders = (Holder("tiktok_crawler node 7", NOON), Holder("tiktok_crawler other 9", NOON))
    found = replace(status(), at_work=holders)
    since = "since 2024-06-01 12:00:00 UTC"
    expected = f"At work: process 7 on node, {since}; process 9 on other, {since}"
    assert expected in status_report.text(found, None)
    (first, _) = status_report.as_json(found, None)["at_work"]
    assert first == {"name": "tiktok_crawler node 7", "since": "2024-06-01T12:00:00+00:00"}


def test_the_last_run_in_json():
    report = status_report.as_json(replace(status(), recent_runs=(RUN,)), None)

    assert status_report.as_json(status(), None)["last_run"] is None
    assert report["last_run"] == {
        "spider": "videos",
        "job": None,
        "begun_at": "2024-06-01T12:00:00+00:00",
        "ended_at": "2024-06-01T12:05:00+00:00",
        "close_reason": "daily_budget_spent",
        "exit_status": 75,
        "requests": 1234,
    }


def test_values_that_brought_no_video_are_named():
    unseen = Unseen(QUERY, "sandbox", values=(UnseenValue(Field.HASHTAG_NAME, "electons"),))
    query = replace(query_status(JANUARY, covered=[JANUARY]), unseen=unseen)

    (line,) = (line for line in lines(query) if line.startswith("unseen"))
    said = 'no video so far had the hashtag "electons" (did you mean "elections2024"?)'
    assert line == f"unseen     {said}"
    (described,) = status_report.as_json(status(query), None)["queries"]
    assert described["unseen"] == [
        {"field_name": "hashtag_name", "value": "electons", "similar": None}
    ]
    assert described["empty"] == []


FRESH = Refreshing(keep_fresh=KeepFresh(timedelta(days=15), counters=True))


def aged(days, *queries, keeps_fresh=False):
    oldest = NOON - timedelta(days=days)
    return replace(status(*queries), oldest_search_at=oldest, keeps_fresh=keeps_fresh)


@pytest.mark.parametrize(
    ("days", "keeps_fresh", "is_stale"), [(30, False, False), (31, False, True), (99, True, False)]
)
def test_data_that_nobody_keeps_fresh_are_warned_of(days, keeps_fresh, is_stale):
    found = aged(days, keeps_fresh=keeps_fresh)
    words = status_report.text(found, None)
    assert ("Warning: some data are of 2024-" in words) == is_stale
    assert ("write keep_fresh: 15 days into the query files" in words) == is_stale
    assert status_report.as_json(found, None)["freshness"] == {
        "oldest_search_at": f"{NOON - timedelta(days=days):%Y-%m-%dT12:00:00}+00:00",
        "keeps_fresh": keeps_fresh,
        "is_stale": is_stale,
    }


def test_it_is_said_how_fresh_a_query_is_kept_and_what_is_due_now():
    query = query_status(JANUARY, covered=[JANUARY])
    query = replace(query, used=replace(query.used, refreshing=FRESH))
    assert "kept fresh keep_fresh: 15 days with counters" in lines(query)
    query = replace(query, to_refresh=(DateRange(JANUARY.start, JANUARY.start),))
    assert ("kept fresh keep_fresh: 15 days with counters; now 2024-01-01 (1 window)") in lines(
        query
    )
    [found] = status_report.as_json(status(query), None)["queries"]
    assert found["refreshing"] == {"keep_fresh": "15 days with counters"}
    assert found["to_refresh"] == [{"start": "2024-01-01", "end": "2024-01-01"}]
    assert found["oldest_search_at"] == "2024-06-01T12:00:00+00:00"


def test_what_was_spent_on_refreshing_is_a_part_of_the_requests():
    spent = Spent("a" * 64, Pool.RESEARCH, 70, refreshes=20)
    assert "refreshing 20 of them" in lines(spent=[spent])
