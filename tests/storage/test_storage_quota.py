"""Every request is counted with its booking, by client key, pool and UTC day."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from threading import Barrier

import pytest
from marathon import on_both
from stored_pages import ACCOUNT, NOON, OTHER_QUERY, QUERY, Search, content, page, row, rows

from tiktok_crawler.exceptions import (
    DailyBudgetSpentError,
    DailyShareSpentError,
    SecondTriesSpentError,
    TaskTakenError,
)
from tiktok_crawler.planning.quota import QuotaAccount, whole_again
from tiktok_crawler.research_api.endpoints import Pool
from tiktok_crawler.spelling import number_of
from tiktok_crawler.storage.engine.transactions import reading
from tiktok_crawler.storage.ledger import quota
from tiktok_crawler.storage.ledger.quota import Spent

TODAY = NOON.date()
TOMORROW = NOON + timedelta(days=1)
BOB = QuotaAccount("", Pool.RESEARCH).of_client("key-of-bob")


def spent(client, requests):
    """What searches of videos have spent of a day."""
    parts = {"videos": requests} if requests else {}
    return Spent(client, Pool.RESEARCH, requests, parts=parts)


@pytest.fixture
def spend(search):
    """Begins a run on an account, and books requests for first pages."""

    def spend(requests=1, *, now=NOON, **changes):
        run = search(account=replace(ACCOUNT, **changes))
        for _ in range(requests):
            run.booked(now=now)
        return run

    return spend


@pytest.fixture
def spent_on(engine):
    def spent_on(day):
        with reading(engine) as connection:
            return quota.spent_on(connection, day)

    return spent_on


def test_each_booking_counts_one_request(engine, spend):
    spend(2)

    assert row(engine, "api_quota") == {
        "client": ACCOUNT.client,
        "pool": "research",
        "day": TODAY,
        "requests": 2,
        "is_used_up": False,
        "second_tries": 0,
        "refreshes": 0,
    }


def test_second_tries_have_a_share_of_the_day(engine, spend):
    run = spend(daily_budget=20)
    request = replace(run.booked(), second_try=True)
    for _ in range(2):
        run.book(request, NOON)
    before = content(engine)

    with pytest.raises(SecondTriesSpentError, match=r"the 2 requests a day.*TIKTOK_PARKED_SHARE"):
        run.book(request, NOON)

    assert content(engine) == before
    run.book(request, TOMORROW)
    run.book(replace(request, second_try=False), NOON)


def test_what_was_spent_on_newer_values_is_counted(engine, spend, spent_on):
    run = spend(3)
    for _ in range(2):
        run.book(replace(run.booked(), refreshes=True), NOON)
    assert row(engine, "api_quota")["refreshes"] == 2
    assert [each.refreshes for each in spent_on(TODAY)] == [2]


def test_what_is_due_keeps_its_share_of_the_day_from_all_else(engine, spend):
    run = spend(7, daily_budget=10, refresh_share=0.3, due=100)
    request = run.session.open_task(run.first(), NOON)
    before = content(engine)
    with pytest.raises(DailyShareSpentError, match=r"3 requests, is kept.*REFRESH_SHARE"):
        run.book(request, NOON)
    assert content(engine) == before

    for _ in range(2):
        run.book(replace(request, refreshes=True), NOON)
    with pytest.raises(DailyShareSpentError, match="1 request, is kept"):
        run.book(request, NOON)
    run.book(replace(request, refreshes=True), NOON)
    with pytest.raises(DailyBudgetSpentError):
        run.book(request, NOON)
    run.book(request, TOMORROW)


def test_no_more_is_kept_than_is_due(spend):
    run = spend(9, daily_budget=10, refresh_share=0.3, due=1)
    with pytest.raises(DailyShareSpentError, match="1 request, is kept"):
        run.booked()


def test_without_a_share_there_are_no_second_tries(spend):
    run = spend(parked_share=0.0)

    with pytest.raises(SecondTriesSpentError, match="PARKED_SHARE allows no requests") as raised:
        run.book(replace(run.booked(), second_try=True), TOMORROW)
    assert raised.value.until is None


def test_a_booking_that_fails_counts_nothing(engine, spend):
    run = spend()
    request = run.booked()
    run.session.save_page(page(request))
    before = content(engine)

    with pytest.raises(TaskTakenError):
        run.book(request, NOON)
    assert content(engine) == before


def test_client_keys_pools_and_days_are_counted_apart(spend, spent_on):
    spend(2)
    spend(client=BOB.client)
    spend(pool=Pool.FOLLOW)
    spend(now=TOMORROW)

    research = sorted([(ACCOUNT.client, 2), (BOB.client, 1)])
    assert spent_on(TODAY) == [
        *(spent(client, requests) for client, requests in research),
        replace(spent(ACCOUNT.client, 1), pool=Pool.FOLLOW),
    ]
    assert spent_on(TOMORROW.date()) == [spent(ACCOUNT.client, 1)]


def test_what_is_spent_today_is_read_of_any_database(spend, prepared_url, sqlite_url):
    spend(3)
    assert quota.read_spent(prepared_url, NOON) == [spent(ACCOUNT.client, 3)]
    assert quota.read_spent(prepared_url, TOMORROW) == []
    assert quota.read_spent(f"{sqlite_url}.new", NOON) == []


def test_the_day_is_that_of_utc(spend, spent_on):
    spend(now=datetime.fromisoformat("2024-06-01T23:30:00-05:00"))

    assert spent_on(date(2024, 6, 2)) == [spent(ACCOUNT.client, 1)]


def test_a_run_without_account_counts_for_the_window_alone(engine, search):
    run = search()
    run.booked()
    run.session.fill_quota(NOON)

    assert row(engine, "crawl_window")["requests"] == 1
    assert rows(engine, "api_quota") == []


def test_a_spent_budget_books_nothing(engine, spend):
    run = spend(2, daily_budget=2)
    before = content(engine)

    with pytest.raises(DailyBudgetSpentError, match=r"budget of 2 .*TIKTOK_DAILY_BUDGET"):
        run.booked()
    assert content(engine) == before


def test_a_budget_counts_what_was_spent_without_one(spend):
    spend(3)

    with pytest.raises(DailyBudgetSpentError):
        spend(daily_budget=2)
    spend(daily_budget=4)


@pytest.mark.parametrize(
    ("changes", "now"),
    [({"client": "of another key"}, NOON), ({"pool": Pool.FOLLOW}, NOON), ({}, TOMORROW)],
)
def test_a_budget_is_one_of_a_key_a_pool_and_a_day(spend, changes, now):
    spend(daily_budget=1)

    spend(daily_budget=1, now=now, **changes)


@pytest.mark.parametrize("pool", Pool)
@pytest.mark.parametrize("requests", [0, 3])
def test_the_apis_refusal_is_remembered_beside_what_was_spent(spend, spent_on, pool, requests):
    run = spend(requests, pool=pool)
    for _ in range(2):
        run.session.fill_quota(NOON)

    full = replace(spent(ACCOUNT.client, requests), pool=pool, is_used_up=True)
    assert spent_on(TODAY) == [full]


def test_each_part_is_counted_apart(engine, spend, spent_on):
    for part, requests in ((None, 2), ("comments", 1), ("videos", 1)):
        spend(requests, part=part)

    parts = {found["part"]: found["requests"] for found in rows(engine, "api_quota_share")}
    assert parts == {"comments": 1, "videos": 3}
    assert spent_on(TODAY) == [replace(spent(ACCOUNT.client, 4), parts=parts)]


@pytest.mark.parametrize(
    ("prepared_url", "changes", "allowed"),
    on_both(
        [
            ({"daily_budget": 20, "share": 0.1}, 2),
            ({"daily_budget": 20, "share": 0.01}, 1),
            ({"daily_budget": 20, "share": 0.0}, 0),
            ({"share": 0.003}, 3),
            ({"share": 0.0001, "pool": Pool.FOLLOW}, 2),
        ]
    ),
    indirect=["prepared_url"],
)
def test_a_part_has_its_share_of_the_day(engine, spend, changes, allowed):
    account = {"part": "users", **changes}
    run = spend(allowed, **account)
    request = run.session.open_task(run.first(), NOON)
    before = content(engine)

    with pytest.raises(DailyShareSpentError) as raised:
        run.book(request, NOON)
    requests = f"of the {number_of(allowed, 'requests')} a day for users (TIKTOK_SHARES) none"
    never = "TIKTOK_SHARES allows no requests for users"
    spent = raised.value
    assert spent.why == (f"{requests} is left" if allowed else never)
    assert str(spent) == (f"{spent.why} until 00:00 UTC; run again then" if allowed else never)
    assert spent.part == "users"
    assert spent.until == (whole_again(NOON) if allowed else None)
    assert content(engine) == before
    spend(**account | {"part": "comments", "share": None})
    if allowed:
        spend(now=TOMORROW, **account)


def test_a_day_that_is_used_up_forbids_nothing(spend, spent_on):
    run = spend(0, daily_budget=2)
    run.session.fill_quota(NOON)
    for _ in range(2):
        run.booked()

    assert spent_on(TODAY) == [replace(spent(ACCOUNT.client, 2), is_used_up=True)]
    with pytest.raises(DailyBudgetSpentError):
        run.booked()


def test_a_refusal_right_after_midnight_is_about_the_day_that_is_over(spend, spent_on):
    midnight = datetime(2024, 6, 2, tzinfo=UTC)
    spend(0).session.fill_quota(midnight + timedelta(minutes=10))

    assert spent_on(TODAY) == [Spent(ACCOUNT.client, Pool.RESEARCH, 0, is_used_up=True)]
    assert spent_on(midnight.date()) == []


def test_crawls_at_once_spend_exactly_the_budget(engine, prepared_url):
    begun = Barrier(2)

    def crawl(query):
        with Search(prepared_url, query=query, account=replace(ACCOUNT, daily_budget=25)) as run:
            request = run.booked()
            begun.wait()
            with suppress(DailyBudgetSpentError):
                while True:
                    run.book(request, NOON)

    with ThreadPoolExecutor(2) as crawls:
        list(crawls.map(crawl, (QUERY, OTHER_QUERY)))

    assert sum(window["requests"] for window in rows(engine, "crawl_window")) == 25
    assert row(engine, "api_quota")["requests"] == 25
