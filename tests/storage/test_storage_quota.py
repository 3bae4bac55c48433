"""Every request is counted with its booking, by client key, pool and UTC day."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from threading import Barrier

import pytest
from stored_pages import (
    ACCOUNT,
    NOON,
    OTHER_QUERY,
    QUERY,
    booked,
    collection,
    content,
    page,
    row,
    rows,
)

from tiktok_crawler.exceptions import (
    DailyBudgetSpentError,
    DailyShareSpentError,
    SecondTriesSpentError,
)
from tiktok_crawler.planning.quota import QuotaAccount
from tiktok_crawler.research_api.endpoints import Pool
from tiktok_crawler.storage.ledger.queries import Ledger
from tiktok_crawler.storage.ledger.quota import Spent

TODAY = NOON.date()
TOMORROW = NOON + timedelta(days=1)


def spent(client, requests):
    """What searches of videos have spent of a day."""
    parts = {"videos": requests} if requests else {}
    return Spent(client, Pool.RESEARCH, requests, parts=parts)


@pytest.fixture
def spending(engine):
    return Ledger(engine, ACCOUNT)


@pytest.fixture
def query_id(ledger):
    return ledger.begin(collection(), NOON)


def with_budget(engine, budget, **changes):
    return Ledger(engine, replace(ACCOUNT, daily_budget=budget, **changes))


def test_each_booking_counts_one_request(engine, spending, query_id):
    request = booked(spending, query_id)
    spending.book(query_id, request, NOON)

    assert row(engine, "api_quota") == {
        "client": ACCOUNT.client,
        "pool": "research",
        "day": TODAY,
        "requests": 2,
        "is_used_up": False,
        "second_tries": 0,
    }


def test_second_tries_have_a_share_of_the_day(engine, query_id):
    account = replace(ACCOUNT, daily_budget=20)
    ledger = Ledger(engine, account)
    request = replace(booked(ledger, query_id), second_try=True)
    for _ in range(2):
        ledger.book(query_id, request, NOON)
    before = content(engine)

    with pytest.raises(SecondTriesSpentError, match=r"the 2 requests a day.*TIKTOK_PARKED_SHARE"):
        ledger.book(query_id, request, NOON)

    assert content(engine) == before
    ledger.book(query_id, request, NOON + timedelta(days=1))
    ledger.book(query_id, replace(request, second_try=False), NOON)


def test_without_a_share_there_are_no_second_tries(engine, query_id):
    ledger = Ledger(engine, replace(ACCOUNT, parked_share=0.0))
    request = replace(booked(ledger, query_id), second_try=True)

    with pytest.raises(SecondTriesSpentError):
        ledger.book(query_id, request, NOON + timedelta(days=1))


def test_a_booking_that_fails_counts_nothing(engine, spending, store, query_id):
    request = booked(spending, query_id)
    store.save(page(request), tags=())
    before = content(engine)

    with pytest.raises(LookupError):
        spending.book(query_id, request, NOON)
    assert content(engine) == before


def test_client_keys_pools_and_days_are_counted_apart(engine, spending, query_id):
    other_key = QuotaAccount.of("key-of-bob", Pool.RESEARCH, daily_budget=None, parked_share=0.1)
    follow = replace(ACCOUNT, pool=Pool.FOLLOW)
    for ledger in (spending, spending, Ledger(engine, other_key), Ledger(engine, follow)):
        booked(ledger, query_id)
    booked(spending, query_id, now=TOMORROW)

    research = sorted([(ACCOUNT.client, 2), (other_key.client, 1)])
    assert spending.quota_spent(TODAY) == [
        *(spent(client, requests) for client, requests in research),
        replace(spent(ACCOUNT.client, 1), pool=Pool.FOLLOW),
    ]
    assert spending.quota_spent(TOMORROW.date()) == [spent(ACCOUNT.client, 1)]


def test_the_day_is_that_of_utc(spending, query_id):
    booked(spending, query_id, now=datetime.fromisoformat("2024-06-01T23:30:00-05:00"))

    assert spending.quota_spent(date(2024, 6, 2)) == [spent(ACCOUNT.client, 1)]


def test_a_ledger_without_account_counts_for_the_window_alone(engine, ledger, query_id):
    booked(ledger, query_id)
    ledger.fill_quota(NOON)

    assert row(engine, "crawl_window")["requests"] == 1
    assert rows(engine, "api_quota") == []


def test_a_spent_budget_books_nothing(engine, query_id):
    ledger = with_budget(engine, 2)
    request = booked(ledger, query_id)
    ledger.book(query_id, request, NOON)
    before = content(engine)

    with pytest.raises(DailyBudgetSpentError, match=r"budget of 2 .*TIKTOK_DAILY_BUDGET"):
        ledger.book(query_id, request, NOON)
    with pytest.raises(DailyBudgetSpentError):
        booked(ledger, query_id)
    assert content(engine) == before


def test_a_budget_counts_what_was_spent_without_one(engine, spending, query_id):
    for _ in range(3):
        booked(spending, query_id)

    with pytest.raises(DailyBudgetSpentError):
        booked(with_budget(engine, 2), query_id)
    booked(with_budget(engine, 4), query_id)


@pytest.mark.parametrize(
    ("changes", "now"),
    [({"client": "of another key"}, NOON), ({"pool": Pool.FOLLOW}, NOON), ({}, TOMORROW)],
)
def test_a_budget_is_one_of_a_key_a_pool_and_a_day(engine, query_id, changes, now):
    booked(with_budget(engine, 1), query_id)

    booked(with_budget(engine, 1, **changes), query_id, now=now)


@pytest.mark.parametrize("pool", Pool)
@pytest.mark.parametrize("requests", [0, 3])
def test_the_apis_refusal_is_remembered_beside_what_was_spent(engine, query_id, pool, requests):
    ledger = Ledger(engine, replace(ACCOUNT, pool=pool))
    for _ in range(requests):
        booked(ledger, query_id)
    for _ in range(2):
        ledger.fill_quota(NOON)

    full = replace(spent(ACCOUNT.client, requests), pool=pool, is_used_up=True)
    assert ledger.quota_spent(TODAY) == [full]


def test_each_part_is_counted_apart(engine, query_id):
    for part, requests in ((None, 2), ("comments", 1), ("videos", 1)):
        ledger = Ledger(engine, replace(ACCOUNT, part=part))
        for _ in range(requests):
            booked(ledger, query_id)

    parts = {found["part"]: found["requests"] for found in rows(engine, "api_quota_share")}
    assert parts == {"comments": 1, "videos": 3}
    assert ledger.quota_spent(TODAY) == [replace(spent(ACCOUNT.client, 4), parts=parts)]


@pytest.mark.parametrize(
    ("changes", "allowed"),
    [
        ({"daily_budget": 20, "share": 0.1}, 2),
        ({"daily_budget": 20, "share": 0.01}, 1),
        ({"daily_budget": 20, "share": 0.0}, 0),
        ({"share": 0.003}, 3),
        ({"share": 0.0001, "pool": Pool.FOLLOW}, 2),
    ],
)
def test_a_part_has_its_share_of_the_day(engine, query_id, changes, allowed):
    account = replace(ACCOUNT, part="users", **changes)
    ledger = Ledger(engine, account)
    for _ in range(allowed):
        booked(ledger, query_id)
    before = content(engine)

    with pytest.raises(DailyShareSpentError, match=rf"the {allowed} requests a day for users .*TI"):
        booked(ledger, query_id)
    assert content(engine) == before
    booked(Ledger(engine, replace(account, part="comments", share=None)), query_id)
    if allowed:
        booked(ledger, query_id, now=TOMORROW)


def test_a_day_that_is_used_up_forbids_nothing(engine, query_id):
    ledger = with_budget(engine, 2)
    ledger.fill_quota(NOON)
    for _ in range(2):
        booked(ledger, query_id)

    assert ledger.quota_spent(TODAY) == [replace(spent(ACCOUNT.client, 2), is_used_up=True)]
    with pytest.raises(DailyBudgetSpentError):
        booked(ledger, query_id)


def test_a_refusal_right_after_midnight_is_about_the_day_that_is_over(engine):
    ledger = with_budget(engine, 800)
    midnight = datetime(2024, 6, 2, tzinfo=UTC)
    ledger.fill_quota(midnight + timedelta(minutes=10))

    assert ledger.quota_spent(TODAY) == [Spent(ACCOUNT.client, Pool.RESEARCH, 0, is_used_up=True)]
    assert ledger.quota_spent(midnight.date()) == []


def test_crawls_at_once_spend_exactly_the_budget(engine, prepared_url, make_engine):
    begun = Barrier(2)

    def crawl(query):
        ledger = with_budget(make_engine(prepared_url), 25)
        query_id = ledger.begin(collection(query=query), NOON)
        request = booked(ledger, query_id)
        begun.wait()
        with suppress(DailyBudgetSpentError):
            while True:
                ledger.book(query_id, request, NOON)

    with ThreadPoolExecutor(2) as crawls:
        list(crawls.map(crawl, (QUERY, OTHER_QUERY)))

    assert sum(window["requests"] for window in rows(engine, "crawl_window")) == 25
    assert row(engine, "api_quota")["requests"] == 25
