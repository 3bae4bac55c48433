"""An invented dataset that has everything a report can tell, and texts that mean harm."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from datasets import HOUR, NOON, covered, facts
from tallies import tally

from tiktok_crawler.date_range import DateRange
from tiktok_crawler.html_report.page import html, page
from tiktok_crawler.planning.coverage import Freshness
from tiktok_crawler.planning.plan import Known, WaitingWindow, Wanted, make_plan
from tiktok_crawler.planning.task_states import SeedState, WindowState
from tiktok_crawler.planning.window_days import DayCount
from tiktok_crawler.query_file.each_value import Each
from tiktok_crawler.reports.naming import AS_THEY_ARE
from tiktok_crawler.research_api.endpoints import COMMENTS
from tiktok_crawler.research_api.query import Condition, Field, Operation, Query
from tiktok_crawler.research_api.tasks import PageRequest
from tiktok_crawler.storage.ledger.coverage import UnfinishedWindow
from tiktok_crawler.storage.ledger.list_status import ListStatus
from tiktok_crawler.storage.ledger.listing_status import ListingStatus
from tiktok_crawler.storage.ledger.provenance import (
    ListingFacts,
    Pages,
    QueryFacts,
    QuotaDay,
    RunDay,
    RunFacts,
)
from tiktok_crawler.storage.ledger.queries import Totals, UsedQuery
from tiktok_crawler.storage.ledger.status import QueryStatus
from tiktok_crawler.storage.ledger.value_batches import ListTotals, RefusedValue
from tiktok_crawler.storage.overview import Length, Listed, Overview, Reading

SCRIPT = "<script>document.title='harmed'</script><img src=x onerror=\"document.title='harmed'\">"
STEERING = "a\x1b[31mb\u202ec"
RIGHT_TO_LEFT = "طعام"

SPRING = DateRange(date(2024, 3, 1), date(2024, 5, 31))
DAY = timedelta(days=1)


def days(first, last):
    return DateRange(date(2024, *first), date(2024, *last))


def each_kind_of_day():
    """A query of which days stand in every way that there is."""
    query = Query(
        (
            Condition("hashtag_name", "IN", ("butter", SCRIPT, RIGHT_TO_LEFT)),
            Condition("username", "EQ", ("somebody",)),
        )
    )
    wanted = Wanted(query, SPRING, ("id", "username"), Freshness(timedelta(days=2)))
    counts = {day: DayCount(videos=40, withheld=3 + day.day % 5) for day in SPRING}
    opened, parked = (
        replace(wanted.window(range_, Operation.IN), row_id=number)
        for number, range_ in enumerate((days((4, 1), (4, 5)), days((4, 6), (4, 9))), start=1)
    )
    empty = {day: DayCount(videos=0) for day in days((4, 10), (4, 12))}
    suspicious = replace(covered(days((4, 10), (4, 12)), empty), suspicious=True)
    known = Known(
        (
            covered(days((3, 1), (3, 31)), counts),
            covered(days((4, 13), (4, 14)), counts, at=NOON - 47 * DAY),
            suspicious,
            replace(covered(days((5, 31), (5, 31)), counts), searched_at=NOON),
        ),
        open_windows=(PageRequest(opened),),
        parked_windows=(WaitingWindow(PageRequest(parked), NOON),),
        counts={1: {date(2024, 4, 5): DayCount(videos=7)}},
    )
    window = UnfinishedWindow(
        parked.days, WindowState.PARKED, 0, 0, None, NOON, SCRIPT, None, NOON, NOON + HOUR
    )
    status = QueryStatus(
        used=UsedQuery(1, query, ("spring", SCRIPT, STEERING), (SPRING,), ("id", "username")),
        plans=(make_plan(wanted, known, NOON),),
        windows=(window,),
        totals=Totals({}, 1234, 5678),
    )
    return QueryFacts(status, Pages(60, NOON, NOON + HOUR, 5700))


def a_list():
    """Accounts, of which some lack days and one is refused."""
    refused = RefusedValue("nobody.here", SCRIPT, "20240102LOG", NOON, NOON + DAY)
    return ListStatus(
        template="0" * 64,
        rest=Query((Condition("region_code", "EQ", ("FR",)),)),
        each=Each(Field.USERNAME, ("ada", "bob", "nobody.here")),
        tags=(SCRIPT,),
        days=(SPRING,),
        missing=(days((5, 1), (5, 31)),),
        unsettled=(),
        lacking=1,
        refused=(refused,),
        missed=0,
        totals=ListTotals(requests=12, videos=345, pages=11, first_page_at=NOON, last_page_at=NOON),
        searched=(NOON - 30 * DAY, *[NOON - 20 * DAY] * 2, NOON - 15 * DAY, NOON),
        counted=DayCount(videos=345, withheld=55),
    )


def full_facts(**changes):
    counts = dict.fromkeys(SeedState, 0) | {SeedState.COMPLETE: 3, SeedState.REFUSED: 2}
    come_to = tally({"complete": 2, "api_limit": 1}, {"withheld": 2}, seeds=3, stored=1100)
    listing = ListingStatus(COMMENTS, counts, come_to, 0, 1100, 20, None)
    runs = RunFacts(
        NOON,
        NOON + DAY,
        ("1.0",),
        {"finished": 1, "shutdown": 1, None: 1, SCRIPT: 1},
        (RunDay(NOON.date(), 2, 20, {"fault": 2}), RunDay((NOON + DAY).date(), 2, 9, {SCRIPT: 1})),
    )
    quota = tuple(
        QuotaDay((NOON + n * DAY).date(), "research", 100 + 40 * n, is_used_up=n == 5)
        for n in range(6)
    )
    found = facts(
        each_kind_of_day(),
        listings=(ListingFacts(listing, Pages(14, NOON, NOON + HOUR, 1100)),),
        runs=runs,
        quota=quota,
    )
    found = replace(found, status=replace(found.status, lists=(a_list(),)))
    return replace(found, **changes)


def overview(**changes):
    names = ("butter", SCRIPT, RIGHT_TO_LEFT, STEERING, "w" * 90)
    hashtags = zip(names, (5000, 900, 700, 100, 9), strict=True)
    growth = tuple(
        Reading(
            days,
            50,
            {
                "view_count": 1 + days / 9,
                "like_count": 1 + days / 12,
                "comment_count": 1 + days / 20,
                "share_count": None,
            },
        )
        for days in (1, 2, 5, 10)
    )
    found = Overview(
        days={day: 40 + day.toordinal() * 7 % 31 for day in SPRING},
        undated=3,
        lengths={Length.SHORT: 1000, Length.MID: 4000, Length.LONG: 600, Length.UNKNOWN: 78},
        regions=(("FR", 4000), ("DE", 1678)),
        hashtags=tuple(hashtags),
        accounts=(("somebody", 300), ("anybody.else", 20)),
        account_count=1234,
        growth=growth,
        listed={"comments": Listed(seeds=3, due=2, oldest_at=NOON - 40 * DAY)},
    )
    return replace(found, **changes)


def report(found=None, added_up=None, *, naming=AS_THEY_ARE, refresh_after=15 * DAY):
    """The report as HTML."""
    content = page(
        found or full_facts(), added_up or overview(), naming, refresh_after=refresh_after
    )
    return "".join(html(content))
