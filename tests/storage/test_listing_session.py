"""A stage from its plan to its end, killed at any moment, and run again."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from listed_pages import MINUTE, RECORDS, Crawl, stage
from sqlalchemy import text
from stored_pages import ACCOUNT, NOON, content, row, rows

from tiktok_crawler.exceptions import DailyBudgetSpentError, DailyShareSpentError, QueryLockedError
from tiktok_crawler.planning.task_states import ParkedSeed, RefusedSeed
from tiktok_crawler.research_api.endpoints import COMMENTS, FOLLOWERS, LISTINGS, USERS
from tiktok_crawler.research_api.tasks import ListRequest
from tiktok_crawler.research_api.verdicts import SeedStatus
from tiktok_crawler.storage.stage_session import StageSession, look_up_stage

DAY = timedelta(days=1)
NO_USER = "`username: ann` is invalid: cannot find the user"


@pytest.fixture(params=sorted(LISTINGS))
def listing(request):
    return LISTINGS[request.param]


@pytest.fixture
def run(prepared_url):
    """Runs a stage; what was opened last is closed before, as if it had been killed."""
    crawls = []

    def run(*seeds, listing=COMMENTS, now=NOON, account=ACCOUNT, **limits):
        while crawls:
            crawls.pop().session._release()
        wanted = stage(listing, *(seeds or ("7",)), **limits)
        crawls.append(Crawl(prepared_url, wanted, now=now, account=account))
        return crawls[-1]

    yield run
    for crawl in crawls:
        crawl.session._release()


def comments(count, first=100):
    return [{"id": first + n, "text": str(n)} for n in range(count)]


def refusal(request, at, status=SeedStatus.NOT_FOUND, reason=NO_USER):
    return RefusedSeed(request, status, reason, "20240601LOG", at)


def test_each_listing_is_collected_and_complete(prepared_url, listing):
    with Crawl(prepared_url, stage(listing, "7"), tags=("tea",)) as crawl:
        (request,) = crawl.plan.requests
        assert request == ListRequest(listing, "7", request.seed_id)
        assert crawl.ask(request, RECORDS[listing.name]) is None
        assert crawl.saved.new_count >= 1
        assert (crawl.saved.refused, crawl.saved.misfits) == ((), ())
        assert crawl.saved.unknown_fields == frozenset()

    assert crawl.remains.is_fulfilled
    assert (crawl.remains.complete, crawl.remains.records) == (1, 1)
    with Crawl(prepared_url, stage(listing, "7"), now=NOON + DAY) as again:
        assert (again.plan.requests, again.plan.complete) == ((), 1)


def test_seeds_are_asked_for_in_their_order_and_each_once(run):
    plan = run("9", "7", "8", "7").plan

    assert [request.seed for request in plan.requests] == ["9", "7", "8"]
    assert (plan.seeds, plan.least_requests, plan.next_retry_at) == (3, 3, None)


def test_seeds_of_other_listings_are_others(engine, run):
    run("7", listing=USERS)
    run("7", listing=FOLLOWERS)

    assert [found["listing"] for found in rows(engine, "seed")] == ["users", "followers"]


def test_a_new_seed_has_a_row_before_its_first_request(engine, run):
    run("7")

    seed = row(engine, "seed")
    assert (seed["listing"], seed["seed"], seed["state"]) == ("comments", "7", "open")
    assert (seed["requests"], seed["pages"], seed["has_more"]) == (0, 0, None)
    assert (seed["created_at"], seed["begun_at"]) == (NOON, None)


def test_a_booking_is_written_before_the_request_is_sent(engine, run):
    crawl = run("7")
    booked = crawl.session.book(crawl.plan.requests[0], NOON + MINUTE)

    assert booked.begun_at == NOON + MINUTE
    seed = row(engine, "seed")
    assert (seed["requests"], seed["attempts"], seed["begun_at"]) == (1, 1, NOON + MINUTE)
    assert row(engine, "api_quota")["requests"] == 1


def test_a_page_moves_its_seed_on(engine, run):
    crawl = run("7")
    crawl.ask(crawl.plan.requests[0], *comments(3), has_more=True)

    seed = row(engine, "seed")
    assert (seed["state"], seed["cursor"], seed["position"], seed["pages"]) == ("open", 100, 3, 1)
    assert (seed["has_more"], seed["completed_at"]) == (True, None)
    assert seed["last_page_at"] == seed["updated_at"] == crawl.now
    page = row(engine, "crawl")
    assert (page["seed_id"], page["crawl_window_id"], page["query_id"]) == (seed["id"], None, None)
    assert (page["cursor"], page["next_cursor"], page["record_count"]) == (0, 100, 3)
    assert (page["max_count"], page["log_id"]) == (100, "202406011230")


def test_a_killed_run_goes_on_at_the_page_after_the_last_one_stored(run):
    crawl = run("7")
    following = crawl.ask(crawl.plan.requests[0], *comments(3), has_more=True)
    crawl.session.book(following, crawl.later())

    (resumed,) = run("7", now=NOON + DAY).plan.requests
    assert resumed == following
    assert resumed.begun_at == NOON + MINUTE


@pytest.mark.parametrize("is_booked", [False, True])
def test_a_run_that_was_killed_before_its_first_page_begins_again(run, is_booked):
    crawl = run("7")
    if is_booked:
        crawl.session.book(crawl.plan.requests[0], crawl.later())

    (request,) = run("7").plan.requests
    assert (request.cursor, request.position, request.begun_at) == (0, 0, None)


def test_a_booking_whose_commit_was_in_doubt_may_count_twice_and_moves_nothing(engine, run):
    crawl = run("7")
    following = crawl.ask(crawl.plan.requests[0], *comments(2), has_more=True)
    now = crawl.later()
    assert crawl.session.book(following, now) == crawl.session.book(following, now)

    seed = row(engine, "seed")
    assert (seed["cursor"], seed["position"], seed["pages"], seed["requests"]) == (100, 2, 1, 3)


def test_a_listing_begun_anew_discards_how_far_it_had_come(engine, run):
    crawl = run("7")
    following = crawl.ask(crawl.plan.requests[0], *comments(2), has_more=True)
    crawl.session.book(following.from_start(), crawl.later())

    seed = row(engine, "seed")
    assert (seed["cursor"], seed["position"], seed["pages"], seed["has_more"]) == (0, 0, 0, None)
    assert (seed["attempts"], seed["requests"], seed["begun_at"]) == (2, 2, crawl.now)


def test_a_limit_ends_a_listing_and_a_higher_one_goes_on(engine, run):
    crawl = run("7", limit=3)
    assert crawl.ask(crawl.plan.requests[0], *comments(4), has_more=True) is None
    seed = row(engine, "seed")
    assert (seed["state"], seed["has_more"]) == ("complete", True)
    assert crawl.session.close().is_fulfilled

    assert run("7", limit=4).plan.complete == 1
    for limit in (5, None):
        (request,) = run("7", limit=limit).plan.requests
        assert (request.cursor, request.position, request.limit) == (100, 4, limit)
    crawl = run("7")
    assert crawl.ask(crawl.plan.requests[0], *comments(2, first=200)) is None
    assert (row(engine, "seed")["position"], len(rows(engine, "comment"))) == (6, 6)
    assert run("7").plan.complete == 1


def test_an_open_listing_that_has_enough_is_complete_for_a_lower_limit(run):
    crawl = run("7")
    crawl.ask(crawl.plan.requests[0], *comments(4), has_more=True)

    lower = run("7", limit=4)
    assert (lower.plan.requests, lower.plan.complete) == ((), 1)
    assert lower.session.close().is_fulfilled
    assert len(run("7", limit=5).plan.requests) == 1


def test_what_ended_long_ago_begins_anew(engine, run):
    crawl = run("7", "8")
    crawl.ask(crawl.plan.requests[0], *comments(2))
    crawl.session.refuse(
        refusal(crawl.session.book(crawl.plan.requests[1], crawl.later()), crawl.later())
    )
    later = NOON + DAY

    plan = run("7", "8", now=later).plan
    assert (plan.complete, plan.refused) == (1, 1)
    assert run("7", "8", now=later, max_age=2 * DAY).plan.requests == ()
    anew = run("7", "8", now=later, max_age=timedelta(hours=23))
    assert [(r.cursor, r.position) for r in anew.plan.requests] == [(0, 0), (0, 0)]
    assert [seed["state"] for seed in rows(engine, "seed")] == ["complete", "refused"]
    anew.session.book(anew.plan.requests[1], anew.later())
    refused = rows(engine, "seed")[1]
    assert (refused["state"], refused["status"]) == ("open", None)
    remains = anew.session.close()
    assert (remains.open, remains.complete, remains.records) == (2, 0, 2)


def test_a_suspicious_end_is_an_end_and_is_marked(engine, run):
    crawl = run("7")
    crawl.ask(crawl.plan.requests[0], suspicious=True)

    seed = row(engine, "seed")
    assert (seed["state"], seed["suspicious"]) == ("complete", True)
    assert run("7").plan.complete == 1


def test_a_suspicious_end_with_more_to_come_does_not_go_on(engine, run):
    crawl = run("7", limit=2)
    crawl.ask(crawl.plan.requests[0], *comments(2), has_more=True, suspicious=True)

    assert row(engine, "seed")["suspicious"]
    assert run("7").plan.requests == ()


def test_a_refused_seed_is_an_answer(engine, run):
    crawl = run("ann", listing=USERS)
    booked = crawl.session.book(crawl.plan.requests[0], crawl.later())
    for _ in range(2):
        crawl.session.refuse(refusal(booked, NOON + 2 * MINUTE))

    seed = row(engine, "seed")
    assert (seed["state"], seed["status"], seed["error"]) == ("refused", "not_found", NO_USER)
    assert (seed["error_log_id"], seed["completed_at"]) == ("20240601LOG", NOON + 2 * MINUTE)
    assert row(engine, "user_info")["status"] == "not_found"
    remains = crawl.session.close()
    assert (remains.is_fulfilled, remains.refused) == (True, 1)
    assert run("ann", listing=USERS).plan.refused == 1


def test_only_the_listing_of_users_says_what_a_user_is(engine, run):
    crawl = run("ann", listing=FOLLOWERS)
    booked = crawl.session.book(crawl.plan.requests[0], crawl.later())
    crawl.session.refuse(refusal(booked, crawl.later(), SeedStatus.WITHHELD, "is private"))

    assert row(engine, "seed")["status"] == "withheld"
    assert rows(engine, "user_info") == []


def test_a_parked_seed_waits_longer_each_time(engine, run):
    crawl = run("7")
    following = crawl.ask(crawl.plan.requests[0], *comments(2), has_more=True)
    for times in (1, 2):
        booked = crawl.session.book(following, crawl.later())
        for _ in range(2):
            crawl.session.park(ParkedSeed(booked, "HTTP 500", "LOG"), crawl.now)
        seed = row(engine, "seed")
        assert (seed["state"], seed["parked_count"], seed["error"]) == ("parked", times, "HTTP 500")
        assert (seed["cursor"], seed["position"]) == (100, 2)
    assert seed["retry_at"] == crawl.now + timedelta(hours=1)
    assert crawl.session.close().parked == 1

    waiting = run("7", now=crawl.now).plan
    assert (waiting.waiting, waiting.next_retry_at) == (1, seed["retry_at"])
    due = run("7", now=seed["retry_at"])
    assert due.plan.requests == (following,)
    due.session.book(following, due.later())
    assert row(engine, "seed")["state"] == "parked"
    due.ask(following, *comments(1, first=300))
    seed = row(engine, "seed")
    assert (seed["state"], seed["error"], seed["retry_at"]) == ("complete", None, None)


def test_one_crawl_of_a_listing_at_a_time(prepared_url, run):
    run("7")
    other = StageSession(
        prepared_url, origin="sandbox", stage=stage(COMMENTS, "8"), tags=(), account=ACCOUNT
    )
    with pytest.raises(QueryLockedError, match="another crawl of comments is running"):
        other.open()
    assert other.close() is None
    with Crawl(prepared_url, stage(USERS, "ann")) as users:
        assert users.plan.seeds == 1


@pytest.mark.parametrize("change", ["cursor = 200", "completed_at = '2024-06-02'"])
def test_what_another_run_went_on_with_is_not_asked_for_again(engine, run, change):
    crawl = run("7")
    following = crawl.ask(crawl.plan.requests[0], *comments(2), has_more=True)
    with engine.begin() as connection:
        connection.execute(text(f"UPDATE seed SET {change}"))
    before = content(engine)

    with pytest.raises(QueryLockedError, match="comments of video_id 7 meanwhile"):
        crawl.session.book(following, crawl.later())
    assert content(engine) == before


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"daily_budget": 1}, DailyBudgetSpentError),
        ({"share": 0.001, "part": "comments"}, DailyShareSpentError),
    ],
)
def test_a_request_beyond_the_budget_is_not_booked(engine, run, changes, error):
    crawl = run("7", account=replace(ACCOUNT, **changes))
    booked = crawl.session.book(crawl.plan.requests[0], NOON)
    before = content(engine)

    with pytest.raises(error):
        crawl.session.book(booked, NOON)
    assert content(engine) == before


def test_a_used_up_quota_is_written_down(engine, run):
    run("7").session.fill_quota(NOON)

    assert row(engine, "api_quota")["is_used_up"]


def test_a_plan_changes_nothing(engine, prepared_url, run):
    crawl = run("7", "8")
    following = crawl.ask(crawl.plan.requests[0], *comments(2), has_more=True)
    before = content(engine)
    plan = look_up_stage(prepared_url, "sandbox", stage(COMMENTS, "9", "7"), NOON)

    assert content(engine) == before
    assert [request.seed_id for request in plan.requests] == [0, following.seed_id]
    assert plan.requests[1] == following


def test_a_plan_works_without_a_database(sqlite_url, tmp_path):
    plan = look_up_stage(sqlite_url, "sandbox", stage(USERS, "ann", "bob"), NOON)

    assert [request.seed for request in plan.requests] == ["ann", "bob"]
    assert plan.most_requests == 2
    assert list(tmp_path.iterdir()) == []


def test_many_seeds_are_registered_in_few_statements(engine, run):
    seeds = tuple(str(number) for number in range(30_000))
    crawl = run(*seeds)

    assert [request.seed for request in crawl.plan.requests] == list(seeds)
    assert len(rows(engine, "seed")) == 30_000
    assert crawl.session.close().open == 30_000
