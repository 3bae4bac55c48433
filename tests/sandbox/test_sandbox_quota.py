from __future__ import annotations

from sandbox_client import Client, Clock

from tiktok_crawler.research_api.endpoints import Pool
from tiktok_crawler.sandbox import Profile, Sandbox
from tiktok_crawler.sandbox.faults.profile import QuotaBehaviour, SearchBehaviour


def client(clock: Clock, *, daily_quota: int | None = 3, **behaviour: int) -> Client:
    searches = SearchBehaviour(fail_over_days=7)
    profile = Profile(quota=QuotaBehaviour(**behaviour), searches=searches)
    return Client(Sandbox(videos_per_day=5, daily_quota=daily_quota, profile=profile, now=clock))


def statuses(asking: Client, number: int) -> list[int]:
    return [asking.search()[0] for _ in range(number)]


def test_the_quota_of_the_day_ends_and_is_whole_again_at_midnight_utc():
    clock = Clock()
    asking = client(clock)
    assert statuses(asking, 5) == [200, 200, 200, 429, 429]
    clock.move(hours=11, minutes=59)
    asking.renew_token()
    assert statuses(asking, 1) == [429]
    clock.move(minutes=1)
    assert statuses(asking, 4) == [200, 200, 200, 429]


def test_both_known_bodies_occur():
    asking = client(Clock(), daily_quota=0)
    bodies = [asking.search()[1] for _ in range(2)]
    assert [set(body) for body in bodies] == [{"error"}, {"data", "error"}]
    assert bodies[1]["data"] == {}
    for body in bodies:
        assert body["error"]["code"] == "daily_quota_limit_exceeded"
        assert body["error"]["message"].startswith("The API daily quota limit exceeded.")


def test_refused_requests_count_and_token_requests_do_not():
    asking = client(Clock())
    for _ in range(5):
        asking.renew_token()
    assert asking.problem(max_count=101)[0] == 400
    assert asking.problem(end_date="20240108")[0] == 500
    assert statuses(asking, 2) == [200, 429]
    assert asking.sandbox.statistics()["quota_spent"] == {"research": 3}


def test_requests_without_a_token_do_not_count():
    asking = client(Clock())
    asking.token = "clt.0.0.0"
    assert statuses(asking, 5) == [401] * 5
    asking.renew_token()
    assert statuses(asking, 4) == [200, 200, 200, 429]


def test_1000_requests_a_day_are_the_default():
    asking = Client(Sandbox(videos_per_day=1, now=Clock()))
    assert statuses(asking, 1_001) == [200] * 1_000 + [429]


def test_there_may_be_no_limit():
    assert statuses(client(Clock(), daily_quota=None), 10) == [200] * 10


def test_a_profile_sets_the_limit():
    assert statuses(client(Clock(), daily=1), 2) == [200, 429]


def test_what_other_sandboxes_have_answered_counts_for_the_day():
    clock = Clock()
    asking = client(clock)
    asking.sandbox.count_earlier({Pool.RESEARCH: 2})
    assert statuses(asking, 2) == [200, 429]
    clock.move(hours=12)
    asking.renew_token()
    assert statuses(asking, 4) == [200, 200, 200, 429]
    shorter = client(Clock(), day_seconds=60)
    shorter.sandbox.count_earlier({Pool.RESEARCH: 2})
    assert statuses(shorter, 4) == [200, 200, 200, 429]


def test_a_quota_day_can_be_shorter():
    clock = Clock()
    asking = client(clock, day_seconds=60)
    assert statuses(asking, 4) == [200, 200, 200, 429]
    clock.move(seconds=60)
    assert asking.sandbox.statistics()["quota_spent"] == {}
    assert statuses(asking, 1) == [200]


def test_too_many_requests_within_a_second_are_refused_and_cost_nothing():
    clock = Clock()
    asking = client(clock, daily_quota=5, per_second=2)
    assert statuses(asking, 3) == [200, 200, 429]
    assert asking.problem() == (
        429,
        "rate_limit_exceeded",
        "The API rate limit was exceeded. Please try again later.",
    )
    clock.move(seconds=1)
    assert statuses(asking, 3) == [200, 200, 429]
    assert asking.sandbox.statistics()["quota_spent"] == {"research": 4}
