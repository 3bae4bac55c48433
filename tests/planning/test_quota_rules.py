"""When to ask again after a refusal for the quota, a rate limit, or a failure."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiktok_crawler.planning.quota import (
    DAILY_QUOTAS,
    QuotaAccount,
    QuotaPolicy,
    backoff_seconds,
    next_try,
    rate_limit_seconds,
    refused_day,
)
from tiktok_crawler.research_api.endpoints import Pool

FOUR_HOURS = timedelta(hours=4)
SHORTLY = timedelta(minutes=5)
MOMENTS = st.timedeltas(timedelta(0), timedelta(days=1100)).map(
    lambda passed: datetime(2023, 1, 1, tzinfo=UTC) + passed
)
COUNTS = st.integers(1, 10_000)


@pytest.mark.parametrize(
    ("refused_at", "midnight"),
    [
        pytest.param((2024, 5, 1, 9, 30), (2024, 5, 2), id="in the morning"),
        pytest.param((2024, 5, 1, 23, 59, 59), (2024, 5, 2), id="a second before"),
        pytest.param((2024, 2, 28, 12), (2024, 2, 29), id="before a leap day"),
        pytest.param((2024, 12, 31, 12), (2025, 1, 1), id="at the end of a year"),
    ],
)
def test_the_quota_is_whole_again_a_little_after_midnight_utc(refused_at, midnight):
    tried_at = next_try(datetime(*refused_at, tzinfo=UTC), QuotaPolicy.MIDNIGHT, FOUR_HOURS)

    assert timedelta(0) < tried_at - datetime(*midnight, tzinfo=UTC) <= SHORTLY


def test_a_refusal_right_after_midnight_does_not_wait_for_a_whole_day():
    refused_at = datetime(2024, 5, 1, 0, 0, 30, tzinfo=UTC)

    tried_at = next_try(refused_at, QuotaPolicy.MIDNIGHT, FOUR_HOURS)

    assert timedelta(minutes=5) <= tried_at - refused_at <= timedelta(hours=2)


def test_a_refusal_at_the_next_try_after_midnight_is_early_too():
    first_try = next_try(datetime(2024, 5, 1, 20, tzinfo=UTC), QuotaPolicy.MIDNIGHT, FOUR_HOURS)

    assert next_try(first_try, QuotaPolicy.MIDNIGHT, FOUR_HOURS) - first_try < FOUR_HOURS


@given(MOMENTS, st.sampled_from([QuotaPolicy.MIDNIGHT, QuotaPolicy.INTERVAL]))
def test_the_next_try_is_later_than_the_refusal_and_within_a_day(refused_at, policy):
    wait = next_try(refused_at, policy, FOUR_HOURS) - refused_at

    assert timedelta(0) < wait <= timedelta(days=1) + SHORTLY


@given(MOMENTS)
def test_with_policy_interval_it_is_tried_every_interval(refused_at):
    assert next_try(refused_at, QuotaPolicy.INTERVAL, FOUR_HOURS) == refused_at + FOUR_HOURS


def test_a_rate_limit_backs_off_from_10_seconds_doubling_to_60():
    waits = [rate_limit_seconds(refusals, 10, None) for refusals in range(1, 7)]

    assert waits == [10, 20, 40, 60, 60, 60]


@pytest.mark.parametrize("refusals", [1, 5, 100])
@pytest.mark.parametrize("retry_after", [1.0, 3.0, 600.0])
def test_retry_after_goes_before_the_doubling(refusals, retry_after):
    assert rate_limit_seconds(refusals, 10, retry_after) == retry_after


def test_retry_after_0_is_no_reason_to_ask_without_a_pause():
    assert rate_limit_seconds(1, 10, 0.0) == 1


@given(COUNTS, st.floats(0, 3600))
def test_a_rate_limit_never_waits_less_than_the_first_time(refusals, first):
    assert first <= rate_limit_seconds(refusals, first, None) <= max(first, 60)


def test_failures_back_off_from_5_seconds_doubling_to_120():
    waits = [backoff_seconds(attempt, 5, 120, jitter=0) for attempt in range(1, 8)]

    assert waits == [5, 10, 20, 40, 80, 120, 120]


@given(COUNTS, st.floats(0, 60), st.floats(60, 600), st.floats(0, 1))
def test_jitter_keeps_the_backoff_between_half_and_whole(attempt, first, longest, jitter):
    whole = backoff_seconds(attempt, first, longest, jitter=0)

    assert whole / 2 <= backoff_seconds(attempt, first, longest, jitter=jitter) <= whole <= longest


def test_requests_that_failed_together_return_apart():
    waits = {backoff_seconds(3, 5, 120, jitter=jitter / 10) for jitter in range(10)}

    assert len(waits) == 10


@pytest.mark.parametrize(
    ("refused_at", "day"),
    [
        ((2024, 5, 1, 23, 59, 59), 1),
        ((2024, 5, 2, 0, 29, 59), 1),
        ((2024, 5, 2, 0, 30), 2),
    ],
)
def test_a_refusal_right_after_midnight_is_about_the_day_before(refused_at, day):
    assert refused_day(datetime(*refused_at, tzinfo=UTC)) == date(2024, 5, day)


def test_each_pool_has_its_daily_quota():
    assert DAILY_QUOTAS == {Pool.RESEARCH: 1000, Pool.FOLLOW: 20_000}


def test_an_account_has_the_hash_of_the_client_key_alone():
    account = QuotaAccount("", Pool.RESEARCH, 800).of_client("key-of-ann")

    assert account == QuotaAccount(sha256(b"key-of-ann").hexdigest(), Pool.RESEARCH, 800)
    assert "key-of-ann" not in repr(account)


@pytest.mark.parametrize(
    ("daily_budget", "share", "second_tries"),
    [(None, 0.1, 100), (800, 0.1, 80), (5, 0.1, 1), (None, 0.0, 0), (10, 1.0, 10)],
)
def test_second_tries_have_a_share_of_the_daily_budget(daily_budget, share, second_tries):
    account = QuotaAccount("hash", Pool.RESEARCH, daily_budget, share)
    assert account.second_tries == second_tries
