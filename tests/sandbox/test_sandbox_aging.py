"""Counters grow and videos vanish with the sandbox's clock, by seed and clock alone."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta

import pytest
from list_client import ListClient
from sandbox_client import EVERYTHING, Client, Clock, client, first_week, query

from tiktok_crawler.sandbox import Profile, Sandbox, load_profile
from tiktok_crawler.sandbox.faults.profile import DataBehaviour
from tiktok_crawler.sandbox.faults.profile_file import parse_profile

DAY = date(2024, 1, 1)
COUNTERS = ("view_count", "like_count", "comment_count", "share_count", "favorites_count")
CHANGING = {"data": load_profile("changing").data}


def videos(asking: Client, day: date = DAY) -> dict[int, dict]:
    found = asking.sandbox.matches(EVERYTHING, day, day)
    return {video["id"]: video for video in found}


def at(moment: datetime, **profile: object) -> Client:
    return client(videos_per_day=500, now=Clock(moment), **profile)


def counted(found: dict[int, dict]) -> int:
    return sum(video[name] for video in found.values() for name in COUNTERS if name in video)


@pytest.mark.parametrize("name", COUNTERS)
def test_counters_grow_for_ten_days_and_then_stay(name):
    days = [videos(at(datetime(2024, 1, day, 12, tzinfo=UTC))) for day in (3, 5, 8, 11, 20, 31)]
    common = set.intersection(*map(set, days))
    sums = [sum(day[number].get(name, 0) for number in common) for day in days]
    assert sums[0] < sums[1] < sums[2] < sums[3]
    assert days[3] == days[4] == days[5]


def test_all_but_the_counters_stays_as_it_is():
    early, late = (
        videos(at(datetime(2024, 1, 3, tzinfo=UTC))),
        videos(at(datetime(2025, 1, 1, tzinfo=UTC))),
    )
    for number, video in early.items():
        assert {name: value for name, value in video.items() if name not in COUNTERS} == {
            name: value for name, value in late[number].items() if name not in COUNTERS
        }


def test_nothing_changes_within_a_day():
    morning, night = datetime(2024, 1, 5, tzinfo=UTC), datetime(2024, 1, 5, 23, 59, tzinfo=UTC)
    assert videos(at(morning, **CHANGING)) == videos(at(night, **CHANGING))


def test_days_that_are_settled_never_change_by_default():
    first, later = at(datetime(2024, 2, 1, tzinfo=UTC)), at(datetime(2030, 2, 1, tzinfo=UTC))
    assert videos(first) == videos(later)


def test_a_search_by_views_finds_what_has_them_by_then():
    for moment in (datetime(2024, 1, 3, tzinfo=UTC), datetime(2024, 1, 20, tzinfo=UTC)):
        asking = at(moment)
        popular = query("view_count", "1000", operation="GTE")
        days = {"start_date": "20240101", "end_date": "20240101"}
        found = [video for page in asking.pages(query=popular, **days) for video in page["videos"]]
        assert {video["id"] for video in found} == {
            number for number, video in videos(asking).items() if video["view_count"] >= 1000
        }


def test_vanished_videos_are_neither_delivered_nor_counted():
    now, later = datetime(2024, 2, 1, tzinfo=UTC), datetime(2025, 1, 31, tzinfo=UTC)
    before, after = at(now, **CHANGING), at(later, **CHANGING)
    assert set(videos(after)) < set(videos(before))
    left = after.sandbox.match_count(EVERYTHING, DAY, DAY)
    assert left == pytest.approx(before.sandbox.match_count(EVERYTHING, DAY, DAY) * 0.7, rel=0.07)
    last = after.pages(start_date="20240101", end_date="20240101")[-1]
    assert last["cursor"] == left


def test_what_has_vanished_never_comes_back():
    clock = Clock(datetime(2024, 2, 1, tzinfo=UTC))
    asking = client(now=clock, **CHANGING)
    known = set(videos(asking))
    for _ in range(12):
        clock.move(days=30)
        assert set(videos(asking)) <= known
        known = set(videos(asking))


def test_counters_go_on_growing_where_the_profile_says_so():
    before = videos(at(datetime(2024, 1, 11, tzinfo=UTC), data=DataBehaviour(yearly_growth=0.5)))
    after = videos(at(datetime(2025, 1, 10, tzinfo=UTC), data=DataBehaviour(yearly_growth=0.5)))
    assert counted(after) == pytest.approx(counted(before) * 1.5, rel=0.01)


def test_a_search_is_another_one_when_what_it_finds_has_changed():
    clock = Clock(datetime(2024, 3, 1, 1, tzinfo=UTC))
    asking = client(now=clock, **CHANGING)
    first = asking.page()["search_id"]
    clock.move(hours=22)
    asking.renew_token()
    assert asking.page()["search_id"] == first
    clock.move(hours=2)
    asking.renew_token()
    assert asking.page()["search_id"] != first


def test_no_list_has_what_has_vanished():
    clock = Clock(datetime(2024, 3, 1, tzinfo=UTC))
    sandbox = Sandbox(profile=Profile(**CHANGING), now=clock)
    name = next(sandbox.seeds("reposted_videos", at_least=50))
    reposted = {video["id"] for video in sandbox.truth("reposted_videos", name)}
    clock.move(days=2_000)
    left = {video["id"] for video in sandbox.truth("reposted_videos", name)}
    assert left < reposted
    gone = next(iter(reposted - left))
    assert "video_id" in sandbox.truth("comments", str(gone)).message
    assert json.loads(ListClient(sandbox).post("comments", gone).body)["error"]["code"] == (
        "invalid_params"
    )


@pytest.mark.slow
def test_a_month_later_is_the_same_world_a_month_on():
    clock = Clock(datetime(2024, 3, 1, tzinfo=UTC))
    ahead = Sandbox(profile=load_profile("a-month-later"), now=clock)
    clock_then = Clock(clock.time + timedelta(days=30))
    then = Sandbox(profile=load_profile("changing"), now=clock_then)
    now = Sandbox(profile=load_profile("changing"), now=clock)
    assert ahead.matches(EVERYTHING, *first_week()) == then.matches(EVERYTHING, *first_week())
    assert ahead.matches(EVERYTHING, *first_week()) != now.matches(EVERYTHING, *first_week())


def test_not_all_may_vanish_within_a_year():
    with pytest.raises(Exception, match="vanishing must be less than 1"):
        parse_profile("data: {vanishing: 1}", "mine")
