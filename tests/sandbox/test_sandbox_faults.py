from __future__ import annotations

import pytest
from sandbox_client import Clock, client, search_body

from tiktok_crawler.sandbox.faults.faulty_answers import bend, stand_in
from tiktok_crawler.sandbox.faults.profile import Latency, SearchBehaviour
from tiktok_crawler.sandbox.faults.schedule import (
    FOR_SEARCHES,
    OF_FILES,
    OF_NEW_CHECKS,
    FaultName,
    Requests,
    Schedule,
    ScheduledFault,
)


def first(name: str, **options: object) -> ScheduledFault:
    return ScheduledFault(fault=FaultName(name), request=1, **options)


def struck(number: int, **schedule: object) -> list[int]:
    """Which of so many requests a schedule strikes."""
    faults = (ScheduledFault(fault=FaultName.INTERNAL_ERROR, **schedule),)
    counting = Schedule(faults, seed=1)
    return [n for n in range(1, number + 1) if counting.next_fault(Requests.SEARCHES)]


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ({"request": 7}, [7]),
        ({"requests": (5, 9)}, [5, 6, 7, 8, 9]),
        ({"every": 10}, [10, 20, 30]),
        ({"rate": 0.0}, []),
        ({"rate": 1.0}, list(range(1, 31))),
    ],
)
def test_schedules(schedule, expected):
    assert struck(30, **schedule) == expected


def test_chance_strikes_its_share_and_repeats_itself():
    assert 60 < len(struck(1_000, rate=0.1)) < 140
    assert struck(1_000, rate=0.1) == struck(1_000, rate=0.1)


def test_faults_at_the_same_rate_strike_different_requests():
    faults = [ScheduledFault(fault=FaultName.HANG, rate=0.5) for _ in range(2)]
    counting = Schedule(tuple(faults), seed=1)
    struck_by = [counting.next_fault(Requests.SEARCHES) for _ in range(1_000)]
    assert 600 < sum(fault is not None for fault in struck_by) < 900


def test_of_two_faults_the_first_happens():
    asking = client(first("internal_error"), first("token_invalid"))
    assert asking.search()[0] == 500


@pytest.mark.parametrize(
    ("of", "expected"),
    [
        ("searches", [200, 500, 200, 200]),
        ("first_pages", [200, 200, 500, 200]),
        ("later_pages", [200, 200, 200, 500]),
        ("tokens", [200, 200, 200, 200]),
    ],
)
def test_a_schedule_counts_one_kind_of_requests(of, expected):
    fault = ScheduledFault(fault=FaultName.INTERNAL_ERROR, of=Requests(of), request=2)
    asking = client(fault)
    later = {"cursor": 100, "search_id": client().page()["search_id"]}
    assert [asking.search(**each)[0] for each in ({}, later, {}, later)] == expected


def test_requests_with_a_bad_token_are_not_counted():
    asking = client(first("internal_error"))
    asking.token = "clt.0.0.0"
    assert asking.search()[0] == 401
    asking.renew_token()
    assert asking.search()[0] == 500


@pytest.mark.parametrize("fault", sorted(FOR_SEARCHES))
def test_some_faults_cannot_happen_to_token_requests(fault):
    with pytest.raises(ValueError, match=f"{fault} cannot happen to token requests"):
        ScheduledFault(fault=fault, of=Requests.TOKENS, every=1)


def test_every_fault_does_something():
    envelope = {"data": {"videos": [], "cursor": 0, "has_more": False}, "error": {}}
    plain = bend(None, envelope, 0)
    for name in set(FaultName) - {FaultName.SEARCH_LOST} - OF_NEW_CHECKS - OF_FILES:
        fault = ScheduledFault(fault=name, every=1)
        answer = stand_in(fault, "LOG")
        assert (answer is None) == (name in FOR_SEARCHES)
        assert answer or bend(fault, envelope, 0) != plain


@pytest.mark.parametrize(
    ("name", "status", "code"),
    [
        ("internal_error", 500, "internal_error"),
        ("error_in_200", 200, "internal_error"),
        ("token_invalid", 401, "access_token_invalid"),
        ("scope_not_authorized", 401, "scope_not_authorized"),
        ("forbidden", 403, "access_denied"),
        ("refused", 400, "invalid_params"),
        ("invalid_cursor", 400, "invalid_params"),
        ("rate_limited", 429, "rate_limit_exceeded"),
        ("daily_quota", 429, "daily_quota_limit_exceeded"),
        ("unknown_429", 429, "too_many_requests"),
    ],
)
def test_json_errors(name, status, code):
    asking = client(first(name))
    assert asking.problem()[:2] == (status, code)
    assert asking.search()[0] == 200


@pytest.mark.parametrize(
    ("name", "status"),
    [("service_unavailable", 503), ("gateway_timeout", 504), ("hang", 504), ("html_page", 200)],
)
def test_html_pages(name, status):
    answer = client(first(name)).post(search_body())
    assert (answer.status, answer.content_type) == (status, "text/html")
    assert answer.body.startswith(b"<html>")


def test_hanging_takes_its_time():
    assert client(first("hang")).post(search_body()).delay_seconds == 240
    assert client(first("hang", seconds=1.5)).post(search_body()).delay_seconds == 1.5


def test_retry_after_comes_when_it_is_wanted():
    asking = client(first("rate_limited", retry_after=3))
    assert asking.post(search_body()).headers == {"Retry-After": "3"}
    assert client(first("rate_limited")).post(search_body()).headers == {}


def test_data_with_500():
    asking = client(first("data_with_500"))
    status, body = asking.search()
    assert (status, body["error"]) == (500, {})
    assert body["data"] == asking.page()


def test_a_missing_cursor_comes_with_more_to_follow():
    assert client(first("no_cursor")).page(end_date="20240101")["has_more"] is True


def test_only_good_answers_are_bent():
    assert client(first("no_data")).problem(max_count=101)[:2] == (400, "invalid_params")


def lost_message(search_id: str) -> tuple[int, str, str]:
    return 400, "invalid_params", f"Search Id {search_id} is invalid or expired"


def test_a_lost_search_stays_lost_until_it_is_begun_again():
    fault = ScheduledFault(fault=FaultName.SEARCH_LOST, of=Requests.LATER_PAGES, request=2)
    asking = client(fault)
    search_id = asking.page()["search_id"]
    later = {"search_id": search_id}
    assert asking.page(cursor=100, **later)
    for _ in range(3):
        assert asking.problem(cursor=200, **later) == lost_message(search_id)
    assert asking.page()["search_id"] == search_id
    assert asking.page(cursor=100, **later)["cursor"] == 200


def test_a_search_that_has_not_begun_cannot_be_lost():
    assert client(first("search_lost")).search()[0] == 200


def test_losing_searches_that_never_were_does_no_harm():
    asking = client(ScheduledFault(fault=FaultName.SEARCH_LOST, every=1))
    for n in range(1_100):
        assert asking.problem(cursor=100, search_id=str(n)) == lost_message(str(n))


def test_new_search_ids_are_refused_so_many_times():
    asking = client(searches=SearchBehaviour(refuse_new_ids=3))
    for _ in range(2):
        later = {"cursor": 100, "search_id": asking.page()["search_id"]}
        messages = [asking.problem(**later)[2] for _ in range(3)]
        assert messages == [
            lost_message(later["search_id"])[2],
            "Invalid count or cursor",
            lost_message(later["search_id"])[2],
        ]
        assert asking.page(**later)["cursor"] == 200
        assert asking.page(**later | {"cursor": 200})["cursor"] == 300


def test_all_searches_can_be_lost_at_a_page():
    asking = client(searches=SearchBehaviour(lost_at_page=3))
    search_id = asking.page()["search_id"]
    assert asking.page(cursor=100, search_id=search_id)
    assert asking.problem(cursor=200, search_id=search_id) == lost_message(search_id)


def test_search_ids_can_expire():
    clock = Clock()
    asking = client(now=clock, searches=SearchBehaviour(expire_after_seconds=600))
    later = {"cursor": 100, "search_id": asking.page()["search_id"]}
    clock.move(seconds=599)
    assert asking.page(**later)
    clock.move(seconds=1)
    assert asking.problem(**later) == lost_message(later["search_id"])
    assert asking.page()
    assert asking.page(**later)


def test_faults_of_token_requests():
    fault = first("service_unavailable", of=Requests.TOKENS)
    asking = client(fault)
    assert asking.get_token().status == 503
    assert asking.get_token().status == 200


def test_latency_is_fixed_or_random():
    fixed = client(latency=Latency(seconds=1.5))
    assert {fixed.post(search_body()).delay_seconds for _ in range(3)} == {1.5}
    asking = client(latency=Latency(seconds=0.8, up_to=3))
    delays = {asking.post(search_body()).delay_seconds for _ in range(20)}
    assert len(delays) == 20
    assert all(0.8 <= delay <= 3 for delay in delays)


def test_a_sandbox_without_latency_answers_at_once():
    assert client().post(search_body()).delay_seconds == 0
