"""What needs a person, and what does not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from asked import QUERY

from tiktok_crawler.attention.disks import Disk, disks_of
from tiktok_crawler.attention.needs import needs_a_person
from tiktok_crawler.date_range import DateRange
from tiktok_crawler.planning.checks import RecordKind
from tiktok_crawler.planning.coverage import Covered, Freshness
from tiktok_crawler.planning.plan import Known, Wanted, make_plan
from tiktok_crawler.planning.task_states import WindowState
from tiktok_crawler.query_file.each_value import Each
from tiktok_crawler.query_file.refreshing import KeepFresh, Refreshing
from tiktok_crawler.research_api.query import Condition, Field, Query
from tiktok_crawler.storage.ledger.coverage import UnfinishedWindow
from tiktok_crawler.storage.ledger.existence import Existence, HeldCheck
from tiktok_crawler.storage.ledger.list_status import ListStatus
from tiktok_crawler.storage.ledger.queries import Totals, UsedQuery
from tiktok_crawler.storage.ledger.quota import Spent
from tiktok_crawler.storage.ledger.runs import PastRun
from tiktok_crawler.storage.ledger.status import QueryStatus, Status
from tiktok_crawler.storage.ledger.value_batches import ListTotals, RefusedValue

NOON = datetime(2024, 6, 10, 12, tzinfo=UTC)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
JANUARY = DateRange(date(2024, 1, 1), date(2024, 1, 10))
EXISTENCE = Existence({}, {}, 0, (), None)


def query(videos=50, covered=JANUARY, searched_at=NOON - DAY, windows=(), asked=QUERY, **keys):
    known = Known((Covered(covered, searched_at),) if covered else ())
    wanted = Wanted(asked, JANUARY, ("id",), Freshness(2 * DAY))
    return QueryStatus(
        used=UsedQuery(7, asked, ("dairy",), (JANUARY,), ("id",), Refreshing(**keys)),
        plans=(make_plan(wanted, known, NOON),),
        windows=windows,
        totals=Totals({}, 10, videos),
    )


def parked(opened_at, state=WindowState.PARKED):
    return UnfinishedWindow(
        *(DateRange(date(2024, 1, 4), date(2024, 1, 5)), state, 0, 0, None, NOON, "ann's", "LOG"),
        parked_at=NOON,
        retry_at=None,
        opened_at=opened_at,
    )


def run(ago, status=0, kind="a", **changes):
    begun_at = NOON - ago
    values = {"ended_at": begun_at + HOUR, "close_reason": "finished"} | changes
    return PastRun(kind, "videos", None, begun_at, exit_status=status, requests=1, **values)


def list_status(videos=9, missing=(), refused=()):
    return ListStatus(
        *("template", QUERY, Each(Field.USERNAME, ("ann", "bob")), ("people",), (JANUARY,)),
        missing=missing,
        unsettled=(),
        lacking=0,
        refused=refused,
        missed=0,
        totals=ListTotals(4, videos),
    )


def keys(disks=(), **parts):
    return [need.key for need in found(disks, **parts)]


def found(disks=(), **parts):
    return needs_a_person(Status("SQLite database x.db", "sandbox", NOON, **parts), disks)


def test_all_is_well_where_nothing_is_known_against_it():
    well = query(keep_fresh=KeepFresh(15 * DAY))
    assert found(queries=(well,), recent_runs=(run(8 * HOUR),), lists=(list_status(),)) == ()


def test_a_database_that_nobody_uses_is_not_the_one_that_was_meant():
    assert [need.key for need in needs_a_person(Status("x.db", None, NOON))] == ["unused"]


@pytest.mark.parametrize(
    ("videos", "covered", "expected"),
    [
        (0, JANUARY, ["empty:7"]),
        (0, DateRange(date(2024, 1, 1), date(2024, 1, 4)), []),
        (0, None, []),
        (1, JANUARY, []),
    ],
)
def test_a_query_without_a_video_is_told_when_most_days_were_searched(videos, covered, expected):
    assert keys(queries=(query(videos, covered),)) == expected


def test_days_that_are_parked_for_a_week_are_told_by_number_and_tags_alone():
    long, lately = parked(NOON - 8 * DAY), parked(NOON - 6 * DAY)
    assert keys(queries=(query(windows=(lately,)),)) == []
    assert keys(queries=(query(windows=(replace(long, state=WindowState.OPEN),)),)) == []
    nobody = Query((Condition("username", "EQ", ("deleted:",)),))
    assert keys(queries=(query(windows=(long,), asked=nobody),)) == []
    [need] = found(queries=(query(windows=(long, lately)),))
    assert need.key == "parked:7"
    assert need.text.startswith(
        "query 7 (tags dairy): 2 days could not be collected since 2024-06-02: scrapy status has"
    )


@pytest.mark.parametrize(
    ("runs", "expected"),
    [
        ([run(9 * HOUR, 77)], ["credentials"]),
        ([run(9 * HOUR), run(10 * HOUR, 77, "b")], []),
        ([run(1 * HOUR, None, ended_at=None), run(10 * HOUR, 77)], ["credentials"]),
        ([run(9 * HOUR, 70)], ["run:70:a"]),
        ([run(9 * HOUR, 78)], ["run:78:a"]),
        ([run(90 * HOUR, 78)], ["run:78:a"]),
        ([run(9 * HOUR, 75)], []),
        ([run(9 * HOUR, 0, "b"), run(10 * HOUR, 78, "a")], ["run:78:a"]),
        ([run(9 * HOUR, 0, "a"), run(10 * HOUR, 78, "a")], []),
        ([run(9 * HOUR, 0, "b"), run(37 * HOUR, 78, "a")], []),
    ],
)
def test_runs_that_broke_are_told_until_the_same_goes_well(runs, expected):
    assert keys(recent_runs=tuple(runs)) == expected


NIGHTLY = [run(age * DAY) for age in (2, 3, 4, 5)]


@pytest.mark.parametrize(
    ("runs", "spent", "expected"),
    [
        (NIGHTLY, (), ["late"]),
        ([run(1.4 * DAY), *NIGHTLY], (), []),
        ([NIGHTLY[0], *NIGHTLY[2:], run(6 * DAY)], (), ["late"]),
        ([run(age * DAY) for age in (2, 4, 6)], (), []),
        ([run(2 * DAY), run(2.1 * DAY), run(2.2 * DAY), run(2.3 * DAY)], (), []),
        ([run(2 * DAY, None, ended_at=None), *NIGHTLY[1:]], (), ["late"]),
        ([run(2 * DAY, None, ended_at=None), *NIGHTLY[1:]], (3,), []),
        (NIGHTLY, (3,), ["late"]),
        ([], (), []),
    ],
)
def test_a_night_that_did_not_come_is_told_where_nights_came(runs, spent, expected):
    spent = tuple(Spent("c", "research", requests, is_used_up=False) for requests in spent)
    assert keys(recent_runs=tuple(runs), spent=spent) == expected


@pytest.mark.parametrize(
    ("free", "total", "expected"),
    [
        (4 * 10**8, 10**11, ["disk:the database"]),
        (4 * 10**9, 10**12, []),
        (4 * 10**8, 10**9, []),
    ],
)
def test_a_disk_is_nearly_full_by_share_and_by_bytes(free, total, expected):
    assert keys([Disk("the database", free, total)]) == expected


def test_data_that_nothing_refreshes_are_told():
    old = NOON - 31 * DAY
    assert keys(oldest_search_at=old) == ["stale"]
    assert keys(oldest_search_at=old, keeps_fresh=True) == []


@pytest.mark.parametrize(("age", "expected"), [(14, []), (16, ["refresh:7"])])
def test_a_refresh_that_is_overdue_is_told(age, expected):
    keep = KeepFresh(15 * DAY, counters=True)
    assert keys(queries=(query(searched_at=NOON - age * DAY, keep_fresh=keep),)) == expected


@pytest.mark.parametrize(
    ("searched", "checked", "expected"),
    [(18, None, ["checks"]), (16, None, []), (40, 16, []), (40, 18, ["checks"]), (3, 40, [])],
)
def test_checks_that_are_overdue_are_told(searched, checked, expected):
    existence = replace(EXISTENCE, last_check_at=checked and NOON - checked * DAY)
    kept = query(keep_fresh=KeepFresh(15 * DAY))
    parts = {"queries": (kept,), "existence": existence, "keeps_fresh": True}
    assert keys(**parts, oldest_search_at=NOON - searched * DAY) == expected


def test_a_list_that_is_overdue_is_told_too():
    kept = Refreshing(keep_fresh=KeepFresh(15 * DAY, counters=True))
    [need] = found(lists=(replace(list_status(), refreshing=kept, overdue=2),))
    assert need.key == "refresh-list:template"
    assert "days of 2 values are overdue (keep_fresh: 15 days with counters)" in need.text


@pytest.mark.parametrize(
    ("checked", "videos", "expected"), [(16, 9, []), (18, 9, ["checks"]), (18, 0, [])]
)
def test_checks_that_only_a_list_asks_for_are_told(checked, videos, expected):
    existence = replace(EXISTENCE, last_check_at=NOON - checked * DAY)
    kept = Refreshing(keep_fresh=KeepFresh(15 * DAY))
    lists = (replace(list_status(videos, missing=(JANUARY,)), refreshing=kept),)
    assert keys(lists=lists, existence=existence, keeps_fresh=True) == expected


def test_a_check_that_is_held_is_told_with_what_to_type():
    check = HeldCheck(3, RecordKind.VIDEO, 120, "120 of 900 are gone at once", NOON)
    [need] = found(existence=replace(EXISTENCE, held=(check,)))
    assert need.key == "held:3"
    assert "scrapy gone --confirm 3" in need.text


def test_a_list_is_told_without_its_values():
    assert keys(lists=(list_status(0),)) == ["empty-list:template"]
    assert keys(lists=(list_status(0, missing=(JANUARY,)),)) == []
    refused = RefusedValue("bob", "bob is wrong", None, NOON - 6 * DAY, None)
    assert keys(lists=(list_status(refused=(refused,)),)) == []
    long = replace(refused, refused_at=NOON - 8 * DAY)
    [need] = found(lists=(list_status(refused=(long,)),))
    assert need.text.startswith("the list of 2 usernames (tags people): the API has refused 1 valu")
    assert "bob" not in need.text


def test_disks_are_looked_at_where_the_data_lie_or_will(tmp_path):
    url = f"sqlite:///{tmp_path / 'new' / 'x.db'}"
    [disk] = disks_of(url, tmp_path / "archive")
    assert (disk.what, 0 < disk.free < disk.total) == ("the database", True)
    assert [disk.what for disk in disks_of("postgresql://x/y", tmp_path)] == ["the archive"]
    assert disks_of("postgresql://x/y", None) == []
