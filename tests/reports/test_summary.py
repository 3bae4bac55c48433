"""The last words of a crawl say what was done, what is left, and how to go on."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from asked import QUERY, window_request
from tallies import tally

from tiktok_crawler.crawling.closing import EXIT_STATUSES
from tiktok_crawler.date_range import DateRange
from tiktok_crawler.exceptions import DailyShareSpentError, SecondTriesSpentError
from tiktok_crawler.planning.coverage import Covered, Freshness
from tiktok_crawler.planning.keyword_forms import KeywordForms
from tiktok_crawler.planning.plan import Known, WaitingWindow, Wanted, make_plan
from tiktok_crawler.planning.query_values import Unseen, UnseenValue
from tiktok_crawler.planning.search_budget import SearchBudget
from tiktok_crawler.planning.seeds import GivenSeeds, SeedsOfTag, Stage, StageResult
from tiktok_crawler.planning.task_states import WindowState
from tiktok_crawler.planning.window_days import DayCount
from tiktok_crawler.reports.endings import Ending, ending
from tiktok_crawler.reports.summary import SearchEnd, Summary
from tiktok_crawler.research_api import endpoints
from tiktok_crawler.research_api.query import NOBODY, Condition, Field, Operation, Query
from tiktok_crawler.storage.check_session import ChecksResult
from tiktok_crawler.storage.ledger.coverage import UnfinishedWindow
from tiktok_crawler.storage.ledger.queries import Totals
from tiktok_crawler.storage.search_session import SearchResult

JANUARY = DateRange(date(2024, 1, 1), date(2024, 1, 31))
NOON = datetime(2024, 2, 1, 12, tzinfo=UTC)
FRESHNESS = Freshness(timedelta(days=2))
ALL = Known(coverage=(Covered(JANUARY, datetime(2024, 6, 1, tzinfo=UTC)),))


def summary(known: Known = ALL, query: Query = QUERY, **stats: int | str) -> Summary:
    plan = make_plan(Wanted(query, JANUARY, ("id",), FRESHNESS), known, NOON)
    totals = Totals({WindowState.COMPLETE: 3, WindowState.OPEN: 1}, requests=1234, videos=56789)
    counts = {name.replace("__", "/"): count for name, count in stats.items()}
    final_from = FRESHNESS.final_from(date(2024, 1, 31))
    remains = SearchResult(plan, totals, final_from, asks_for_nobody=query.asks_for_nobody)
    return of_searches(remains, **counts)


def result_of(found: Summary) -> SearchResult:
    [search] = found.searches
    assert search.result
    return search.result


def with_result(found: Summary, result: SearchResult) -> Summary:
    [search] = found.searches
    return replace(found, searches=[replace(search, result=result)])


def of_searches(*results: SearchResult | None, **counts: int | str) -> Summary:
    """The summary of a run with a query file for each result; None: its search was not begun."""
    names = ("query.yaml", "other.yaml", "third.yaml")
    searches = [
        SearchEnd(name, SearchBudget(requests=5, new=4), result)
        for name, result in zip(names, results, strict=False)
    ]
    return Summary(searches, (), counts, "SQLite database tiktok.db")


def test_it_counts_what_this_run_did_and_what_the_query_has():
    text = summary(
        tiktok__videos__new_count=1000,
        tiktok__videos__updated_count=2,
        tiktok__requests__sent_count=12,
        tiktok__windows__completed_count=1,
    ).text(command="scrapy crawl videos", now=NOON)
    assert "56,789 of the query; in this run 1,000 new, 2 updated" in text
    assert "12 in this run; 1,234 for the query so far" in text
    assert "3 complete, 1 open; in this run 1 completed, 0 parked (a window: at most 31" in text
    assert "31 of 31 days" in text
    assert "SQLite database tiktok.db" in text
    assert text.endswith("\nMissing      nothing\nNext         nothing to do")
    assert not summary().is_unfinished


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("scrapy crawl videos -a query=q.yaml", "scrapy crawl videos -a query=q.yaml"),
        (None, "the same again"),
    ],
)
def test_what_is_left_comes_with_the_command_that_goes_on(command, words):
    unfinished = summary(Known())
    assert unfinished.is_unfinished
    assert "0 of 31 days" in unfinished.text(command=command, now=NOON)
    text = unfinished.text(command=command, now=NOON)
    assert text.index("Stored now\n") < text.index("Missing\n") < text.index("Next\n")
    assert "\n  gaps       2024-01-01..2024-01-31\n" in text
    assert text.endswith(
        "Next\n  left       1 window, at least as many requests\n"
        f"  when       now, or whenever you like\n  command    {words}"
    )


def test_a_query_for_the_deleted_alone_has_nothing_to_come():
    deleted = Condition(Field.USERNAME, Operation.EQ, (NOBODY[Field.USERNAME],))
    text = summary(Known(), Query((deleted,))).text(command="scrapy crawl videos", now=NOON)
    assert "\n  gaps       2024-01-01..2024-01-31\n" in text
    assert text.endswith(
        "Next\n  query      asks for nothing: those whom it asked for were deleted"
    )


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("max_requests_reached", "ended      early: the requests of -a max_requests are spent"),
        ("shutdown", "ended      early: it was interrupted, by Ctrl-C or a signal"),
        ("daily_quota_spent", "when       from 2024-02-02 00:01 UTC on"),
        ("daily_budget_spent", "when       from 2024-02-02 00:01 UTC on"),
        ("api_unavailable", "when       in an hour or later"),
        ("credentials_refused", "first      mend the credentials, or the project's approval"),
        ("query_refused", "first      correct what is asked for"),
        ("storage_failed", "first      mend that: a full disk"),
        ("closespider_timeout", "ended      early: one of Scrapy's limits is reached"),
        ("reason_of_others", "ended      early: reason_of_others"),
    ],
)
def test_a_crawl_that_ended_early_says_why_and_what_comes_first(reason, words):
    text = summary(Known(), finish_reason=reason).text(command="scrapy crawl videos", now=NOON)
    assert f"\n  {words}" in text
    assert text.endswith("\n  command    scrapy crawl videos")
    assert ("when       now" in text) == (
        not {"when       from", "when       in"} & {words[:15], words[:13]}
    )


def test_a_listing_without_approval_asks_for_that_first():
    parts = listed((USERS, DONE), (LIKED, replace(DONE, open=3)))
    text = replace(parts, stats={"tiktok/answers/scope_count": 1}).text(command=None, now=NOON)
    assert "first      mend the credentials, or the project's approval" in text


def test_what_the_crawl_was_waiting_for_makes_the_next_run_wait():
    unfinished = summary(Known(), finish_reason="shutdown")
    midnight = datetime(2024, 2, 2, tzinfo=UTC)
    text = replace(unfinished, waits_until=midnight).text(command=None, now=NOON)
    assert "when       from 2024-02-02 00:00 UTC on\n" in text
    soon = replace(unfinished, waits_until=NOON + timedelta(seconds=20))
    assert "when       now" in soon.text(command=None, now=NOON)
    later = replace(unfinished, waits_until=NOON + timedelta(seconds=90))
    assert "when       from 2024-02-01 12:02 UTC on\n" in later.text(command=None, now=NOON)


MIDNIGHT = datetime(2024, 2, 2, 0, 0, 30, tzinfo=UTC)
VIDEOS_SPENT = DailyShareSpentError("videos have none", part="videos", until=MIDNIGHT)
VIDEOS_NEVER = DailyShareSpentError("videos never have any", part="videos", until=None)
USERS_SPENT = DailyShareSpentError("users have none", part="users", until=MIDNIGHT)
AGAIN_SPENT = SecondTriesSpentError("second tries have none", part="videos", until=MIDNIGHT)
AGAIN_NEVER = SecondTriesSpentError("never a second try", part="videos", until=None)
FROM_MIDNIGHT = "when       from 2024-02-02 00:01 UTC on\n"
NOW_ = "when       now, or whenever you like\n"
NEVER = "when       when that setting allows some\n"


def postponed(days: DateRange) -> Known:
    """All is stored but these days, whose window is to be tried again."""
    waiting = WaitingWindow(window_request(days, row_id=7), NOON - timedelta(hours=1))
    return Known(coverage=all_but(days), parked_windows=(waiting,))


def all_but(days: DateRange) -> tuple[Covered, ...]:
    before = DateRange(JANUARY.start, days.start - timedelta(days=1))
    return (Covered(before, datetime(2024, 6, 1, tzinfo=UTC)),)


LAST_DAY = DateRange(date(2024, 1, 31), date(2024, 1, 31))


@pytest.mark.parametrize(
    ("known", "spent", "when"),
    [
        (Known(), [VIDEOS_SPENT], FROM_MIDNIGHT),
        (Known(), [VIDEOS_NEVER], NEVER),
        (Known(), [VIDEOS_NEVER, USERS_SPENT], NEVER),
        (Known(), [USERS_SPENT], NOW_),
        (Known(), [AGAIN_SPENT], NOW_),
        (postponed(LAST_DAY), [AGAIN_SPENT], FROM_MIDNIGHT),
        (postponed(LAST_DAY), [AGAIN_NEVER], NEVER),
        (postponed(LAST_DAY), [], NOW_),
    ],
)
def test_a_spent_share_of_the_day_ends_a_crawl_early_until_there_is_some_again(known, spent, when):
    found = replace(summary(known), spent=spent)
    text = found.text(command="scrapy crawl videos", now=NOON)
    assert text.count("ended      early: ") == len(spent)
    assert all(f"ended      early: {each.why}\n" in text for each in spent)
    assert when in text
    assert "ended" not in replace(summary(), spent=spent).text(command=None, now=NOON)


@pytest.mark.parametrize(
    ("open_users", "spent", "when"),
    [
        (0, [VIDEOS_SPENT], FROM_MIDNIGHT),
        (1, [VIDEOS_SPENT], NOW_),
        (1, [VIDEOS_SPENT, USERS_SPENT], FROM_MIDNIGHT),
        (1, [VIDEOS_NEVER, USERS_SPENT], FROM_MIDNIGHT),
    ],
)
def test_the_share_of_one_part_holds_up_no_other(open_users, spent, when):
    users = replace(DONE, open=open_users)
    found = replace(summary(Known()), stages=((USERS, users),), spent=spent)
    assert when in found.text(command="scrapy crawl videos", now=NOON)


def test_every_close_reason_has_words():
    assert {*EXIT_STATUSES} - {"not_started", "finished"} <= {
        reason for reason in EXIT_STATUSES if ending(reason) not in (None, Ending(reason))
    }


def test_days_that_are_not_final_are_named_with_the_time_from_which_they_can_be():
    text = summary(Known(coverage=(Covered(JANUARY, NOON),))).text(command=None, now=NOON)
    assert (
        "not final  2024-01-30..2024-01-31: not settled: searched before all their videos had "
        "appeared; collected once more from 2024-02-03 00:00 UTC on"
    ) in text
    assert "when " not in text


def test_windows_of_other_dates_are_left_alone_and_named():
    other = window_request(DateRange(date(2023, 5, 1), date(2023, 5, 9)), row_id=7, cursor=100)
    text = summary(Known(coverage=ALL.coverage, open_windows=(other,))).text(command=None, now=NOON)
    assert "left alone 2023-05-01..2023-05-09: begun for other dates of this query" in text


def test_values_that_brought_no_video_are_named():
    values = (UnseenValue(Field.HASHTAG_NAME, "electons"), UnseenValue(Field.REGION_CODE, "FR"))
    found = summary()
    result = replace(result_of(found), unseen=Unseen(QUERY, "https://x", values=values))
    text = with_result(found, result).text(command=None, now=NOON)
    assert '  unseen     no video so far had the hashtag "electons"\n' in text
    assert '  unseen     no video so far was from the region "FR"\n' in text
    assert not found.is_unfinished


def test_suspicious_days_are_named():
    nothing = dict.fromkeys(JANUARY, DayCount())
    silent = replace(ALL.coverage[0], counts=nothing, suspicious=True)
    text = summary(Known(coverage=(silent,))).text(command=None, now=NOON)
    assert (
        "suspicious 2024-01-01..2024-01-31: suspiciously few videos; searched once more from "
        "2024-06-04 00:00 UTC on"
    ) in text
    days = DateRange(date(2024, 1, 7), date(2024, 1, 9))
    again = Covered(days, NOON + timedelta(days=150), counts=nothing)
    text = summary(Known(coverage=(silent, again))).text(command=None, now=NOON)
    assert "suspicious 2024-01-01..2024-01-06, 2024-01-10..2024-01-31: suspiciously few" in text
    assert "2024-01-07..2024-01-09: suspiciously few videos; searched twice" in text
    assert not summary(Known(coverage=(silent,))).is_unfinished


def test_what_helped_where_keywords_found_nothing_is_told():
    keyword = Query((Condition("keyword", "EQ", ("butter",)),))
    forms = KeywordForms((Operation.IN, Operation.EQ), frozenset({Operation.EQ}))
    text = summary(Known(keyword_forms=forms), keyword).text(command=None, now=NOON)
    assert "keywords   sent as EQ: searches with IN found nothing\n" in text

    forms = KeywordForms((Operation.IN,))
    unfinished = summary(Known(coverage=ALL.coverage, keyword_forms=forms), keyword)
    assert (
        "keywords   no video was found: 2024-01-01..2024-01-31 is searched once more, with "
        "keywords sent as EQ\n"
    ) in unfinished.text(command=None, now=NOON)
    assert "left       1 window, " in unfinished.text(command=None, now=NOON)
    assert unfinished.is_unfinished


def test_windows_that_were_given_up_are_named_with_the_time_of_their_next_try():
    request = window_request(JANUARY, row_id=7)
    waiting = WaitingWindow(request, retry_at=datetime(2024, 2, 3, 4, 5, tzinfo=UTC))
    unfinished = summary(Known(parked_windows=(waiting,)))
    text = unfinished.text(command=None, now=NOON)
    assert "postponed  2024-01-01..2024-01-31: tried again from 2024-02-03 04:05 UTC on\n" in text
    assert "when       from 2024-02-03 04:05 UTC on\n" in text
    assert unfinished.is_unfinished
    late = unfinished.text(command=None, now=NOON + timedelta(days=9))
    assert "tried again by the next run\n" in late
    assert "when       now" in late


def test_why_a_window_was_parked_is_told():
    waiting = WaitingWindow(window_request(JANUARY, row_id=7), retry_at=NOON)
    parked = UnfinishedWindow(
        JANUARY, WindowState.PARKED, 1, 9, None, NOON, "HTTP 500: busy", "LOG", NOON, NOON
    )
    unfinished = summary(Known(parked_windows=(waiting,)))
    lacking = replace(result_of(unfinished), parked=(parked,))
    text = with_result(unfinished, lacking).text(command=None, now=NOON)
    assert (
        "parked     2024-01-01..2024-01-31 since 2024-02-01 12:00 UTC (postponed after failures or "
        "a refusal); tried again by the next run: HTTP 500: busy (log_id LOG)\n"
    ) in text
    covered = replace(result_of(summary()), parked=(parked,))
    assert "parked  " not in with_result(unfinished, covered).text(command=None, now=NOON)


LIKED = Stage(endpoints.LIKED_VIDEOS, GivenSeeds(("ada",)))
USERS = Stage(endpoints.USERS, GivenSeeds(("ada",)))
WITHHELD = tally({"complete": 1200}, {"withheld": 34}, seeds=1200, stored=56789)
DONE = StageResult(open=0, complete=1200, refused=34, parked=0, tally=WITHHELD)
BEGUN = StageResult(open=3, complete=1, refused=0, parked=2, tally=tally({"complete": 1}, stored=5))


def listed(*stages: tuple[Stage, StageResult]) -> Summary:
    counts = {
        "tiktok/records/new_count": 1000,
        "tiktok/records/updated_count": 2,
        "tiktok/requests/sent_count": 1240,
    }
    return Summary((), stages, counts, "SQLite database tiktok.db")


def test_listings_are_counted_by_what_became_of_their_seeds():
    text = listed((LIKED, DONE)).text(command=None, now=NOON)
    assert (
        "liked videos: of 1,234 users 1,200 complete, 34 refused (34 withheld), 0 open, "
        "0 postponed; 56,789 videos"
    ) in text
    assert "1,000 new, 2 updated in this run" in text
    assert "1,240 in this run" in text
    assert "SQLite database tiktok.db" in text
    assert "days  " not in text
    assert text.endswith("\nMissing      nothing\nNext         nothing to do")
    assert not listed((LIKED, DONE)).is_unfinished


def test_a_listing_without_seeds_says_where_they_were_looked_for():
    none = StageResult(open=0, complete=0, refused=0, parked=0, tally=tally())
    stage = Stage(endpoints.USERS, SeedsOfTag("tae"))

    text = listed((stage, none)).text(command=None, now=NOON)

    assert "users: the database has none in stored videos with the tag 'tae'" in text


@pytest.mark.parametrize("left", [{"open": 1}, {"parked": 1}])
def test_seeds_that_are_open_or_given_up_come_with_the_command_that_goes_on(left):
    unfinished = listed((USERS, DONE), (LIKED, replace(DONE, **left)))
    assert unfinished.is_unfinished
    text = unfinished.text(command="scrapy crawl users", now=NOON)
    assert (
        f"listing    liked videos: {left.get('open', 0)} open, {left.get('parked', 0)} parked"
        in text
    )
    assert text.endswith("when       now, or whenever you like\n  command    scrapy crawl users")


def test_parked_seeds_say_when_they_are_tried_again():
    parked = replace(DONE, parked=2, next_retry_at=NOON + timedelta(hours=1))
    text = listed((USERS, parked)).text(command=None, now=NOON)
    assert "when       from 2024-02-01 13:00 UTC on\n" in text


def test_a_listing_that_was_not_begun_is_missing():
    unfinished = listed((USERS, DONE), (LIKED, None))
    assert unfinished.is_unfinished
    assert "\n  listing    liked videos: not begun\n" in unfinished.text(command=None, now=NOON)


def test_a_crawl_of_videos_that_lists_more_says_both():
    both = replace(summary(tiktok__requests__sent_count=7), stages=((USERS, BEGUN),))
    text = both.text(command=None, now=NOON)
    assert text.index("  videos  ") < text.index("  listing  ") < text.index("  data  ")
    assert text.count("7 in this run") == 1
    assert both.is_unfinished


def test_checks_that_were_not_ended_are_missing_also_between_two_of_them():
    ended = replace(listed(), checks=ChecksResult(done=1, is_decided=True))
    assert not ended.is_unfinished

    between = replace(ended, checks=ChecksResult(done=1))

    assert between.is_unfinished
    text = between.text(command="scrapy crawl compliance", now=NOON)
    assert "existence  what is not checked yet is left to a later run\n" in text
    assert text.endswith("whenever you like\n  command    scrapy crawl compliance")


def test_a_crawl_that_came_to_nothing_says_where_the_data_is():
    text = listed().text(command=None, now=NOON)
    assert "\n  data       SQLite database tiktok.db\n" in text


def test_of_several_query_files_each_has_its_line():
    done = result_of(summary())
    missing = result_of(summary(Known()))
    text = of_searches(done, missing, None).text(command="scrapy crawl videos", now=NOON)
    assert (
        "  query      query.yaml: 31 of 31 days, 56,789 videos; in this run 4 new, 5 requests\n"
        "  query      other.yaml: 0 of 31 days, 56,789 videos; in this run 4 new, 5 requests\n"
        "  query      third.yaml: not begun\n"
    ) in text
    assert "gaps       other.yaml: 2024-01-01..2024-01-31" in text
    assert "left       other.yaml: 1 window" in text
    assert "when       now, or whenever you like" in text
    assert "query so far" not in text


def test_a_query_file_with_all_the_videos_it_wants_is_done_and_says_which_days_are_left():
    result = result_of(summary(Known()))
    search = SearchEnd("query.yaml", SearchBudget(max_videos=100, videos=120), result)
    found = Summary([search], (), {}, "SQLite database tiktok.db")
    assert not found.is_unfinished
    text = found.text(command="scrapy crawl videos", now=NOON)
    assert "with the 100 videos of max_videos: other days are not searched" in text
    assert "gaps       2024-01-01..2024-01-31" in text


def test_a_query_file_with_all_its_days_leaves_none_unsearched_for_its_videos():
    names = ("a.yaml", "b.yaml")
    budget = SearchBudget(max_videos=120, videos=120)
    ends = [SearchEnd(name, budget, result_of(summary())) for name in names]
    text = Summary(ends, (), {}, "SQLite database tiktok.db").text(command=None, now=NOON)
    assert "max_videos" not in text
    assert "\nMissing      nothing\n" in text


@pytest.mark.parametrize(
    ("budget", "words"),
    [
        (SearchBudget(failure="HTTP 500: busy"), "ended      early: HTTP 500: busy"),
        (
            SearchBudget(max_requests=20, requests=20),
            "ended      early: the 20 requests of its max_requests are sent",
        ),
        (SearchBudget(max_requests=20, requests=19), "Missing\n  gaps"),
    ],
)
def test_a_query_file_that_is_not_done_says_why(budget, words):
    search = SearchEnd("query.yaml", budget, result_of(summary(Known())))
    text = Summary([search], (), {}, "SQLite database tiktok.db").text(command=None, now=NOON)
    assert words in text


def test_windows_that_other_crawls_work_on_are_named():
    unfinished = summary(Known(taken_windows=(window_request(JANUARY, row_id=7),)))
    text = unfinished.text(command="scrapy crawl videos", now=NOON)
    assert "others     2024-01-01..2024-01-31: another crawl works on that\n" in text
    assert unfinished.is_unfinished
