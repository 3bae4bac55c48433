"""A stage from its plan to its end, killed at any moment, and run again."""

from __future__ import annotations

from datetime import timedelta

import pytest
from listed_pages import RECORDS, Crawl, stage
from marathon import on_both
from sqlalchemy import update
from stored_pages import ACCOUNT, MINUTE, NOON, content, row, rows

from tiktok_crawler.exceptions import QueryLockedError, TaskTakenError
from tiktok_crawler.planning.forecast import Forecast
from tiktok_crawler.planning.stage_forecast import (
    NONE_COMING,
    Coming,
    forecast_stage,
    seeds_of_records,
)
from tiktok_crawler.planning.task_states import Parked, Refused
from tiktok_crawler.research_api.endpoints import COMMENTS, FOLLOWERS, LISTINGS, PLAYLISTS, USERS
from tiktok_crawler.research_api.tasks import PageRequest, Seed
from tiktok_crawler.research_api.verdicts import SeedStatus
from tiktok_crawler.storage.models.ledger import SeedRow
from tiktok_crawler.storage.stage_session import StageSession, look_up_stage

DAY = timedelta(days=1)
NO_USER = Refused(SeedStatus.NOT_FOUND, "`username: ann` is invalid: cannot find it", "20240601LOG")


@pytest.fixture
def run(begin, prepared_url):
    """Begins runs of stages."""

    def run(*seeds, listing=COMMENTS, now=NOON, account=ACCOUNT, **limits):
        wanted = stage(listing, *(seeds or ("7",)), **limits)
        return begin(Crawl(prepared_url, wanted, now=now, account=account))

    return run


def comments(count, first=100):
    return [{"id": first + n, "text": str(n)} for n in range(count)]


@pytest.mark.parametrize(
    ("prepared_url", "name"), on_both(LISTINGS, postgresql=4), indirect=["prepared_url"]
)
def test_each_listing_is_collected_and_complete(prepared_url, name):
    listing = LISTINGS[name]
    with Crawl(prepared_url, stage(listing, "7"), tags=("tea",)) as crawl:
        (request,) = crawl.requests
        assert request == PageRequest(Seed(listing, "7"))
        assert crawl.ask(request, RECORDS[listing.name]) is None
        assert crawl.saved.new_count >= 1
        assert (crawl.saved.read.refused, crawl.saved.read.misfits) == ([], [])
        assert crawl.saved.read.unknown_fields == set()

    assert crawl.result.is_fulfilled
    stored = 2 if listing is PLAYLISTS else 1
    assert (crawl.result.complete, crawl.result.tally.stored) == (1, stored)
    with Crawl(prepared_url, stage(listing, "7"), now=NOON + DAY) as again:
        assert (again.requests, again.plan.complete) == ((), 1)


def test_seeds_are_asked_for_in_their_order_and_each_once(run):
    crawl = run("9", "7", "8", "7")
    plan = crawl.plan

    assert [request.seed.key for request in crawl.requests] == ["9", "7", "8"]
    assert (plan.seeds, plan.least_requests, plan.next_retry_at) == (3, 3, None)


def test_seeds_have_no_row_before_they_are_opened_one_by_one(engine, run):
    users, followers = run("7", "8", listing=USERS), run("7", listing=FOLLOWERS)
    assert rows(engine, "seed") == []

    for crawl in (users, followers):
        crawl.session.open_task(crawl.requests[0], crawl.later())

    found = [(row["listing"], row["seed"]) for row in rows(engine, "seed")]
    assert found == [("users", "7"), ("followers", "7")]
    assert users.session.result().open == 2


def test_what_is_due_is_read_in_parts(run):
    seeds = [str(number) for number in range(2_500)]
    crawl = run(*seeds)

    crawl.session.plan(crawl.now)
    parts = [crawl.session.due() for _ in range(4)]

    assert [len(part) for part in parts] == [1000, 1000, 500, 0]
    assert [request.seed.key for part in parts for request in part] == seeds
    assert crawl.session.result().open == 2_500


def test_a_page_is_a_crawl_of_its_seed(engine, run):
    crawl = run()
    crawl.ask(crawl.requests[0], *comments(3), has_more=True)

    seed, stored = row(engine, "seed"), row(engine, "crawl")
    assert seed["has_more"]
    assert (stored["seed_id"], stored["crawl_window_id"]) == (seed["id"], None)
    assert (stored["query_id"], stored["search_id"]) == (None, None)
    assert (stored["cursor"], stored["next_cursor"], stored["record_count"]) == (0, 100, 3)
    assert (stored["max_count"], stored["log_id"]) == (100, "202406011230")


def test_a_limit_ends_a_listing_and_a_higher_one_goes_on(engine, run):
    crawl = run(limit=3)
    assert crawl.ask(crawl.requests[0], *comments(4), has_more=True) is None
    seed = row(engine, "seed")
    assert (seed["state"], seed["has_more"]) == ("complete", True)
    assert crawl.session.result().is_fulfilled

    assert run(limit=4).plan.complete == 1
    for limit in (5, None):
        (request,) = run(limit=limit, now=NOON + DAY).requests
        assert (request.place.cursor, request.place.received) == (100, 4)
        assert request.task.limit == limit
    crawl = run(now=NOON + DAY)
    assert crawl.ask(crawl.requests[0], *comments(2, first=200)) is None
    assert (row(engine, "seed")["position"], len(rows(engine, "comment"))) == (6, 6)
    assert run().plan.complete == 1


def test_an_open_listing_that_has_enough_is_complete_for_a_lower_limit(run):
    crawl = run()
    crawl.ask(crawl.requests[0], *comments(4), has_more=True)

    lower = run(limit=4)
    assert (lower.requests, lower.plan.complete) == ((), 1)
    assert lower.session.result().is_fulfilled
    assert len(run(limit=5).requests) == 1


def test_what_ended_long_ago_begins_anew(engine, run):
    crawl = run("7", "8")
    crawl.ask(crawl.requests[0], *comments(2))
    crawl.session.end(crawl.book(crawl.requests[1]), NO_USER, crawl.later())
    later = NOON + DAY

    plan = run("7", "8", now=later).plan
    assert (plan.complete, plan.refused) == (1, 1)
    assert run("7", "8", now=later, max_age=2 * DAY).requests == ()
    anew = run("7", "8", now=later, max_age=timedelta(hours=23))
    assert all(request.starts_task for request in anew.requests)
    assert [seed["state"] for seed in rows(engine, "seed")] == ["complete", "refused"]
    for request in anew.requests:
        anew.book(request)
    complete, refused = rows(engine, "seed")
    assert (complete["state"], complete["position"], complete["has_more"]) == ("open", 0, None)
    assert (refused["state"], refused["status"], refused["completed_at"]) == ("open", None, None)
    result = anew.session.result()
    assert (result.open, result.complete, result.tally.stored) == (2, 0, 0)


def test_what_ended_by_a_clock_that_is_ahead_is_not_taken_for_another_run_s(engine, run):
    ahead = run(now=NOON + DAY, limit=2)
    ahead.ask(ahead.requests[0], *comments(2), has_more=True)

    crawl = run(now=NOON)
    crawl.ask(crawl.requests[0], *comments(1, first=102))

    seed = row(engine, "seed")
    assert (seed["state"], seed["position"], seed["has_more"]) == ("complete", 3, False)


def test_what_another_run_has_ended_once_more_is_not_asked_for_whatever_its_clock(engine, run):
    first = run(limit=2)
    first.ask(first.requests[0], *comments(2), has_more=True)
    crawl = run(now=NOON + DAY)
    with engine.begin() as connection:
        connection.execute(update(SeedRow).values(completed_at=NOON - DAY))
    before = content(engine)

    with pytest.raises(TaskTakenError, match="meanwhile"):
        crawl.book(*crawl.requests)
    assert content(engine) == before


def test_a_suspicious_end_with_more_to_come_does_not_go_on(run):
    crawl = run(limit=2)
    crawl.ask(crawl.requests[0], *comments(2), has_more=True, suspicious=True)

    assert run().requests == ()


def test_a_refused_seed_is_an_answer(engine, run):
    crawl = run("ann", listing=USERS)
    booked = crawl.book(crawl.requests[0])
    for _ in range(2):
        crawl.session.end(booked, NO_USER, NOON + 2 * MINUTE)

    seed = row(engine, "seed")
    assert (seed["state"], seed["status"], seed["error"]) == (
        "refused",
        "not_found",
        NO_USER.reason,
    )
    assert (seed["error_log_id"], seed["completed_at"]) == ("20240601LOG", NOON + 2 * MINUTE)
    user = row(engine, "user_info")
    assert (user["status"], user["first_seen_at"]) == ("not_found", NOON + 2 * MINUTE)
    result = crawl.session.result()
    assert (result.is_fulfilled, result.refused) == (True, 1)
    assert run("ann", listing=USERS).plan.refused == 1


@pytest.mark.parametrize("table", ["user_info", "seed"])
def test_a_refusal_and_what_it_says_of_a_user_are_written_at_once(engine, run, interrupted, table):
    crawl = run("ann", listing=USERS)
    booked = crawl.book(crawl.requests[0])
    before = content(engine)

    with interrupted(crawl.session.engine, f"INSERT INTO {table}", f"UPDATE {table}"):
        crawl.session.end(booked, NO_USER, crawl.later())

    assert content(engine) == before


def test_only_the_listing_of_users_says_what_a_user_is(engine, run):
    crawl = run("ann", listing=FOLLOWERS)
    booked = crawl.book(crawl.requests[0])
    withheld = Refused(SeedStatus.WITHHELD, "is private", None)
    crawl.session.end(booked, withheld, crawl.later())

    assert row(engine, "seed")["status"] == "withheld"
    assert rows(engine, "user_info") == []


def test_a_parked_seed_waits_until_it_is_due(run):
    crawl = run()
    following = crawl.ask(crawl.requests[0], *comments(2), has_more=True)
    for _ in range(2):
        booked = crawl.book(following)
        crawl.session.end(booked, Parked("HTTP 500", "LOG", booked.place), crawl.now)
    due_at = crawl.now + timedelta(hours=1)
    assert crawl.session.result().parked == 1

    waiting = run(now=crawl.now).plan
    assert (waiting.waiting, waiting.next_retry_at) == (1, due_at)
    due = run(now=due_at)
    assert due.requests == (following,)
    due.ask(following, *comments(1, first=300))
    assert due.session.result().is_fulfilled


def test_one_crawl_of_a_listing_at_a_time(prepared_url, run):
    run()
    other = StageSession(
        prepared_url, origin="sandbox", stage=stage(COMMENTS, "8"), tags=(), account=ACCOUNT
    )
    with pytest.raises(QueryLockedError, match="another crawl of comments is running"):
        other.open()
    other.release()
    with Crawl(prepared_url, stage(USERS, "ann")) as users:
        assert users.plan.seeds == 1


def test_a_plan_changes_nothing(engine, prepared_url, run):
    crawl = run("7", "8")
    following = crawl.ask(crawl.requests[0], *comments(2), has_more=True)
    before = content(engine)
    plan = look_up_stage(prepared_url, "sandbox", stage(COMMENTS, "9", "7"), NOON)

    assert content(engine) == before
    assert plan.first_requests == (PageRequest(Seed(COMMENTS, "9")), following)


def test_a_plan_knows_what_seeds_have_taken_and_what_leads_on(prepared_url, run):
    crawl = run(*map(str, range(5)))
    for number, request in enumerate(crawl.requests):
        first = 100 * (number + 1)
        records = [dict(each, reply_count=n % 4) for n, each in enumerate(comments(12, first))]
        if following := crawl.ask(request, *records, has_more=number == 0):
            crawl.ask(following)

    plan = look_up_stage(prepared_url, "sandbox", stage(COMMENTS, "8", "9"), NOON)

    assert (plan.usual_requests, plan.leading_on) == (1.2, 0.75)
    assert (plan.most_requests, plan.most_records, plan.is_counted) == (20, 2000, False)
    assert forecast_stage(stage(COMMENTS, "8"), plan, NONE_COMING) == Forecast(2, 2, 20)
    replies = seeds_of_records(stage(COMMENTS, "8"), plan, NONE_COMING)
    assert replies == Coming(2000, 1500)


def test_a_plan_works_without_a_database(sqlite_url, tmp_path):
    plan = look_up_stage(sqlite_url, "sandbox", stage(USERS, "ann", "bob"), NOON)

    assert [request.seed.key for request in plan.first_requests] == ["ann", "bob"]
    assert plan.most_requests == 2
    assert list(tmp_path.iterdir()) == []
