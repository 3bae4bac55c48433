"""What later runs of a listing ask for again, and what limits, budgets and other crawls change."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from os import EX_OK, EX_TEMPFAIL
from typing import Any

import pytest
from list_trials import (
    Trial,
    WatchedSandbox,
    asked_again,
    check_database,
    check_seed,
    let_time_pass,
    run,
    running_crawl,
    seed_rows,
    truthful,
)
from listing_crawls import ListingDatabase
from scrapy.utils.defer import deferred_f_from_coro_f

from tiktok_crawler.extensions.outcome import Outcome
from tiktok_crawler.sandbox.faults.profile import DataBehaviour, ListBehaviour, Profile
from tiktok_crawler.sandbox.faults.schedule import FaultName, Requests, ScheduledFault
from tiktok_crawler.sandbox.protocol.errors import SandboxProblem

ALL_KNOWN = {"unknown_users": 0.0, "withheld_users": 0.0}


@pytest.fixture
def database(prepared_sqlite_url):
    return ListingDatabase(prepared_sqlite_url, "")


def known_people(listing: str, number: int, **lists: Any) -> Trial:
    """A trial of seeds that the API lists, each with so many records."""
    behaviour = ListBehaviour(**ALL_KNOWN | lists)
    sandbox, found = truthful(DataBehaviour(), behaviour), []
    for seed in sandbox.seeds(listing):
        if not isinstance(sandbox.truth(listing, seed), SandboxProblem):
            found.append(seed)
        if len(found) == number:
            break
    return Trial(listing, Profile(lists=behaviour), seeds=tuple(found))


def in_live_numbers(trial: Trial, **lists: Any) -> Trial:
    """The same seeds, of which the API says something else now."""
    behaviour = ListBehaviour(**ALL_KNOWN | lists)
    return Trial(trial.listing, Profile(lists=behaviour), seeds=trial.seeds)


def asked_seeds(sandbox: WatchedSandbox) -> list[str]:
    return [exchange.seed for exchange in sandbox.exchanges]


@deferred_f_from_coro_f
async def test_max_age_asks_only_for_older_profiles_and_keeps_what_they_were(database):
    before = known_people("users", 4, followers=5)
    await run(database, WatchedSandbox(before.profile), before)
    let_time_pass(database, seeds=before.seeds[:2])
    after = in_live_numbers(before, followers=9)
    sandbox = WatchedSandbox(after.profile)
    done = await run(database, sandbox, after, max_age="7d")
    assert done.exit_status == EX_OK
    assert sorted(asked_seeds(sandbox)) == sorted(before.seeds[:2])
    history = "SELECT username, old_value FROM user_info_history WHERE field = 'follower_count'"
    old = {name: int(value) for name, value in database.rows(history)}
    assert old == dict.fromkeys(before.seeds[:2], 5)
    counts = dict(database.rows("SELECT username, follower_count FROM user_info"))
    assert counts == {name: 9 if name in before.seeds[:2] else 5 for name in before.seeds}


@deferred_f_from_coro_f
async def test_a_higher_limit_goes_on_where_a_lower_one_ended(database):
    trial = known_people("comments", 3, comments=330)
    sandbox = WatchedSandbox(trial.profile)
    counts = []
    for limit in ("50", "150", "120", "1000", "1000", "10"):
        done = await run(database, sandbox, trial, max_per_video=limit)
        assert done.exit_status == EX_OK
        counts.append(len(done.exchanges))
    assert counts == [3, 3, 0, 6, 0, 0]
    assert asked_again(sandbox.exchanges) == []
    check_database(database, trial, done)


@deferred_f_from_coro_f
async def test_a_seed_that_keeps_failing_waits_longer_each_time(database, caplog):
    caplog.set_level("INFO")
    good = known_people("users", 2)
    broken = ScheduledFault(fault=FaultName.INTERNAL_ERROR, of=Requests.USERS, every=1)
    bad = Trial(
        "users",
        Profile(lists=good.profile.lists, faults=(broken,)),
        {"TIKTOK_RETRY_TIMES": 1},
        seeds=good.seeds,
    )
    now, sent = datetime.now(UTC), []
    for _ in range(3):
        done = await run(database, WatchedSandbox(bad.profile), bad)
        assert done.exit_status == EX_TEMPFAIL
        sent.append(len(done.exchanges))
    assert sent == [4, 4, 0]
    assert "2 postponed, not due before" in caplog.text
    for row in seed_rows(database, bad).values():
        assert (row.state, row.parked_count) == ("parked", 2)
        assert row.retry_at > now + timedelta(minutes=59)
        assert "HTTP 500" in row.error
    let_time_pass(database)
    done = await run(database, WatchedSandbox(good.profile), good)
    assert done.exit_status == EX_OK
    check_database(database, good, done)


@deferred_f_from_coro_f
async def test_max_requests_ends_a_run_in_order(database):
    trial = known_people("followers", 3, followers=230)
    sandbox = WatchedSandbox(trial.profile)
    first = await run(database, sandbox, trial, max_requests="4")
    assert first.exit_status == EX_TEMPFAIL
    assert len(first.exchanges) == 4
    second = await run(database, sandbox, trial)
    assert second.exit_status == EX_OK
    assert asked_again(sandbox.exchanges) == []
    check_database(database, trial, second)


@deferred_f_from_coro_f
async def test_a_second_crawl_of_a_listing_says_that_one_is_running(database):
    trial = known_people("users", 2)
    with running_crawl(database, "users"):
        done = await run(database, WatchedSandbox(trial.profile), trial)
    assert done.exit_status == EX_TEMPFAIL
    assert done.exchanges == []
    assert "another crawl of users is running" in str(done.crawler.get_extension(Outcome).error)


@deferred_f_from_coro_f
async def test_crawls_of_two_listings_run_side_by_side(prepared_url):
    users, followers = known_people("users", 4), known_people("followers", 4, followers=230)
    runs = await asyncio.gather(
        *(
            run(ListingDatabase(prepared_url, ""), WatchedSandbox(trial.profile), trial)
            for trial in (users, followers)
        )
    )
    assert [done.exit_status for done in runs] == [EX_OK, EX_OK]
    for trial, done in zip((users, followers), runs, strict=True):
        check_database(ListingDatabase(prepared_url, ""), trial, done)


@deferred_f_from_coro_f
async def test_replies_come_after_all_comments_and_only_to_comments_that_have_some(prepared_url):
    database = ListingDatabase(prepared_url, "")
    trial = known_people("comments", 3, comments=40)
    sandbox = WatchedSandbox(trial.profile)
    done = await run(database, sandbox, trial, replies="1")
    assert done.exit_status == EX_OK
    kinds = [exchange.listing for exchange in sandbox.exchanges]
    assert kinds == sorted(kinds), "comments first"
    replied = {
        str(record["id"])
        for video in trial.seeds
        for record in trial.truth(video)
        if record["reply_count"]
    }
    replies = replace(trial, listing="replies", seeds=tuple(replied))
    assert set(seed_rows(database, replies)) == replied
    for row in seed_rows(database, replies).values():
        check_seed(database, replies, row)
    again = await run(database, sandbox, trial, replies="1")
    assert again.exchanges == []
